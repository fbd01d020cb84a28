//! What is left of a quota, in the words that a caller can use.

use std::{cmp::Reverse, time::Duration};

use super::{Exceeded, ExceededKind, Quota, bucket::Pace};

/// What one quota leaves a caller, at the moment when its request was charged or refused.
///
/// Calls of the same key that come later, and refunds, change it; nothing is read again.
///
/// [`Caller::allowance`](crate::Caller::allowance) and
/// [`Refusal::allowance`](crate::Refusal::allowance) tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    by: &'static str,
    quota: Quota,
    pace: Pace,
    /// How far the bucket is from full, in nanoseconds, or by the calendar in calls; where a clock
    /// is stale, beyond empty.
    debt: u64,
    /// By the calendar, the nanoseconds until all of it comes back.
    whole: Option<u64>,
}

impl Allowance {
    pub(super) const fn new(
        by: &'static str,
        quota: Quota,
        pace: Pace,
        debt: u64,
        whole: Option<u64>,
    ) -> Self {
        Self { by, quota, pace, debt, whole }
    }

    /// What a call of that cost found; `None` unless the quota was spent.
    pub(crate) fn found(by: &'static str, no: Exceeded, cost: u32) -> Option<Self> {
        let pace = no.quota().pace().ok().filter(|_| no.kind() == ExceededKind::Spent)?;
        let asked = pace.interval().saturating_mul(cost.into());
        let debt = no.lacking().saturating_add(pace.tolerance()).saturating_sub(asked);
        let whole = u64::try_from(no.retry_after().as_nanos()).ok();
        let whole = whole.filter(|_| no.quota().calendar().is_some());
        Some(Self::new(by, no.quota(), pace, debt, whole))
    }

    /// The tighter of two.
    pub(crate) fn tighter(self, other: Self) -> Self {
        let room = |it: &Self| (it.remaining(), Reverse(it.more_after()));
        if room(&other) < room(&self) { other } else { self }
    }

    /// Whether so many per cent of the bucket are used, or more.
    pub(crate) fn is_past(&self, percent: u8) -> bool {
        let all = u128::from(self.pace.tolerance());
        u128::from(self.debt) * 100 >= all * u128::from(percent)
    }

    /// The quota.
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.quota
    }

    /// A name for the quota and whom it counts, such as `client-20-per-second`: lower-case
    /// letters, digits and hyphens.
    #[must_use]
    pub fn policy(&self) -> String {
        format!("{}-{}", self.by, self.quota.rate())
    }

    /// The calls that a full bucket holds.
    #[must_use]
    pub fn burst(&self) -> u64 {
        self.pace.tolerance() / self.pace.interval()
    }

    /// The time in which an empty bucket refills; by the calendar, a day or 31 days.
    #[must_use]
    pub fn window(&self) -> Duration {
        let nanos = match self.quota.calendar() {
            Some((unit, _)) => unit.as_nanos(),
            None => self.pace.tolerance(),
        };
        Duration::from_nanos(nanos)
    }

    /// The calls of cost 1 that are left, rounded down.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.pace.tolerance().saturating_sub(self.debt) / self.pace.interval()
    }

    /// The time until there is one more; zero when the bucket is full.
    #[must_use]
    pub fn more_after(&self) -> Duration {
        if let Some(whole) = self.whole.filter(|_| self.debt > 0) {
            return Duration::from_nanos(whole);
        }
        let room = (self.remaining() + 1).saturating_mul(self.pace.interval());
        let then = self.pace.tolerance().saturating_sub(room);
        Duration::from_nanos(self.debt.saturating_sub(then))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Mono, limit::LimitSet};

    const SECOND: u64 = 1_000_000_000;

    fn told(it: Allowance) -> (u64, Duration) {
        (it.remaining(), it.more_after())
    }

    #[test]
    fn what_is_left_is_rounded_down_and_the_wait_is_exact() {
        let quota = Quota::per_second(1).burst(3);
        let check = |debt: u64, remaining: u64, nanos: u64| {
            let it = Allowance::new("client", quota, quota.pace().unwrap(), debt, None);
            assert_eq!(told(it), (remaining, Duration::from_nanos(nanos)), "{debt}");
        };
        check(0, 3, 0);
        check(1, 2, 1);
        check(SECOND, 2, SECOND);
        check(SECOND + 1, 1, 1);
        check(3 * SECOND, 0, SECOND);
        check(5 * SECOND, 0, 3 * SECOND);
    }

    #[test]
    fn a_share_is_past_when_so_much_is_used() {
        let quota = Quota::per_second(1).burst(4);
        let check = |debt: u64, percent: u8, expected: bool| {
            let it = Allowance::new("client", quota, quota.pace().unwrap(), debt, None);
            assert_eq!(it.is_past(percent), expected, "{debt} {percent}");
        };
        check(0, 0, true);
        check(0, 1, false);
        check(3 * SECOND - 1, 75, false);
        check(3 * SECOND, 75, true);
        check(4 * SECOND - 1, 100, false);
        check(5 * SECOND, 100, true);
    }

    #[test]
    fn by_the_calendar_all_comes_back_at_once() {
        let quota = Quota::per_calendar_day(3, "Europe/Berlin").unwrap();
        let check = |debt: u64, remaining: u64, nanos: u64| {
            let it = Allowance::new("client", quota, quota.pace().unwrap(), debt, Some(7));
            assert_eq!(told(it), (remaining, Duration::from_nanos(nanos)), "{debt}");
        };
        check(0, 3, 0);
        check(1, 2, 7);
        check(3, 0, 7);
    }

    #[test]
    fn the_tightest_quota_of_a_set_is_told() {
        let quotas = [Quota::per_second(10), Quota::per_hour(3), Quota::per_day(3)];
        let set = LimitSet::<str>::new(quotas, 64).unwrap();
        let charge = set.charge_at("alice", 1, Mono::from_nanos(SECOND)).unwrap();
        let it = set.allowance("client", &charge).unwrap();
        assert_eq!((it.quota(), it.remaining(), it.burst()), (Quota::per_day(3), 2, 3));
        assert_eq!(it.policy(), "client-3-per-day");
        assert_eq!(it.window(), Duration::from_secs(86_400));
        let free = set.charge_at("alice", 0, Mono::from_nanos(SECOND)).unwrap();
        assert_eq!(set.allowance("client", &free), None);
    }

    proptest! {
        #[test]
        fn what_is_told_to_be_left_is_left_and_comes_when_told(
            burst in 1..20_u32, spent in prop::collection::vec((1..4_u32, 0..SECOND), 1..40),
        ) {
            let quota = Quota::per_second(3).burst(burst);
            let (set, mut now) = (LimitSet::<str>::new(quota, 64).unwrap(), SECOND);
            for (cost, later) in spent {
                now += later;
                let cost = cost.min(burst);
                let it = match set.charge_at("alice", cost, Mono::from_nanos(now)) {
                    Ok(charge) => set.allowance("client", &charge).unwrap(),
                    Err(no) => {
                        let it = Allowance::found("client", no, cost).unwrap();
                        prop_assert!(it.more_after() <= no.retry_after());
                        it
                    }
                };
                let (left, wait) = told(it);
                let left = u32::try_from(left).unwrap();
                let passes = |cost: u32, now: u64| {
                    let charge = set.charge_at("alice", cost, Mono::from_nanos(now));
                    charge.map(|charge| set.refund(charge)).is_ok()
                };
                prop_assert!(left == 0 || passes(left, now));
                prop_assert!(!passes(left + 1, now));
                let wait = u64::try_from(wait.as_nanos()).unwrap();
                prop_assert!(wait > 0 && !passes(left + 1, now + wait - 1));
            }
        }
    }
}
