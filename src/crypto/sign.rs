//! Signing: for the test kit and for the provider offered to `jsonwebtoken`, never for verifying.

use ring::{
    hmac, rand,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
    },
};

use super::{Algorithm, Material};

/// A key that signs with one algorithm.
pub(crate) enum SigningKey {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Hs256(hmac::Key, Box<[u8]>),
    Rs256(RsaKeyPair),
}

/// The key is unfit, or signing with it failed.
#[derive(Debug)]
pub(crate) struct Unable;

impl SigningKey {
    /// From the bytes of a secret, or PKCS #8; for RSA also PKCS #1.
    pub(crate) fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self, Unable> {
        Ok(match algorithm {
            Algorithm::EdDsa => {
                Self::EdDsa(Ed25519KeyPair::from_pkcs8_maybe_unchecked(key).map_err(|_| Unable)?)
            }
            Algorithm::Es256 => Self::Es256(
                EcdsaKeyPair::from_pkcs8(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    key,
                    &rand::SystemRandom::new(),
                )
                .map_err(|_| Unable)?,
            ),
            Algorithm::Hs256 => Self::Hs256(hmac::Key::new(hmac::HMAC_SHA256, key), Box::from(key)),
            Algorithm::Rs256 => Self::Rs256(
                RsaKeyPair::from_pkcs8(key)
                    .or_else(|_| RsaKeyPair::from_der(key))
                    .map_err(|_| Unable)?,
            ),
        })
    }

    /// The signature over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unable> {
        let random = rand::SystemRandom::new();
        Ok(match self {
            Self::EdDsa(key) => key.sign(message).as_ref().to_vec(),
            Self::Es256(key) => key.sign(&random, message).map_err(|_| Unable)?.as_ref().to_vec(),
            Self::Hs256(key, _) => hmac::sign(key, message).as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| Unable)?;
                signature
            }
        })
    }

    /// Calls `read` with what verifies this key's signatures: the public key, or the secret.
    pub(crate) fn public<R>(&self, read: impl FnOnce(&Material<'_>) -> R) -> R {
        match self {
            Self::EdDsa(key) => read(&Material::Ed25519(key.public_key().as_ref())),
            Self::Es256(key) => read(&Material::P256(key.public_key().as_ref())),
            Self::Hs256(_, secret) => read(&Material::Secret(secret)),
            Self::Rs256(key) => {
                let RsaPublicKeyComponents::<Vec<u8>> { n, e } = key.public().into();
                read(&Material::Rsa { modulus: &n, exponent: &e })
            }
        }
    }
}
