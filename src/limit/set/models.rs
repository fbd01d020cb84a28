//! Sets and permits, by every interleaving of two threads with at most three preemptions.

use std::sync::Arc;

use loom::{model::Builder, thread};

use super::*;
use crate::{
    Mono,
    limit::{OnDrop, Permit},
};

const NOW: Mono = Mono::from_nanos(1_000_000_000);

/// Runs two threads on a set of these quotas; `judge` sees what each was answered.
fn race<T: Send + 'static>(
    quotas: &'static [Quota],
    threads: [fn(&LimitSet<str>) -> T; 2],
    judge: fn(&LimitSet<str>, [T; 2]),
) {
    // One secret for all runs: loom wants each to take the same way.
    let hashing = Hashing::default();
    for turned in [false, true] {
        let hashing = hashing.clone();
        let mut builder = Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(move || {
            let windows = quotas.iter().map(|it| Window::new(*it, 1, Refunds::Given).unwrap());
            let windows = windows.collect();
            let set =
                Arc::new(LimitSet { windows, hashing: hashing.clone(), own: 1, keys: PhantomData });
            let spawn = |run: fn(&LimitSet<str>) -> T| {
                let set = Arc::clone(&set);
                thread::spawn(move || run(&set))
            };
            let [one, other] = threads;
            let answers = if turned {
                let (other, one) = (spawn(other), spawn(one));
                [one.join().unwrap(), other.join().unwrap()]
            } else {
                let (one, other) = (spawn(one), spawn(other));
                [one.join().unwrap(), other.join().unwrap()]
            };
            judge(&set, answers);
        });
    }
}

/// What each quota still has room for.
fn room(set: &LimitSet<str>) -> Vec<u32> {
    let hash = set.hashing.hash("alice");
    let most =
        |window: &Window| (1..9).take_while(|it| window.peek(hash, *it, NOW.into()).is_ok()).last();
    set.windows.iter().map(|window| most(window).unwrap_or(0)).collect()
}

fn charge(set: &LimitSet<str>) -> bool {
    set.charge_at("alice", 1, NOW).is_ok()
}

fn reserve(set: &LimitSet<str>, on_drop: OnDrop) -> Option<Permit<'_, str>> {
    set.reserve_at("alice", 1, NOW, on_drop).ok()
}

#[test]
fn loom_a_charge_that_one_quota_refuses_burns_nothing_of_the_other() {
    race(const { &[Quota::per_day(2), Quota::per_hour(1)] }, [charge, charge], |set, passed| {
        assert_ne!(passed[0], passed[1]);
        assert_eq!(room(set), [1, 0]);
    });
}

#[test]
fn loom_two_charges_that_both_quotas_hold_both_pass() {
    race(const { &[Quota::per_day(2), Quota::per_hour(3)] }, [charge, charge], |set, passed| {
        assert_eq!(passed, [true; 2]);
        assert_eq!(room(set), [0, 1]);
    });
}

#[test]
fn loom_a_committed_permit_leaves_nothing_for_the_other() {
    race(
        const { &[Quota::per_day(1)] },
        [|set| reserve(set, OnDrop::Refund).map(Permit::commit).is_some(), charge],
        |set, passed| {
            assert_ne!(passed[0], passed[1]);
            assert_eq!(room(set), [0]);
        },
    );
}

#[test]
fn loom_a_permit_that_is_dropped_counts_or_not_as_it_was_told() {
    race(
        const { &[Quota::per_day(1)] },
        [|set| reserve(set, OnDrop::Commit).is_some(), charge],
        |set, passed| {
            assert_ne!(passed[0], passed[1]);
            assert_eq!(room(set), [0]);
        },
    );
    race(
        const { &[Quota::per_day(1)] },
        [|set| reserve(set, OnDrop::Refund).is_some(), charge],
        |set, [_, charged]| assert_eq!(room(set), [u32::from(!charged)]),
    );
}

#[test]
fn loom_a_refunded_permit_gives_back_one_call_and_no_more() {
    race(
        const { &[Quota::per_day(2), Quota::per_hour(2)] },
        [|set| reserve(set, OnDrop::Commit).map(Permit::refund).is_some(), charge],
        |set, passed| {
            assert_eq!(passed, [true; 2]);
            assert_eq!(room(set), [1, 1]);
        },
    );
}
