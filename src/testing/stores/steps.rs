//! What stores of last steps promise.

use super::{BrokenPromises, Findings, StoreChecks, every_time, fresh};
use crate::authn::{
    StoreError,
    otp::{Advance, StepStore},
};

impl StoreChecks {
    /// Checks that every step counts once and that none comes back.
    ///
    /// # Errors
    /// The promises that `store` breaks.
    pub fn steps(&self, store: &impl StepStore) -> Result<(), BrokenPromises> {
        let mut findings = Findings::default();
        let take = |account: &str, step| {
            self.ask(|| store.advance(account, step..=step)).map(|answer| answer == Advance::Taken)
        };
        findings.promise("first-step", "it refuses an account its first step", || {
            Ok(take(&fresh()?, 0)? && take(&fresh()?, 60_000_000)?)
        });
        findings.promise("used-once", "it takes the same step twice", || {
            let account = fresh()?;
            take(&account, 60_000_000)?;
            Ok(!take(&account, 60_000_000)?)
        });
        findings.promise("moves-on", "it refuses a step after the last one", || {
            let account = fresh()?;
            take(&account, 60_000_000)?;
            take(&account, 60_000_001)
        });
        findings.promise("never-back", "it takes a step before the last one", || {
            let account = fresh()?;
            take(&account, 60_000_007)?;
            let back = take(&account, 60_000_006)?;
            Ok(!back && !take(&account, 60_000_007)?)
        });
        findings.promise("accounts-apart", "one account uses up another's steps", || {
            take(&fresh()?, 60_000_000)?;
            take(&fresh()?, 60_000_000)
        });
        findings.promise("used-once-at-once", "it takes the same step twice at once", || {
            let account = fresh()?;
            every_time(|round| {
                let step = 60_000_000 + round as u64;
                let taken = self.race(|_| take(&account, step))?;
                Ok(taken.iter().filter(|taken| **taken).count() == 1)
            })
        });
        findings.promise("never-back-at-once", "a slow request puts a lower step back", || {
            let account = fresh()?;
            every_time(|round| self.highest_stays(&account, 60_000_000 + 100 * round as u64, &take))
        });
        findings.promise("all-or-none", "it takes two steps of which one was used", || {
            let account = fresh()?;
            let two = |first: u64| self.ask(|| store.advance(&account, first..=first + 1));
            let taken = two(60_000_000)? == Advance::Taken;
            Ok(taken && two(60_000_001)? == Advance::Used && two(60_000_002)? == Advance::Taken)
        });
        findings.end()
    }

    /// Whether of several steps at once the highest is taken, and stays the last.
    fn highest_stays(
        &self,
        account: &str,
        step: u64,
        take: &(impl Fn(&str, u64) -> Result<bool, StoreError> + Sync),
    ) -> Result<bool, StoreError> {
        let taken = self.race(|number| take(account, step + number as u64))?;
        let highest = step + taken.len() as u64 - 1;
        Ok(taken.last() == Some(&true) && !take(account, highest)?)
    }
}
