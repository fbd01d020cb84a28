//! Signing: for the test kit and for the provider offered to `jsonwebtoken`, never for verifying.

use ring::{
    hmac, rand,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};

use super::{
    Algorithm, Material,
    algorithm::{Curve, Scheme},
};

/// A key that signs with one algorithm.
pub(crate) enum SigningKey {
    Ec(Curve, EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Hmac(hmac::Key, Box<[u8]>),
    Rsa(&'static dyn RsaEncoding, RsaKeyPair),
}

/// The key is unfit, or signing with it failed.
#[derive(Debug)]
pub(crate) struct Unable;

impl SigningKey {
    /// From the bytes of a secret, or PKCS #8; for RSA also PKCS #1.
    pub(crate) fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self, Unable> {
        Ok(match algorithm.scheme() {
            Scheme::Ec(curve, _) => {
                let signing = match curve {
                    Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
                    Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
                };
                let pair = EcdsaKeyPair::from_pkcs8(signing, key, &rand::SystemRandom::new());
                Self::Ec(curve, pair.map_err(|_| Unable)?)
            }
            Scheme::Ed(_) => {
                Self::Ed(Ed25519KeyPair::from_pkcs8_maybe_unchecked(key).map_err(|_| Unable)?)
            }
            Scheme::Hmac(hash) => Self::Hmac(hmac::Key::new(*hash, key), Box::from(key)),
            Scheme::Rsa(_) => {
                let pair = RsaKeyPair::from_pkcs8(key).or_else(|_| RsaKeyPair::from_der(key));
                Self::Rsa(rsa_encoding(algorithm)?, pair.map_err(|_| Unable)?)
            }
        })
    }

    /// The signature over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unable> {
        let random = rand::SystemRandom::new();
        Ok(match self {
            Self::Ec(_, key) => key.sign(&random, message).map_err(|_| Unable)?.as_ref().to_vec(),
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
            Self::Hmac(key, _) => hmac::sign(key, message).as_ref().to_vec(),
            Self::Rsa(encoding, key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(*encoding, &random, message, &mut signature).map_err(|_| Unable)?;
                signature
            }
        })
    }

    /// Calls `read` with what verifies this key's signatures: the public key, or the secret.
    pub(crate) fn public<R>(&self, read: impl FnOnce(&Material<'_>) -> R) -> R {
        match self {
            Self::Ec(curve, key) => read(&Material::Ec(*curve, key.public_key().as_ref())),
            Self::Ed(key) => read(&Material::Ed25519(key.public_key().as_ref())),
            Self::Hmac(_, secret) => read(&Material::Secret(secret)),
            Self::Rsa(_, key) => {
                let RsaPublicKeyComponents::<Vec<u8>> { n, e } = key.public().into();
                read(&Material::Rsa { modulus: &n, exponent: &e })
            }
        }
    }
}

/// How an RSA signature of `algorithm` is made.
fn rsa_encoding(algorithm: Algorithm) -> Result<&'static dyn RsaEncoding, Unable> {
    match algorithm {
        Algorithm::Ps256 => Ok(&RSA_PSS_SHA256),
        Algorithm::Ps384 => Ok(&RSA_PSS_SHA384),
        Algorithm::Ps512 => Ok(&RSA_PSS_SHA512),
        Algorithm::Rs256 => Ok(&RSA_PKCS1_SHA256),
        Algorithm::Rs384 => Ok(&RSA_PKCS1_SHA384),
        Algorithm::Rs512 => Ok(&RSA_PKCS1_SHA512),
        Algorithm::EdDsa
        | Algorithm::Es256
        | Algorithm::Es384
        | Algorithm::Hs256
        | Algorithm::Hs384
        | Algorithm::Hs512 => Err(Unable),
    }
}
