//! How much.

use std::{fmt, option};

use super::{
    LimitError,
    bucket::Pace,
    calendar::{self, Unit},
};

/// So many per period, and so many at once.
///
/// A bucket holds `burst` calls and regains one after every `period / n`. Over any stretch of
/// time `t` a key is admitted at most `burst + n * t / period` times. Without [`burst`](Self::burst)
/// the bucket holds `n`, so two neighbouring periods may see `2 n` around their border; a smaller
/// burst narrows that.
///
/// The interval is rounded up to whole nanoseconds: the rate is never above the one asked for,
/// and below it by less than one part in a thousand up to a million per second.
///
/// Nothing but the name of a time zone is checked here, so that quotas can be constants;
/// [`Limiter::new`](super::Limiter::new) refuses those that cannot be kept.
///
/// ```
/// use portcullis::limit::{LimitError, Limiter, Quota};
///
/// const SIGN_UPS: Quota = Quota::per_hour(20).burst(5);
/// assert_eq!(SIGN_UPS.to_string(), "20 per hour, burst 5");
/// assert!(Limiter::<str>::new(SIGN_UPS, 4096).is_ok());
///
/// let none = Quota::per_minute(0);
/// assert_eq!(Limiter::<str>::new(none, 4096).unwrap_err(), LimitError::Zero { quota: none });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    count: u32,
    period: Period,
    burst: u32,
}

impl Quota {
    /// `n` per second.
    #[must_use]
    pub const fn per_second(n: u32) -> Self {
        Self { count: n, period: Period::Second, burst: n }
    }

    /// `n` per minute.
    #[must_use]
    pub const fn per_minute(n: u32) -> Self {
        Self { count: n, period: Period::Minute, burst: n }
    }

    /// `n` per hour.
    #[must_use]
    pub const fn per_hour(n: u32) -> Self {
        Self { count: n, period: Period::Hour, burst: n }
    }

    /// `n` per 24 hours, counted from no particular midnight.
    #[must_use]
    pub const fn per_day(n: u32) -> Self {
        Self { count: n, period: Period::Day, burst: n }
    }

    /// `n` from one midnight to the next in a time zone of the IANA database, whose days are
    /// longer and shorter where the clock is put back and forward.
    ///
    /// It comes back all at once, so two neighbouring days may see `2 n` around their midnight.
    /// For a [`LimitSet`](super::LimitSet), which it tells the next midnight in `retry_after`.
    ///
    /// ```
    /// use portcullis::{Mono, Now, Quota, UnixTime, limit::LimitSet};
    ///
    /// let daily = Quota::per_calendar_day(2, "Europe/Berlin")?;
    /// let set = LimitSet::<str>::new([Quota::per_second(10), daily], 1024)?;
    /// // 23:00 on the 31st of December 2025.
    /// let now = Now::new(UnixTime::from_secs(1_767_218_400), Mono::from_nanos(0));
    /// set.charge_at("alice", 2, now)?;
    /// let no = set.charge_at("alice", 1, now).unwrap_err();
    /// assert_eq!((no.quota(), no.retry_after_secs()), (daily, 3_600));
    /// assert!(set.charge_at("alice", 1, now.later(no.retry_after())).is_ok());
    ///
    /// assert!(Quota::per_calendar_day(2, "Europe/Berln").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such time zone.
    pub fn per_calendar_day(n: u32, zone: &str) -> Result<Self, LimitError> {
        Self::by_calendar(n, Unit::Day, zone)
    }

    /// `n` from the first of one month to that of the next in a time zone of the IANA database;
    /// as [`per_calendar_day`](Self::per_calendar_day).
    ///
    /// # Errors
    /// When there is no such time zone.
    pub fn per_calendar_month(n: u32, zone: &str) -> Result<Self, LimitError> {
        Self::by_calendar(n, Unit::Month, zone)
    }

    fn by_calendar(n: u32, unit: Unit, zone: &str) -> Result<Self, LimitError> {
        let unknown = || LimitError::Zone { name: zone.to_owned() };
        let zone = calendar::known(zone).ok_or_else(unknown)?;
        Ok(Self { count: n, period: Period::Calendar(unit, zone), burst: n })
    }

    /// With room for `n` calls at once. A quota by the calendar cannot have another burst than
    /// all of it.
    #[must_use]
    pub const fn burst(self, n: u32) -> Self {
        Self { burst: n, ..self }
    }

    /// Never more than `n` in any stretch as long as the period, at most `burst` of them at once.
    ///
    /// A bucket that holds `burst` and regains `n - burst + 1` a period: what it holds and what
    /// it regains within less than a period are `n` together. So over a long time fewer are
    /// admitted than `n` a period; a small burst comes closest. More than `n` counts as `n`.
    ///
    /// ```
    /// use portcullis::Quota;
    ///
    /// let strict = Quota::per_minute(100).strict(20);
    /// assert_eq!(strict, Quota::per_minute(81).burst(20));
    /// ```
    #[must_use]
    pub const fn strict(self, burst: u32) -> Self {
        let burst = if burst < self.count { burst } else { self.count };
        Self { count: (self.count - burst).saturating_add(1), burst, ..self }
    }

    /// The rate as a part of a name, such as `20-per-hour`.
    pub(super) fn rate(self) -> String {
        format!("{}-per-{}", self.count, self.period.name())
    }

    /// The calendar that it goes by.
    pub(super) const fn calendar(self) -> Option<(Unit, &'static str)> {
        match self.period {
            Period::Calendar(unit, zone) => Some((unit, zone)),
            Period::Second | Period::Minute | Period::Hour | Period::Day => None,
        }
    }

    /// # Errors
    /// When it goes by the calendar.
    pub(super) fn without_calendar(self) -> Result<(), LimitError> {
        match self.calendar() {
            Some(_) => Err(LimitError::Calendar { quota: self }),
            None => Ok(()),
        }
    }

    /// The quota as the numbers that a bucket is stepped by: nanoseconds, or by the calendar one
    /// for each call.
    pub(super) fn pace(self) -> Result<Pace, LimitError> {
        if self.count == 0 || self.burst == 0 {
            return Err(LimitError::Zero { quota: self });
        }
        if self.calendar().is_some() {
            let whole = Pace::new(1, self.burst).filter(|_| self.burst == self.count);
            return whole.ok_or(LimitError::CalendarBurst { quota: self });
        }
        let (count, period) = (u64::from(self.count), self.period.as_nanos());
        if count > period {
            return Err(LimitError::TooFast { quota: self });
        }
        Pace::new(period.div_ceil(count), self.burst).ok_or(LimitError::TooLong { quota: self })
    }
}

/// One quota, where several may stand.
impl IntoIterator for Quota {
    type Item = Self;
    type IntoIter = option::IntoIter<Self>;

    fn into_iter(self) -> option::IntoIter<Self> {
        Some(self).into_iter()
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {}", self.count, self.period.name().replace('-', " "))?;
        if let Some((_, zone)) = self.calendar() {
            write!(f, " of {zone}")?;
        }
        if self.burst == self.count { Ok(()) } else { write!(f, ", burst {}", self.burst) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Period {
    Second,
    Minute,
    Hour,
    Day,
    Calendar(Unit, &'static str),
}

impl Period {
    const fn as_nanos(self) -> u64 {
        let secs = match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Calendar(unit, _) => return unit.as_nanos(),
        };
        secs * 1_000_000_000
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Calendar(Unit::Day, _) => "calendar-day",
            Self::Calendar(Unit::Month, _) => "calendar-month",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paces() {
        let check = |quota: Quota, interval: u64, burst: u32| {
            assert_eq!(quota.pace().ok(), Pace::new(interval, burst), "{quota}");
        };
        check(Quota::per_second(1), 1_000_000_000, 1);
        check(Quota::per_second(50).burst(100), 20_000_000, 100);
        check(Quota::per_minute(7), 8_571_428_572, 7);
        check(Quota::per_hour(3_600).burst(1), 1_000_000_000, 1);
        check(Quota::per_day(1), 86_400_000_000_000, 1);
        check(Quota::per_second(1_000_000_000), 1, 1_000_000_000);
        check(Quota::per_day(u32::MAX), 20_117, u32::MAX);
    }

    #[test]
    fn quotas_that_cannot_be_kept_are_refused_by_name() {
        let check = |quota: Quota, expected: LimitError, text: &str| {
            let error = quota.pace().unwrap_err();
            assert_eq!(error, expected);
            assert_eq!(error.to_string(), text);
        };
        let quota = Quota::per_second(0);
        check(quota, LimitError::Zero { quota }, "the quota `0 per second` admits nobody");
        let quota = Quota::per_day(5).burst(0);
        check(quota, LimitError::Zero { quota }, "the quota `5 per day, burst 0` admits nobody");
        let quota = Quota::per_second(1_000_000_001);
        let text = "the quota `1000000001 per second` is faster than one per nanosecond";
        check(quota, LimitError::TooFast { quota }, text);
        // Where the arithmetic of a bucket would wrap, some limiters admit without bound.
        let quota = Quota::per_day(1).burst(213_504);
        let text = "the quota `1 per day, burst 213504` takes more than 18 years to refill";
        check(quota, LimitError::TooLong { quota }, text);
        let quota = Quota::per_day(1).burst(u32::MAX);
        assert_eq!(quota.pace().unwrap_err(), LimitError::TooLong { quota });
        assert!(Quota::per_day(1).burst(6_671).pace().is_ok());
        assert!(Quota::per_day(1).burst(6_672).pace().is_err());
    }

    proptest! {
        #[test]
        fn a_strict_quota_never_admits_more_than_n_within_its_period(
            count in 1..60_u32, burst in 1..70_u32,
            waits in prop::collection::vec(0..200_000_000_u64, 1..200),
        ) {
            let pace = Quota::per_second(count).strict(burst).pace().unwrap();
            let (mut tat, mut now, mut admitted) = (0, 0, Vec::new());
            for wait in waits {
                now += wait;
                // As many as there is room for at this moment.
                while let Ok(new) = pace.step(tat, now) {
                    tat = new;
                    admitted.push(now);
                }
            }
            for from in &admitted {
                let within = admitted.iter().filter(|at| (*from..from + 1_000_000_000).contains(at));
                prop_assert!(within.count() <= count as usize);
            }
        }

        #[test]
        fn the_rate_is_never_above_the_one_asked_for(count in 1..=u32::MAX, burst in 1..=u32::MAX) {
            for quota in [Quota::per_second(count), Quota::per_minute(count), Quota::per_day(count)] {
                let Ok(pace) = quota.burst(burst).pace() else { continue };
                let (interval, period) = (u128::from(pace.interval()), quota.period.as_nanos());
                prop_assert!(interval * u128::from(count) >= u128::from(period));
                prop_assert!((interval - 1) * u128::from(count) < u128::from(period));
            }
        }
    }
}
