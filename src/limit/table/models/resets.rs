//! Resets against charges, refunds and takeovers: what is forgotten is forgotten once.

use super::{
    refunds::{
        Purse,
        Step::{Charge, Refund, Reset},
        purse, race,
    },
    *,
};

/// How many of a key's calls pass now, of the two that a bucket holds.
fn room(table: &Table, key: u64) -> usize {
    admitted(&[run(table, &[Call(key, NOW), Call(key, NOW), Call(key, NOW)], 2)])
}

#[test]
fn loom_a_reset_beside_charges_forgives_what_came_before_it_and_no_more() {
    race(
        2,
        || {
            let table = one_set(WhenFull::Inherit, 2);
            assert_eq!(run(&table, &[Call(ALICE, NOW)], 2), [Admitted]);
            (table, vec![Purse::default(), Purse::default()])
        },
        &[&[Charge(Call(ALICE, NOW)), Charge(Call(ALICE, NOW))], &[Reset(ALICE)]],
        |table, answers| {
            let found = (answers[0].as_slice(), room(table, ALICE));
            let before = found == ([Admitted, Admitted].as_slice(), 0);
            let between = found == ([Admitted, Admitted].as_slice(), 1);
            let after = found == ([Admitted, Spent].as_slice(), 2);
            assert!(before || between || after, "{found:?}");
        },
    );
}

#[test]
fn loom_of_a_reset_and_refunds_of_what_it_forgot_one_gives_back() {
    race(
        2,
        || {
            let table = one_set(WhenFull::Inherit, 2);
            let alice = purse(&table, &[Call(ALICE, NOW), Call(ALICE, NOW)], 2);
            (table, vec![alice, Purse::default()])
        },
        &[&[Refund(ALICE), Refund(ALICE)], &[Reset(ALICE), Charge(Call(ALICE, NOW))]],
        |table, answers| {
            assert_eq!(answers[1], [Admitted]);
            assert_eq!(room(table, ALICE), 1);
        },
    );
}

#[test]
fn loom_a_reset_meets_the_takeover_of_its_slot() {
    race(
        2,
        || {
            let table = one_set(WhenFull::Inherit, 1);
            assert_eq!(run(&table, &[Call(ALICE, NOW)], 2), [Admitted]);
            (table, vec![Purse::default(), Purse::default()])
        },
        &[&[Reset(ALICE)], &[Charge(Call(BOB, NOW)), Charge(Call(BOB, NOW))]],
        |table, answers| {
            // Whoever comes first, the one slot never gives more than its two again.
            let bob = admitted(answers);
            assert!((1..=2).contains(&bob), "{answers:?}");
            assert_eq!((room(table, BOB), room(table, ALICE)), (0, 0));
        },
    );
}

#[test]
fn loom_a_reset_gives_a_displaced_neighbour_no_second_budget() {
    race(
        2,
        || {
            let table = one_set(WhenFull::Inherit, 2);
            let spent = run(&table, &[Call(DAVE, NOW), Call(DAVE, NOW), Call(ALICE, NOW)], 2);
            assert_eq!(spent, [Admitted; 3]);
            (table, vec![Purse::default(), Purse::default()])
        },
        // Bob takes the place of Alice, who owes less; then Dave's owes nothing.
        &[&[Charge(Call(BOB, NOW))], &[Reset(DAVE), Charge(Call(ALICE, NOW))]],
        |table, answers| {
            let now = answers[1].iter().filter(|it| **it == Admitted).count();
            assert!(now + room(table, ALICE) <= 1, "{answers:?}");
        },
    );
}
