//! The keys of one issuer: built whole, checked whole, replaced whole.

use std::{ptr, sync::OnceLock};

use super::{
    error::{KeyError, KeySetError, SkippedKey},
    invalid,
    jwks::{Loaded, MAX_KEYS},
    key::Key,
    loader::Loader,
};
use crate::{authn::AuthnError, crypto::Algorithm};

/// The keys that one issuer's tokens are verified with.
///
/// A token names its key by `kid`. A token without `kid` is taken only if exactly one key of the
/// set is for its algorithm. Put the set in a [`Snapshot`](crate::Snapshot) to replace it while
/// requests are served.
///
/// ```
/// use portcullis::authn::jwt::{KeyError, KeySet};
///
/// let keys = KeySet::from_jwks(r#"{"keys": [
///     {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "a",
///      "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty": "RSA", "use": "enc", "kid": "b", "n": "AQAB", "e": "AQAB"}]}"#)?;
/// assert_eq!(keys.keys().len(), 1);
///
/// let skipped = &keys.skipped()[0];
/// assert_eq!((skipped.index, skipped.kid.as_deref()), (1, Some("b")));
/// assert_eq!(skipped.reason, KeyError::OtherPurpose("`use` is not `sig`"));
/// assert!(KeySet::from_jwks(r#"{"keys": []}"#).is_err());
/// # Ok::<(), portcullis::authn::jwt::KeySetError>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    pub(super) skipped: Vec<SkippedKey>,
    /// For each key, the header of the first token that it signed.
    seen: Vec<OnceLock<Seen>>,
}

/// A header that was found good, as it is sent, and what it said of the token's type. Most issuers
/// write the same header into every token, and then it need not be read again.
#[derive(Clone, Debug)]
struct Seen {
    sent: Box<[u8]>,
    typ: Option<Box<str>>,
}

/// Longer headers are read every time.
const MAX_SEEN: usize = 1024;

impl KeySet {
    /// A set of these keys.
    ///
    /// # Errors
    /// When there is no key, or more than 64, or two with one `kid` and algorithm, or a shared
    /// secret beside a public key.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self, KeySetError> {
        let loaded = |key: Key| Loaded { kid: key.kid().map(str::to_owned), key: Ok(key) };
        let set = Self::of(keys.into_iter().map(loaded).collect())?;
        match set.skipped.into_iter().next() {
            Some(refused) => Err(KeySetError::KeyRefused(refused)),
            None => Ok(Self::from(set.keys)),
        }
    }

    /// The usable keys of a JWKS document (RFC 7517 section 5). The others are
    /// [`skipped`](Self::skipped): one bad key does not take the good ones away.
    ///
    /// # Errors
    /// When the text is no JWKS document, is longer than 256 KiB, lists more than 64 keys, or has
    /// no usable key.
    pub fn from_jwks(document: impl AsRef<[u8]>) -> Result<Self, KeySetError> {
        Loader::new().jwks(document)
    }

    /// Like [`from_jwks`](Self::from_jwks); keys without `alg` are for the algorithm `assumed`.
    ///
    /// # Errors
    /// Those of `from_jwks`.
    pub fn from_jwks_assuming(
        document: impl AsRef<[u8]>,
        assumed: Algorithm,
    ) -> Result<Self, KeySetError> {
        Loader::new().assuming(assumed).jwks(document)
    }

    /// The keys in use.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The keys of the document that are not used. Worth a line in the log after each load.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The one key for a token that names `kid` and `alg`.
    pub(super) fn find(&self, kid: Option<&str>, alg: &str) -> Result<&Key, AuthnError> {
        let Some(kid) = kid else {
            let mut candidates = self.keys.iter().filter(|key| key.algorithm().is_named(alg));
            return match (candidates.next(), candidates.next()) {
                (Some(key), None) => Ok(key),
                (Some(_), Some(_)) => Err(invalid("no `kid`, and several keys are for its `alg`")),
                (None, _) => Err(invalid("no key is for the token's `alg`")),
            };
        };
        let mut named = self.keys.iter().filter(|key| key.kid() == Some(kid)).peekable();
        if named.peek().is_none() {
            return Err(invalid("no key has the token's `kid`"));
        }
        // RFC 8725 section 3.1: the key decides on the algorithm, the header may only agree.
        let agreed = named.find(|key| key.algorithm().is_named(alg));
        agreed.ok_or_else(|| invalid("the key with the token's `kid` is not for its `alg`"))
    }

    /// The key whose tokens come with the header `sent`, as far as that was seen, and their `typ`.
    pub(super) fn known(&self, sent: &[u8]) -> Option<(&Key, Option<&str>)> {
        let seen =
            self.keys.iter().zip(&self.seen).filter_map(|(key, seen)| Some((key, seen.get()?)));
        let mut same = seen.filter(|(_, seen)| *seen.sent == *sent);
        same.next().map(|(key, seen)| (key, seen.typ.as_deref()))
    }

    /// Remembers the header of a token that `key` has signed: what it says is settled.
    pub(super) fn learn(&self, key: &Key, sent: &[u8], typ: Option<&str>) {
        let place = self.keys.iter().position(|one| ptr::eq(one, key));
        let seen = place.and_then(|place| self.seen.get(place));
        if let Some(seen) = seen.filter(|_| sent.len() <= MAX_SEEN) {
            seen.get_or_init(|| Seen { sent: sent.into(), typ: typ.map(Into::into) });
        }
    }

    /// Sorts out what must not stand together.
    pub(super) fn of(loaded: Vec<Loaded>) -> Result<Self, KeySetError> {
        if loaded.len() > MAX_KEYS {
            return Err(KeySetError::TooManyKeys(loaded.len()));
        }
        let usable: Vec<Key> = loaded.iter().filter_map(|loaded| loaded.key.clone().ok()).collect();
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, Loaded { kid, key }) in loaded.into_iter().enumerate() {
            match key.and_then(|key| fits_among(&usable, key)) {
                Ok(key) => keys.push(key),
                Err(reason) => skipped.push(SkippedKey { index, kid, reason }),
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey(skipped));
        }
        Ok(Self { skipped, ..Self::from(keys) })
    }
}

impl From<Vec<Key>> for KeySet {
    fn from(keys: Vec<Key>) -> Self {
        let seen = keys.iter().map(|_| OnceLock::new()).collect();
        Self { keys, skipped: Vec::new(), seen }
    }
}

/// Hands `key`, one of `keys`, back unless the others forbid it.
fn fits_among(keys: &[Key], key: Key) -> Result<Key, KeyError> {
    let same = |other: &&Key| other.kid() == key.kid() && other.algorithm() == key.algorithm();
    if keys.iter().filter(same).count() > 1 {
        return Err(KeyError::Duplicate);
    }
    let public = |other: &Key| !other.algorithm().is_symmetric();
    if key.algorithm().is_symmetric() && keys.iter().any(public) {
        return Err(KeyError::SecretAmongPublic);
    }
    Ok(key)
}

impl From<Key> for KeySet {
    fn from(key: Key) -> Self {
        Self::from(vec![key])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{Secret, testing::Issuer};

    fn jwk(algorithm: Algorithm, kid: &str) -> Json {
        let jwks = Issuer::new("i").with_algorithm(algorithm).jwks();
        let mut jwk = serde_json::from_str::<Json>(&jwks).unwrap()["keys"][0].take();
        jwk["kid"] = kid.into();
        jwk
    }

    fn load(keys: &[Json]) -> Result<KeySet, KeySetError> {
        KeySet::from_jwks(json!({ "keys": keys }).to_string())
    }

    fn secret(byte: u8) -> Key {
        Key::from_secret(Algorithm::Hs256, &Secret::new([byte; 32])).unwrap()
    }

    #[test]
    fn one_bad_key_leaves_the_good_ones() {
        let mut encryption = jwk(Algorithm::Es256, "b");
        encryption["use"] = "enc".into();
        let set = load(&[
            jwk(Algorithm::Es256, "a"),
            encryption,
            json!(7),
            json!({"kty": "AKP", "kid": "post-quantum", "alg": "ML-DSA-44", "pub": "x"}),
            json!({"kty": "RSA", "kid": ["x"]}),
            jwk(Algorithm::Rs256, "c"),
        ])
        .unwrap();
        let kids: Vec<_> = set.keys().iter().filter_map(Key::kid).collect();
        assert_eq!(kids, ["a", "c"]);
        let skipped: Vec<_> =
            set.skipped().iter().map(|key| (key.index, key.kid.as_deref())).collect();
        assert_eq!(skipped, [(1, Some("b")), (2, None), (3, Some("post-quantum")), (4, None)]);
        let text = set.skipped()[2].to_string();
        assert!(
            text.starts_with("keys[3] (`post-quantum`): `alg`: `ML-DSA-44` is none of"),
            "{text}"
        );
    }

    #[test]
    fn attack_duplicate_kid() {
        let (a, b) = (jwk(Algorithm::Es256, "a"), jwk(Algorithm::Rs256, "a"));
        let set = load(&[a.clone(), b.clone(), a.clone()]).unwrap();
        assert_eq!(set.keys().len(), 1, "another algorithm under that `kid` stays");
        assert!(set.skipped().iter().all(|key| key.reason == KeyError::Duplicate));
        let none = load(&[a.clone(), a]).unwrap_err();
        assert!(matches!(none, KeySetError::NoUsableKey(skipped) if skipped.len() == 2));
    }

    #[test]
    fn attack_secret_among_public_keys() {
        let set = load(&[jwk(Algorithm::Hs256, "a"), jwk(Algorithm::Es256, "b")]).unwrap();
        assert_eq!(set.keys().len(), 1);
        assert_eq!(set.skipped()[0].reason, KeyError::SecretAmongPublic);
        assert!(load(&[jwk(Algorithm::Hs256, "a"), jwk(Algorithm::Hs256, "b")]).is_ok());
        let public = Key::from_jwk(jwk(Algorithm::Es256, "b").to_string()).unwrap();
        let refused = KeySet::new([secret(1), public]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the key cannot be used: keys[0]: a shared secret does not belong among public keys"
        );
    }

    #[test]
    fn sets_that_are_none() {
        let check = |text: &str, expected: &str| {
            assert_eq!(KeySet::from_jwks(text).unwrap_err().to_string(), expected, "{text}");
        };
        check("", "not a JWKS document: not JSON");
        check("[]", "not a JWKS document: no array `keys`");
        check("{}", "not a JWKS document: no array `keys`");
        check(r#"{"keys":{}}"#, "not a JWKS document: no array `keys`");
        check(r#"{"keys":[],"keys":[]}"#, "not a JWKS document: the JSON names a member twice");
        check(r#"{"keys":[]}"#, "no usable key");
        check(
            r#"{"keys":[{}]}"#,
            "no usable key; keys[0]: not a key: `kty` is missing or not a string",
        );
        assert!(KeySet::new([]).is_err());
        assert!(KeySet::new([secret(1), secret(2)]).is_err(), "nothing could tell them apart");
    }

    #[test]
    fn attack_giant_key_set() {
        let many: Vec<Json> = (0..65).map(|n| jwk(Algorithm::EdDsa, &n.to_string())).collect();
        assert_eq!(load(&many).unwrap_err(), KeySetError::TooManyKeys(65));
        assert!(load(&many[..64]).is_ok());
        let good = Issuer::new("i").jwks();
        let largest = format!("{good}{}", " ".repeat(256 * 1024 - good.len()));
        assert!(KeySet::from_jwks(&largest).is_ok());
        let giant = format!("{largest} ");
        let refused = KeySetError::NotAKeySet("the document is longer than 256 KiB");
        assert_eq!(KeySet::from_jwks(giant).unwrap_err(), refused);
        let wide = format!(r#"{{"keys":[{}1]}}"#, "1,".repeat(100_000));
        let refused = KeySetError::NotAKeySet("the JSON holds too much");
        assert_eq!(KeySet::from_jwks(wide).unwrap_err(), refused);
    }

    #[test]
    fn lookup() {
        let key = |algorithm, kid: &str| Key::from_jwk(jwk(algorithm, kid).to_string()).unwrap();
        let set = KeySet::new([
            key(Algorithm::Es256, "a"),
            key(Algorithm::Es256, "b"),
            key(Algorithm::Rs256, "c"),
        ])
        .unwrap();
        let find = |kid, alg| set.find(kid, alg).map(Key::kid).map_err(AuthnError::detail);
        assert_eq!(find(Some("b"), "ES256"), Ok(Some("b")));
        assert_eq!(find(None, "RS256"), Ok(Some("c")));
        assert_eq!(find(None, "ES256"), Err("no `kid`, and several keys are for its `alg`"));
        assert_eq!(find(None, "HS256"), Err("no key is for the token's `alg`"));
        assert_eq!(find(None, "none"), Err("no key is for the token's `alg`"));
        assert_eq!(find(Some("z"), "ES256"), Err("no key has the token's `kid`"));
        assert_eq!(
            find(Some("a"), "RS256"),
            Err("the key with the token's `kid` is not for its `alg`")
        );
        assert_eq!(
            find(Some("a"), "es256"),
            Err("the key with the token's `kid` is not for its `alg`")
        );
        assert_eq!(
            KeySet::from(secret(1)).find(Some("x"), "HS256").err().map(AuthnError::detail),
            Some("no key has the token's `kid`")
        );
    }

    #[test]
    fn errors_and_debug_show_no_secret() {
        let hs = jwk(Algorithm::Hs256, "a");
        let k = hs["k"].as_str().unwrap().to_owned();
        let set = load(std::slice::from_ref(&hs)).unwrap();
        assert!(!format!("{set:?}").contains(&k));
        let error = load(&[hs.clone(), hs]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&k));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_set_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = KeySet::from_jwks(&bytes);
        }

        #[test]
        fn a_changed_byte_is_a_set_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = Issuer::new("i").jwks().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = KeySet::from_jwks(&bytes);
        }
    }
}
