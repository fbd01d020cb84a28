//! An attempt under way, and how it ends.

use std::fmt;

use super::{
    Limits, LoginGuard, Table,
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

/// The entries of one attempt.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    /// By a device's cookie, which has entries of its own.
    pub(super) known: bool,
    /// The pair, or the device that has its own count.
    pub(super) own: u64,
    pub(super) account: Option<u64>,
    pub(super) network: Option<u64>,
}

impl Reservation {
    /// The secret was right.
    pub fn succeeded(mut self) {
        self.close(|table, counted, limits, now| {
            let own = table.states.get(&counted.own);
            let wrong = own.map_or(0, |state| state.failures(limits.pair, now));
            for (key, pace) in counted.person(limits) {
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
        self.close(|_, _, _, _| ());
    }

    /// Ends the attempt once, and keeps no entry that says nothing.
    fn close(&mut self, outcome: impl FnOnce(&mut Table, Counted, &Limits, Mono)) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let (counted, limits, now) = (self.counted, &self.guard.0.limits, self.now);
        let mut table = self.guard.table(counted);
        for (key, _) in counted.all(limits) {
            table.states.entry(key).and_modify(State::end);
        }
        outcome(&mut table, counted, limits, now);
        for (key, pace) in counted.all(limits) {
            if table.states.get(&key).is_some_and(|state| state.is_blank(pace, now)) {
                table.states.remove(&key);
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.close(|table, counted, limits, now| {
            for (key, pace) in counted.all(limits) {
                if let Some(state) = table.states.get_mut(&key) {
                    state.fail(pace, now);
                }
            }
        });
    }
}

impl Counted {
    /// All of them, with what each goes by.
    pub(super) fn all(self, limits: &Limits) -> impl Iterator<Item = (u64, Pace)> + use<> {
        let network = self.network.map(|key| (key, limits.network));
        self.person(limits).chain(network)
    }

    /// Those that a success forgives.
    fn person(self, limits: &Limits) -> impl Iterator<Item = (u64, Pace)> + use<> {
        let account = self.account.map(|key| (key, limits.account));
        [(self.own, limits.pair)].into_iter().chain(account)
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").finish_non_exhaustive()
    }
}
