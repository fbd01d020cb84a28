//! Loading keys with more said than where they are.

use super::{
    error::{KeyError, KeySetError},
    jwk, jwks,
    key::Key,
    key_set::KeySet,
    pem,
};
use crate::{
    Secret,
    crypto::{Algorithm, Backend, Material},
};

/// Loads keys and sets of them. The constructors of [`Key`] and [`KeySet`] are this with nothing
/// said.
///
/// ```
/// use portcullis::authn::jwt::{KeyError, Loader};
///
/// let jwks = r#"{"keys": [{"kty": "oct", "alg": "HS256",
///     "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]}"#;
/// assert!(Loader::new().jwks(jwks).is_ok());
/// assert!(Loader::new().public_only().jwks(jwks).is_err(), "whoever fetches it could sign");
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a loader loads nothing by itself"]
pub struct Loader {
    assumed: Option<Algorithm>,
    public_only: bool,
    backend: Backend,
}

impl Loader {
    /// With nothing assumed, open to secrets, and for ring.
    pub fn new() -> Self {
        Self::default()
    }

    /// JWKs without `alg` are for this algorithm.
    pub fn assuming(mut self, algorithm: Algorithm) -> Self {
        self.assumed = Some(algorithm);
        self
    }

    /// Refuses shared secrets: for documents that anybody may read.
    pub fn public_only(mut self) -> Self {
        self.public_only = true;
        self
    }

    /// Prepares keys for this library; [`Backend::Ring`] unless said otherwise.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// As [`Key::from_secret`].
    ///
    /// # Errors
    /// Those of `Key::from_secret`, and with [`public_only`](Self::public_only) always.
    pub fn secret(&self, algorithm: Algorithm, secret: &Secret) -> Result<Key, KeyError> {
        self.key(algorithm, &Material::Secret(secret.expose()))
    }

    /// As [`Key::from_pem`].
    ///
    /// # Errors
    /// Those of `Key::from_pem`.
    pub fn pem(&self, algorithm: Algorithm, pem: impl AsRef<[u8]>) -> Result<Key, KeyError> {
        let spki = pem::public_key(pem.as_ref())?;
        self.key(algorithm, &pem::material(&spki)?)
    }

    /// As [`Key::from_jwk`], or as [`Key::from_jwk_assuming`] where an algorithm is assumed.
    ///
    /// # Errors
    /// Those of the two.
    pub fn jwk(&self, jwk: impl AsRef<[u8]>) -> Result<Key, KeyError> {
        let key = jwk::parse(jwk.as_ref(), self)?;
        let found = key.algorithm();
        match self.assumed {
            Some(expected) if expected != found => {
                Err(KeyError::AlgorithmContradicted { expected, found })
            }
            _ => Ok(key),
        }
    }

    /// As [`KeySet::from_jwks`].
    ///
    /// # Errors
    /// Those of `KeySet::from_jwks`. A key that is refused here is
    /// [skipped](KeySet::skipped) there.
    pub fn jwks(&self, document: impl AsRef<[u8]>) -> Result<KeySet, KeySetError> {
        KeySet::of(jwks::parse(document.as_ref(), self)?)
    }

    /// The algorithm of a JWK that says `alg`.
    pub(super) fn algorithm(&self, alg: Option<&str>) -> Result<Algorithm, KeyError> {
        match alg {
            Some(alg) => Ok(alg.parse()?),
            None => self.assumed.ok_or(KeyError::AlgorithmMissing),
        }
    }

    pub(crate) fn key(
        &self,
        algorithm: Algorithm,
        material: &Material<'_>,
    ) -> Result<Key, KeyError> {
        if self.public_only && matches!(material, Material::Secret(_)) {
            return Err(KeyError::SecretAmongPublic);
        }
        Key::new(self.backend, algorithm, material)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Issuer;

    #[test]
    fn attack_secret_in_a_public_document() {
        let loader = Loader::new().public_only();
        let issuer = |algorithm| Issuer::new("i").with_algorithm(algorithm);
        let refused = loader.jwks(issuer(Algorithm::Hs256).jwks()).unwrap_err();
        let KeySetError::NoUsableKey(skipped) = refused else { panic!("{refused}") };
        assert_eq!(skipped[0].reason, KeyError::SecretAmongPublic);
        let secret = Secret::new([7; 64]);
        let refused = loader.secret(Algorithm::Hs512, &secret).unwrap_err();
        assert_eq!(refused, KeyError::SecretAmongPublic);
        for algorithm in [Algorithm::EdDsa, Algorithm::Es384, Algorithm::Ps256] {
            assert!(loader.jwks(issuer(algorithm).jwks()).is_ok(), "{algorithm}");
        }
    }
}
