//! The signature algorithms, one row each.

mod name;

use std::fmt;

use ring::{
    hmac::{self, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512},
    signature::{
        self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
        RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    },
};

pub use self::name::UnknownAlgorithm;

/// A signature algorithm of JSON Web Signatures (RFC 7518 section 3.1, RFC 8037, RFC 9864).
///
/// There is no `none`: what is not listed here cannot be verified.
///
/// ```
/// use portcullis::authn::jwt::Algorithm;
///
/// assert_eq!("ES256".parse(), Ok(Algorithm::Es256));
/// let refused = "es256".parse::<Algorithm>().unwrap_err();
/// assert!(refused.to_string().ends_with("did you mean `ES256`?"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `EdDSA`: Ed25519. Its newer name `Ed25519` is understood too.
    EdDsa,
    /// `ES256`: ECDSA on P-256 with SHA-256.
    Es256,
    /// `ES384`: ECDSA on P-384 with SHA-384.
    Es384,
    /// `HS256`: HMAC with SHA-256. Whoever can verify can also sign.
    Hs256,
    /// `HS384`: HMAC with SHA-384.
    Hs384,
    /// `HS512`: HMAC with SHA-512.
    Hs512,
    /// `PS256`: RSA PSS with SHA-256 and a salt as long as the hash.
    Ps256,
    /// `PS384`: RSA PSS with SHA-384.
    Ps384,
    /// `PS512`: RSA PSS with SHA-512.
    Ps512,
    /// `RS256`: RSA PKCS #1 v1.5 with SHA-256.
    Rs256,
    /// `RS384`: RSA PKCS #1 v1.5 with SHA-384.
    Rs384,
    /// `RS512`: RSA PKCS #1 v1.5 with SHA-512.
    Rs512,
}

/// What does the work of an algorithm, and so which kind of key it takes.
#[derive(Clone, Copy)]
pub(super) enum Scheme {
    Ec(Curve, &'static signature::EcdsaVerificationAlgorithm),
    Ed(&'static signature::EdDSAParameters),
    Hmac(&'static hmac::Algorithm),
    Rsa(&'static signature::RsaParameters),
}

/// A curve that points of ECDSA keys are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
}

impl Algorithm {
    /// The name a header or a JWK spells it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// Whether `name` names this algorithm, letter by letter (RFC 7515 section 4.1.1).
    pub(crate) fn is_named(self, name: &str) -> bool {
        // RFC 9864 section 2.2: `Ed25519` is the full name of what `EdDSA` stands for here.
        name == self.name() || (self == Self::EdDsa && name == "Ed25519")
    }

    /// Whether the verifying key is the signing key.
    pub(crate) fn is_symmetric(self) -> bool {
        matches!(self.scheme(), Scheme::Hmac(_))
    }

    pub(super) const fn scheme(self) -> Scheme {
        self.row().1
    }

    const fn row(self) -> (&'static str, Scheme) {
        match self {
            Self::EdDsa => ("EdDSA", Scheme::Ed(&ED25519)),
            Self::Es256 => ("ES256", Scheme::Ec(Curve::P256, &ECDSA_P256_SHA256_FIXED)),
            Self::Es384 => ("ES384", Scheme::Ec(Curve::P384, &ECDSA_P384_SHA384_FIXED)),
            Self::Hs256 => ("HS256", Scheme::Hmac(&HMAC_SHA256)),
            Self::Hs384 => ("HS384", Scheme::Hmac(&HMAC_SHA384)),
            Self::Hs512 => ("HS512", Scheme::Hmac(&HMAC_SHA512)),
            Self::Ps256 => ("PS256", Scheme::Rsa(&RSA_PSS_2048_8192_SHA256)),
            Self::Ps384 => ("PS384", Scheme::Rsa(&RSA_PSS_2048_8192_SHA384)),
            Self::Ps512 => ("PS512", Scheme::Rsa(&RSA_PSS_2048_8192_SHA512)),
            Self::Rs256 => ("RS256", Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA256)),
            Self::Rs384 => ("RS384", Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA384)),
            Self::Rs512 => ("RS512", Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA512)),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
