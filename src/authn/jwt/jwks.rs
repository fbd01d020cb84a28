//! JWKS documents (RFC 7517 section 5), key by key.

use super::{
    error::{KeyError, KeySetError},
    json::{Document, Value},
    jwk,
    key::Key,
    loader::Loader,
};

/// A document longer than this is not looked at.
const MAX_BYTES: usize = 256 * 1024;

/// A set holds at most this many keys.
pub(super) const MAX_KEYS: usize = 64;

/// A document holds at most this many values: 64 keys of a generous size.
pub(super) const MAX_VALUES: usize = 4096;

/// One key of a document, read or refused.
pub(super) struct Loaded {
    pub(super) kid: Option<String>,
    pub(super) key: Result<Key, KeyError>,
}

/// Reads every key of a document on its own.
pub(super) fn parse(document: &[u8], loader: &Loader) -> Result<Vec<Loaded>, KeySetError> {
    if document.len() > MAX_BYTES {
        return Err(KeySetError::NotAKeySet("the document is longer than 256 KiB"));
    }
    let mut room = Document::default();
    let document = room.read(document, MAX_VALUES).map_err(KeySetError::NotAKeySet)?;
    let keys = document.member("keys").and_then(Value::items);
    let keys: Vec<_> = keys.ok_or(KeySetError::NotAKeySet("no array `keys`"))?.collect();
    if keys.len() > MAX_KEYS {
        return Err(KeySetError::TooManyKeys(keys.len()));
    }
    let read = |jwk: Value<'_>| {
        let kid = jwk.member("kid").and_then(Value::text);
        let kid = kid.map(|kid| kid.chars().take(64).collect());
        Loaded { kid, key: jwk::read(jwk, loader) }
    };
    let ours = |jwk: &Value<'_>| loader.looks_at(jwk.member("use").and_then(Value::text));
    Ok(keys.into_iter().filter(ours).map(read).collect())
}
