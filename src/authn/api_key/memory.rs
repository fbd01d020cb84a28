//! Keys in memory.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use super::{KeyId, KeyRecord, KeyStore};
use crate::{UnixTime, authn::Answer};

/// A bounded table of keys. Clones share it: one goes to [`ApiKeys`](super::ApiKeys), another
/// stays with whoever looks after the keys. Every change counts from the next request on.
///
/// ```
/// use portcullis::{ApiKeys, KeyGrant, MemoryKeys, UnixTime, authn::api_key::MemoryKeysError};
///
/// let (now, later) = (UnixTime::from_secs(1_800_000_000), UnixTime::from_secs(1_807_776_000));
/// let table = MemoryKeys::new(1);
/// let keys = ApiKeys::new("keys", "orders_live", table.clone());
/// let first = keys.issue(KeyGrant::until("acme", later), now)?;
/// let second = keys.issue(KeyGrant::until("umbrella", later), now)?;
///
/// table.insert(first.record().clone())?;
/// assert_eq!(table.insert(second.record().clone()), Err(MemoryKeysError::Full));
/// table.revoke(first.record().id(), now)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MemoryKeys(Arc<Table>);

struct Table {
    capacity: usize,
    /// Held for one operation of the map, never while anything else is done.
    records: RwLock<HashMap<KeyId, KeyRecord>>,
}

/// Why a table of keys was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryKeysError {
    /// It holds as many keys as it may.
    #[error("the table of keys is full")]
    Full,
    /// It holds a key of that id; replace it instead.
    #[error("the table holds a key of that id")]
    Known,
    /// The key was revoked, and stays so.
    #[error("the key was revoked")]
    Revoked,
    /// It holds no key of that id.
    #[error("the table holds no key of that id")]
    Unknown,
}

impl MemoryKeys {
    /// An empty table of at most `capacity` keys.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Table { capacity, records: RwLock::default() }))
    }

    /// Adds a key.
    ///
    /// # Errors
    /// When the table is full or knows the id.
    pub fn insert(&self, record: KeyRecord) -> Result<(), MemoryKeysError> {
        let mut records = self.write();
        if records.contains_key(&record.id()) {
            return Err(MemoryKeysError::Known);
        }
        if records.len() >= self.0.capacity {
            return Err(MemoryKeysError::Full);
        }
        records.insert(record.id(), record);
        Ok(())
    }

    /// Puts a rotated record in the place of the one it came from.
    ///
    /// # Errors
    /// When there is none, or it has been revoked meanwhile.
    pub fn replace(&self, record: KeyRecord) -> Result<(), MemoryKeysError> {
        let mut records = self.write();
        let kept = records.get_mut(&record.id()).ok_or(MemoryKeysError::Unknown)?;
        if kept.revoked_at().is_some() {
            return Err(MemoryKeysError::Revoked);
        }
        *kept = record;
        Ok(())
    }

    /// Withdraws a key for good. Its record stays and says so.
    ///
    /// # Errors
    /// When there is none of that id.
    pub fn revoke(&self, id: KeyId, at: UnixTime) -> Result<(), MemoryKeysError> {
        let mut records = self.write();
        let kept = records.get_mut(&id).ok_or(MemoryKeysError::Unknown)?;
        kept.revoke(at);
        Ok(())
    }

    /// Forgets a key and hands back its record, if there was one.
    #[must_use = "there may have been none of that id"]
    pub fn remove(&self, id: KeyId) -> Option<KeyRecord> {
        self.write().remove(&id)
    }

    /// The record of `id`, if there is one.
    #[must_use]
    pub fn find(&self, id: KeyId) -> Option<KeyRecord> {
        self.read().get(&id).cloned()
    }

    /// All records, in the order of their ids.
    #[must_use]
    pub fn list(&self) -> Vec<KeyRecord> {
        let mut records: Vec<_> = self.read().values().cloned().collect();
        records.sort_unstable_by_key(KeyRecord::id);
        records
    }

    // Nothing panics while the lock is held, so a poisoned table is still whole.
    fn read(&self) -> RwLockReadGuard<'_, HashMap<KeyId, KeyRecord>> {
        self.0.records.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<KeyId, KeyRecord>> {
        self.0.records.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many keys, and not whose: a gate that is printed would print them all.
impl fmt::Debug for MemoryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryKeys({} of {})", self.read().len(), self.0.capacity)
    }
}

impl KeyStore for MemoryKeys {
    fn look_up(&self, id: KeyId) -> Answer<Option<KeyRecord>> {
        Answer::done(self.find(id))
    }
}
