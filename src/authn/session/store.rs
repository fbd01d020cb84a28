//! Where sessions are kept.

use std::fmt;

use super::{SessionKey, SessionRecord};
use crate::{UnixTime, authn::Answer};

/// Keeps the records of sessions. Each call is **one** atomic operation.
///
/// A key's record never changes its user. What is gone stays gone: `update` and `exchange` bring
/// nothing back, or a session that was ended while a request was under way would live on. A
/// failure is an error, never `None` or `false`.
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Adds a record; `false`, and nothing is changed, when there is one of that key already.
    /// While its user has `most` or more that are not over at `now`, the oldest of them goes.
    fn insert(&self, record: SessionRecord, most: usize, now: UnixTime) -> Answer<bool>;

    /// The record of a key. Whether it is over is the caller's to see.
    fn find(&self, key: &SessionKey) -> Answer<Option<SessionRecord>>;

    /// Puts `record` in place of the one of the same key; `false`, and nothing is changed, unless
    /// that one is there and has the version `seen`.
    fn update(&self, seen: u64, record: SessionRecord) -> Answer<bool>;

    /// Removes the record of `old` and adds `record`; `false`, and nothing is changed, unless
    /// that of `old` is there and none of the new key is.
    fn exchange(&self, old: &SessionKey, record: SessionRecord) -> Answer<bool>;

    /// Removes the record of a key; `false` when there was none.
    fn remove(&self, key: &SessionKey) -> Answer<bool>;

    /// All records of a user (a principal's id), in any order.
    fn of_user(&self, user: &str) -> Answer<Vec<SessionRecord>>;

    /// Removes all records of a user but that of `except`, and says how many.
    fn remove_of_user(&self, user: &str, except: Option<&SessionKey>) -> Answer<usize>;
}
