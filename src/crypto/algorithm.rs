//! The signature algorithms, one row each.

use std::{fmt, str::FromStr};

use ring::{hmac, signature};

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
    /// `HS256`: HMAC with SHA-256. Whoever can verify can also sign.
    Hs256,
    /// `RS256`: RSA PKCS #1 v1.5 with SHA-256.
    Rs256,
}

/// A name that is no algorithm verified here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is none of EdDSA, ES256, HS256, RS256{hint}")]
pub struct UnknownAlgorithm {
    name: String,
    hint: String,
}

/// What does the work of an algorithm, and so which kind of key it takes.
pub(super) enum Scheme {
    Ec(&'static signature::EcdsaVerificationAlgorithm),
    Ed(&'static signature::EdDSAParameters),
    Hmac(hmac::Algorithm),
    Rsa(&'static signature::RsaParameters),
}

impl Algorithm {
    const ALL: [Self; 4] = [Self::EdDsa, Self::Es256, Self::Hs256, Self::Rs256];

    /// The name a header or a JWK spells it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
        }
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

    pub(super) fn scheme(self) -> Scheme {
        match self {
            Self::EdDsa => Scheme::Ed(&signature::ED25519),
            Self::Es256 => Scheme::Ec(&signature::ECDSA_P256_SHA256_FIXED),
            Self::Hs256 => Scheme::Hmac(hmac::HMAC_SHA256),
            Self::Rs256 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        if let Some(found) = Self::ALL.into_iter().find(|algorithm| algorithm.is_named(name)) {
            return Ok(found);
        }
        let near = Self::ALL.into_iter().find(|near| near.name().eq_ignore_ascii_case(name));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Err(UnknownAlgorithm { name: name.chars().take(64).collect(), hint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(algorithm));
        }
        assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDsa));
        for name in ["", "none", "NONE", "noNE", "hs256", "RS512", "ES256K", "HS256 "] {
            assert!(name.parse::<Algorithm>().is_err(), "{name}");
        }
    }

    #[test]
    fn an_endless_name_is_cut_short() {
        let error = "x".repeat(100_000).parse::<Algorithm>().unwrap_err();
        assert!(error.to_string().len() < 200);
    }
}
