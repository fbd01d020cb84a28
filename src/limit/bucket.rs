//! The step of one bucket, pure: no clock, no atomics, no table.
//!
//! A bucket is one number, the *theoretical arrival time* `tat`: the moment at which it is full
//! again. A call moves it one interval further; a call that would move it more than `tolerance`
//! (burst times interval) ahead of its own reading of the clock is refused and moves nothing
//! (GCRA, ITU-T I.371). A bucket with `tat <= now` is as good as one never used.
//!
//! **Lemma.** Readings may come in any order. Of the calls that read a time in `[a, b]`, at most
//! `(tolerance + b - a) / interval` are admitted. For the first of them leaves `tat` at `a +
//! interval` or later, every further one raises it by an interval or more, nothing lowers it, and
//! the last leaves it at `b + tolerance` or earlier.
//!
//! **A refund may only give back what time has not.** A step adds the stretch up to `until` to
//! the bucket; whatever of it lies before the latest reading may have drained by now, and is
//! paid. Refunds of earlier steps move the stretch down; see `table/undo.rs`.
//!
//! **A stale clock can only under-admit.** Of two readings, the older one never admits what the
//! younger one refuses: how far the step would lie ahead does not grow with `now`.

use super::ExceededKind;

/// The numbers of a quota, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    interval: u64,
    tolerance: u64,
}

/// A refused step: why, and how long to wait, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Denied {
    pub(super) kind: ExceededKind,
    pub(super) wait: u64,
}

impl Pace {
    /// One call per `interval`, `burst` at once; `None` when refilling takes half of all time.
    pub(super) fn new(interval: u64, burst: u32) -> Option<Self> {
        let tolerance = interval.checked_mul(burst.into()).filter(|&it| it <= END / 2)?;
        Some(Self { interval, tolerance })
    }

    /// The pace of calls that count as `cost` calls at once; `None` when the bucket never holds
    /// that many.
    #[inline]
    pub(super) fn times(self, cost: u32) -> Option<Self> {
        let interval = self.interval.checked_mul(cost.into());
        let interval = interval.filter(|&it| it <= self.tolerance)?;
        Some(Self { interval, ..self })
    }

    /// The pace of calls that may leave so many calls' debt behind, or as much as times can say.
    #[inline]
    pub(super) fn beyond(self, debt: u32) -> Self {
        let more = self.interval.saturating_mul(debt.into());
        Self { tolerance: self.tolerance.saturating_add(more).min(END / 2), ..self }
    }

    /// The time in which an empty bucket refills.
    pub(super) const fn tolerance(self) -> u64 {
        self.tolerance
    }

    /// The time in which one call drains.
    pub(super) const fn interval(self) -> u64 {
        self.interval
    }

    /// Where a call at `now` moves a bucket that stands at `tat`; always beyond `tat`, always
    /// before [`END`].
    pub(super) const fn step(self, tat: u64, now: u64) -> Result<u64, Denied> {
        let base = if tat > now { tat } else { now };
        let new = base.saturating_add(self.interval);
        let ahead = new - now;
        if ahead > self.tolerance {
            return Err(Denied { kind: ExceededKind::Spent, wait: ahead - self.tolerance });
        }
        if new >= END {
            return Err(Denied { kind: ExceededKind::Clock, wait: self.tolerance });
        }
        Ok(new)
    }
}

/// All times lie before this one, and so take 60 bits: 36 years after the clock's origin, so that no sum wraps.
pub(super) const END: u64 = 1 << 60;

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps() {
        let pace = Pace::new(10, 3).unwrap();
        let spent = |wait| Err(Denied { kind: ExceededKind::Spent, wait });
        let check = |tat: u64, now: u64, expected: Result<u64, Denied>| {
            assert_eq!(pace.step(tat, now), expected, "tat {tat}, now {now}");
        };
        check(0, 0, Ok(10));
        check(10, 0, Ok(20));
        check(20, 0, Ok(30));
        check(30, 0, spent(10));
        check(30, 9, spent(1));
        check(30, 10, Ok(40));
        check(30, 1_000, Ok(1_010));
        check(40, 0, spent(20));
    }

    #[test]
    fn a_cost_is_so_many_calls_at_once() {
        let pace = Pace::new(10, 3).unwrap();
        assert_eq!(pace.times(2).unwrap().step(0, 0), Ok(20));
        assert_eq!(pace.times(3).unwrap().step(0, 0), Ok(30));
        assert_eq!(pace.times(4), None);
        assert_eq!(Pace::new(END / 4, 2).unwrap().times(u32::MAX), None);
    }

    #[test]
    fn debt_goes_as_far_as_times_can_say() {
        let slow = Pace::new(END / 4, 1).unwrap();
        assert_eq!(slow.beyond(0).tolerance(), END / 4);
        assert_eq!(slow.beyond(1).tolerance(), END / 2);
        assert_eq!(slow.beyond(u32::MAX).tolerance(), END / 2);
        assert_eq!(Pace::new(10, 3).unwrap().beyond(2).tolerance(), 50);
    }

    #[test]
    fn a_reading_beyond_the_end_is_refused_and_never_wraps() {
        let pace = Pace::new(10, 3).unwrap();
        let clock = Err(Denied { kind: ExceededKind::Clock, wait: 30 });
        assert_eq!(pace.step(0, END - 11), Ok(END - 1));
        assert_eq!(pace.step(END - 1, END - 11), clock);
        assert_eq!(pace.step(0, END - 10), clock);
        assert_eq!(pace.step(0, END), clock);
        assert_eq!(pace.step(0, u64::MAX), clock);
        assert_eq!(pace.step(u64::MAX, u64::MAX), clock);
        assert!(pace.step(u64::MAX, 0).is_err());
    }

    /// All paces, the extreme ones and those with numbers that meet.
    fn paces() -> impl Strategy<Value = Pace> {
        let wide =
            (1..=u32::MAX).prop_flat_map(|burst| (1..=END / 4 / u64::from(burst), Just(burst)));
        prop_oneof![wide, (1..1_000_u64, 1..50_u32)]
            .prop_map(|(interval, burst)| Pace::new(interval, burst).unwrap())
    }

    proptest! {
        #[test]
        fn no_input_panics_or_leaves_the_range(pace in paces(), tat: u64, now: u64) {
            if let Ok(new) = pace.step(tat, now) {
                prop_assert!(new > tat && new > now && new < END);
            }
        }

        #[test]
        fn waiting_exactly_that_long_succeeds_and_one_less_fails(
            pace in paces(), debt in 0..END / 2, now in 0..END / 4,
        ) {
            let tat = now + debt.min(pace.tolerance);
            if let Err(denied) = pace.step(tat, now) {
                prop_assert_eq!(denied.kind, ExceededKind::Spent);
                prop_assert!(pace.step(tat, now + denied.wait).is_ok());
                prop_assert!(pace.step(tat, now + denied.wait - 1).is_err());
            }
        }

        #[test]
        fn a_stale_reading_never_admits_what_a_fresh_one_refuses(
            pace in paces(), tat in 0..END / 2, stale in 0..END / 4, age in 0..END / 4,
        ) {
            if let Ok(new) = pace.step(tat, stale) {
                prop_assert!(pace.step(tat, stale + age).is_ok_and(|fresh| fresh >= new));
            }
        }

        #[test]
        fn readings_in_any_order_keep_the_bound(
            burst in 1..6_u32, readings in prop::collection::vec(0..200_u64, 1..80),
        ) {
            let pace = Pace::new(10, burst).unwrap();
            let (mut tat, mut admitted) = (0, Vec::new());
            for now in readings {
                if let Ok(new) = pace.step(tat, now) {
                    tat = new;
                    admitted.push(now);
                }
            }
            for (a, b) in admitted.iter().flat_map(|a| admitted.iter().map(move |b| (a, b))) {
                let within = admitted.iter().filter(|it| (a..=b).contains(it)).count() as u64;
                prop_assert!(within * 10 <= pace.tolerance + b.saturating_sub(*a), "[{}, {}]", a, b);
            }
        }
    }
}
