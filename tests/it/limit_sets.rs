//! Several quotas decide all or nothing: what one refuses burns nothing in the others, and none
//! is ever exceeded.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    thread,
    time::Duration,
};

use portcullis::{
    Mono, Quota,
    limit::{Charge, ExceededKind, LimitError, LimitSet, Limiter, WhenFull},
};
use proptest::prelude::*;

fn at(nanos: u64) -> Mono {
    Mono::from_nanos(nanos)
}

/// How many calls of cost 1 pass at `now` before one does not.
fn room(set: &LimitSet<str>, key: &str, now: Mono) -> usize {
    (0..10_000).take_while(|_| set.charge_at(key, 1, now).is_ok()).count()
}

#[test]
fn a_set_takes_one_to_four_quotas_that_can_be_kept() {
    let quota = Quota::per_second(1);
    let error = |quotas: &[Quota]| LimitSet::<str>::new(quotas.iter().copied(), 4).unwrap_err();
    assert_eq!(error(&[]), LimitError::Quotas { count: 0 });
    assert_eq!(error(&[quota; 5]).to_string(), "`5` quotas: a set takes 1 to 4");
    let none = Quota::per_day(0);
    assert_eq!(error(&[quota, none]), LimitError::Zero { quota: none });
    assert!(LimitSet::<str>::new([quota; 4], 4).is_ok());
}

#[test]
fn a_charge_is_small_enough_to_be_moved_without_a_call() {
    assert!(size_of::<Charge>() <= 128, "{}", size_of::<Charge>());
}

#[test]
fn a_second_and_a_day_hold_at_once() {
    let (second, day) = (Quota::per_second(2), Quota::per_day(5));
    let set = LimitSet::<str>::new([second, day], 64).unwrap();
    let quota = |now| set.charge_at("a", 1, at(now)).map(drop).map_err(|no| no.quota());
    let secs = 1_000_000_000;
    assert_eq!([quota(0), quota(0), quota(0)], [Ok(()), Ok(()), Err(second)]);
    assert_eq!([quota(secs), quota(secs), quota(secs)], [Ok(()), Ok(()), Err(second)]);
    assert_eq!([quota(2 * secs), quota(2 * secs)], [Ok(()), Err(day)]);
    let no = set.charge_at("a", 1, at(3 * secs)).unwrap_err();
    assert_eq!(no.retry_after(), Duration::from_secs(86_400 / 5 - 3));
    assert_eq!(room(&set, "b", at(3 * secs)), 2);
}

#[test]
fn of_two_that_are_spent_the_longer_wait_is_told() {
    let (second, hour) = (Quota::per_second(1), Quota::per_hour(1));
    for quotas in [[second, hour], [hour, second]] {
        let set = LimitSet::<str>::new(quotas, 64).unwrap();
        assert!(set.charge_at("a", 1, at(0)).is_ok());
        assert_eq!(set.charge_at("a", 1, at(0)).unwrap_err().quota(), hour);
    }
}

#[test]
fn a_set_tells_its_quotas() {
    let quotas = [Quota::per_second(1), Quota::per_day(5)];
    let set = LimitSet::<str>::new(quotas, 64).unwrap();
    assert!(set.quotas().eq(quotas));
    assert_eq!(format!("{set:?}"), format!("{quotas:?}"));
}

#[test]
fn attack_hammering_one_limit_burns_another() {
    let set = LimitSet::<str>::new([Quota::per_second(1), Quota::per_day(10)], 64).unwrap();
    for _ in 0..1_000 {
        let _ = set.charge_at("a", 1, at(0));
    }
    let secs = 1_000_000_000;
    let admitted = (1..100).filter(|now| set.charge_at("a", 1, at(now * secs)).is_ok());
    assert_eq!(admitted.count(), 9);
}

#[test]
fn a_dear_call_counts_as_many() {
    let set = LimitSet::<str>::new([Quota::per_minute(10), Quota::per_hour(8)], 64).unwrap();
    assert_eq!(set.too_small_for(8), None);
    assert_eq!(set.too_small_for(9), Some(Quota::per_hour(8)));
    let no = set.charge_at("a", 9, at(0)).unwrap_err();
    assert_eq!((no.kind(), no.quota()), (ExceededKind::TooCostly, Quota::per_hour(8)));
    let charge = set.charge_at("a", 5, at(0)).unwrap();
    assert!(set.charge_at("a", 4, at(0)).is_err());
    assert!(set.charge_at("a", 0, at(0)).is_ok());
    set.refund(charge);
    assert!(set.charge_at("a", 8, at(0)).is_ok());
    assert!(set.charge_at("a", 1, at(0)).is_err());
}

#[test]
fn a_charge_of_another_set_takes_nothing_back() {
    let quotas = [Quota::per_day(5)];
    let (one, other) =
        (LimitSet::<str>::new(quotas, 64).unwrap(), LimitSet::<str>::new(quotas, 64).unwrap());
    assert_eq!(room(&one, "a", at(0)), 5);
    other.refund(one.charge_at("b", 1, at(0)).unwrap());
    assert_eq!((room(&one, "a", at(0)), room(&one, "b", at(0))), (0, 4));
}

#[test]
fn racing_threads_that_one_key_refuses_burn_nothing_of_the_other() {
    let wide = LimitSet::<str>::new([Quota::per_day(1_000), Quota::per_day(900)], 64).unwrap();
    let narrow = LimitSet::<str>::new([Quota::per_day(100), Quota::per_hour(400)], 64).unwrap();
    let admitted = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    let Ok(charge) = wide.charge_at("client", 1, at(7)) else { continue };
                    match narrow.charge_at("account", 1, at(7)) {
                        Ok(_) => drop(admitted.fetch_add(1, Relaxed)),
                        Err(_) => wide.refund(charge),
                    }
                }
            });
        }
    });
    assert_eq!(admitted.load(Relaxed), 100);
    assert_eq!(room(&wide, "client", at(7)), 800);
}

#[test]
fn no_quota_is_exceeded_by_racing_threads_with_stale_clocks_and_refunds() {
    let quotas = [Quota::per_second(100_000).burst(3), Quota::per_second(50_000).burst(20)];
    for slots in [4, 64] {
        let set = LimitSet::<u64>::new(quotas, slots).unwrap();
        let clock = AtomicU64::new(1_000_000);
        let caller = |seed: u64| {
            let (mut random, mut kept) = (seed, Vec::new());
            for _ in 0..40_000 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let (key, dice) = (random >> 40 & 7, random >> 33);
                let mut now = clock.fetch_add(500, Relaxed);
                if dice & 3 == 0 {
                    now -= dice % 100_000;
                }
                match set.charge_at(&key, 1, at(now)) {
                    Ok(charge) if dice & 0x40 == 0 => set.refund(charge),
                    Ok(_) => kept.push((key, now)),
                    Err(_) => {}
                }
            }
            kept
        };
        let mut kept: HashMap<u64, Vec<u64>> = HashMap::new();
        thread::scope(|scope| {
            let caller = &caller;
            let threads: Vec<_> = (1..=4).map(|seed| scope.spawn(move || caller(seed))).collect();
            for (key, now) in threads.into_iter().flat_map(|it| it.join().unwrap()) {
                kept.entry(key).or_default().push(now);
            }
        });
        assert!(!kept.is_empty());
        for (key, mut readings) in kept {
            readings.sort_unstable();
            for (interval, burst) in [(10_000, 3), (20_000, 20)] {
                let excess = excess(&readings, interval, burst);
                assert!(excess <= 0, "{slots} slots, key {key}: {excess} ns of {interval}");
            }
        }
    }
}

/// The most by which calls in any stretch of time exceed what burst and time allow.
fn excess(sorted: &[u64], interval: i128, burst: i128) -> i128 {
    let (mut highest, mut worst) = (i128::MIN, i128::MIN);
    for (index, now) in (0..).zip(sorted) {
        highest = highest.max(i128::from(*now) - index * interval);
        worst = worst.max((index + 1) * interval - i128::from(*now) + highest);
    }
    worst - burst * interval
}

#[test]
fn refunds_of_overlapping_calls_leave_no_debt_behind() {
    // Ten calls at a time on one key, all of them refunded, first come first gone.
    let set = LimitSet::<str>::new([Quota::per_minute(100)], 64).unwrap();
    let mut open = std::collections::VecDeque::new();
    let mut now = 1_000_000_000;
    for _ in 0..5_000 {
        now += 10_000_000;
        open.push_back(set.charge_at("a", 1, at(now)).unwrap());
        if open.len() > 10 {
            set.refund(open.pop_front().unwrap());
        }
    }
    assert!(room(&set, "a", at(now)) >= 88);
}

proptest! {
    #[test]
    fn a_set_decides_like_limiters_that_are_asked_only_when_all_agree(
        calls in prop::collection::vec((0..4_u64, 0..400_000_000_u64), 1..200),
    ) {
        let quotas = [Quota::per_second(5), Quota::per_minute(12), Quota::per_day(30)];
        let set = LimitSet::<u64>::new(quotas, 4_096).unwrap();
        let limiters = quotas.map(|quota| Limiter::<u64>::new(quota, 4_096).unwrap());
        let mut now = 0;
        for (key, later) in calls {
            now += later;
            match set.charge_at(&key, 1, at(now)) {
                Ok(_) => for limiter in &limiters {
                    prop_assert!(limiter.check_at(&key, at(now)).is_ok());
                },
                Err(no) => {
                    let refusing = limiters.iter().find(|limiter| limiter.quota() == no.quota());
                    prop_assert_eq!(refusing.unwrap().check_at(&key, at(now)), Err(no));
                }
            }
        }
    }

    #[test]
    fn a_peek_says_what_a_charge_would_and_counts_nothing(
        calls in prop::collection::vec((0..9_u64, 1..4_u32, 0..300_000_000_u64), 1..100), full: bool,
    ) {
        let quotas = [Quota::per_second(5), Quota::per_minute(12), Quota::per_hour(40)];
        let when_full = if full { WhenFull::Deny } else { WhenFull::Inherit };
        let set = LimitSet::<u64>::new(quotas, 4).unwrap().when_full(when_full);
        let mut now = 0;
        for (key, cost, later) in calls {
            now += later;
            let peeked = [(); 2].map(|()| set.peek_at(&key, cost, at(now)));
            prop_assert_eq!(peeked, [set.charge_at(&key, cost, at(now)).map(drop); 2]);
        }
    }
}
