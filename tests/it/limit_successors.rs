//! A quota takes the place of another: what a key brings along, and that it gains nothing by it.

use std::collections::HashMap;

use portcullis::{
    Mono, Quota, Snapshot,
    limit::{ExceededKind, Inheritance, LimitError, LimitSet, Limiter, WhenFull},
};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_000 * SECOND;

use Inheritance::{KeepDebt, KeepTokens, Reset};

fn at(nanos: u64) -> Mono {
    Mono::from_nanos(nanos)
}

fn set(quotas: impl IntoIterator<Item = Quota>) -> LimitSet<str> {
    LimitSet::new(quotas, 64).unwrap()
}

/// The most that one call may cost now.
fn room(set: &LimitSet<str>, now: u64) -> u32 {
    (1..1_000).take_while(|cost| set.peek_at("a", *cost, at(now)).is_ok()).last().unwrap_or(0)
}

/// What a key that has `left` of 100 per minute has of `quota`.
fn becomes(left: u32, quota: Quota, inheritance: Inheritance) -> u32 {
    let old = set(Quota::per_minute(100));
    old.charge_at("a", 100 - left, at(START)).unwrap();
    let new = old.successor(quota, inheritance, at(START)).unwrap();
    assert_eq!(new.quotas().collect::<Vec<_>>(), [quota]);
    assert_eq!((room(&old, START), room(&new, START + 86_400 * SECOND)), (left, burst_of(quota)));
    room(&new, START)
}

fn burst_of(quota: Quota) -> u32 {
    room(&set(quota), START)
}

#[test]
fn the_worked_examples() {
    let check = |left: u32, quota: Quota, expected: [u32; 3]| {
        let found = [KeepDebt, KeepTokens, Reset].map(|it| becomes(left, quota, it));
        assert_eq!(found, expected, "{left} of 100 per minute, then {quota}");
    };
    check(40, Quota::per_minute(200), [80, 40, 200]);
    check(40, Quota::per_minute(20), [8, 20, 20]);
    check(40, Quota::per_hour(100), [99, 40, 100]);
    // Ten left of a hundred is two of twenty, or still ten.
    check(10, Quota::per_minute(20), [2, 10, 20]);
    check(100, Quota::per_minute(200), [200, 200, 200]);
    check(0, Quota::per_minute(200), [0, 0, 200]);
    check(0, Quota::per_minute(20), [0, 0, 20]);
    // An hour's debt is longer than a second's bucket.
    check(40, Quota::per_second(5), [0, 5, 5]);
}

#[test]
fn a_debt_beyond_the_burst_is_brought_along() {
    let old = set(Quota::per_minute(60));
    assert_eq!(old.owe_at("a", 90, 30, at(START)), 0);
    let wait = |inheritance| {
        let new = old.successor(Quota::per_minute(30), inheritance, at(START)).unwrap();
        new.charge_at("a", 1, at(START)).err().map(|no| no.retry_after().as_secs())
    };
    // 90 s of debt and 60 s of room; 30 calls too many, at two seconds each.
    assert_eq!([wait(KeepDebt), wait(KeepTokens), wait(Reset)], [Some(32), Some(62), None]);
}

#[test]
fn each_quota_inherits_from_the_one_at_its_place() {
    let old = set([Quota::per_minute(10), Quota::per_day(10)]);
    old.charge_at("a", 4, at(START)).unwrap();
    let quotas = [Quota::per_minute(20), Quota::per_day(10), Quota::per_hour(3)];
    let new = old.successor(quotas, KeepTokens, at(START)).unwrap();
    assert_eq!(room(&new, START), 3);
    let one = new.successor([Quota::per_minute(20)], KeepTokens, at(START)).unwrap();
    assert_eq!(room(&one, START), 6);
    let error =
        |quotas: &[Quota]| one.successor(quotas.iter().copied(), KeepDebt, at(START)).unwrap_err();
    assert_eq!(error(&[]), LimitError::Quotas { count: 0 });
    assert_eq!(error(&[Quota::per_day(1); 5]), LimitError::Quotas { count: 5 });
    let none = Quota::per_day(0);
    assert_eq!(error(&[none]), LimitError::Zero { quota: none });
}

#[test]
fn what_a_table_does_when_it_is_full_is_inherited() {
    for inheritance in [KeepDebt, KeepTokens, Reset] {
        let old = Limiter::<u64>::new(Quota::per_second(1), 4).unwrap().when_full(WhenFull::Deny);
        let new = old.successor(Quota::per_second(2), inheritance, at(START)).unwrap();
        let expected =
            format!("{old:?}").replace("count: 1", "count: 2").replace("burst: 1", "burst: 2");
        assert_eq!(format!("{new:?}"), expected);
    }
}

#[test]
fn attack_a_refund_at_a_successor_that_never_charged() {
    for (inheritance, room_after) in [(KeepDebt, 2), (KeepTokens, 0), (Reset, 0)] {
        let old = set(Quota::per_day(4));
        let charge = old.charge_at("a", 2, at(START)).unwrap();
        old.charge_at("a", 2, at(START)).unwrap();
        let new = old.successor(Quota::per_day(4), inheritance, at(START)).unwrap();
        while new.charge_at("a", 1, at(START)).is_ok() {}
        new.refund(charge);
        assert_eq!(room(&new, START), room_after, "{inheritance:?}");
    }
}

#[test]
fn attack_a_refund_by_a_slower_quota_of_what_a_faster_one_charged() {
    let old = set(Quota::per_hour(3_600));
    let charge = old.charge_at("a", 3_600, at(START)).unwrap();
    let new = old.successor(Quota::per_hour(10), KeepDebt, at(START)).unwrap();
    assert_eq!(room(&new, START), 0);
    // A second is given back for each call, as it was charged, and not six minutes.
    new.refund(charge);
    assert_eq!(room(&new, START), 10);
    assert!(new.charge_at("a", 10, at(START)).is_ok());
    assert_eq!(room(&new, START), 0);
}

#[test]
fn attack_a_refund_at_a_successor_with_a_quota_more() {
    let quotas = [Quota::per_day(4), Quota::per_day(3)];
    let old = set(quotas);
    let first = old.charge_at("a", 1, at(START)).unwrap();
    let second = old.charge_at("a", 1, at(START)).unwrap();
    let fewer = old.successor(quotas.into_iter().take(1), KeepDebt, at(START)).unwrap();
    // What it never charged, its second quota must not give back, so nothing is.
    let more = fewer.successor(quotas, KeepDebt, at(START)).unwrap();
    more.refund(first);
    assert_eq!((room(&fewer, START), room(&more, START)), (2, 2));
    more.charge_at("a", 2, at(START)).unwrap();
    assert_eq!((room(&fewer, START), room(&more, START)), (0, 0));
    fewer.refund(second);
    assert_eq!((room(&fewer, START), room(&more, START)), (1, 1));
}

#[test]
fn a_debt_stays_before_the_end_of_what_can_be_counted() {
    let now = at((1 << 60) - 10 * SECOND);
    let old = set(Quota::per_second(1));
    old.charge_at("a", 1, now).unwrap();
    let new = old.successor(Quota::per_day(1), KeepTokens, now).unwrap();
    assert_eq!(new.peek_at("a", 1, now).unwrap_err().kind(), ExceededKind::Spent);
}

#[test]
fn calls_race_with_a_change_that_keeps_the_debt_and_none_is_lost() {
    let quota = |burst| Quota::per_day(1).burst(burst);
    let shared = Snapshot::new(Limiter::<u64>::new(quota(400), 64).unwrap());
    let admitted: usize = std::thread::scope(|scope| {
        let caller =
            || (0..3_000).filter(|_| shared.load().check_at(&7, at(START)).is_ok()).count();
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(caller)).collect();
        for burst in 401..=500 {
            let next = shared.load().successor(quota(burst), KeepDebt, at(START)).unwrap();
            shared.replace(next);
        }
        threads.into_iter().map(|it| it.join().unwrap()).sum()
    });
    let rest = (0..3_000).filter(|_| shared.load().check_at(&7, at(START)).is_ok()).count();
    assert_eq!(admitted + rest, 500);
}

/// A quota that calls a few times in a hundred nanoseconds use up, its interval and its burst.
fn quotas() -> impl Strategy<Value = (Quota, u64, u32)> {
    (1..30_u64, 1..7_u32).prop_map(|(interval, burst)| {
        let per_second = u32::try_from(SECOND / interval).unwrap();
        let interval = SECOND.div_ceil(per_second.into());
        (Quota::per_second(per_second).burst(burst), interval, burst)
    })
}

/// Keys, and how much later each calls.
fn calls() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0..8_u64, 0..12_u64), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_key_gains_by_a_change_more_than_is_said(
        (old, interval, burst) in quotas(), (new, next_interval, next_burst) in quotas(),
        before in calls(), after in calls(), slots in 1..9_usize,
        inheritance in prop_oneof![Just(KeepDebt), Just(KeepTokens), Just(Reset)],
    ) {
        let mut now = START;
        let mut counted: HashMap<u64, [Vec<u64>; 2]> = HashMap::new();
        let mut limiter = Limiter::<u64>::new(old, slots).unwrap();
        for (part, calls) in [before, after].into_iter().enumerate() {
            if part == 1 {
                limiter = limiter.successor(new, inheritance, at(now)).unwrap();
            }
            for (key, later) in calls {
                now += later;
                if limiter.check_at(&key, at(now)).is_ok() {
                    counted.entry(key).or_default()[part].push(now);
                }
            }
        }
        let change = counted.values().flat_map(|it| &it[1]).min().copied().unwrap_or(now);
        let (slow, fast) = (u128::from(interval), u128::from(next_interval));
        let (all, more) = (u128::from(burst), u128::from(next_burst));
        for [first, second] in counted.values() {
            for (from, to) in second.iter().flat_map(|a| second.iter().map(move |b| (*a, *b))) {
                let within = second.iter().filter(|at| (from..=to).contains(at)).count() as u128;
                prop_assert!(within * fast <= fast * more + u128::from(to.saturating_sub(from)));
            }
            for (from, to) in first.iter().flat_map(|a| second.iter().map(move |b| (*a, *b))) {
                let olds = first.iter().filter(|at| **at >= from).count() as u128;
                let news = second.iter().filter(|at| **at <= to).count() as u128;
                // The change came before the first call after it.
                let (old_time, new_time) = (u128::from(change - from), u128::from(to - from));
                if inheritance == KeepDebt {
                    let room = (slow * all).max(fast * more);
                    prop_assert!(olds * slow + news * fast <= room + new_time);
                } else {
                    let bursts = if inheritance == Reset { all + more } else { all.max(more) };
                    // Whichever rate is the faster, for all of the stretch.
                    let regained = slow.min(fast);
                    prop_assert!((olds + news) * regained <= bursts * regained + new_time);
                    prop_assert!(olds * slow <= slow * all + old_time);
                }
            }
        }
    }

    #[test]
    fn a_bucket_that_is_full_is_full_by_any_quota(
        (old, ..) in quotas(), (new, ..) in quotas(), calls in calls(),
    ) {
        let (first, mut now) = (Limiter::<u64>::new(old, 64).unwrap(), START);
        // One key: two may share a bucket of the one table and none of the other.
        for (_, later) in calls {
            now += later;
            let _ = first.check_at(&7, at(now));
        }
        now += SECOND;
        // The one that shares the buckets comes last.
        for inheritance in [Reset, KeepTokens, KeepDebt] {
            let next = first.successor(new, inheritance, at(now)).unwrap();
            let fresh = Limiter::<u64>::new(new, 64).unwrap();
            for _ in 0..10 {
                prop_assert_eq!(next.check_at(&7, at(now)), fresh.check_at(&7, at(now)));
            }
        }
    }
}
