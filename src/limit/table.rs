//! The buckets of all keys: a table of fixed size, exact under threads.
//!
//! A set is one cache line of four slots, a slot a tag (a key's hash) and a word (its bucket).
//! Hits take no lock: one compare-and-swap of the word. A newcomer takes the lock of its set's
//! stripe and the slot with the **least** word, and steps on from that word.
//!
//! Everything rests on one invariant: **words only rise.** It follows that
//! - the least word of a set never falls, and an absent key's bucket stands at or below it: the
//!   key was never counted here, or its slot was the least when it was displaced. A newcomer who
//!   starts from the least word is never given more than its due, however stale its clock;
//! - what is read may be old, but then it is too low: a refusal by it stands, and a
//!   compare-and-swap from it fails. There is no ABA;
//! - a word that lies in the past is as good as none, so reusing its slot forgets nothing.
//!
//! Whoever adds a refund, which lowers a word, has to add a floor for newcomers and a generation
//! in the word's four spare bits.
//!
//! **No debit is lost** when a key is displaced while it is hit: claim and hit swap the same word
//! from the same value, and one of them loses. **No key has two slots**: newcomers of a set are
//! serialised and look again under the lock. **No key is judged by another's word**: a slot's tag
//! is vacated before its word is claimed, and a hit reads the word between two readings of the
//! tag.

use std::sync::{
    PoisonError,
    atomic::Ordering::{Acquire, Relaxed, Release},
};

use super::{
    ExceededKind,
    bucket::{Denied, Pace},
    sync::{AtomicU64, Mutex, MutexGuard},
};

/// What becomes of a new key when every slot it could take belongs to a key that is still owing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// The newcomer is refused with [`ExceededKind::TableFull`]; keys being counted are unaffected.
    /// For log-ins, where a stranger's debt must not become a user's.
    Deny,
    /// The newcomer takes the place of the key with the least debt, and the debt with it. Nobody
    /// is ever admitted beyond the quota; some may be refused early. For throttling.
    #[default]
    Inherit,
}

/// Buckets of one quota class.
pub(super) struct Table {
    sets: Box<[Set]>,
    stripes: Box<[Mutex<()>]>,
    pub(super) when_full: WhenFull,
}

impl Table {
    /// Room for at least `slots` keys, taken at once; `None` when there cannot be that much.
    pub(super) fn new(slots: usize) -> Option<Self> {
        if slots == 0 || slots > MOST_SLOTS {
            return None;
        }
        let count = slots.div_ceil(WAYS);
        let mut sets = Vec::new();
        sets.try_reserve_exact(count).ok()?;
        sets.resize_with(count, Set::default);
        let stripes = (0..count.min(MOST_STRIPES)).map(|_| Mutex::new(())).collect();
        Some(Self { sets: sets.into(), stripes, when_full: WhenFull::default() })
    }

    pub(super) const fn slots(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// Debits the bucket of the key with this hash by one call, or says why not.
    pub(super) fn check(&self, hash: u64, now: u64, pace: Pace) -> Result<(), Denied> {
        let tag = hash.max(1);
        let (set, stripe) = self.home(hash);
        loop {
            if let Some(answer) = set.hit(tag, now, pace) {
                return answer;
            }
            if self.when_full == WhenFull::Inherit {
                // No bucket of the set, the key's own included, stands below the least word, so a
                // refusal by it is right for every key; floods on a full set end here, unlocked.
                let (_, least) = set.least();
                pace.step(least, now)?;
            }
            if let Some(answer) = self.insert(set, stripe, tag, now, pace) {
                return answer;
            }
        }
    }

    /// Lets a new key in; `None` when it is there by now.
    fn insert(
        &self,
        set: &Set,
        stripe: &Mutex<()>,
        tag: u64,
        now: u64,
        pace: Pace,
    ) -> Option<Result<(), Denied>> {
        let _held = lock(stripe);
        loop {
            if set.owned_by(tag).is_some() {
                return None;
            }
            let (victim, word) = set.least();
            if word > now && self.when_full == WhenFull::Deny {
                let wait = word - now;
                return Some(Err(Denied { kind: ExceededKind::TableFull, wait }));
            }
            let new = match pace.step(word, now) {
                Ok(new) => new,
                Err(denied) => return Some(Err(denied)),
            };
            let displaced = victim.tag.load(Relaxed);
            victim.tag.store(VACANT, Relaxed);
            // Release: whoever reads the new word finds the old tag gone.
            if victim.word.compare_exchange(word, new, Release, Relaxed).is_ok() {
                victim.tag.store(tag, Release);
                return Some(Ok(()));
            }
            // Its owner came back in between.
            victim.tag.store(displaced, Release);
        }
    }

    #[expect(clippy::indexing_slicing, reason = "invariant: neither is empty, index < sets.len()")]
    fn home(&self, hash: u64) -> (&Set, &Mutex<()>) {
        let index = ((u128::from(hash) * self.sets.len() as u128) >> 64) as usize;
        (&self.sets[index], &self.stripes[index % self.stripes.len()])
    }
}

#[derive(Default)]
#[repr(align(64))]
struct Set([Slot; WAYS]);

#[derive(Default)]
struct Slot {
    tag: AtomicU64,
    word: AtomicU64,
}

impl Set {
    /// Steps the bucket that the key owns; `None` when it owns none.
    fn hit(&self, tag: u64, now: u64, pace: Pace) -> Option<Result<(), Denied>> {
        loop {
            let slot = self.owned_by(tag)?;
            // Acquire: if this is a later owner's word, the next line finds the tag gone.
            let word = slot.word.load(Acquire);
            if slot.tag.load(Relaxed) != tag {
                continue;
            }
            let new = match pace.step(word, now) {
                Ok(new) => new,
                Err(denied) => return Some(Err(denied)),
            };
            // Relaxed: a swap carries on the release of the claim before it.
            if slot.word.compare_exchange(word, new, Relaxed, Relaxed).is_ok() {
                return Some(Ok(()));
            }
        }
    }

    fn owned_by(&self, tag: u64) -> Option<&Slot> {
        // Acquire: spares a round with the word from before the key came in, which is too low.
        self.0.iter().find(|slot| slot.tag.load(Acquire) == tag)
    }

    fn least(&self) -> (&Slot, u64) {
        let [first, others @ ..] = &self.0;
        others.iter().fold((first, first.word.load(Relaxed)), |least, slot| {
            let word = slot.word.load(Relaxed);
            if word < least.1 { (slot, word) } else { least }
        })
    }
}

fn lock(stripe: &Mutex<()>) -> MutexGuard<'_, ()> {
    // The lock guards no data that a panic could leave half-written.
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tag of a slot without an owner.
const VACANT: u64 = 0;
const WAYS: usize = 4;
const MOST_SLOTS: usize = 1 << 28;
const MOST_STRIPES: usize = 1 << 10;

#[cfg(test)]
#[cfg(loom)]
mod models;
#[cfg(test)]
mod tests;
