//! Refunds against charges, takeovers and each other.

use super::*;

/// What a thread does, one after the other; a refund is of the thread's own last charge, or of
/// the one that `setup` made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Charge(Call),
    Refund(u64),
    Reset(u64),
}

use Step::{Charge, Refund, Reset};

/// Keys with the debits they may take back.
#[derive(Clone, Default)]
pub(super) struct Purse(Vec<(Call, Debit)>);

impl Purse {
    fn run(&mut self, table: &Table, steps: &[Step], burst: u32) -> Vec<Answer> {
        let mut answers = Vec::new();
        for step in steps {
            match *step {
                Charge(call @ Call(key, now)) => {
                    match table.charge::<true>(key, now, pace(burst)) {
                        Ok(debit) => {
                            self.0.push((call, debit));
                            answers.push(Admitted);
                        }
                        Err(denied) if denied.kind == ExceededKind::TableFull => answers.push(Full),
                        Err(_) => answers.push(Spent),
                    }
                }
                Refund(key) => {
                    let last = self.0.iter().rposition(|(Call(owner, _), _)| *owner == key);
                    if let Some(last) = last {
                        let (Call(_, reading), debit) = self.0.remove(last);
                        table.refund(key, reading, debit);
                    }
                }
                Reset(key) => table.reset(key),
            }
        }
        answers
    }
}

/// Like [`race`](super::race), with refunds; `setup` hands out what was charged before, a purse
/// for each thread.
pub(super) fn race(
    burst: u32,
    setup: fn() -> (Table, Vec<Purse>),
    threads: &'static [&'static [Step]],
    judge: fn(&Table, &[Vec<Answer>]),
) {
    for backwards in [false, true] {
        let mut builder = Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(move || {
            let (table, purses) = setup();
            let table = Arc::new(table);
            let spawn = |(&steps, purse): (&&'static [Step], &Purse)| {
                let (table, mut purse) = (Arc::clone(&table), purse.clone());
                thread::spawn(move || purse.run(&table, steps, burst))
            };
            let pairs = threads.iter().zip(&purses);
            let mut spawned: Vec<_> = if backwards {
                pairs.rev().map(spawn).collect()
            } else {
                pairs.map(spawn).collect()
            };
            if backwards {
                spawned.reverse();
            }
            let answers: Vec<_> = spawned.into_iter().map(|it| it.join().unwrap()).collect();
            judge(&table, &answers);
        });
    }
}

pub(super) fn purse(table: &Table, calls: &[Call], burst: u32) -> Purse {
    let mut purse = Purse::default();
    let steps: Vec<_> = calls.iter().copied().map(Charge).collect();
    assert!(purse.run(table, &steps, burst).iter().all(|answer| *answer == Admitted));
    purse
}

#[test]
fn loom_a_refund_and_a_charge_of_one_key_keep_the_budget() {
    race(
        1,
        || {
            let table = one_set(WhenFull::Inherit, 2);
            let alice = purse(&table, &[Call(ALICE, NOW)], 1);
            (table, vec![alice, Purse::default()])
        },
        &[&[Refund(ALICE)], &[Charge(Call(ALICE, NOW))]],
        |table, answers| {
            // The refund leaves room for one, now or later.
            let later = run(table, &[Call(ALICE, NOW), Call(ALICE, NOW)], 1);
            assert_eq!(answers[1].contains(&Admitted), later == [Spent, Spent], "{answers:?}");
            assert_ne!(later, [Admitted, Admitted]);
        },
    );
}

#[test]
fn loom_a_refund_gives_back_nothing_that_a_later_reading_has_refilled() {
    race(
        1,
        || {
            let table = one_set(WhenFull::Inherit, 1);
            let alice = purse(&table, &[Call(ALICE, NOW)], 1);
            (table, vec![alice, Purse::default()])
        },
        &[&[Refund(ALICE)], &[Charge(Call(ALICE, NOW + 15))]],
        |table, answers| {
            assert_eq!(answers[1], [Admitted]);
            assert_eq!(run(table, &[Call(ALICE, NOW + 15)], 1), [Spent]);
        },
    );
}

#[test]
fn loom_two_refunds_give_back_no_more_than_each() {
    race(
        2,
        || {
            let table = one_set(WhenFull::Inherit, 1);
            let one = purse(&table, &[Call(ALICE, NOW)], 2);
            let other = purse(&table, &[Call(ALICE, NOW)], 2);
            (table, vec![one, other])
        },
        &[&[Refund(ALICE), Charge(Call(ALICE, NOW + 15))], &[Refund(ALICE)]],
        |table, answers| {
            assert_eq!(answers[0], [Admitted]);
            let later = run(table, &[Call(ALICE, NOW + 15), Call(ALICE, NOW + 15)], 2);
            assert_ne!(later, [Admitted, Admitted]);
        },
    );
}

#[test]
fn loom_a_refund_meets_the_takeover_of_its_slot() {
    race(
        2,
        || {
            let table = one_set(WhenFull::Inherit, 1);
            let alice = purse(&table, &[Call(ALICE, NOW), Call(ALICE, NOW)], 2);
            (table, vec![alice, Purse::default()])
        },
        &[&[Refund(ALICE)], &[Charge(Call(BOB, NOW + 10)), Charge(Call(BOB, NOW + 10))]],
        |table, _| {
            // One of hers stands, whoever came first.
            let alice = run(table, &[Call(ALICE, NOW), Call(ALICE, NOW)], 2);
            assert_ne!(alice, [Admitted, Admitted]);
        },
    );
}

#[test]
fn loom_a_newcomers_refund_gives_the_displaced_key_no_second_budget() {
    race(
        2,
        || {
            let table = one_set(WhenFull::Inherit, 2);
            // Dave's can be taken back, and then stands below what Alice owes.
            let dave = purse(&table, &[Call(DAVE, NOW), Call(DAVE, NOW)], 2);
            assert_eq!(run(&table, &[Call(ALICE, NOW)], 2), [Admitted]);
            (table, vec![Purse::default(), dave])
        },
        &[
            &[Charge(Call(BOB, NOW)), Refund(BOB)],
            &[Refund(DAVE), Refund(DAVE), Charge(Call(ALICE, NOW))],
        ],
        |table, answers| {
            let later = run(table, &[Call(ALICE, NOW), Call(ALICE, NOW)], 2);
            let all = answers[1].iter().chain(&later).filter(|it| **it == Admitted).count();
            assert!(all <= 1, "{answers:?} {later:?}");
        },
    );
}

#[test]
fn loom_a_word_that_fell_back_is_not_taken_for_its_old_self() {
    race(
        2,
        || {
            let table = one_set(WhenFull::Inherit, 2);
            let dave = purse(&table, &[Call(DAVE, NOW), Call(DAVE, NOW)], 2);
            assert_eq!(run(&table, &[Call(ALICE, NOW)], 2), [Admitted]);
            (table, vec![Purse::default(), dave])
        },
        &[
            &[Charge(Call(ALICE, NOW))],
            // Bob comes and goes, and her word reads as before.
            &[Charge(Call(BOB, NOW)), Refund(BOB), Refund(DAVE), Refund(DAVE)],
        ],
        |table, answers| {
            let later = run(table, &[Call(ALICE, NOW)], 2);
            let all = answers[0].iter().chain(&later).filter(|it| **it == Admitted).count();
            assert!(all <= 1, "{answers:?} {later:?}");
        },
    );
}
