//! What tokens have proven, so that a signature is checked once and not with every request.
//!
//! A token is found by **all its bytes**; the hash only says where to look. It is made of the last
//! 16 characters, which are the signature's, and of secrets drawn for each cache, so nobody can
//! choose tokens that crowd one place. An entry holds what the signature and the key set proved,
//! and ends when that set is replaced. It holds no decision: the caller asks every rule that
//! depends on the moment again.
//!
//! **A flood of tokens that come once** takes no place from those that come often: in a full set
//! of places a token enters only when it is seen for the second time, and then it takes the place
//! of one that was not asked for since. What was seen is remembered as 32 bits each in a table of
//! sixteen times the entries. Only a token that was seen before can lessen the standing of those
//! that are held, so the flood itself cannot.
//!
//! Readers wait for nobody. A token that would have to wait to enter stays out until next time.

use std::{
    array, fmt,
    hash::{BuildHasher, RandomState},
    ptr,
    sync::{
        Arc, Mutex, TryLockError, Weak,
        atomic::{
            AtomicU8, AtomicU32, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

use zeroize::Zeroizing;

use super::KeySet;
use crate::{UnixTime, snapshot::Slot};

/// Proven tokens, at most as many as the cache was made for.
pub(super) struct Cache<T> {
    sets: Box<[Set<T>]>,
    /// Tokens that had no place when they were last seen.
    seen: Box<[AtomicU32]>,
    secrets: [u64; 2],
    hits: Count,
    misses: Count,
}

/// A count in several words, so that threads that count at once seldom write to the same one.
#[derive(Default)]
struct Count([Word; 8]);

#[derive(Default)]
#[repr(align(128))]
struct Word(AtomicU64);

/// How a cache of verified tokens fares; see
/// [`JwtVerifier::cache`](super::JwtVerifier::cache).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Tokens that were found, since the cache was made.
    pub hits: u64,
    /// Tokens that were not.
    pub misses: u64,
    /// Tokens that are held now.
    pub entries: usize,
    /// Tokens that can be held.
    pub capacity: usize,
}

/// Eight places and the lock that a token takes to enter one of them.
struct Set<T> {
    /// The hash of the token in each place; 0 where there is none.
    prints: [AtomicU64; WAYS],
    places: [Slot<Entry<T>>; WAYS],
    /// How often each was found lately, up to [`OFTEN`].
    used: [AtomicU8; WAYS],
    entering: Mutex<()>,
}

struct Entry<T> {
    token: Zeroizing<Box<[u8]>>,
    proven: T,
    until: UnixTime,
    /// The set of keys that proved it. That the pointer is kept means that no other set gets its
    /// address.
    keys: Weak<KeySet>,
}

impl<T> Cache<T> {
    /// Room for `entries` tokens, rounded up to whole sets of eight; at most 2^24.
    pub(super) fn new(entries: usize) -> Self {
        let random = RandomState::new();
        let sets = entries.min(MOST_ENTRIES).div_ceil(WAYS).max(1);
        Self {
            sets: (0..sets).map(|_| Set::default()).collect(),
            seen: (0..sets * WAYS * SEEN_PER_ENTRY).map(|_| AtomicU32::new(0)).collect(),
            secrets: [random.hash_one(1), random.hash_one(2)],
            hits: Count::default(),
            misses: Count::default(),
        }
    }

    /// What `look` makes of what `token` has proven by these very keys, if that is held. It looks
    /// where the entry lies: nothing is copied, and threads that find different tokens write
    /// nothing that they share.
    pub(super) fn find<R>(
        &self,
        token: &[u8],
        keys: &Arc<KeySet>,
        look: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        let (set, print) = self.place(token)?;
        let found = set.find(print, token, keys, look)?;
        self.hits.add_one();
        Some(found)
    }

    /// Counts that `token` was looked for in vain.
    pub(super) fn missed(&self, token: &[u8]) {
        if self.place(token).is_some() {
            self.misses.add_one();
        }
    }

    /// Keeps what `token` has proven by `keys` and says of itself until `until`, if there is a
    /// place for it.
    pub(super) fn put(
        &self,
        token: &[u8],
        keys: &Arc<KeySet>,
        proven: T,
        until: UnixTime,
        now: UnixTime,
    ) {
        let Some((set, print)) = self.place(token) else { return };
        let _held = match set.entering.try_lock() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let free = set.free(token, keys, now);
        let Some(at) = free.or_else(|| self.was_seen(print).then(|| set.unused())?) else { return };
        let token = Zeroizing::new(Box::from(token));
        let entry = Entry { token, proven, until, keys: Arc::downgrade(keys) };
        set.enter(at, print, entry);
    }

    pub(super) fn capacity(&self) -> usize {
        self.sets.len() * WAYS
    }

    pub(super) fn stats(&self) -> CacheStats {
        let prints = self.sets.iter().flat_map(|set| &set.prints);
        CacheStats {
            hits: self.hits.sum(),
            misses: self.misses.sum(),
            entries: prints.filter(|print| print.load(Relaxed) != VACANT).count(),
            capacity: self.capacity(),
        }
    }

    /// The set for `token` and what it is looked for by there. A token with fewer than 16 bytes
    /// has no signature, and no place.
    fn place(&self, token: &[u8]) -> Option<(&Set<T>, u64)> {
        let (words, _) = token.last_chunk::<16>()?.as_chunks();
        let [first, second] = words else { return None };
        let [a, b] = self.secrets;
        let product = u128::from(u64::from_le_bytes(*first) ^ a)
            * u128::from(u64::from_le_bytes(*second) ^ b);
        let print = (product as u64 ^ (product >> 64) as u64).max(1);
        let at = (u128::from(print) * self.sets.len() as u128) >> 64;
        Some((self.sets.get(at as usize)?, print))
    }

    /// Whether a token with this print was seen before; from now on it was.
    fn was_seen(&self, print: u64) -> bool {
        let trace = (print >> 32) as u32;
        let at = (u64::from(print as u32) * self.seen.len() as u64) >> 32;
        let seen = self.seen.get(at as usize);
        seen.is_some_and(|seen| seen.swap(trace, Relaxed) == trace)
    }
}

impl Count {
    fn add_one(&self) {
        // Every thread has a stack of its own, far from the others.
        let here = 0_u8;
        let stack = ptr::from_ref(&here).addr() as u64 >> 16;
        let word = stack.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61;
        if let Some(Word(count)) = self.0.get(word as usize) {
            count.fetch_add(1, Relaxed);
        }
    }

    fn sum(&self) -> u64 {
        self.0.iter().map(|Word(count)| count.load(Relaxed)).sum()
    }
}

impl<T> Set<T> {
    fn find<R>(
        &self,
        print: u64,
        token: &[u8],
        keys: &Arc<KeySet>,
        look: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        for ((found, place), used) in self.prints.iter().zip(&self.places).zip(&self.used) {
            if found.load(Acquire) != print {
                continue;
            }
            let entry = place.load();
            let Some(entry) = entry.as_ref().filter(|entry| entry.is(token, keys)) else {
                continue;
            };
            // Not counted on: a token that is asked for all the time writes nothing here.
            let times = used.load(Relaxed);
            if times < OFTEN {
                used.store(times + 1, Relaxed);
            }
            return Some(look(&entry.proven));
        }
        None
    }

    /// A place that is the token's already, or holds nothing that is of use.
    fn free(&self, token: &[u8], keys: &Arc<KeySet>, now: UnixTime) -> Option<usize> {
        let holds = |wanted: &dyn Fn(Option<&Entry<T>>) -> bool| {
            self.places.iter().position(|place| wanted(place.load().as_deref()))
        };
        holds(&|entry| entry.is_some_and(|entry| **entry.token == *token))
            .or_else(|| holds(&|entry| entry.is_none_or(|entry| !entry.is_of_use(keys, now))))
    }

    /// A place that was not found lately; if there is none, there will be.
    fn unused(&self) -> Option<usize> {
        let unused = self.used.iter().position(|used| used.load(Relaxed) == 0);
        if unused.is_none() {
            for used in &self.used {
                used.store(used.load(Relaxed).saturating_sub(1), Relaxed);
            }
        }
        unused
    }

    fn enter(&self, at: usize, print: u64, entry: Entry<T>) {
        let mut places = self.prints.iter().zip(&self.places).zip(&self.used);
        if let Some(((held, place), used)) = places.nth(at) {
            place.store(entry);
            used.store(0, Relaxed);
            held.store(print, Release);
        }
    }
}

impl<T> Entry<T> {
    fn is(&self, token: &[u8], keys: &Arc<KeySet>) -> bool {
        **self.token == *token && self.is_by(keys)
    }

    fn is_by(&self, keys: &Arc<KeySet>) -> bool {
        ptr::eq(self.keys.as_ptr(), Arc::as_ptr(keys))
    }

    fn is_of_use(&self, keys: &Arc<KeySet>, now: UnixTime) -> bool {
        self.until > now && self.is_by(keys)
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self {
            prints: array::from_fn(|_| AtomicU64::new(VACANT)),
            places: array::from_fn(|_| Slot::default()),
            used: array::from_fn(|_| AtomicU8::new(0)),
            entering: Mutex::new(()),
        }
    }
}

impl<T> fmt::Debug for Cache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stats().fmt(f)
    }
}

const VACANT: u64 = 0;
const WAYS: usize = 8;
const OFTEN: u8 = 3;
const SEEN_PER_ENTRY: usize = 16;
const MOST_ENTRIES: usize = 1 << 24;

#[cfg(test)]
mod tests;
