//! JWKS documents (RFC 7517 section 5), and what is said about keys that are not used.

use std::fmt;

use super::{
    json::{Document, Value},
    jwk,
    key::{Key, KeyError},
};
use crate::crypto::Algorithm;

/// A document longer than this is not looked at.
const MAX_BYTES: usize = 256 * 1024;

/// A set holds at most this many keys.
pub(super) const MAX_KEYS: usize = 64;

/// A document holds at most this many values: 64 keys of a generous size.
const MAX_VALUES: usize = 4096;

/// A key of a document that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its id, if it has a readable one; at most 64 characters of it.
    pub kid: Option<String>,
    /// What is wrong with it.
    pub reason: KeyError,
}

/// Why there is no set of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// The text is not a JWKS document.
    #[error("not a JWKS document: {0}")]
    NotAKeySet(&'static str),
    /// A key given by the program itself cannot be used.
    #[error("the key cannot be used: {0}")]
    KeyRefused(SkippedKey),
    /// No key can be used.
    #[error("no usable key{}", list(.0))]
    NoUsableKey(Vec<SkippedKey>),
    /// There are too many keys.
    #[error("{0} keys, where a set holds at most 64")]
    TooManyKeys(usize),
}

/// One key of a document, read or refused.
pub(super) struct Loaded {
    pub(super) kid: Option<String>,
    pub(super) key: Result<Key, KeyError>,
}

/// Reads every key of a document on its own.
pub(super) fn parse(
    document: &[u8],
    assumed: Option<Algorithm>,
) -> Result<Vec<Loaded>, KeySetError> {
    if document.len() > MAX_BYTES {
        return Err(KeySetError::NotAKeySet("the document is longer than 256 KiB"));
    }
    let document = Document::parse(document, MAX_VALUES).map_err(KeySetError::NotAKeySet)?;
    let keys = document.root().member("keys").and_then(Value::items);
    let keys: Vec<_> = keys.ok_or(KeySetError::NotAKeySet("no array `keys`"))?.collect();
    if keys.len() > MAX_KEYS {
        return Err(KeySetError::TooManyKeys(keys.len()));
    }
    let read = |jwk: Value<'_>| {
        let kid = jwk.member("kid").and_then(Value::text);
        let kid = kid.map(|kid| kid.chars().take(64).collect());
        Loaded { kid, key: jwk::read(jwk, assumed) }
    };
    Ok(keys.into_iter().map(read).collect())
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys[{}]", self.index)?;
        if let Some(kid) = &self.kid {
            write!(f, " (`{}`)", kid.escape_debug())?;
        }
        write!(f, ": {}", self.reason)
    }
}

fn list(skipped: &[SkippedKey]) -> String {
    skipped.iter().map(|key| format!("; {key}")).collect()
}
