//! Keys that verify: one key, one algorithm, settled when it is loaded.

use std::fmt;

use super::{error::KeyError, header::MAX_KID, loader::Loader, thumbprint::thumbprint};
use crate::{
    Secret,
    crypto::{Algorithm, Backend, Forged, Material, VerifyingKey},
};

/// A key that verifies signatures of exactly one algorithm (RFC 8725 section 3.1).
///
/// What can be checked is checked on loading: the length of a secret, the size of an RSA modulus,
/// that a point is on its curve, that an Ed25519 key is not of small order and its coordinate below
/// 2^255 - 19 (RFC 8032 section 5.1.3), that a JWK is meant for signatures at all. Ed25519 bytes
/// that stand for no point load all the same, and verify nothing.
///
/// ```
/// use portcullis::{Secret, authn::jwt::{Algorithm, Key}};
///
/// let secret = Secret::new(*b"an example of thirty-two bytes!!");
/// let key = Key::from_secret(Algorithm::Hs256, &secret)?.with_kid("2026-01")?;
/// assert_eq!(key.kid(), Some("2026-01"));
///
/// let refused = Key::from_secret(Algorithm::Hs256, &Secret::new(*b"short")).unwrap_err();
/// assert!(refused.to_string().starts_with("unfit key: a secret must have 32 bytes or more"));
/// # Ok::<(), portcullis::authn::jwt::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Key {
    algorithm: Algorithm,
    kid: Option<Box<str>>,
    thumbprint: Option<Box<str>>,
    verifying: VerifyingKey,
}

impl Key {
    /// A secret shared with the issuer, at least as long as the algorithm's hash: 32 bytes for
    /// [`Algorithm::Hs256`], 48 for [`Algorithm::Hs384`], 64 for [`Algorithm::Hs512`] (RFC 7518
    /// section 3.2).
    ///
    /// # Errors
    /// When the secret is too short or the algorithm takes no secret.
    pub fn from_secret(algorithm: Algorithm, secret: &Secret) -> Result<Self, KeyError> {
        Loader::new().secret(algorithm, secret)
    }

    /// A public key in PEM: one section `PUBLIC KEY` (RFC 7468 section 13). An RSA key fits six
    /// algorithms, and is for the one given here alone.
    ///
    /// # Errors
    /// When the text is not one public key, or the key does not go with `algorithm`.
    pub fn from_pem(algorithm: Algorithm, pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Loader::new().pem(algorithm, pem)
    }

    /// A JSON Web Key (RFC 7517) that says which algorithm it is for.
    ///
    /// # Errors
    /// When the text is no JWK, has no `alg`, is a private key, is for another use, or unfit.
    pub fn from_jwk(jwk: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Loader::new().jwk(jwk)
    }

    /// Like [`from_jwk`](Self::from_jwk); a key without `alg` is for the algorithm `assumed`.
    ///
    /// # Errors
    /// Those of `from_jwk`, and when the key's own `alg` is another one.
    pub fn from_jwk_assuming(jwk: impl AsRef<[u8]>, assumed: Algorithm) -> Result<Self, KeyError> {
        Loader::new().assuming(assumed).jwk(jwk)
    }

    /// With the id that tokens name it by. A token that names a `kid` is checked with the key of
    /// that id and no other; a key without one is for tokens that name none.
    ///
    /// # Errors
    /// When the id is empty or longer than 256 bytes.
    pub fn with_kid(mut self, kid: impl Into<String>) -> Result<Self, KeyError> {
        let kid = kid.into();
        if kid.is_empty() || kid.len() > MAX_KID {
            return Err(KeyError::NotAKey("`kid` must have 1 to 256 bytes"));
        }
        self.kid = Some(kid.into());
        Ok(self)
    }

    /// The one algorithm this key is for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The id that tokens name it by.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The name a public key has by its numbers alone: the SHA-256 thumbprint of RFC 7638 in
    /// base64url, 43 characters, the same from a JWK and from PEM. None for a secret, whose
    /// thumbprint would let one try guesses at it (section 7).
    #[must_use]
    pub fn thumbprint(&self) -> Option<&str> {
        self.thumbprint.as_deref()
    }

    pub(super) fn new(
        backend: Backend,
        algorithm: Algorithm,
        material: &Material<'_>,
    ) -> Result<Self, KeyError> {
        let verifying = backend.load(algorithm, material);
        let verifying = verifying.map_err(|unfit| KeyError::of(unfit, algorithm))?;
        let thumbprint = thumbprint(material).map(Into::into);
        Ok(Self { algorithm, kid: None, thumbprint, verifying })
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Forged> {
        self.verifying.verify(message, signature)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_key() {
        let secret = Secret::new(*b"PQRSTUVWXYZPQRSTUVWXYZPQRSTUVWXYZ");
        let key = Key::from_secret(Algorithm::Hs256, &secret).unwrap().with_kid("k1").unwrap();
        let text = format!("{key:?}");
        assert_eq!(text, r#"Key { algorithm: Hs256, kid: Some("k1"), .. }"#);
    }

    #[test]
    #[cfg(feature = "aws-lc-rs")]
    fn a_key_is_prepared_for_the_backend_that_was_asked_for() {
        let issuer = crate::testing::Issuer::new("i").with_algorithm(Algorithm::Es256);
        let by_aws_lc = |loader: Loader| {
            let keys = loader.jwks(issuer.jwks()).unwrap();
            matches!(keys.keys()[0].verifying, VerifyingKey::AwsLc(_))
        };
        assert!(by_aws_lc(Loader::new().backend(Backend::AwsLcRs)));
        assert!(!by_aws_lc(Loader::new()));
    }

    #[test]
    fn a_secret_is_no_public_key() {
        let secret = Secret::new([7; 64]);
        for algorithm in Algorithm::ALL.iter().copied().filter(|one| !one.is_symmetric()) {
            let refused = Key::from_secret(algorithm, &secret).unwrap_err();
            assert_eq!(refused, KeyError::Mismatch(algorithm));
        }
    }

    #[test]
    fn kids_are_bounded() {
        let key = Key::from_secret(Algorithm::Hs256, &Secret::new([7; 32])).unwrap();
        assert!(key.clone().with_kid("").is_err());
        assert!(key.clone().with_kid("k".repeat(257)).is_err());
        assert!(key.with_kid("k".repeat(256)).is_ok());
    }
}
