use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const INTERVAL: u64 = 10;

fn pace(burst: u32) -> Pace {
    Pace::new(INTERVAL, burst).unwrap()
}

fn table(slots: usize, when_full: WhenFull) -> Table {
    // Refunds or not, a table without any refund is the same.
    let refunds = if slots.is_multiple_of(8) { Refunds::Given } else { Refunds::Never };
    let mut table = Table::new(slots, refunds).unwrap();
    table.when_full = when_full;
    table
}

const fn spent(wait: u64) -> Result<(), Denied> {
    Err(Denied { kind: ExceededKind::Spent, wait })
}

const fn full(wait: u64) -> Result<(), Denied> {
    Err(Denied { kind: ExceededKind::TableFull, wait })
}

#[test]
fn a_set_is_one_cache_line() {
    assert_eq!((size_of::<Set>(), align_of::<Set>()), (64, 64));
}

#[test]
fn sizes() {
    let check = |slots: usize, expected: Option<usize>| {
        assert_eq!(
            Table::new(slots, Refunds::Never).map(|table| table.slots()),
            expected,
            "{slots}"
        );
    };
    check(0, None);
    check(1, Some(4));
    check(4, Some(4));
    check(5, Some(8));
    check(10_000, Some(10_000));
    check(MOST_SLOTS + 1, None);
    check(usize::MAX, None);
}

#[test]
fn every_hash_has_a_bucket_of_its_own() {
    for slots in [4, 12, 4_000, 40_000] {
        let table = table(slots, WhenFull::Deny);
        // 0 is also the tag of a vacant slot.
        for hash in [0, 2, u64::MAX / 2, u64::MAX] {
            assert_eq!(table.check(hash, 5, pace(1)), Ok(()), "{hash} of {slots}");
            assert_eq!(table.check(hash, 5, pace(1)), spent(10), "{hash} of {slots}");
        }
    }
}

#[test]
fn evenly_spread_hashes_fill_every_slot() {
    let (table, step) = (table(4_000, WhenFull::Deny), u64::MAX / 4_000);
    for hash in (0..4_000).map(|index| index * step + step / 2) {
        assert_eq!(table.check(hash, 5, pace(1)), Ok(()), "{hash}");
    }
}

/// Keys 1 to 4 fill the only set; key `k` stands at `100 + 10 * k`.
fn full_of_live_keys(when_full: WhenFull) -> Table {
    let table = table(4, when_full);
    for key in 1..=4 {
        for _ in 0..key {
            assert_eq!(table.check(key, 100, pace(4)), Ok(()));
        }
    }
    table
}

#[test]
fn deny_turns_newcomers_away_until_a_slot_has_refilled() {
    let table = full_of_live_keys(WhenFull::Deny);
    assert_eq!(table.check(5, 100, pace(4)), full(10));
    assert_eq!(table.check(4, 100, pace(4)), spent(10));
    assert_eq!(table.check(3, 100, pace(4)), Ok(()));
    assert_eq!(table.check(5, 109, pace(4)), full(1));
    assert_eq!(table.check(5, 110, pace(4)), Ok(()));
    assert_eq!(table.check(1, 110, pace(4)), full(10));
}

#[test]
fn inherit_lets_newcomers_in_with_the_least_debt() {
    let table = full_of_live_keys(WhenFull::Inherit);
    // From key 1, at 110: three calls are left, the third of which is beyond key 2's debt.
    assert_eq!(table.check(5, 100, pace(4)), Ok(()));
    assert_eq!(table.check(5, 100, pace(4)), Ok(()));
    assert_eq!(table.check(5, 100, pace(4)), Ok(()));
    assert_eq!(table.check(5, 100, pace(4)), spent(10));
    // Key 1 is a newcomer now and gets what key 2 left.
    assert_eq!(table.check(1, 100, pace(4)), Ok(()));
    assert_eq!(table.check(1, 100, pace(4)), Ok(()));
    assert_eq!(table.check(1, 100, pace(4)), spent(10));
}

#[test]
fn a_full_set_in_debt_refuses_newcomers_without_touching_it() {
    let table = full_of_live_keys(WhenFull::Inherit);
    assert_eq!(table.check(5, 100, pace(1)), spent(10));
    assert_eq!(table.check(1, 100, pace(4)), Ok(()));
}

#[test]
fn rotating_through_more_keys_than_slots_gains_nothing() {
    // The collapse of tables that forgive the key with the least debt: two keys that take turns
    // in a full set would each come back fresh, for ever.
    for when_full in [WhenFull::Inherit, WhenFull::Deny] {
        let (table, elapsed, burst) = (table(4, when_full), 1_000, 5);
        let mut admitted = 0;
        for now in 0..elapsed {
            for key in 1..=12 {
                admitted += u64::from(table.check(key, now, pace(burst)).is_ok());
            }
        }
        assert!(admitted <= 4 * (u64::from(burst) + elapsed / INTERVAL), "{admitted}");
        assert!(admitted >= 4 * (elapsed / INTERVAL), "{admitted}");
    }
}

#[test]
fn a_stale_clock_gives_a_displaced_key_no_second_budget() {
    for when_full in [WhenFull::Inherit, WhenFull::Deny] {
        let table = table(4, when_full);
        assert_eq!(table.check(1, 0, pace(2)), Ok(()));
        assert_eq!(table.check(1, 0, pace(2)), Ok(()));
        for key in 2..=5 {
            assert_eq!(table.check(key, 1_000, pace(2)), Ok(()));
        }
        assert!(table.check(1, 0, pace(2)).is_err());
    }
}

/// The plainest limiter there is: a debt per key that drains with time, nothing ever forgotten.
#[derive(Default)]
struct Reference(HashMap<u64, (u128, u64)>);

impl Reference {
    fn check(&mut self, key: u64, now: u64, burst: u32) -> Result<(), Denied> {
        let (debt, since) = self.0.entry(key).or_default();
        *debt = debt.saturating_sub(u128::from(now - *since));
        *since = now;
        let (wanted, room) =
            (*debt + u128::from(INTERVAL), u128::from(INTERVAL * u64::from(burst)));
        if wanted > room {
            return spent(u64::try_from(wanted - room).unwrap());
        }
        *debt = wanted;
        Ok(())
    }

    fn live(&self, key: u64, now: u64) -> bool {
        self.0.get(&key).is_some_and(|(debt, since)| *debt > u128::from(now - since))
    }
}

/// At most `burst + (b - a) / INTERVAL` of the readings lie in any `[a, b]`.
fn within_quota(mut readings: Vec<u64>, burst: u32) -> bool {
    readings.sort_unstable();
    (0..readings.len()).all(|i| {
        (i..readings.len()).all(|j| {
            (j - i + 1) as u64 * INTERVAL <= INTERVAL * u64::from(burst) + readings[j] - readings[i]
        })
    })
}

fn policies() -> impl Strategy<Value = WhenFull> {
    prop_oneof![Just(WhenFull::Inherit), Just(WhenFull::Deny)]
}

proptest! {
    #[test]
    fn with_room_for_every_key_it_decides_like_an_unbounded_map(
        burst in 1..5_u32, when_full in policies(),
        calls in prop::collection::vec((0..32_u64, 0..4_u64, 0..20_u64), 1..300),
    ) {
        // Four keys for each of 32 sets.
        let (table, mut reference, mut now) = (table(128, when_full), Reference::default(), 0);
        for (set, key, later) in calls {
            now += later;
            let hash = (set << 59) | (key + 2);
            prop_assert_eq!(
                table.check(hash, now, pace(burst)), reference.check(hash, now, burst)
            );
        }
    }

    #[test]
    fn until_a_set_is_full_of_live_keys_reuse_is_lossless(
        burst in 1..5_u32, when_full in policies(),
        calls in prop::collection::vec((1..10_u64, 0..30_u64), 1..300),
    ) {
        let (table, mut reference, mut now) = (table(4, when_full), Reference::default(), 0);
        for (key, later) in calls {
            now += later;
            if (1..10).filter(|&other| other != key && reference.live(other, now)).count() > 3 {
                break;
            }
            prop_assert_eq!(
                table.check(key, now, pace(burst)), reference.check(key, now, burst)
            );
        }
    }

    #[test]
    fn no_key_is_over_admitted_in_a_tiny_table_by_readings_in_any_order(
        burst in 1..5_u32, when_full in policies(), slots in 1..9_usize,
        calls in prop::collection::vec((0..12_u64, 0..300_u64), 1..400),
    ) {
        let table = table(slots, when_full);
        let mut admitted: HashMap<u64, Vec<u64>> = HashMap::new();
        for (key, now) in calls {
            // Spreads the keys over the sets.
            if table.check(key << 60, now, pace(burst)).is_ok() {
                admitted.entry(key).or_default().push(now);
            }
        }
        for (key, readings) in admitted {
            prop_assert!(within_quota(readings, burst), "key {}", key);
        }
    }
}
