//! An attempt under way, and how it ends.

use std::fmt;

use super::{
    Limits, LoginGuard, Table,
    state::{Pace, State},
};
use crate::Mono;

/// An attempt that is charged already. Dropped without a word, it counts as failed, unless it was
/// said to be [`unchecked`](Self::unchecked). Delays are counted from the moment it was reserved.
///
/// ```
/// use portcullis::{Mono, limit::{Login, LoginGuard, Verdict}};
///
/// let guard = LoginGuard::builder().attempts(1).start()?;
/// let (login, now) = (Login::new("alice"), Mono::from_nanos(0));
/// let reserve = || match guard.reserve(&login, now) {
///     Verdict::Allow(attempt) => Some(attempt.unchecked()),
///     Verdict::Challenge { .. } | Verdict::Deny { .. } => None,
/// };
/// let looking_up = reserve().unwrap();
/// assert!(reserve().is_none(), "its place is taken");
/// drop(looking_up); // The caller went away, and no secret was looked at.
/// drop(reserve().unwrap().checking());
/// assert!(reserve().is_none(), "this one counts");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropped without a word, it counts as failed"]
pub struct Reservation {
    pub(super) guard: LoginGuard,
    pub(super) counted: Counted,
    pub(super) now: Mono,
    pub(super) dropped: Dropped,
}

/// What it is to have been dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    Failed,
    Released,
    /// It has ended before.
    Ended,
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
    /// Nothing has been looked at yet, such as while a store is asked: dropped from now on, it
    /// counts as nothing. It keeps its place all the while, so as many as come at once find no
    /// more room. Say [`checking`](Self::checking) before the secret is compared, or whoever goes
    /// away in time guesses for nothing.
    pub fn unchecked(mut self) -> Self {
        self.dropped = Dropped::Released;
        self
    }

    /// The secret is about to be compared: dropped from now on, it counts as failed.
    pub fn checking(mut self) -> Self {
        self.dropped = Dropped::Failed;
        self
    }

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
    pub fn failed(mut self) {
        self.fail();
    }

    /// Nothing was checked: what checks it could not be reached.
    pub fn released(mut self) {
        self.release();
    }

    fn release(&mut self) {
        self.close(|_, _, _, _| ());
    }

    fn fail(&mut self) {
        self.close(|table, counted, limits, now| {
            for (key, pace) in counted.all(limits) {
                if let Some(state) = table.states.get_mut(&key) {
                    state.fail(pace, now);
                }
            }
        });
    }

    /// Ends the attempt, and keeps no entry that says nothing.
    fn close(&mut self, outcome: impl FnOnce(&mut Table, Counted, &Limits, Mono)) {
        self.dropped = Dropped::Ended;
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
        match self.dropped {
            Dropped::Failed => self.fail(),
            Dropped::Released => self.release(),
            Dropped::Ended => {}
        }
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
