//! A verifier by hand, for one token of one form: what any correct one must do, and nothing else.

use std::error::Error;

use aws_lc_rs::{
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{AUDIENCE, Algorithm, BorrowedClaims, ISSUER, Keys};

/// A longer token is not looked at.
const MAX_BYTES: usize = 2048;

/// Knows one key, prepared.
pub(crate) struct Verifier {
    algorithm: Algorithm,
    is_signature: IsSignature,
}

/// Whether the second is the key's signature over the first.
pub(crate) type IsSignature = Box<dyn Fn(&[u8], &[u8]) -> bool + Send + Sync>;

#[derive(Deserialize)]
struct Header<'a> {
    alg: &'a str,
}

impl Verifier {
    /// With aws-lc-rs, the fastest of the backends in reach.
    pub(crate) fn new(algorithm: Algorithm, keys: &Keys) -> Result<Self, Box<dyn Error>> {
        let public = keys.public(algorithm);
        let parse = |scheme| -> Result<IsSignature, Box<dyn Error>> {
            let key = ParsedPublicKey::new(scheme, &public)?;
            Ok(Box::new(move |message, signature| key.verify_sig(message, signature).is_ok()))
        };
        let is_signature = match algorithm {
            Algorithm::Hs256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &public);
                Box::new(move |message: &[u8], signature: &[u8]| {
                    hmac::verify(&key, message, signature).is_ok()
                })
            }
            Algorithm::Rs256 => parse(&RSA_PKCS1_2048_8192_SHA256)?,
            Algorithm::Es256 => parse(&ECDSA_P256_SHA256_FIXED)?,
            Algorithm::EdDsa => parse(&ED25519)?,
        };
        Ok(Self::with(algorithm, is_signature))
    }

    /// With this check of signatures.
    pub(crate) fn with(algorithm: Algorithm, is_signature: IsSignature) -> Self {
        Self { algorithm, is_signature }
    }

    /// What `accept` makes of a good token's claims; `None` of any other token.
    pub(crate) fn verify<R>(
        &self,
        token: &str,
        now: u64,
        accept: impl FnOnce(&BorrowedClaims<'_>) -> R,
    ) -> Option<R> {
        open(token, |signed, header, payload, signature| {
            let header: Header<'_> = serde_json::from_slice(header).ok()?;
            if header.alg != self.algorithm.name() || !(self.is_signature)(signed, signature) {
                return None;
            }
            let claims: BorrowedClaims<'_> = serde_json::from_slice(payload).ok()?;
            let good = claims.iss == ISSUER && claims.aud == AUDIENCE && claims.exp > now;
            good.then(|| accept(&claims))
        })
    }
}

/// Takes a token apart and hands over what is signed, the header, the payload and the signature,
/// the last three decoded onto the stack.
pub(crate) fn open<R>(
    token: &str,
    read: impl FnOnce(&[u8], &[u8], &[u8], &[u8]) -> Option<R>,
) -> Option<R> {
    let mut decoded = [0; MAX_BYTES];
    if token.len() > MAX_BYTES {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let (for_header, rest) = decoded.split_at_mut(header.len());
    let (for_payload, for_signature) = rest.split_at_mut(payload.len());
    let header = URL_SAFE_NO_PAD.decode(header.as_bytes(), for_header.as_out()).ok()?;
    let payload = URL_SAFE_NO_PAD.decode(payload.as_bytes(), for_payload.as_out()).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature.as_bytes(), for_signature.as_out()).ok()?;
    read(signed.as_bytes(), header, payload, signature)
}
