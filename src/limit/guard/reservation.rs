//! An attempt under way, and how it ends.

use std::fmt;

use super::{
    LoginGuard, Table,
    state::{Pace, State},
};
use crate::Mono;

/// An attempt that is charged already. Dropped without a word, it counts as failed. Delays are
/// counted from the moment it was reserved.
#[must_use = "dropped without a word, it counts as failed"]
pub struct Reservation {
    pub(super) guard: LoginGuard,
    pub(super) counted: Counted,
    pub(super) now: Mono,
    pub(super) open: bool,
}

/// The entries of one attempt, with what each goes by.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    /// By a device's cookie, which has entries of its own.
    pub(super) known: bool,
    /// The pair, or the device that has its own count.
    pub(super) own: (u64, Pace),
    pub(super) account: Option<(u64, Pace)>,
    pub(super) network: Option<(u64, Pace)>,
}

impl Reservation {
    /// The secret was right.
    pub fn succeeded(mut self) {
        self.close(|table, counted, now| {
            let (own, pace) = counted.own;
            let wrong = table.states.get(&own).map_or(0, |state| state.failures(pace, now));
            for (key, pace) in [Some(counted.own), counted.account].into_iter().flatten() {
                if let Some(state) = table.states.get_mut(&key) {
                    state.forgive(wrong, pace, now);
                }
            }
        });
    }

    /// The secret was wrong.
    pub fn failed(self) {
        drop(self);
    }

    /// Nothing was checked: what checks it could not be reached.
    pub fn released(mut self) {
        self.close(|_, _, _| ());
    }

    /// Ends the attempt once, and keeps no entry that says nothing.
    fn close(&mut self, outcome: impl FnOnce(&mut Table, Counted, Mono)) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let (counted, now) = (self.counted, self.now);
        let mut table = self.guard.table(counted);
        for (key, _) in counted.all() {
            table.states.entry(key).and_modify(State::end);
        }
        outcome(&mut table, counted, now);
        for (key, pace) in counted.all() {
            if table.states.get(&key).is_some_and(|state| state.is_blank(pace, now)) {
                table.states.remove(&key);
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.close(|table, counted, now| {
            for (key, pace) in counted.all() {
                if let Some(state) = table.states.get_mut(&key) {
                    state.fail(pace, now);
                }
            }
        });
    }
}

impl Counted {
    pub(super) fn all(self) -> impl Iterator<Item = (u64, Pace)> {
        [Some(self.own), self.account, self.network].into_iter().flatten()
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").finish_non_exhaustive()
    }
}
