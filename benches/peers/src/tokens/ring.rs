//! Signatures as ring checks them.

use ring::{
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
        UnparsedPublicKey,
    },
};

use crate::access_token::{Algorithm, IsSignature, Keys};

/// The check of a signature as ring does it.
pub(super) fn ring(algorithm: Algorithm, keys: &Keys) -> IsSignature {
    let public = keys.public(algorithm);
    match algorithm {
        Algorithm::Hs256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &public);
            Box::new(move |message, signature| hmac::verify(&key, message, signature).is_ok())
        }
        Algorithm::Rs256 => {
            let (n, e) = keys.rsa();
            let key = RsaPublicKeyComponents { n, e };
            Box::new(move |message, signature| {
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            })
        }
        Algorithm::Es256 => {
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public);
            Box::new(move |message, signature| key.verify(message, signature).is_ok())
        }
        Algorithm::EdDsa => {
            let key = UnparsedPublicKey::new(&ED25519, public);
            Box::new(move |message, signature| key.verify(message, signature).is_ok())
        }
    }
}
