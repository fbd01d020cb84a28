//! Beside `jsonwebtoken`: its keys become ours, and ring can do its cryptography.
//!
//! A service that issues tokens with `jsonwebtoken` can verify them here. Keys convert with
//! `try_from`, and [`ring_provider`] is a value that the application may install for itself, so
//! that both work on one backend. This crate installs nothing and never calls `jsonwebtoken`'s
//! process-wide provider.
//!
//! ```
//! use portcullis::authn::jwt::{Algorithm, Key, KeyError};
//! use jsonwebtoken::DecodingKey;
//!
//! let theirs = DecodingKey::from_secret(b"an example of thirty-two bytes!!");
//! let ours = Key::try_from((jsonwebtoken::Algorithm::HS256, &theirs))?;
//! assert_eq!(ours.algorithm(), Algorithm::Hs256);
//!
//! let short = DecodingKey::from_secret(b"secret");
//! assert!(Key::try_from((jsonwebtoken::Algorithm::HS256, &short)).is_err());
//! # Ok::<(), KeyError>(())
//! ```

mod provider;

use ::jsonwebtoken::{
    Algorithm as Theirs, AlgorithmFamily, DecodingKey, DecodingKeyKind,
    jwk::{Jwk, JwkSet},
};
pub use provider::ring_provider;

use crate::{
    authn::jwt::{
        Algorithm, Key, KeyError, KeySet, KeySetError, Loader, UnknownAlgorithm, rsa_public_key,
    },
    crypto::{Curve, Material},
};

impl From<Algorithm> for Theirs {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::EdDsa => Self::EdDSA,
            Algorithm::Es256 => Self::ES256,
            Algorithm::Es384 => Self::ES384,
            Algorithm::Hs256 => Self::HS256,
            Algorithm::Hs384 => Self::HS384,
            Algorithm::Hs512 => Self::HS512,
            Algorithm::Ps256 => Self::PS256,
            Algorithm::Ps384 => Self::PS384,
            Algorithm::Ps512 => Self::PS512,
            Algorithm::Rs256 => Self::RS256,
            Algorithm::Rs384 => Self::RS384,
            Algorithm::Rs512 => Self::RS512,
        }
    }
}

impl TryFrom<Theirs> for Algorithm {
    type Error = UnknownAlgorithm;

    fn try_from(algorithm: Theirs) -> Result<Self, UnknownAlgorithm> {
        // Its variants are spelled as in RFC 7518.
        format!("{algorithm:?}").parse()
    }
}

impl TryFrom<&Jwk> for Key {
    type Error = KeyError;

    /// Under all the rules of [`Key::from_jwk`]; a key without `alg` is refused. Parsing into a
    /// `Jwk` has dropped private members, so those cannot be noticed any more.
    fn try_from(jwk: &Jwk) -> Result<Self, KeyError> {
        let text = serde_json::to_vec(jwk).map_err(|_| KeyError::NotAKey("the JWK is not JSON"))?;
        Self::from_jwk(text)
    }
}

impl TryFrom<&JwkSet> for KeySet {
    type Error = KeySetError;

    /// Under all the rules of [`KeySet::from_jwks`].
    fn try_from(set: &JwkSet) -> Result<Self, KeySetError> {
        let text =
            serde_json::to_vec(set).map_err(|_| KeySetError::NotAKeySet("the set is not JSON"))?;
        Self::from_jwks(text)
    }
}

impl TryFrom<(Theirs, &DecodingKey)> for Key {
    type Error = KeyError;

    /// A `DecodingKey` is for a family of algorithms; a [`Key`] is for the one given beside it.
    fn try_from((algorithm, key): (Theirs, &DecodingKey)) -> Result<Self, KeyError> {
        let material = match (key.family(), key.kind()) {
            (_, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                Material::Rsa { modulus: n, exponent: e }
            }
            (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(point)) => {
                // It does not say which curve its point is on; the algorithm does.
                let curve = if algorithm == Theirs::ES384 { Curve::P384 } else { Curve::P256 };
                Material::Ec(curve, point)
            }
            (AlgorithmFamily::Ed, DecodingKeyKind::SecretOrDer(point)) => Material::Ed25519(point),
            (AlgorithmFamily::Hmac, DecodingKeyKind::SecretOrDer(bytes)) => Material::Secret(bytes),
            (AlgorithmFamily::Rsa, DecodingKeyKind::SecretOrDer(der)) => {
                rsa_public_key(der).ok_or(KeyError::NotAKey("the DER is no RSA public key"))?
            }
        };
        Loader::new().key(algorithm.try_into()?, &material)
    }
}
