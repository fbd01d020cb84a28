//! What a table tells of itself.

use super::{LimitSet, Limiter, Moment, Quota};
use crate::Mono;

/// How full a table is, and what became of the keys that came to it, since it was built.
///
/// Only what happens beside the ordinary call is counted: keys that come in, refunds and resets.
/// Calls of a key that is being counted, admitted or refused, are not, because every thread would
/// wait for that count; whoever asked was told. Counts wrap around after 2^64.
///
/// A table that is large enough shows `inherited` and `turned_away` standing still.
///
/// ```
/// use portcullis::{Mono, Quota, limit::Limiter};
///
/// let limiter = Limiter::<str>::new(Quota::per_minute(1), 1024)?;
/// let now = Mono::from_nanos(0);
/// limiter.check_at("alice", now)?;
/// limiter.check_at("bob", now)?;
/// assert!(limiter.check_at("bob", now).is_err());
/// let stats = limiter.stats_at(now);
/// assert_eq!((stats.live, stats.entered, stats.turned_away), (2, 2, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The slots of the table.
    pub slots: usize,
    /// Keys whose bucket is not full at the moment asked about. The other slots can be reused.
    pub live: usize,
    /// Keys that came into a slot that nobody had had.
    pub entered: u64,
    /// Keys that took the slot of one whose bucket had refilled. Nothing is forgotten by it.
    pub reused: u64,
    /// Keys that took the slot of one that still owed, and its debt with it: evictions, with
    /// [`Inherit`](super::WhenFull::Inherit). They may be refused before they have spent anything,
    /// and so may the one that lost its slot. Take more slots when it grows.
    pub inherited: u64,
    /// Calls of keys without a slot that were refused for what others owe. Take more slots when it
    /// grows.
    pub turned_away: u64,
    /// Refunds that found their key, however little there was left to give back.
    pub refunded: u64,
    /// Resets that found their key.
    pub forgiven: u64,
}

impl<K: ?Sized> Limiter<K> {
    /// What the table tells of itself at `now`. Reads every slot: for a look every few seconds, not
    /// for every request. Calls go on meanwhile.
    #[must_use]
    pub fn stats_at(&self, now: Mono) -> Stats {
        self.window.stats(now.into())
    }
}

impl<K: ?Sized> LimitSet<K> {
    /// What the table of each quota tells of itself at `now`, in the order of the quotas; see
    /// [`Limiter::stats_at`].
    pub fn stats_at(&self, now: impl Into<Moment>) -> impl Iterator<Item = (Quota, Stats)> {
        let now = now.into();
        self.windows.iter().map(move |window| (window.quota, window.stats(now)))
    }
}
