//! Keys of four algorithms, and their public halves in the forms that libraries take.

use std::error::Error;

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::Serialize;
use serde_json::{Value, json};

/// What both sides share under HS256.
const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// What stands before a point in SubjectPublicKeyInfo (RFC 5480, RFC 8410).
const P256_POINT: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const ED25519_POINT: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "tokens"),
    expect(dead_code, reason = "only the tokens are measured under all four")
)]
pub(crate) enum Algorithm {
    Hs256,
    Rs256,
    Es256,
    EdDsa,
}

/// One key for each algorithm.
pub(crate) struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    random: SystemRandom,
}

impl Algorithm {
    /// As a header's `alg` says it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl Keys {
    pub(crate) fn generate() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048)?,
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
            ed: Ed25519KeyPair::generate()?,
            random: SystemRandom::new(),
        })
    }

    /// The secret, an RSA key as PKCS#1, a P-256 point uncompressed, an Ed25519 point.
    pub(crate) fn public(&self, algorithm: Algorithm) -> Vec<u8> {
        match algorithm {
            Algorithm::Hs256 => SECRET.to_vec(),
            Algorithm::Rs256 => self.rsa.public_key().as_ref().to_vec(),
            Algorithm::Es256 => self.ec.public_key().as_ref().to_vec(),
            Algorithm::EdDsa => self.ed.public_key().as_ref().to_vec(),
        }
    }

    /// The public key as text (RFC 7468): PKCS#1 for RSA, else SubjectPublicKeyInfo (RFC 5280).
    pub(crate) fn pem(&self, algorithm: Algorithm) -> String {
        let public = self.public(algorithm);
        let (label, before): (_, &[u8]) = match algorithm {
            Algorithm::Rs256 | Algorithm::Hs256 => ("RSA PUBLIC KEY", &[]),
            Algorithm::Es256 => ("PUBLIC KEY", P256_POINT),
            Algorithm::EdDsa => ("PUBLIC KEY", ED25519_POINT),
        };
        let mut text = format!("-----BEGIN {label}-----\n");
        let encoded = STANDARD.encode([before, &public].concat());
        for (at, character) in encoded.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                text.push('\n');
            }
            text.push(character);
        }
        text.push_str("\n-----END ");
        text.push_str(label);
        text.push_str("-----\n");
        text
    }

    /// Modulus and exponent.
    pub(crate) fn rsa(&self) -> (Vec<u8>, Vec<u8>) {
        let components = RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public_key());
        (components.n, components.e)
    }

    /// The public key as a JWK (RFC 7517); under HS256 the secret.
    pub(crate) fn jwk(&self, algorithm: Algorithm) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let public = self.public(algorithm);
        let mut jwk = match algorithm {
            Algorithm::Hs256 => json!({ "kty": "oct", "k": encode(&public) }),
            Algorithm::Rs256 => {
                let (n, e) = self.rsa();
                json!({ "kty": "RSA", "n": encode(&n), "e": encode(&e) })
            }
            Algorithm::Es256 => {
                // After the byte that says "uncompressed", 32 bytes for each coordinate.
                let (x, y) = public.split_at(33);
                let x = x.get(1..).unwrap_or_default();
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Algorithm::EdDsa => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&public) }),
        };
        if let Some(members) = jwk.as_object_mut() {
            members.insert("alg".to_owned(), algorithm.name().into());
            members.insert("use".to_owned(), "sig".into());
        }
        jwk
    }

    /// A set of that one key.
    pub(crate) fn jwks(&self, algorithm: Algorithm) -> String {
        json!({ "keys": [self.jwk(algorithm)] }).to_string()
    }

    /// A token with these claims.
    pub(crate) fn sign(
        &self,
        algorithm: Algorithm,
        claims: &impl Serialize,
    ) -> Result<String, Box<dyn Error>> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, algorithm.name());
        let payload = serde_json::to_vec(claims)?;
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(&payload));
        let signature = self.signature(algorithm, signed.as_bytes())?;
        Ok(format!("{signed}.{}", encode(&signature)))
    }

    fn signature(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
        Ok(match algorithm {
            Algorithm::Hs256 => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), message).as_ref().to_vec()
            }
            Algorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature)?;
                signature
            }
            Algorithm::Es256 => self.ec.sign(&self.random, message)?.as_ref().to_vec(),
            Algorithm::EdDsa => self.ed.sign(message).as_ref().to_vec(),
        })
    }
}
