//! The work of AWS-LC. What comes here has passed the checks of `verify.rs`.

use aws_lc_rs::{
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
        RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
        RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
    },
};

use super::{Algorithm, Forged, Material, Unfit};

/// A key that was parsed once, for one algorithm.
#[derive(Clone)]
pub(crate) enum Prepared {
    /// Boxed, as it takes more than a thousand bytes.
    Hmac(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl Prepared {
    /// Prepares material that fits `algorithm`.
    pub(super) fn new(algorithm: Algorithm, material: &Material<'_>) -> Result<Self, Unfit> {
        let scheme = scheme(algorithm);
        let key = match (scheme, material) {
            (Scheme::Hmac(hash), Material::Secret(secret)) => {
                return Ok(Self::Hmac(Box::new(hmac::Key::new(hash, secret))));
            }
            (Scheme::Rsa(parameters), Material::Rsa { modulus, exponent }) => {
                let components = RsaPublicKeyComponents { n: *modulus, e: *exponent };
                components.to_parsed_public_key(parameters).ok()
            }
            (Scheme::Point(parameters), Material::Ec(_, point) | Material::Ed25519(point)) => {
                ParsedPublicKey::new(parameters, point).ok()
            }
            _ => return Err(Unfit::Mismatch),
        };
        key.map(Self::Public).ok_or(Unfit::Numbers("AWS-LC does not take the key's numbers"))
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Forged> {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature),
            Self::Public(key) => key.verify_sig(message, signature),
        }
        .map_err(|_| Forged)
    }
}

enum Scheme {
    Hmac(hmac::Algorithm),
    Point(&'static dyn VerificationAlgorithm),
    Rsa(&'static RsaParameters),
}

fn scheme(algorithm: Algorithm) -> Scheme {
    match algorithm {
        Algorithm::EdDsa => Scheme::Point(&ED25519),
        Algorithm::Es256 => Scheme::Point(&ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Scheme::Point(&ECDSA_P384_SHA384_FIXED),
        Algorithm::Hs256 => Scheme::Hmac(hmac::HMAC_SHA256),
        Algorithm::Hs384 => Scheme::Hmac(hmac::HMAC_SHA384),
        Algorithm::Hs512 => Scheme::Hmac(hmac::HMAC_SHA512),
        Algorithm::Ps256 => Scheme::Rsa(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Scheme::Rsa(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Scheme::Rsa(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Rs256 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA512),
    }
}
