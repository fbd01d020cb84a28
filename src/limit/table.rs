//! The buckets of all keys: a table of fixed size, exact under threads.
//!
//! A set is one cache line of four slots, a slot a tag (a key's hash) and a word: the time of its
//! bucket, and in four bits the generation of its owner. Hits take no lock: one compare-and-swap
//! of the word. A newcomer takes the lock of its set's stripe and the slot with the **least**
//! word, and steps on from that word.
//!
//! Where nothing is refunded, everything rests on one invariant: **words only rise.** It follows
//! that
//! - the least word of a set never falls, and an absent key's bucket stands at or below it: the
//!   key was never counted here, or its slot was the least when it was displaced. A newcomer who
//!   starts from the least word is never given more than its due, however stale its clock;
//! - what is read may be old, but then it is too low: a refusal by it stands, and a
//!   compare-and-swap from it fails. There is no ABA;
//! - a word that lies in the past is as good as none, so reusing its slot forgets nothing.
//!
//! A refund lowers a word, so a table that gives them keeps three things more:
//! - the **floor** of a stripe, the latest bucket displaced there. Newcomers start from it, as
//!   the least word may have fallen below what they owed;
//! - the **generation**, which each new owner raises. Without it a word could fall back to what
//!   the owner before read, who would then swap, and debit the wrong bucket;
//! - the **latest** reading of a stripe and the sum **refunded** there, by which
//!   [`Debit::left`] finds what may be given back.
//!
//! A refusal may then be by a word that has fallen in between: it came before the refund. A reset
//! is a refund of everything; both are in `table/undo.rs`.
//!
//! **No debit is lost** when a key is displaced while it is hit: claim and hit swap the same word
//! from the same value, and one of them loses. **No key has two slots**: newcomers of a set are
//! serialised and look again under the lock. **No key is judged by another's word**: a slot's tag
//! is vacated before its word is claimed, and a hit reads the word between two readings of the
//! tag.

use std::sync::{
    Arc, PoisonError,
    atomic::Ordering::{AcqRel, Acquire, Relaxed, Release},
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

/// Whether a table's debits can be refunded, which costs a hit one more shared word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refunds {
    Given,
    Never,
}

/// Where a bucket stands after a step, or why there was none.
type Stepped = Result<u64, Denied>;

/// Buckets of one quota class. Clones share them.
#[derive(Clone)]
pub(super) struct Table {
    sets: Arc<[Set]>,
    stripes: Arc<[Stripe]>,
    counts: Arc<Counts>,
    pub(super) when_full: WhenFull,
    refunds: Refunds,
}

impl Table {
    /// Room for at least `slots` keys, taken at once; `None` when there cannot be that much.
    pub(super) fn new(slots: usize, refunds: Refunds) -> Option<Self> {
        let count = Some(slots).filter(|it| (1..=MOST_SLOTS).contains(it))?.div_ceil(WAYS);
        let stripes = match refunds {
            // A floor is for the newcomers of one set; others' debts are none of theirs.
            Refunds::Given => count,
            Refunds::Never => count.min(MOST_STRIPES),
        };
        Some(Self {
            sets: all(count)?,
            stripes: all(stripes)?,
            counts: Arc::default(),
            when_full: WhenFull::default(),
            refunds,
        })
    }

    pub(super) fn slots(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// Debits the bucket of the key with this hash by one call, or says why not. `REFUNDS` as of
    /// the table.
    #[inline]
    pub(super) fn charge<const REFUNDS: bool>(&self, hash: u64, now: u64, pace: Pace) -> Debited {
        // Before the step: whatever is refunded after the step is not in here.
        let refunded = if REFUNDS { self.stripe(hash).refunded.load(Relaxed) } else { 0 };
        let note = || self.note::<REFUNDS>(hash, now);
        let answer = self.set(hash).home(hash.max(1)).step(hash.max(1), now, pace, note);
        let until = answer.unwrap_or_else(|| self.elsewhere(hash, now, pace))?;
        Ok(Debit { until, interval: pace.interval(), refunded })
    }

    /// Steps the bucket of a key that is not at home, or that others step at the same time.
    // Out of line, so that most calls save no registers for it.
    #[inline(never)]
    fn elsewhere(&self, hash: u64, now: u64, pace: Pace) -> Stepped {
        loop {
            while let Some(slot) = self.set(hash).owned_by(hash.max(1)) {
                let note = || self.note::<true>(hash, now);
                if let Some(answer) = slot.step(hash.max(1), now, pace, note) {
                    return answer;
                }
            }
            if self.when_full == WhenFull::Inherit {
                // No bucket of the set, the key's own included, stands below the least word, so a
                // refusal by it is right for every key; floods on a full set end here, unlocked.
                let step = pace.step(time(self.set(hash).least(hash).1), now);
                step.map_err(|denied| self.turned_away(hash, denied))?;
            }
            if let Some(answer) = self.insert(hash, now, pace) {
                return answer;
            }
        }
    }

    /// Lets a new key in; `None` when it is there by now.
    fn insert(&self, hash: u64, now: u64, pace: Pace) -> Option<Stepped> {
        let (set, stripe, tag) = (self.set(hash), self.stripe(hash), hash.max(1));
        let mut floor = lock(&stripe.floor);
        loop {
            if set.owned_by(tag).is_some() {
                return None;
            }
            let (victim, word) = set.least(tag);
            let base = self.open(time(word), now).map(|displaced| displaced.max(*floor));
            let until = match base.and_then(|base| pace.step(base, now)) {
                Ok(until) => until,
                Err(denied) => return Some(Err(self.turned_away(hash, denied))),
            };
            self.note::<true>(hash, now);
            let displaced = victim.tag.load(Relaxed);
            victim.tag.store(VACANT, Relaxed);
            // Release: whoever reads the new word finds the old tag gone. Acquire: the readings of
            // the old owner are handed on.
            let new = claimed(word, until);
            if victim.word.compare_exchange(word, new, AcqRel, Relaxed).is_ok() {
                if self.refunds == Refunds::Given {
                    *floor = time(word).max(*floor);
                }
                victim.tag.store(tag, Release);
                self.seated(hash, displaced, time(word) > now);
                return Some(Ok(until));
            }
            // Its owner came back in between.
            victim.tag.store(displaced, Release);
        }
    }

    /// The least bucket of a set, if a newcomer may have its place.
    fn open(&self, least: u64, now: u64) -> Result<u64, Denied> {
        if least > now && self.when_full == WhenFull::Deny {
            return Err(Denied { kind: ExceededKind::TableFull, wait: least - now });
        }
        Ok(least)
    }

    /// Keeps the reading for refunds, before the step at it can be seen.
    fn note<const REFUNDS: bool>(&self, hash: u64, now: u64) {
        let given = REFUNDS && self.refunds == Refunds::Given;
        if given && self.stripe(hash).latest.load(Relaxed) < now {
            self.stripe(hash).latest.fetch_max(now, Relaxed);
        }
    }

    #[expect(clippy::indexing_slicing, reason = "invariant: place < sets.len()")]
    fn set(&self, hash: u64) -> &Set {
        &self.sets[self.place(hash)]
    }

    #[expect(clippy::indexing_slicing, reason = "invariant: stripes are not empty")]
    fn stripe(&self, hash: u64) -> &Stripe {
        let (place, stripes) = (self.place(hash), self.stripes.len());
        // A division takes longer than all the rest.
        &self.stripes[if place < stripes { place } else { place % stripes }]
    }

    fn place(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.sets.len() as u128) >> 64) as usize
    }
}

/// What the newcomers and the refunds of some sets go by.
#[derive(Default)]
struct Stripe {
    floor: Mutex<u64>,
    latest: AtomicU64,
    refunded: AtomicU64,
}

#[derive(Default)]
#[repr(align(64))]
struct Set([Slot; WAYS]);

#[derive(Default)]
struct Slot {
    tag: AtomicU64,
    word: AtomicU64,
}

impl Slot {
    /// Steps the bucket if it is that of the key with this tag; `None` when it is not, or when
    /// something came between. `note` keeps the reading before the step can be seen.
    // A call on this path costs as much as half of it.
    #[inline(always)]
    fn step(&self, tag: u64, now: u64, pace: Pace, note: impl FnOnce()) -> Option<Stepped> {
        let owned = self.tag.load(Acquire) == tag;
        // Acquire: if this is a later owner's word, the next line finds the tag gone.
        let word = self.word.load(Acquire);
        if !owned || self.tag.load(Relaxed) != tag {
            return None;
        }
        let step = pace.step(time(word), now);
        let Ok(until) = step else { return Some(step) };
        note();
        // Release: whoever refunds from here on knows the reading. A swap also carries on the
        // release of the claim before it.
        let swapped = self.word.compare_exchange(word, moved(word, until), Release, Relaxed);
        swapped.is_ok().then_some(step)
    }
}

impl Set {
    /// Where a key goes if it may choose, and so is looked for first.
    fn home(&self, tag: u64) -> &Slot {
        let [first, ..] = &self.0;
        self.0.get(tag as usize % WAYS).unwrap_or(first)
    }

    fn owned_by(&self, tag: u64) -> Option<&Slot> {
        let home = self.home(tag);
        if home.tag.load(Acquire) == tag {
            return Some(home);
        }
        // Acquire: spares a round with the word from before the key came in, which is too low.
        let owned = |slot: &Slot| u32::from(slot.tag.load(Acquire) == tag);
        let place = self.0.iter().zip(0..).fold(0, |found, (slot, at)| found | owned(slot) << at);
        self.0.get(place.trailing_zeros() as usize)
    }

    fn least(&self, tag: u64) -> (&Slot, u64) {
        let home = self.home(tag);
        self.0.iter().fold((home, home.word.load(Relaxed)), |least, slot| {
            let word = slot.word.load(Relaxed);
            if word < least.1 { (slot, word) } else { least }
        })
    }
}

/// The bucket of a word.
const fn time(word: u64) -> u64 {
    word >> GENERATION_BITS
}

/// The word with its bucket at `time`, its owner the same.
const fn moved(word: u64, time: u64) -> u64 {
    time << GENERATION_BITS | word & GENERATIONS
}

/// The word with its bucket at `time`, its owner a new one.
const fn claimed(word: u64, time: u64) -> u64 {
    time << GENERATION_BITS | word.wrapping_add(1) & GENERATIONS
}

fn lock(floor: &Mutex<u64>) -> MutexGuard<'_, u64> {
    // One number is never half-written.
    floor.lock().unwrap_or_else(PoisonError::into_inner)
}

fn all<T: Default>(count: usize) -> Option<Arc<[T]>> {
    // Asks for the memory by a way that may be told no; then they are made where they stay.
    Vec::<T>::new().try_reserve_exact(count).ok()?;
    Some((0..count).map(|_| T::default()).collect())
}

/// The tag of a slot without an owner.
const VACANT: u64 = 0;
const WAYS: usize = 4;
const MOST_SLOTS: usize = 1 << 28;
const MOST_STRIPES: usize = 1 << 10;
/// The bits that times before the end of the range leave.
const GENERATION_BITS: u32 = 4;
const GENERATIONS: u64 = (1 << GENERATION_BITS) - 1;

mod counts;
mod heirs;
mod undo;

pub(super) use undo::{Debit, Debited};

use counts::Counts;

#[cfg(test)]
impl Table {
    fn check(&self, hash: u64, now: u64, pace: Pace) -> Result<(), Denied> {
        self.charge::<true>(hash, now, pace).map(drop)
    }
}

#[cfg(test)]
#[cfg(loom)]
mod models;
#[cfg(test)]
mod refunds;
#[cfg(test)]
mod tests;
