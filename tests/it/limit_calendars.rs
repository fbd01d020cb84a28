//! Quotas by the calendar: from one midnight or first of a month to the next, in a zone, by a
//! clock that may be set.

use std::time::Duration;

use portcullis::{
    Mono, Now, Quota, UnixTime,
    limit::{ExceededKind, Inheritance, LimitError, LimitSet, Limiter, Moment},
};

const HOUR: u64 = 3_600;

/// 00:00 on the 29th of March 2026 in Berlin, which has 23 hours.
const SHORT_DAY: u64 = 1_774_738_800;
/// 00:00 on the 25th of October 2026 in Berlin, which has 25 hours.
const LONG_DAY: u64 = 1_792_879_200;
/// 23:00 on the 29th of February 2028 in Berlin.
const LEAP_DAY: u64 = 1_835_474_400;

fn at(secs: u64) -> Now {
    Now::new(UnixTime::from_secs(secs), Mono::from_nanos(5))
}

fn daily(n: u32) -> Quota {
    Quota::per_calendar_day(n, "Europe/Berlin").unwrap()
}

fn monthly(n: u32) -> Quota {
    Quota::per_calendar_month(n, "Europe/Berlin").unwrap()
}

fn set(quotas: impl IntoIterator<Item = Quota>) -> LimitSet<str> {
    LimitSet::new(quotas, 64).unwrap()
}

/// The most that one call may cost now.
fn room(set: &LimitSet<str>, now: impl Into<Moment> + Copy) -> u32 {
    (1..100).take_while(|cost| set.peek_at("a", *cost, now).is_ok()).last().unwrap_or(0)
}

#[test]
fn a_quota_lasts_until_midnight_however_long_the_day() {
    for (day, hours) in [(SHORT_DAY, 23), (LONG_DAY, 25), (SHORT_DAY + 23 * HOUR, 24)] {
        let set = set(daily(3));
        assert_eq!(room(&set, at(day - 1)), 3);
        set.charge_at("a", 2, at(day - 1)).unwrap();
        // All of it comes back at once.
        set.charge_at("a", 3, at(day)).unwrap();
        let no = set.charge_at("a", 1, at(day)).unwrap_err();
        assert_eq!(no.kind(), ExceededKind::Spent);
        assert_eq!(no.retry_after(), Duration::from_secs(hours * HOUR));
        assert!(set.charge_at("a", 1, at(day + hours * HOUR - 1)).is_err());
        assert!(set.charge_at("a", 3, at(day + hours * HOUR)).is_ok());
    }
}

#[test]
fn a_month_ends_with_its_last_day() {
    let set = set(monthly(5));
    set.charge_at("a", 5, at(LEAP_DAY)).unwrap();
    let now = Now::new(UnixTime::from_millis(LEAP_DAY * 1_000 + 250), Mono::from_nanos(5));
    let no = set.charge_at("a", 1, now).unwrap_err();
    assert_eq!(no.retry_after(), Duration::from_millis(3_600_000 - 250));
    assert_eq!(room(&set, now.later(no.retry_after())), 5);
    // March has a summer time, which costs it an hour.
    set.charge_at("a", 5, at(LEAP_DAY + HOUR)).unwrap();
    let no = set.charge_at("a", 1, at(LEAP_DAY + HOUR)).unwrap_err();
    assert_eq!(no.retry_after(), Duration::from_secs((31 * 24 - 1) * HOUR));
}

#[test]
fn attack_a_clock_that_is_set_back_gives_nothing_twice() {
    let set = set([daily(3), monthly(100)]);
    set.charge_at("a", 3, at(LONG_DAY - 1)).unwrap();
    set.charge_at("a", 1, at(LONG_DAY)).unwrap();
    for back in [1, HOUR, 24 * HOUR, 400 * 24 * HOUR] {
        let no = set.charge_at("a", 1, at(LONG_DAY - back)).unwrap_err();
        assert!(no.retry_after() >= Duration::from_secs(back), "{back}");
        assert_eq!(room(&set, at(LONG_DAY - back)), 0);
    }
    // What was left of the day is left; nothing was lost by asking.
    assert_eq!(room(&set, at(LONG_DAY)), 2);
    assert_eq!(room(&set, at(LONG_DAY + 24 * HOUR)), 2);
    assert_eq!(room(&set, at(LONG_DAY + 25 * HOUR)), 3);
}

#[test]
fn without_the_time_of_day_every_call_is_refused() {
    let set = set([Quota::per_second(5), daily(3)]);
    let no = set.charge_at("a", 1, Mono::from_nanos(5)).unwrap_err();
    assert_eq!((no.kind(), no.quota()), (ExceededKind::Clock, daily(3)));
    let after_2199 = at(7_258_118_400);
    assert_eq!(set.charge_at("a", 1, after_2199).unwrap_err().kind(), ExceededKind::Clock);
    assert_eq!(room(&set, at(LONG_DAY)), 3);
    let quota = daily(3);
    let error = Limiter::<str>::new(quota, 64).unwrap_err();
    assert_eq!(error, LimitError::Calendar { quota });
}

#[test]
fn a_calendar_and_other_quotas_decide_all_or_nothing() {
    let set = set([Quota::per_second(5), monthly(7)]);
    set.charge_at("a", 5, at(LONG_DAY)).unwrap();
    assert_eq!(set.charge_at("a", 1, at(LONG_DAY)).unwrap_err().quota(), Quota::per_second(5));
    let second_later = at(LONG_DAY).later(Duration::from_secs(1));
    assert_eq!(room(&set, second_later), 2);
    assert_eq!(set.charge_at("a", 3, second_later).unwrap_err().quota(), monthly(7));
    let taken = set.take_at_most_at("a", 5, second_later).unwrap();
    assert_eq!(taken.cost(), 2);
    set.refund(taken);
    assert_eq!(room(&set, second_later), 2);
    assert_eq!(set.owe_at("a", 9, 3, second_later), 4);
    assert_eq!(room(&set, second_later), 0);
    set.reset("a");
    assert_eq!(room(&set, second_later), 5);
}

#[test]
fn a_refund_after_midnight_gives_nothing_of_the_new_day() {
    let set = set(daily(3));
    let charge = set.charge_at("a", 3, at(LONG_DAY - 1)).unwrap();
    set.charge_at("a", 3, at(LONG_DAY)).unwrap();
    set.refund(charge);
    assert_eq!(room(&set, at(LONG_DAY)), 0);
}

#[test]
fn what_is_used_stays_used_when_the_number_changes() {
    let old = set(monthly(10));
    old.charge_at("a", 6, at(LONG_DAY)).unwrap();
    let room_of = |inheritance, quota| {
        let new = old.successor([quota], inheritance, at(LONG_DAY));
        new.map(|new| room(&new, at(LONG_DAY)))
    };
    assert_eq!(room_of(Inheritance::KeepDebt, monthly(20)), Ok(14));
    assert_eq!(room_of(Inheritance::KeepDebt, monthly(5)), Ok(0));
    assert_eq!(room_of(Inheritance::KeepTokens, monthly(20)), Ok(4));
    assert_eq!(room_of(Inheritance::Reset, monthly(20)), Ok(20));
    for quota in [daily(10), Quota::per_day(10)] {
        for inheritance in [Inheritance::KeepDebt, Inheritance::KeepTokens] {
            assert_eq!(room_of(inheritance, quota), Err(LimitError::Calendar { quota }));
        }
        assert_eq!(room_of(Inheritance::Reset, quota), Ok(10));
    }
}

#[test]
fn quotas_by_the_calendar_are_told_and_refused_by_name() {
    let quota = monthly(10);
    assert_eq!(quota.to_string(), "10 per calendar month of Europe/Berlin");
    let error = |quota: Quota| LimitSet::<str>::new(quota, 64).unwrap_err();
    assert_eq!(error(quota.burst(2)), LimitError::CalendarBurst { quota: quota.burst(2) });
    assert_eq!(error(monthly(0)), LimitError::Zero { quota: monthly(0) });
    assert_eq!(
        Quota::per_calendar_day(1, "Mars/Olympus").unwrap_err().to_string(),
        "no time zone `Mars/Olympus`: take a name of the IANA database, such as `Europe/Berlin`"
    );
}
