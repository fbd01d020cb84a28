//! Where records are found.

use std::{fmt, future::Future, pin::Pin};

use super::{KeyId, KeyRecord};
use crate::UnixTime;

/// Finds the records of keys: in memory at once, or in a table after waiting.
///
/// It is only asked for keys of the right form. What it answers is checked again: the id must be
/// the one asked for, and the record decides nothing before the secret fits. A store that keeps
/// answers for a while lets revoked keys in for as long.
///
/// ```
/// use portcullis::{UnixTime, authn::api_key::{KeyId, KeyLookup, KeyRecord, KeyStore, KeyStoreDown}};
///
/// #[derive(Clone, Debug)]
/// struct Table;
///
/// impl Table {
///     async fn select(&self, id: KeyId) -> Result<Option<String>, KeyStoreDown> {
///         Ok(None) // SELECT record FROM api_keys WHERE id = $1
///     }
/// }
///
/// impl KeyStore for Table {
///     fn look_up(&self, id: KeyId) -> KeyLookup {
///         let table = self.clone();
///         KeyLookup::Wait(Box::pin(async move {
///             let Some(text) = table.select(id).await? else { return Ok(None) };
///             KeyRecord::from_json(&text).map(Some).map_err(|_| KeyStoreDown)
///         }))
///     }
///
///     fn used(&self, id: KeyId, at: UnixTime) {
///         // Goes to a queue: UPDATE api_keys SET last_used = $2 WHERE id = $1 AND last_used < $2
///     }
/// }
/// ```
pub trait KeyStore: fmt::Debug + Send + Sync + 'static {
    /// The record of `id`, if there is one.
    fn look_up(&self, id: KeyId) -> KeyLookup;

    /// Writes down that a key was used, at most once a minute for each record that is handed
    /// out. It runs within the request and must not wait. A record that stays in memory knows
    /// by itself.
    fn used(&self, id: KeyId, at: UnixTime) {
        let _ = (id, at);
    }
}

/// How a [`KeyStore`] answers.
#[non_exhaustive]
pub enum KeyLookup {
    /// At once.
    Done(Result<Option<KeyRecord>, KeyStoreDown>),
    /// After waiting. The future owns what it needs.
    Wait(Pin<Box<dyn Future<Output = Result<Option<KeyRecord>, KeyStoreDown>> + Send + 'static>>),
}

/// The store cannot say whether there is such a key. The caller is told to come back later, never
/// that the key is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key store cannot answer")]
pub struct KeyStoreDown;

impl fmt::Debug for KeyLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(found) => f.debug_tuple("Done").field(found).finish(),
            Self::Wait(_) => f.write_str("Wait(..)"),
        }
    }
}
