//! What the gate asks of a charge after it was made.

use super::*;
use crate::Mono;

const NOW: Mono = Mono::from_nanos(1_000_000_000);

fn set() -> LimitSet<str> {
    LimitSet::new([Quota::per_hour(10), Quota::per_day(4)], 64).unwrap()
}

fn room(set: &LimitSet<str>) -> u32 {
    (1..9).take_while(|cost| set.peek_at("alice", *cost, NOW).is_ok()).last().unwrap_or(0)
}

#[test]
fn what_is_settled_is_neither_taken_back_nor_told_of() {
    let set = set();
    let mut settled = set.charge_at("alice", 3, NOW).unwrap();
    let charge = settled.take();
    assert_eq!((charge.cost(), settled.cost()), (3, 0));
    assert_eq!(set.allowance("client", &settled), None);
    assert!(!set.is_near(&settled, 0));
    set.refund(settled);
    assert_eq!(room(&set), 1);
    set.refund(charge);
    assert_eq!(room(&set), 4);
}

#[test]
fn who_was_charged_is_known_after_it_is_settled() {
    let set = set();
    let mut settled = set.charge_at("alice", 1, NOW).unwrap();
    let _ = settled.take();
    assert_eq!(set.owe_again(&settled, 2, 0, NOW.into()), 0);
    assert_eq!(room(&set), 1);
    assert_eq!(set.owe_again(&settled, 3, 1, NOW.into()), 1);
    assert_eq!(room(&set), 0);
    assert!(set.peek_at("bob", 4, NOW).is_ok());
}

#[test]
fn a_charge_is_near_when_one_of_its_quotas_is() {
    let set = set();
    let charge = set.charge_at("alice", 3, NOW).unwrap();
    assert!(set.is_near(&charge, 75));
    assert!(!set.is_near(&charge, 76));
}

#[test]
fn a_charge_of_another_set_is_not_told_of() {
    let (one, other) = (set(), set());
    let charge = one.charge_at("alice", 3, NOW).unwrap();
    assert_eq!(one.allowance("client", &charge).map(|it| it.remaining()), Some(1));
    assert_eq!(other.allowance("client", &charge), None);
    assert!(!other.is_near(&charge, 0));
}

#[test]
fn keys_of_another_type_count_like_those_of_the_set() {
    let set = set();
    assert_eq!(set.charge_by(&7_u64, 4, NOW.into()).unwrap().cost(), 4);
    assert!(set.charge_by(&7_u64, 1, NOW.into()).is_err());
    assert!(set.charge_by(&8_u64, 1, NOW.into()).is_ok());
}

#[test]
fn what_costs_nothing_takes_no_slot() {
    let set = set();
    assert_eq!(set.charge_at("alice", 0, NOW).unwrap().cost(), 0);
    assert_eq!(set.owe_at("alice", 0, 5, NOW), 0);
    assert!(set.stats_at(NOW).all(|(_, it)| it.entered == 0));
}
