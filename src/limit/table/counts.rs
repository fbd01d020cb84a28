//! What a table counts of itself. A hit counts nothing: two threads that hit, or are refused, would
//! wait for each other's count.

// Not loom's: nothing is decided by a count, so the models need not look at it.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Denied, ExceededKind, Table, VACANT, time};
use crate::limit::Stats;

/// In several lines, by key, so that newcomers of different keys seldom meet.
#[derive(Default)]
pub(super) struct Counts([Line; LINES]);

#[derive(Default)]
#[repr(align(64))]
struct Line {
    entered: AtomicU64,
    reused: AtomicU64,
    inherited: AtomicU64,
    turned_away: AtomicU64,
    refunded: AtomicU64,
    forgiven: AtomicU64,
}

impl Table {
    /// Counts a newcomer in the place of `displaced`, which still owed or did not.
    pub(super) fn seated(&self, hash: u64, displaced: u64, live: bool) {
        let line = self.counts.line(hash);
        let counter = match displaced {
            VACANT => &line.entered,
            _ if live => &line.inherited,
            _ => &line.reused,
        };
        counter.fetch_add(1, Relaxed);
    }

    /// Counts a newcomer that is refused for what others owe, and hands its refusal on.
    pub(super) fn turned_away(&self, hash: u64, denied: Denied) -> Denied {
        if denied.kind != ExceededKind::Clock {
            self.counts.line(hash).turned_away.fetch_add(1, Relaxed);
        }
        denied
    }

    pub(super) fn refunded(&self, hash: u64) {
        self.counts.line(hash).refunded.fetch_add(1, Relaxed);
    }

    pub(super) fn forgiven(&self, hash: u64) {
        self.counts.line(hash).forgiven.fetch_add(1, Relaxed);
    }

    /// All counts, and the keys that owe something at `now`: one reading of every slot.
    pub(in crate::limit) fn stats(&self, now: u64) -> Stats {
        let slots = self.sets.iter().flat_map(|set| &set.0);
        let live = slots.filter(|slot| time(slot.word.load(Relaxed)) > now).count();
        let sum = |of: fn(&Line) -> &AtomicU64| {
            self.counts.0.iter().map(|line| of(line).load(Relaxed)).fold(0, u64::wrapping_add)
        };
        Stats {
            slots: self.slots(),
            live,
            entered: sum(|line| &line.entered),
            reused: sum(|line| &line.reused),
            inherited: sum(|line| &line.inherited),
            turned_away: sum(|line| &line.turned_away),
            refunded: sum(|line| &line.refunded),
            forgiven: sum(|line| &line.forgiven),
        }
    }
}

impl Counts {
    #[expect(clippy::indexing_slicing, reason = "invariant: the remainder is below the length")]
    fn line(&self, hash: u64) -> &Line {
        // The upper bits choose the set.
        &self.0[hash as usize % LINES]
    }
}

const LINES: usize = 8;
