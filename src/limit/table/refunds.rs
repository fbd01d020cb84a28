//! What is refunded does not count, and nothing that counts is refunded.

use std::collections::{HashMap, VecDeque};

use proptest::prelude::*;

use super::*;

const INTERVAL: u64 = 10;

fn pace(burst: u32) -> Pace {
    Pace::new(INTERVAL, burst).unwrap()
}

fn table(slots: usize, when_full: WhenFull) -> Table {
    let mut table = Table::new(slots, Refunds::Given).unwrap();
    table.when_full = when_full;
    table
}

/// How many calls pass at `now` before one does not.
fn room(table: &Table, key: u64, now: u64, burst: u32) -> usize {
    (0..100).take_while(|_| table.check(key, now, pace(burst)).is_ok()).count()
}

#[cfg(not(loom))]
#[test]
fn a_slot_takes_24_bytes_with_its_part_of_the_stripe() {
    assert_eq!((size_of::<Set>() + size_of::<Stripe>()) / WAYS, 24);
}

#[test]
fn what_a_step_may_give_back() {
    let check = |until: u64, refunded: u64, latest: u64, expected: u64| {
        let debit = Debit { until, interval: 10, refunded: 0 };
        let given = debit.left(100, refunded, latest);
        assert_eq!(given, expected, "{until} {refunded} {latest}");
    };
    check(110, 0, 100, 10);
    check(130, 0, 100, 10);
    check(110, 0, 103, 7);
    check(110, 0, 110, 0);
    check(110, 0, 500, 0);
    check(130, 20, 100, 10);
    check(130, 10, 115, 5);
    check(130, 25, 100, 10);
    check(130, u64::MAX, 104, 6);
}

#[test]
fn a_refunded_call_does_not_count() {
    let table = table(64, WhenFull::Deny);
    for _ in 0..1_000 {
        let debit = table.charge::<true>(7, 100, pace(3)).unwrap();
        table.refund(7, 100, debit);
    }
    assert_eq!(room(&table, 7, 100, 3), 3);
}

#[test]
fn refunds_in_any_order_leave_what_counts() {
    for first in 0..3 {
        let table = table(64, WhenFull::Deny);
        let debits: Vec<_> =
            (0..3).map(|_| table.charge::<true>(7, 100, pace(4)).unwrap()).collect();
        table.refund(7, 100, debits[first]);
        table.refund(7, 100, debits[(first + 1) % 3]);
        assert_eq!(room(&table, 7, 100, 4), 3, "{first}");
    }
}

#[test]
fn attack_a_refund_of_what_time_has_refilled() {
    // At 115 the call at 100 has been refilled; taking it back too would be one call too many.
    let table = table(64, WhenFull::Deny);
    let old = table.charge::<true>(7, 100, pace(1)).unwrap();
    assert_eq!(table.check(7, 115, pace(1)), Ok(()));
    table.refund(7, 100, old);
    assert!(table.check(7, 115, pace(1)).is_err());
}

#[test]
fn attack_refunds_that_move_each_other() {
    // The last debit ended at 150; once the others are taken back, its end stands at 110.
    let table = table(64, WhenFull::Deny);
    let mut debits: Vec<_> =
        (0..5).map(|_| table.charge::<true>(7, 100, pace(5)).unwrap()).collect();
    let last = debits.pop().unwrap();
    for debit in debits {
        table.refund(7, 100, debit);
    }
    assert_eq!(table.check(7, 140, pace(5)), Ok(()));
    table.refund(7, 100, last);
    assert_eq!(room(&table, 7, 140, 5), 4);
}

#[test]
fn attack_a_refund_makes_room_below_what_a_displaced_key_owed() {
    let table = table(4, WhenFull::Inherit);
    assert_eq!(table.check(1, 100, pace(2)), Ok(()));
    let debits = [(); 2].map(|()| table.charge::<true>(2, 100, pace(2)).unwrap());
    for key in 3..=4 {
        assert_eq!(room(&table, key, 100, 2), 2);
    }
    // Key 5 displaces key 1, which owes a call; then the slot of key 2 owes nothing.
    assert_eq!(table.check(5, 100, pace(2)), Ok(()));
    assert!(table.sets[0].owned_by(1).is_none());
    for debit in debits {
        table.refund(2, 100, debit);
    }
    assert_eq!(room(&table, 1, 100, 2), 1);
}

#[test]
fn what_a_displaced_key_owed_is_no_debt_of_other_sets() {
    let table = table(8, WhenFull::Inherit);
    for key in 1..=5 {
        assert_eq!(table.check(key, 100, pace(3)), Ok(()));
    }
    assert!(table.sets[0].owned_by(1).is_none());
    assert_eq!(room(&table, u64::MAX, 100, 3), 3);
}

#[test]
fn readings_and_refunds_are_those_of_a_set() {
    // By the reading and the refund of the other set, nothing would be left to give back.
    let (table, other) = (table(8, WhenFull::Deny), u64::MAX);
    let debit = table.charge::<true>(7, 100, pace(3)).unwrap();
    let others = table.charge::<true>(other, 500, pace(3)).unwrap();
    table.refund(other, 500, others);
    table.refund(7, 100, debit);
    assert_eq!(room(&table, 7, 100, 3), 3);
}

#[test]
fn a_displaced_key_has_nothing_to_take_back() {
    let table = table(4, WhenFull::Inherit);
    let debit = table.charge::<true>(1, 100, pace(1)).unwrap();
    for key in 2..=5 {
        assert_eq!(table.check(key, 200, pace(1)), Ok(()));
    }
    assert!(table.sets[0].owned_by(1).is_none());
    table.refund(1, 100, debit);
    for key in 2..=5 {
        assert!(table.check(key, 200, pace(1)).is_err(), "{key}");
    }
}

#[test]
fn a_reset_forgets_what_one_key_owes() {
    let table = table(64, WhenFull::Deny);
    for key in [7, 8] {
        assert_eq!(room(&table, key, 100, 3), 3);
    }
    table.reset(7);
    table.reset(9);
    assert_eq!((room(&table, 7, 100, 3), room(&table, 8, 100, 3)), (3, 0));
}

#[test]
fn attack_a_refund_of_what_a_reset_forgot() {
    for refunded in [0, 2] {
        let table = table(64, WhenFull::Deny);
        let mut debits: Vec<_> =
            (0..3).map(|_| table.charge::<true>(7, 100, pace(3)).unwrap()).collect();
        for debit in debits.drain(..refunded) {
            table.refund(7, 100, debit);
        }
        table.reset(7);
        assert_eq!(room(&table, 7, 100, 3), 3);
        for debit in debits {
            table.refund(7, 100, debit);
        }
        assert_eq!(room(&table, 7, 100, 3), 0, "{refunded}");
    }
}

#[test]
fn a_peek_changes_nothing_and_says_what_a_charge_would() {
    for when_full in [WhenFull::Inherit, WhenFull::Deny] {
        let table = table(4, when_full);
        for key in [1, 2, 3, 4, 5, 1, 2, 5, 5] {
            for now in [100, 100, 105, 111] {
                let peeked = (table.peek(key, now, pace(2)), table.peek(key, now, pace(2)));
                assert_eq!(peeked.0, peeked.1);
                assert_eq!(table.check(key, now, pace(2)), peeked.0, "{key} at {now}");
            }
        }
    }
}

#[test]
fn every_new_owner_raises_the_generation() {
    assert_eq!(time(claimed(moved(7, 100), 110)), 110);
    assert_eq!(claimed(moved(7, 100), 110) & GENERATIONS, 8);
    assert_eq!(claimed(moved(15, 100), 110), moved(0, 110));
    assert_ne!(claimed(moved(3, 100), 100), moved(3, 100));
}

/// At most `burst + (b - a) / INTERVAL` of the readings lie in any `[a, b]`.
fn within_quota(readings: &mut [u64], burst: u32) -> bool {
    readings.sort_unstable();
    (0..readings.len()).all(|i| {
        (i..readings.len()).all(|j| {
            (j - i + 1) as u64 * INTERVAL <= INTERVAL * u64::from(burst) + readings[j] - readings[i]
        })
    })
}

#[derive(Clone, Debug)]
enum Op {
    /// After so long, by a clock so far behind.
    Charge {
        key: u64,
        cost: u32,
        later: u64,
        stale: u64,
    },
    /// The charge at this place among those that stand.
    Refund(prop::sample::Index),
    Reset {
        key: u64,
    },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let stale = prop_oneof![3 => Just(0), 1 => 0..30_u64];
    let charge = (0..8_u64, 1..3_u32, 0..6_u64, stale)
        .prop_map(|(key, cost, later, stale)| Op::Charge { key: key << 60, cost, later, stale });
    let refund = any::<prop::sample::Index>().prop_map(Op::Refund);
    prop::collection::vec(prop_oneof![3 => charge, 2 => refund], 1..200)
}

fn ops_and_resets() -> impl Strategy<Value = Vec<Op>> {
    let reset = (0..8_u64).prop_map(|key| Op::Reset { key: key << 60 });
    (ops(), prop::collection::vec((any::<prop::sample::Index>(), reset), 0..20)).prop_map(
        |(mut ops, resets)| {
            for (index, reset) in resets {
                ops.insert(index.index(ops.len()), reset);
            }
            ops
        },
    )
}

/// Where the bucket of a key stands.
fn stands(table: &Table, key: u64) -> Option<u64> {
    Some(time(table.set(key).owned_by(key.max(1))?.word.load(Relaxed)))
}

#[test]
fn refunds_in_order_lose_nothing_however_long_calls_overlap() {
    for pending in 1..4 {
        let (table, mut open) = (table(64, WhenFull::Deny), VecDeque::new());
        for now in 100..2_000 {
            open.push_back((now, table.charge::<true>(7, now, pace(4)).unwrap()));
            if open.len() > pending {
                let (reading, debit) = open.pop_front().unwrap();
                table.refund(7, reading, debit);
            }
        }
        for (reading, debit) in open {
            table.refund(7, reading, debit);
        }
        assert_eq!(room(&table, 7, 2_000, 4), 4, "{pending}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_stands_keeps_the_quota_whatever_is_refunded_and_however_stale_the_readings(
        ops in ops_and_resets(), burst in 2..7_u32, slots in 1..9_usize, inherit: bool,
    ) {
        let when_full = if inherit { WhenFull::Inherit } else { WhenFull::Deny };
        let (table, mut standing, mut clock) = (table(slots, when_full), Vec::new(), 100);
        for op in ops {
            match op {
                Op::Charge { key, cost, later, stale } => {
                    clock += later;
                    let now = clock - stale;
                    let pace = pace(burst).times(cost).unwrap();
                    let peeked = table.peek(key, now, pace);
                    let charged = table.charge::<true>(key, now, pace);
                    prop_assert_eq!(charged.map(drop), peeked);
                    if let Ok(debit) = charged {
                        standing.push((key, cost, now, debit, true));
                    }
                }
                Op::Refund(_) if standing.is_empty() => {}
                Op::Refund(index) => {
                    let at = index.index(standing.len());
                    let (key, _, reading, debit, _) = standing.swap_remove(at);
                    table.refund(key, reading, debit);
                }
                Op::Reset { key } => {
                    table.reset(key);
                    // They count no more, and may still be refunded.
                    let owners = standing.iter_mut().filter(|(owner, ..)| *owner == key);
                    owners.for_each(|(.., counts)| *counts = false);
                }
            }
        }
        let mut readings: HashMap<u64, Vec<u64>> = HashMap::new();
        for (key, cost, now, _, counts) in standing {
            if counts {
                readings.entry(key).or_default().extend((0..cost).map(|_| now));
            }
        }
        for (key, mut readings) in readings {
            prop_assert!(within_quota(&mut readings, burst), "key {}", key);
        }
    }

    #[test]
    fn a_refund_loses_no_more_than_the_time_since_its_charge(
        ops in ops(), burst in 2..7_u32, slots in 1..9_usize,
    ) {
        let (table, mut standing, mut clock) = (table(slots, WhenFull::Inherit), Vec::new(), 100);
        for op in ops {
            match op {
                Op::Charge { key, cost, later, stale } => {
                    clock += later;
                    let pace = pace(burst).times(cost).unwrap();
                    if let Ok(debit) = table.charge::<true>(key, clock - stale, pace) {
                        standing.push((key, pace, clock - stale, debit));
                    }
                }
                Op::Reset { .. } => {}
                Op::Refund(_) if standing.is_empty() => {}
                Op::Refund(index) => {
                    let at = index.index(standing.len());
                    let (key, pace, reading, debit) = standing.swap_remove(at);
                    let before = stands(&table, key);
                    table.refund(key, reading, debit);
                    if let (Some(before), Some(after)) = (before, stands(&table, key)) {
                        let least = pace.interval().saturating_sub(clock - reading);
                        prop_assert!((least..=pace.interval()).contains(&(before - after)));
                    }
                }
            }
        }
    }

    #[test]
    fn at_one_reading_refunded_calls_leave_no_trace(
        burst in 1..6_u32, refunded in prop::collection::vec(any::<bool>(), 0..40), debt in 0..6_u32,
    ) {
        let table = table(64, WhenFull::Inherit);
        for _ in 0..debt.min(burst) {
            table.check(7, 95, pace(burst)).unwrap();
        }
        let (mut kept, before) = (0, u64::from(debt.min(burst)) * INTERVAL);
        for refunded in refunded {
            if let Ok(debit) = table.charge::<true>(7, 100, pace(burst)) {
                if refunded { table.refund(7, 100, debit) } else { kept += 1 }
            }
        }
        let due = (INTERVAL * u64::from(burst) - before.saturating_sub(5)) / INTERVAL;
        prop_assert_eq!(room(&table, 7, 100, burst) as u64 + kept, due);
    }
}
