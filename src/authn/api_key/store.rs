//! Where records are found.

use std::fmt;

use super::{KeyId, KeyRecord};
use crate::{UnixTime, authn::Answer};

/// Finds the records of keys: in memory at once, or in a table after waiting.
///
/// It is only asked for keys of the right form. What it answers is checked again: the id must be
/// the one asked for, and the record decides nothing before the secret fits. A store that keeps
/// answers for a while lets revoked keys in for as long.
///
/// ```
/// use portcullis::UnixTime;
/// use portcullis::authn::{Answer, StoreError, api_key::{KeyId, KeyRecord, KeyStore}};
///
/// #[derive(Clone, Debug)]
/// struct Table;
///
/// impl Table {
///     async fn select(&self, id: KeyId) -> Result<Option<String>, StoreError> {
///         Ok(None) // SELECT record FROM api_keys WHERE id = $1
///     }
/// }
///
/// impl KeyStore for Table {
///     fn look_up(&self, id: KeyId) -> Answer<Option<KeyRecord>> {
///         let table = self.clone();
///         Answer::wait(async move {
///             let Some(text) = table.select(id).await? else { return Ok(None) };
///             KeyRecord::from_json(&text).map(Some).map_err(|_| StoreError)
///         })
///     }
///
///     fn used(&self, id: KeyId, at: UnixTime) {
///         // Goes to a queue: UPDATE api_keys SET last_used = $2 WHERE id = $1 AND last_used < $2
///     }
/// }
/// ```
pub trait KeyStore: fmt::Debug + Send + Sync + 'static {
    /// The record of `id`, if there is one.
    fn look_up(&self, id: KeyId) -> Answer<Option<KeyRecord>>;

    /// Writes down that a key was used, at most once a minute for each record that is handed
    /// out. It runs within the request and must not wait. A record that stays in memory knows
    /// by itself.
    fn used(&self, id: KeyId, at: UnixTime) {
        let _ = (id, at);
    }
}
