//! Civil time, computed by hand.

use std::fmt;

use crate::UnixTime;

/// Writes a moment as RFC 3339 in UTC with milliseconds: `2024-02-29T23:59:59.999Z`.
pub(super) struct Rfc3339(pub(super) UnixTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis().min(LAST);
        let (year, month, day) = civil(millis / MILLIS_PER_DAY);
        let (hour, minute) = (millis / 3_600_000 % 24, millis / 60_000 % 60);
        let (second, milli) = (millis / 1000 % 60, millis % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// Year, month and day of the day that lies `days` after 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year, and days from
/// 0000-03-01, so that eras of 400 years start at zero.
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March have 31, 30, 31, 30, 31 days and then the same again: 153 in five.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + carry, month, day)
}

const MILLIS_PER_DAY: u64 = 86_400_000;
const DAYS_PER_ERA: u64 = 146_097;
/// 9999-12-31T23:59:59.999Z: RFC 3339 section 5.6 gives a year four digits.
const LAST: u64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        let check = |millis, expected: &str| {
            assert_eq!(Rfc3339(UnixTime::from_millis(millis)).to_string(), expected);
        };
        check(0, "1970-01-01T00:00:00.000Z");
        check(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check(1_234_567_890_123, "2009-02-13T23:31:30.123Z");
        check(1_709_251_199_999, "2024-02-29T23:59:59.999Z");
        check(1_709_251_200_000, "2024-03-01T00:00:00.000Z");
        check(4_107_542_400_000, "2100-03-01T00:00:00.000Z");
        check(LAST, "9999-12-31T23:59:59.999Z");
        check(u64::MAX, "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn every_day_of_eight_centuries_agrees_with_a_calendar_walked_by_hand() {
        let every = |year: u64, years| year.is_multiple_of(years);
        let leap = |year| every(year, 4) && (!every(year, 100) || every(year, 400));
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..292_194 {
            assert_eq!(civil(days), (year, month, day));
            let length = match month {
                2 => 28 + u64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (2770, 1, 1));
    }
}
