//! A limiter by hand: a fixed table of atomic words, each a key's theoretical arrival time.
//!
//! Keys that hash to one word share it, so this is less than a limiter has to do; nothing that
//! keeps keys apart can be faster.

use std::{
    hash::{BuildHasher as _, Hash},
    sync::atomic::{AtomicU64, Ordering},
};

use foldhash::fast::RandomState;

/// Counts by the generic cell rate algorithm.
pub(crate) struct Buckets {
    hashing: RandomState,
    words: Box<[AtomicU64]>,
    interval: u64,
    /// How far the arrival time may run ahead of the clock.
    ahead: u64,
}

impl Buckets {
    /// One call every `interval` nanoseconds, `burst` at once, in at least `slots` words.
    pub(crate) fn new(interval: u64, burst: u64, slots: usize) -> Self {
        let words = (0..slots.next_power_of_two()).map(|_| AtomicU64::new(0)).collect();
        let ahead = interval.saturating_mul(burst.saturating_sub(1));
        Self { hashing: RandomState::default(), words, interval, ahead }
    }

    /// Counts one call at `now`, in nanoseconds, if the quota allows it.
    pub(crate) fn check(&self, key: &impl Hash, now: u64) -> bool {
        // The table's length is a power of two.
        let at = self.hashing.hash_one(key) as usize & (self.words.len() - 1);
        let Some(word) = self.words.get(at) else { return false };
        let mut arrival = word.load(Ordering::Relaxed);
        while arrival <= now.saturating_add(self.ahead) {
            let next = arrival.max(now) + self.interval;
            match word.compare_exchange_weak(arrival, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(seen) => arrival = seen,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_is_admitted_and_then_one_an_interval() {
        let buckets = Buckets::new(10, 3, 1);
        let at = |now: u64| buckets.check(&1, now);
        assert_eq!([at(100), at(100), at(100), at(100)], [true, true, true, false]);
        assert_eq!([at(109), at(110), at(110)], [false, true, false]);
    }
}
