//! What can be done to a limit besides asking it: looking, taking a part, owing, taking back,
//! forgetting.

use std::time::Duration;

use portcullis::{
    Mono, Quota,
    limit::{ExceededKind, LimitSet, OnDrop},
};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn at(nanos: u64) -> Mono {
    Mono::from_nanos(nanos)
}

fn set(quotas: impl IntoIterator<Item = Quota>) -> LimitSet<str> {
    LimitSet::new(quotas, 64).unwrap()
}

/// The most that one call may cost now.
fn room(set: &LimitSet<str>, now: u64) -> u32 {
    (1..10_000).take_while(|cost| set.peek_at("a", *cost, at(now)).is_ok()).last().unwrap_or(0)
}

#[test]
fn a_part_is_taken_where_the_whole_does_not_fit() {
    let set = set([Quota::per_second(10), Quota::per_day(12)]);
    let take = |most, now| set.take_at_most_at("a", most, at(now)).map(|charge| charge.cost());
    assert_eq!(take(7, 0), Ok(7));
    assert_eq!(take(7, 0), Ok(3));
    assert_eq!(take(0, 0), Ok(0));
    let no = take(7, 0).unwrap_err();
    assert_eq!((no.quota(), no.retry_after()), (Quota::per_second(10), Duration::from_millis(100)));
    assert_eq!(take(u32::MAX, SECOND), Ok(2));
    assert_eq!(take(1, 2 * SECOND).unwrap_err().quota(), Quota::per_day(12));
}

#[test]
fn a_cost_known_after_the_call_is_owed_up_to_the_cap() {
    let set = set(Quota::per_second(10));
    assert_eq!(set.owe_at("a", 25, 20, at(0)), 0);
    let no = set.charge_at("a", 1, at(0)).unwrap_err();
    assert_eq!(no.retry_after(), Duration::from_millis(1_600));
    assert_eq!(set.owe_at("a", 25, 20, at(0)), 20);
    assert_eq!(
        set.charge_at("a", 1, at(0)).unwrap_err().retry_after(),
        Duration::from_millis(2_100)
    );
    assert_eq!(set.owe_at("a", 1, 20, at(0)), 1);
    assert_eq!(set.owe_at("b", u32::MAX, 0, at(0)), u32::MAX - 10);
}

#[test]
fn attack_a_full_quota_hides_a_bill_from_another() {
    let set = set([Quota::per_second(1), Quota::per_day(100)]);
    assert_eq!(set.owe_at("a", 60, 0, at(0)), 59);
    assert_eq!(set.owe_at("a", 60, 0, at(0)), 60);
    assert_eq!(set.charge_at("a", 1, at(SECOND)).unwrap_err().quota(), Quota::per_day(100));
}

#[test]
fn a_reset_is_as_if_a_key_had_never_called() {
    let set = set([Quota::per_second(5), Quota::per_day(8)]);
    let charge = set.charge_at("a", 5, at(0)).unwrap();
    assert_eq!(set.owe_at("a", 50, 50, at(0)), 0);
    set.reset("a");
    assert_eq!(room(&set, 0), 5);
    assert!(set.charge_at("a", 5, at(0)).is_ok());
    set.refund(charge);
    assert_eq!(room(&set, 0), 0);
}

#[test]
fn a_permit_ends_as_it_was_told() {
    let set = set(Quota::per_day(4));
    let reserve = |on_drop| set.reserve_at("a", 1, at(0), on_drop);
    reserve(OnDrop::Refund).unwrap().commit();
    assert_eq!(room(&set, 0), 3);
    reserve(OnDrop::Commit).unwrap().refund();
    assert_eq!(room(&set, 0), 3);
    drop(reserve(OnDrop::Refund).unwrap());
    assert_eq!(room(&set, 0), 3);
    drop(reserve(OnDrop::Commit).unwrap());
    assert_eq!(room(&set, 0), 2);
    let _kept = [reserve(OnDrop::Refund).unwrap(), reserve(OnDrop::Refund).unwrap()];
    assert_eq!(reserve(OnDrop::Commit).unwrap_err().kind(), ExceededKind::Spent);
}

proptest! {
    #[test]
    fn what_is_taken_is_all_that_there_is_room_for(
        calls in prop::collection::vec((0..12_u32, 0..400_000_000_u64), 1..100),
    ) {
        let quotas = [Quota::per_second(5).burst(9), Quota::per_minute(30)];
        let (set, mut now) = (set(quotas), 0);
        for (most, later) in calls {
            now += later;
            let room = room(&set, now).min(most);
            let taken = set.take_at_most_at("a", most, at(now)).map_or(0, |charge| charge.cost());
            prop_assert_eq!(taken, room);
        }
    }

    #[test]
    fn waiting_as_long_as_told_succeeds_and_one_nanosecond_less_fails(
        calls in prop::collection::vec((1..6_u32, 0..30_u32, 0..400_000_000_u64), 1..100),
    ) {
        let (set, mut now) = (set([Quota::per_second(5), Quota::per_minute(30)]), 0);
        for (cost, owed, later) in calls {
            now += later;
            let _ = set.owe_at("a", owed, 10, at(now));
            if let Err(no) = set.charge_at("a", cost, at(now)) {
                now += u64::try_from(no.retry_after().as_nanos()).unwrap();
                prop_assert!(set.peek_at("a", cost, at(now - 1)).is_err());
                prop_assert!(set.charge_at("a", cost, at(now)).is_ok());
            }
        }
    }
}
