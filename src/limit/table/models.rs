//! Every interleaving of two threads on one set, and every stale reading that the memory orderings
//! allow; of three threads, those with at most two preemptions.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --lib loom_`
//!
//! Each race runs with its threads spawned in either order: loom leaves out interleavings when the
//! first one only reads.

use std::sync::Arc;

use loom::{model::Builder, thread};

use super::*;

mod refunds;
mod resets;

const NOW: u64 = 100;
const ALICE: u64 = 1;
const BOB: u64 = 2;
const CAROL: u64 = 3;
const DAVE: u64 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call(u64, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Admitted,
    Full,
    Spent,
}

use Answer::{Admitted, Full, Spent};

fn pace(burst: u32) -> Pace {
    Pace::new(10, burst).unwrap()
}

/// One set with `open` slots; the others belong to keys that stay in debt for ever.
fn one_set(when_full: WhenFull, open: usize) -> Table {
    let mut table = Table::new(WAYS, Refunds::Given).unwrap();
    table.when_full = when_full;
    for (slot, foreign) in table.sets[0].0.iter().skip(open).zip(900..) {
        slot.tag.store(foreign, Relaxed);
        slot.word.store(moved(0, 1 << 50), Relaxed);
    }
    table
}

fn run(table: &Table, calls: &[Call], burst: u32) -> Vec<Answer> {
    let call = |&Call(key, now): &Call| match table.check(key, now, pace(burst)) {
        Ok(()) => Admitted,
        Err(denied) if denied.kind == ExceededKind::TableFull => Full,
        Err(_) => Spent,
    };
    calls.iter().map(call).collect()
}

fn slots_of(table: &Table, key: u64) -> usize {
    table.sets[0].0.iter().filter(|slot| slot.tag.load(Relaxed) == key).count()
}

fn admitted(answers: &[Vec<Answer>]) -> usize {
    answers.iter().flatten().filter(|answer| **answer == Admitted).count()
}

/// Runs `threads` against each other; `judge` sees the table and what each
/// thread was told, in the order of `threads`.
fn race(
    burst: u32,
    setup: fn() -> Table,
    threads: &'static [&'static [Call]],
    judge: fn(&Table, &[Vec<Answer>]),
) {
    for backwards in [false, true] {
        let mut builder = Builder::new();
        builder.preemption_bound = (threads.len() > 2).then_some(2);
        builder.check(move || {
            let table = Arc::new(setup());
            let spawn = |&calls: &&'static [Call]| {
                let table = Arc::clone(&table);
                thread::spawn(move || run(&table, calls, burst))
            };
            let mut spawned: Vec<_> = if backwards {
                threads.iter().rev().map(spawn).collect()
            } else {
                threads.iter().map(spawn).collect()
            };
            if backwards {
                spawned.reverse();
            }
            let answers: Vec<_> = spawned.into_iter().map(|it| it.join().unwrap()).collect();
            judge(&table, &answers);
        });
    }
}

#[test]
fn loom_one_key_inserted_by_two_threads_has_one_slot_and_one_budget() {
    const ONE: &[Call] = &[Call(ALICE, NOW)];
    race(
        1,
        || one_set(WhenFull::Inherit, 2),
        &[ONE, ONE],
        |table, answers| {
            assert_eq!(admitted(answers), 1);
            assert_eq!(slots_of(table, ALICE), 1);
        },
    );
}

#[test]
fn loom_a_budget_of_two_is_exact_after_a_double_insert() {
    const TWO: &[Call] = &[Call(ALICE, NOW), Call(ALICE, NOW)];
    race(
        2,
        || one_set(WhenFull::Deny, 2),
        &[TWO, TWO],
        |table, answers| {
            assert_eq!(admitted(answers), 2);
            assert_eq!(slots_of(table, ALICE), 1);
        },
    );
}

#[test]
fn loom_a_budget_of_two_is_exact_among_three_threads() {
    const ONE: &[Call] = &[Call(ALICE, NOW)];
    race(
        2,
        || one_set(WhenFull::Inherit, 2),
        &[ONE, ONE, ONE],
        |table, answers| {
            assert_eq!(admitted(answers), 2);
            assert_eq!(slots_of(table, ALICE), 1);
        },
    );
}

/// Alice owns the only slot and has refilled; whoever comes first keeps it.
fn alice_has_refilled(when_full: WhenFull) -> Table {
    let table = one_set(when_full, 1);
    assert_eq!(run(&table, &[Call(ALICE, 0)], 2), [Admitted]);
    table
}

#[test]
fn loom_the_owner_hits_while_its_slot_is_taken_over() {
    race(
        2,
        || alice_has_refilled(WhenFull::Deny),
        &[&[Call(ALICE, NOW), Call(ALICE, NOW)], &[Call(BOB, NOW)]],
        |table, answers| {
            let alice_stays = answers == [vec![Admitted, Admitted], vec![Full]];
            let bob_enters = answers == [vec![Full, Full], vec![Admitted]];
            assert!(alice_stays || bob_enters, "{answers:?}");
            assert_eq!(slots_of(table, if alice_stays { ALICE } else { BOB }), 1);
        },
    );
}

#[test]
fn loom_two_hits_and_a_takeover() {
    const ONE: &[Call] = &[Call(ALICE, NOW)];
    race(
        2,
        || alice_has_refilled(WhenFull::Deny),
        &[ONE, ONE, &[Call(BOB, NOW)]],
        |_, answers| {
            let alice_stays = answers == [vec![Admitted], vec![Admitted], vec![Full]];
            let bob_enters = answers == [vec![Full], vec![Full], vec![Admitted]];
            assert!(alice_stays || bob_enters, "{answers:?}");
        },
    );
}

#[test]
fn loom_a_hit_and_two_takeovers_by_one_key() {
    const ONE: &[Call] = &[Call(BOB, NOW)];
    race(
        2,
        || alice_has_refilled(WhenFull::Deny),
        &[&[Call(ALICE, NOW)], ONE, ONE],
        |_, answers| {
            let alice_stays = answers == [vec![Admitted], vec![Full], vec![Full]];
            let bob_enters = answers == [vec![Full], vec![Admitted], vec![Admitted]];
            assert!(alice_stays || bob_enters, "{answers:?}");
        },
    );
}

#[test]
fn loom_nobody_is_refused_by_a_foreign_word() {
    race(
        2,
        || alice_has_refilled(WhenFull::Deny),
        &[&[Call(ALICE, NOW)], &[Call(BOB, NOW), Call(BOB, NOW)]],
        |_, answers| {
            let alice_stays = answers == [vec![Admitted], vec![Full, Full]];
            let bob_spends_all = answers == [vec![Full], vec![Admitted, Admitted]];
            assert!(alice_stays || bob_spends_all, "{answers:?}");
        },
    );
}

#[test]
fn loom_an_inherited_slot_keeps_its_budget() {
    race(
        2,
        || {
            let table = one_set(WhenFull::Inherit, 1);
            assert_eq!(run(&table, &[Call(ALICE, NOW)], 2), [Admitted]);
            table
        },
        &[&[Call(ALICE, NOW)], &[Call(BOB, NOW)]],
        |table, answers| {
            assert_eq!(admitted(answers), 1);
            assert_eq!(run(table, &[Call(ALICE, NOW), Call(BOB, NOW)], 2), [Spent, Spent]);
            assert_eq!(
                run(table, &[Call(BOB, NOW + 10), Call(ALICE, NOW + 10)], 2),
                [Admitted, Spent]
            );
        },
    );
}

#[test]
fn loom_newcomers_share_the_budget_of_the_slot_they_compete_for() {
    const BOBS: &[Call] = &[Call(BOB, NOW), Call(BOB, NOW)];
    const CAROLS: &[Call] = &[Call(CAROL, NOW), Call(CAROL, NOW)];
    race(
        2,
        || one_set(WhenFull::Inherit, 1),
        &[BOBS, CAROLS],
        |_, answers| {
            assert_eq!(admitted(answers), 2);
        },
    );
}

#[test]
fn loom_three_keys_share_the_budget_of_two_slots() {
    race(
        1,
        || one_set(WhenFull::Inherit, 2),
        &[&[Call(ALICE, NOW)], &[Call(BOB, NOW)], &[Call(CAROL, NOW)]],
        |_, answers| assert_eq!(admitted(answers), 2),
    );
}

#[test]
fn loom_a_newcomer_is_not_refused_while_one_slot_has_room() {
    race(
        2,
        || {
            let table = one_set(WhenFull::Inherit, 2);
            // Dave is in debt up to the brim, Alice has refilled.
            assert_eq!(run(&table, &[Call(DAVE, NOW), Call(DAVE, NOW)], 2), [Admitted, Admitted]);
            assert_eq!(run(&table, &[Call(ALICE, 0)], 2), [Admitted]);
            table
        },
        &[&[Call(ALICE, NOW)], &[Call(CAROL, NOW)]],
        |_, answers| assert_eq!(answers, [[Admitted], [Admitted]]),
    );
}

/// Alice has spent her two calls by a clock that stands at 0.
fn alice_has_spent(when_full: WhenFull, open: usize) -> Table {
    let table = one_set(when_full, open);
    assert_eq!(run(&table, &[Call(ALICE, 0), Call(ALICE, 0)], 2), [Admitted, Admitted]);
    table
}

#[test]
fn loom_a_stale_clock_gives_a_displaced_key_no_second_budget() {
    let setups: [fn() -> Table; 4] = [
        || alice_has_spent(WhenFull::Deny, 1),
        || alice_has_spent(WhenFull::Deny, 2),
        || alice_has_spent(WhenFull::Inherit, 1),
        || alice_has_spent(WhenFull::Inherit, 2),
    ];
    for setup in setups {
        race(
            2,
            setup,
            &[&[Call(BOB, NOW), Call(CAROL, NOW)], &[Call(ALICE, 0)]],
            |table, answers| {
                assert_ne!(answers[1][0], Admitted, "{answers:?}");
                assert_ne!(run(table, &[Call(ALICE, 0)], 2), [Admitted]);
            },
        );
    }
}
