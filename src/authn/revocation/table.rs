//! Revocations by the 64 bits of their keys, in memory of a fixed size.
//!
//! Each key has two sets of eight places that it may be in, and enters the emptier one. With half
//! of all places taken, a key for which both are full is not to be expected once in a thousand
//! million (Mitzenmacher 1996, "The power of two choices"); if it comes, or the table holds more
//! than it was made for, the writer is told that it is full.
//!
//! **Readers wait for nobody.** A key never moves, and no reader stops early, so whatever others
//! do, what was entered is found. Writers wait for each other. A place is taken over only when what
//! it held has ended: its key first, and then its term, so that a reader who finds the key it looked
//! for still there after the term has read the term of that key.

#[cfg(all(loom, test))]
mod models;

use std::sync::{
    PoisonError,
    atomic::Ordering::{Acquire, Relaxed, Release},
};

use super::sync::{AtomicU64, Mutex};
use crate::UnixTime;

pub(super) struct Table {
    sets: Box<[Set]>,
    writing: Mutex<()>,
}

/// Two cache lines, of which the second is only read where a key is found.
#[derive(Default)]
#[repr(align(64))]
struct Set {
    keys: [AtomicU64; WAYS],
    terms: [AtomicU64; WAYS],
}

/// For which tokens, and how long; in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    issued_by: u32,
    until: u32,
}

/// A key for which there is no place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Table {
    /// Room for `entries`, and not much more.
    pub(super) fn new(entries: usize) -> Self {
        let sets = (entries.min(MOST_ENTRIES) * PLACES_PER_ENTRY).div_ceil(WAYS).max(2);
        let sets = (0..sets).map(|_| Set::default()).collect();
        Self { sets, writing: Mutex::new(()) }
    }

    pub(super) fn get(&self, key: u64) -> Option<Term> {
        self.sets_of(key).find_map(|set| set.get(key))
    }

    /// Lets `key` have `term`, or the later times of that and the one it has; whether it had none
    /// that stands at `now`.
    pub(super) fn put(&self, key: u64, term: Term, now: UnixTime) -> Result<bool, Full> {
        // Nothing in here is left half done.
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, place)) = self.sets_of(key).find_map(|set| set.place_of(key)) {
            let stands = held.stands(now);
            let term = if stands { held.and(term) } else { term };
            place.store(term.to_bits(), Release);
            return Ok(!stands);
        }
        let free = |set: &&Set| set.free(now).count();
        let set = self.sets_of(key).max_by_key(free);
        let (held, place) = set.and_then(|set| set.free(now).next()).ok_or(Full)?;
        held.store(key, Release);
        place.store(term.to_bits(), Release);
        Ok(true)
    }

    /// How many stand at `now`.
    pub(super) fn len(&self, now: UnixTime) -> usize {
        self.sets.iter().map(|set| WAYS - set.free(now).count()).sum()
    }

    pub(super) fn capacity(&self) -> usize {
        self.sets.len() * WAYS / PLACES_PER_ENTRY
    }

    /// The two that `key` may be in; perhaps one twice.
    fn sets_of(&self, key: u64) -> impl Iterator<Item = &Set> {
        let at = |bits: u64| (u128::from(bits) * self.sets.len() as u128) >> 64;
        let both = [at(key), at(key.rotate_left(32))];
        both.into_iter().filter_map(|at| self.sets.get(at as usize))
    }
}

impl Set {
    fn get(&self, key: u64) -> Option<Term> {
        let (held, place) = self.places().find(|(held, _)| held.load(Acquire) == key)?;
        let term = Term::from_bits(place.load(Acquire));
        // Taken over in between: what the key had was over then.
        (held.load(Relaxed) == key).then_some(term)
    }

    /// For writers: what `key` has, and where.
    fn place_of(&self, key: u64) -> Option<(Term, &AtomicU64)> {
        let (_, place) = self.places().find(|(held, _)| held.load(Relaxed) == key)?;
        Some((Term::from_bits(place.load(Relaxed)), place))
    }

    /// The places with nothing that stands at `now`.
    fn free(&self, now: UnixTime) -> impl Iterator<Item = (&AtomicU64, &AtomicU64)> {
        self.places().filter(move |(_, place)| !Term::from_bits(place.load(Relaxed)).stands(now))
    }

    fn places(&self) -> impl Iterator<Item = (&AtomicU64, &AtomicU64)> {
        self.keys.iter().zip(&self.terms)
    }
}

impl Term {
    /// A part of a second at the end counts as a whole one.
    pub(super) fn new(issued_by: Option<UnixTime>, until: UnixTime) -> Self {
        let end = UnixTime::from_millis(until.as_millis().saturating_add(999));
        Self { issued_by: issued_by.map_or(FOR_EVER, seconds), until: seconds(end) }
    }

    /// Whether it refuses a token that was issued then, or nobody knows when.
    pub(super) fn refuses(self, issued_at: Option<UnixTime>, now: UnixTime) -> bool {
        self.stands(now) && issued_at.is_none_or(|at| seconds(at) <= self.issued_by)
    }

    pub(super) fn stands(self, now: UnixTime) -> bool {
        self.until == FOR_EVER || now < UnixTime::from_secs(self.until.into())
    }

    /// What refuses at least what either does.
    fn and(self, other: Self) -> Self {
        Self { issued_by: self.issued_by.max(other.issued_by), until: self.until.max(other.until) }
    }

    /// The term of a place where there never was a key has ended in 1970.
    fn from_bits(bits: u64) -> Self {
        Self { issued_by: (bits >> 32) as u32, until: bits as u32 }
    }

    fn to_bits(self) -> u64 {
        u64::from(self.issued_by) << 32 | u64::from(self.until)
    }
}

fn seconds(at: UnixTime) -> u32 {
    u32::try_from(at.as_secs()).unwrap_or(FOR_EVER)
}

/// From 2106 on, times are not told apart any more, and what should end then does not.
const FOR_EVER: u32 = u32::MAX;
/// With eight, a model of two threads would have more steps than can be gone through.
const WAYS: usize = if cfg!(all(loom, test)) { 2 } else { 8 };
const PLACES_PER_ENTRY: usize = 2;
const MOST_ENTRIES: usize = 1 << 24;
