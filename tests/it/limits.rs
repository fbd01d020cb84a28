//! No key is admitted beyond its quota, by real threads, whatever the table's size and however
//! stale the readings of the clock.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
};

use portcullis::{
    IpNet, Mono, Quota,
    limit::{ExceededKind, Limiter, WhenFull, client_key},
};

const THREADS: u64 = 4;
const CALLS: u64 = 60_000;
const BURST: u32 = 5;
const INTERVAL: u64 = 10_000;
const QUOTA: Quota = Quota::per_second(100_000).burst(BURST);

/// Real threads race for `keys` keys; every call moves the shared clock by `tick`. `staleness` is
/// how far a quarter of the readings lie behind. Returns the readings admitted, by key.
fn contend(limiter: &Limiter<u64>, keys: u64, tick: u64, staleness: u64) -> HashMap<u64, Vec<u64>> {
    let clock = AtomicU64::new(1_000_000);
    let (clock, mut admitted) = (&clock, HashMap::<u64, Vec<u64>>::new());
    thread::scope(|scope| {
        let threads: Vec<_> = (1..=THREADS)
            .map(|seed| scope.spawn(move || caller(limiter, clock, seed, keys, tick, staleness)))
            .collect();
        for (key, now) in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
            admitted.entry(key).or_default().push(now);
        }
    });
    admitted
}

fn caller(
    limiter: &Limiter<u64>,
    clock: &AtomicU64,
    seed: u64,
    keys: u64,
    tick: u64,
    staleness: u64,
) -> Vec<(u64, u64)> {
    let mut random = seed;
    let mut admitted = Vec::new();
    for _ in 0..CALLS {
        // A linear congruential generator is random enough to mix keys.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (key, late, age) = (random >> 33, random >> 20 & 3, random >> 40);
        let mut now = clock.fetch_add(tick, Relaxed);
        if staleness > 0 && late == 0 {
            now -= age % staleness;
        }
        if limiter.check_at(&(key % keys), Mono::from_nanos(now)).is_ok() {
            admitted.push((key % keys, now));
        }
    }
    admitted
}

/// Over all pairs of admitted calls, the most by which `(j - i + 1) * interval` exceeds what burst
/// and time allow, in nanoseconds; at most 0 when the quota was kept.
fn excess(mut readings: Vec<u64>) -> i128 {
    readings.sort_unstable();
    let (interval, mut highest, mut worst) = (i128::from(INTERVAL), i128::MIN, i128::MIN);
    for (index, now) in (0..).zip(readings) {
        highest = highest.max(i128::from(now) - index * interval);
        worst = worst.max((index + 1) * interval - i128::from(now) + highest);
    }
    worst - i128::from(BURST) * interval
}

#[test]
fn the_measure_of_excess_finds_one_call_too_many() {
    assert_eq!(excess(vec![0; 5]), 0);
    assert_eq!(excess(vec![0; 6]), 10_000);
    assert_eq!(excess(vec![9_999, 0, 0, 0, 0, 0]), 1);
    assert_eq!(excess(vec![0, 10_000, 0, 0, 0, 0]), 0);
    assert_eq!(excess(vec![0, 500_000, 500_000, 500_000, 500_000, 500_000, 509_000]), 1_000);
}

#[test]
fn no_key_is_over_admitted_by_racing_threads() {
    for when_full in [WhenFull::Inherit, WhenFull::Deny] {
        // From a slot for every key to fifteen keys a slot.
        for (slots, keys) in [(4, 3), (4, 12), (8, 60), (8, 120)] {
            for staleness in [0, 400_000] {
                let limiter = Limiter::new(QUOTA, slots).unwrap().when_full(when_full);
                let admitted = contend(&limiter, keys, 100, staleness);
                assert!(!admitted.is_empty());
                for (key, readings) in admitted {
                    let excess = excess(readings);
                    assert!(excess <= 0, "{when_full:?}, {slots} slots, key {key}: {excess} ns");
                }
            }
        }
    }
}

#[test]
fn what_racing_threads_are_due_they_get() {
    let limiter = Limiter::new(QUOTA, 4).unwrap();
    let admitted = contend(&limiter, 1, 100, 0);
    let elapsed = (THREADS * CALLS - 1) * 100;
    // The call that reads the last moment leaves no more than one interval unspent.
    let due = u64::from(BURST) + elapsed / INTERVAL;
    let count = admitted[&0].len() as u64;
    assert!((due - 1..=due).contains(&count), "{count} of {due}");
}

#[test]
fn a_single_saturating_caller_is_admitted_exactly_as_often_as_the_quota_says() {
    for (quota, interval, burst) in [
        (QUOTA, INTERVAL, u64::from(BURST)),
        (Quota::per_second(1), 1_000_000_000, 1),
        (Quota::per_minute(600), 100_000_000, 600),
        (Quota::per_day(1).burst(3), 86_400_000_000_000, 3),
    ] {
        // From the clock's origin to close before the end of the range.
        for origin in [0, 1, (1 << 60) - 1_000_000 * interval.min(100_000_000_000)] {
            let limiter = Limiter::new(quota, 64).unwrap();
            let calls = 40 * (burst + 25);
            let at = |call: u64| Mono::from_nanos(origin + call * (interval / 40));
            let count =
                (0..calls).filter(|&call| limiter.check_at("one", at(call)).is_ok()).count();
            let elapsed = (calls - 1) * (interval / 40);
            assert_eq!(count as u64, burst + elapsed / interval, "{quota} from {origin}");
        }
    }
}

#[test]
fn a_clock_beyond_the_range_is_refused_as_such() {
    let limiter = Limiter::<str>::new(QUOTA, 64).unwrap();
    // Nanoseconds since 1970 are no monotonic reading.
    for nanos in [1 << 60, 1_700_000_000_000_000_000, u64::MAX] {
        let exceeded = limiter.check_at("one", Mono::from_nanos(nanos)).unwrap_err();
        assert_eq!(exceeded.kind(), ExceededKind::Clock);
    }
    assert!(limiter.check_at("one", Mono::from_nanos(7)).is_ok());
}

#[test]
fn a_flood_of_new_keys_forgives_no_saturated_key() {
    for when_full in [WhenFull::Inherit, WhenFull::Deny] {
        let limiter = Limiter::new(QUOTA, 64).unwrap().when_full(when_full);
        let now = Mono::from_nanos(5_000_000);
        let abuser = u64::MAX;
        for _ in 0..BURST {
            limiter.check_at(&abuser, now).unwrap();
        }
        let flooders = (0..100_000).filter(|key| limiter.check_at(key, now).is_ok()).count();
        assert!(limiter.check_at(&abuser, now).is_err(), "{when_full:?}");
        // Nor does the crowd get more than the slots allow.
        assert!(flooders <= 64 * BURST as usize, "{flooders}");
    }
}

#[test]
fn moving_about_in_an_ipv6_network_gains_nothing() {
    let limiter: Limiter<IpNet> = Limiter::new(Quota::per_second(1).burst(3), 1024).unwrap();
    let admitted = (0..1000_u64).filter(|host| {
        let address: IpAddr = format!("2001:db8:1:2::{host:x}").parse().unwrap();
        limiter.check_at(&client_key(address), Mono::from_nanos(0)).is_ok()
    });
    assert_eq!(admitted.count(), 3);
    let mapped = client_key("::ffff:192.0.2.1".parse().unwrap());
    for _ in 0..3 {
        limiter.check_at(&client_key("192.0.2.1".parse().unwrap()), Mono::from_nanos(0)).unwrap();
    }
    assert!(limiter.check_at(&mapped, Mono::from_nanos(0)).is_err());
}

#[test]
fn two_limiters_hash_differently() {
    // Were the seed known, an attacker could choose keys that share a victim's slots, and two
    // limiters would turn away the same keys.
    let turned_away = || {
        let limiter = Limiter::new(QUOTA, 64).unwrap().when_full(WhenFull::Deny);
        let now = Mono::from_nanos(0);
        (0..1000_u64).filter(|key| limiter.check_at(key, now).is_err()).collect::<Vec<_>>()
    };
    assert_ne!(turned_away(), turned_away());
}

#[test]
fn debug_shows_the_settings() {
    let limiter = Limiter::<str>::new(QUOTA, 64).unwrap().when_full(WhenFull::Deny);
    let expected = format!("Limiter {{ quota: {QUOTA:?}, slots: 64, when_full: Deny, .. }}");
    assert_eq!(format!("{limiter:?}"), expected);
}

#[test]
fn a_limiter_can_be_shared() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    shared(&Limiter::<str>::new(QUOTA, 4).unwrap());
}
