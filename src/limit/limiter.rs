//! Who counts.

use std::{fmt, hash::Hash, marker::PhantomData};

use super::{
    Exceeded, LimitError, Quota, WhenFull, hashing::Hashing, table::Refunds, window::Window,
};
use crate::Mono;

/// Counts calls by key against one [`Quota`], in memory taken once.
///
/// Exact under threads: no key is ever admitted beyond its quota, whatever the number of keys and
/// in whatever order the readings of the clock come in. A caller who is alone is admitted exactly
/// as often as the quota says.
///
/// Keys are told apart by a 64-bit hash under secrets of the limiter's own, so nobody outside can
/// choose keys that collide. Two that collide share a bucket; the chance that any two of 14 million
/// do is 1 in 10^5.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis::{Mono, limit::{Limiter, Quota}};
///
/// let limiter: Limiter<str> = Limiter::new(Quota::per_second(10).burst(2), 1024)?;
/// let now = Mono::from_nanos(0);
/// limiter.check_at("staff/alice", now)?;
/// limiter.check_at("staff/alice", now)?;
/// limiter.check_at("staff/bob", now)?;
///
/// let exceeded = limiter.check_at("staff/alice", now).unwrap_err();
/// assert_eq!(exceeded.retry_after(), Duration::from_millis(100));
/// assert_eq!(exceeded.retry_after_secs(), 1);
/// limiter.check_at("staff/alice", now.saturating_add(exceeded.retry_after()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a limiter counts only the calls it is asked about"]
pub struct Limiter<K: ?Sized> {
    pub(super) window: Window,
    pub(super) hashing: Hashing,
    pub(super) keys: PhantomData<fn(&K)>,
}

impl<K: Hash + ?Sized> Limiter<K> {
    /// A limiter with room for at least `slots` keys, 16 bytes each; the
    /// [module](super#how-many-slots) says how many to take.
    ///
    /// # Errors
    /// When the quota cannot be kept, goes by the calendar, or there cannot be that many slots.
    pub fn new(quota: Quota, slots: usize) -> Result<Self, LimitError> {
        quota.without_calendar()?;
        let window = Window::new(quota, slots, Refunds::Never)?;
        Ok(Self { window, hashing: Hashing::default(), keys: PhantomData })
    }

    /// What to do with new keys while the table is full; [`WhenFull::Inherit`] if not said.
    pub const fn when_full(mut self, when_full: WhenFull) -> Self {
        self.window.table.when_full = when_full;
        self
    }

    /// The quota in force.
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.window.quota
    }

    /// Counts one call by `key` at `now`. A call that is refused is not counted.
    ///
    /// Outside a gate, [`clock::coarse`](crate::clock::coarse) is the cheapest reading that does.
    ///
    /// # Errors
    /// When the quota is spent, or the limiter cannot count the key:
    /// [`kind`](Exceeded::kind) tells.
    // A call would cost a fifth of it.
    #[inline(always)]
    pub fn check_at(&self, key: &K, now: Mono) -> Result<(), Exceeded> {
        self.window.check(self.hashing.hash(key), now)
    }
}

impl<K: ?Sized> fmt::Debug for Limiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("quota", &self.window.quota)
            .field("slots", &self.window.table.slots())
            .field("when_full", &self.window.table.when_full)
            .finish_non_exhaustive()
    }
}
