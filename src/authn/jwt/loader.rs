//! Loading keys with more said than where they are.

use super::{
    error::{KeyError, KeySetError},
    jwk, jwks,
    key::Key,
    key_set::KeySet,
    pem,
    profile::SpiffeBundle,
};
use crate::{
    Secret,
    crypto::{Algorithm, Backend, Material, is_guessable},
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
    /// Whether the document is the bundle of a SPIFFE trust domain.
    bundle: bool,
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

    /// The keys that a SPIFFE bundle has for JWT-SVIDs (SPIFFE Trust Domain and Bundle section 4,
    /// JWT-SVID section 6): those whose `use` is `jwt-svid`, which must have a `kid`. Those of
    /// X.509-SVIDs are passed over; others are [skipped](KeySet::skipped). Where a key does not say
    /// its algorithm, it is ES256 on P-256, ES384 on P-384, and for RSA RS256 or what is
    /// [assumed](Self::assuming).
    ///
    /// # Errors
    /// When the text is no such document, is longer than 256 KiB, or lists more than 64 keys. That
    /// there is no key for JWT-SVIDs is no error: all of them are refused then, as the trust domain
    /// wants it.
    pub fn spiffe_bundle(&self, document: impl AsRef<[u8]>) -> Result<SpiffeBundle, KeySetError> {
        let loader = Self { bundle: true, public_only: true, ..*self };
        let document = document.as_ref();
        let keys = match KeySet::of(jwks::parse(document, &loader)?) {
            Err(KeySetError::NoUsableKey(skipped)) => {
                let mut none = KeySet::from(Vec::new());
                none.skipped = skipped;
                none
            }
            keys => keys?,
        };
        SpiffeBundle::new(document, keys)
    }

    /// A loader of what is fetched from where a trust domain publishes its bundle.
    pub(super) fn bundles(mut self) -> Self {
        self.bundle = true;
        self
    }

    /// What a fetch brought: of a set that is no bundle, the keys alone.
    pub(super) fn fetched(&self, document: &[u8]) -> Result<SpiffeBundle, KeySetError> {
        if self.bundle { self.spiffe_bundle(document) } else { self.jwks(document).map(Into::into) }
    }

    /// Whether an entry with this `use` is for this loader at all.
    pub(super) fn looks_at(&self, purpose: Option<&str>) -> bool {
        !self.bundle || purpose != Some("x509-svid")
    }

    /// That a key with this `use` verifies what it is loaded for.
    pub(super) fn check_use(&self, purpose: Option<&str>) -> Result<(), KeyError> {
        match purpose {
            Some("jwt-svid") if self.bundle => Ok(()),
            _ if self.bundle => Err(KeyError::OtherPurpose("`use` is not `jwt-svid`")),
            None | Some("sig") => Ok(()),
            Some(_) => Err(KeyError::OtherPurpose("`use` is not `sig`")),
        }
    }

    /// The algorithm of a JWK that does not say.
    pub(super) fn unsaid(&self, kty: &str, crv: Option<&str>) -> Option<Algorithm> {
        match (kty, crv) {
            _ if !self.bundle => self.assumed,
            ("EC", Some("P-256")) => Some(Algorithm::Es256),
            // There are other curves; no key is on one of them.
            ("EC", _) => Some(Algorithm::Es384),
            ("OKP", _) => Some(Algorithm::EdDsa),
            (_, _) => self.assumed.or(Some(Algorithm::Rs256)),
        }
    }

    /// JWT-SVID section 2.1: of a bundle RS, ES and PS.
    pub(super) fn check_algorithm(&self, algorithm: Algorithm) -> Result<(), KeyError> {
        let other = algorithm.is_symmetric() || algorithm == Algorithm::EdDsa;
        if self.bundle && other {
            return Err(KeyError::OtherPurpose("`alg` is none of those of JWT-SVIDs"));
        }
        Ok(())
    }

    /// JWT-SVID section 6.1.
    pub(super) fn needs_kid(&self) -> bool {
        self.bundle
    }

    pub(crate) fn key(
        &self,
        algorithm: Algorithm,
        material: &Material<'_>,
    ) -> Result<Key, KeyError> {
        if self.public_only && matches!(material, Material::Secret(_)) {
            return Err(KeyError::SecretAmongPublic);
        }
        let key = Key::new(self.backend, algorithm, material)?;
        if matches!(material, Material::Rsa { modulus, .. } if is_guessable(modulus)) {
            return Err(KeyError::Unfit("the RSA modulus can be factored (ROCA, CVE-2017-15361)"));
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Issuer;

    #[test]
    fn attack_modulus_that_can_be_factored() {
        // 65,537 to the power of 128, in digits of base 65,536.
        let mut digits = vec![1_u32];
        for _ in 0..128 {
            let mut next = digits.clone();
            next.push(0);
            next.iter_mut().skip(1).zip(&digits).for_each(|(to, from)| *to += from);
            for at in (1..next.len()).rev() {
                next[at - 1] += next[at] >> 16;
                next[at] &= 0xffff;
            }
            digits = next;
        }
        let bytes: Vec<u8> =
            digits.iter().flat_map(|digit| (*digit as u16).to_be_bytes()).collect();
        let modulus = &bytes[bytes.iter().position(|byte| *byte > 0).unwrap()..];
        let material = Material::Rsa { modulus, exponent: &[1, 0, 1] };
        let refused = Loader::new().key(Algorithm::Rs256, &material).err().unwrap();
        assert!(refused.to_string().contains("ROCA"), "{refused}");
    }

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
