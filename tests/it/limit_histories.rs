//! Small histories of racing threads, each held against a bucket that is used by one: some order
//! of the calls, in which none comes before one that had ended when it began, explains all answers.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use portcullis::{
    Mono, Quota,
    limit::{Charge, LimitSet},
};

const INTERVAL: u64 = 1_000_000_000;
const BURST: u64 = 3;

#[derive(Clone, Copy, Debug)]
enum Op {
    Charge {
        cost: u32,
        now: u64,
    },
    Peek {
        cost: u32,
        now: u64,
    },
    /// Of the thread's last charge that stands.
    Refund {
        cost: u32,
    },
}

/// A call with its place in time and its answer.
#[derive(Clone, Copy, Debug)]
struct Done {
    op: Op,
    begun: usize,
    ended: usize,
    passed: bool,
}

/// Where the bucket stands after the call, if that is what the call was told.
fn step(tat: u64, done: &Done) -> Option<u64> {
    match done.op {
        Op::Refund { cost } => Some(tat - u64::from(cost) * INTERVAL),
        Op::Charge { cost, now } | Op::Peek { cost, now } => {
            let until = tat.max(now) + u64::from(cost) * INTERVAL;
            let passes = until - now <= BURST * INTERVAL;
            let moves = passes && matches!(done.op, Op::Charge { .. });
            (passes == done.passed).then_some(if moves { until } else { tat })
        }
    }
}

fn explained(tat: u64, left: &[Done]) -> bool {
    let first = left.iter().enumerate().filter(|(_, it)| left.iter().all(|o| o.ended >= it.begun));
    let mut tried = first.filter_map(|(at, it)| Some((at, step(tat, it)?)));
    left.is_empty()
        || tried.any(|(at, tat)| {
            let mut rest = left.to_vec();
            rest.remove(at);
            explained(tat, &rest)
        })
}

fn random(seed: &mut u64, below: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

/// What one thread of a history does: four calls.
fn caller(set: &LimitSet<str>, time: &AtomicUsize, mut seed: u64, refunds: bool) -> Vec<Done> {
    let (mut done, mut standing): (Vec<Done>, Vec<Charge>) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let (cost, dice) = (1 + random(&mut seed, 2) as u32, random(&mut seed, 4));
        // Refunds give back all only while time stands still.
        let now = if refunds { 100 } else { 100 + random(&mut seed, 5) } * INTERVAL;
        let begun = time.fetch_add(1, SeqCst);
        let (op, passed) = match (dice, refunds.then(|| standing.pop()).flatten()) {
            (0 | 1, Some(charge)) => {
                let cost = charge.cost();
                set.refund(charge);
                (Op::Refund { cost }, true)
            }
            (2, kept) => {
                standing.extend(kept);
                let now_ = Mono::from_nanos(now);
                (Op::Peek { cost, now }, set.peek_at("a", cost, now_).is_ok())
            }
            (_, kept) => {
                standing.extend(kept);
                let charged = set.charge_at("a", cost, Mono::from_nanos(now));
                let passed = charged.is_ok();
                standing.extend(charged);
                (Op::Charge { cost, now }, passed)
            }
        };
        done.push(Done { op, begun, ended: time.fetch_add(1, SeqCst), passed });
    }
    done
}

#[test]
fn every_small_history_is_one_of_calls_that_came_one_after_the_other() {
    let mut overlapping = 0;
    for history in 0..600_u64 {
        let quota = Quota::per_second(1).burst(BURST as u32);
        let (set, time) = (LimitSet::<str>::new(quota, 4).unwrap(), AtomicUsize::new(0));
        let (barrier, refunds) = (Barrier::new(3), history % 2 == 0);
        let mut all: Vec<Done> = thread::scope(|scope| {
            let run = |thread: u64| {
                let (set, time, barrier) = (&set, &time, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    caller(set, time, history * 3 + thread, refunds)
                })
            };
            let threads: Vec<_> = (0..3).map(run).collect();
            threads.into_iter().flat_map(|it| it.join().unwrap()).collect()
        });
        all.sort_unstable_by_key(|it| it.begun);
        overlapping += all.windows(2).filter(|pair| pair[1].begun < pair[0].ended).count();
        assert!(explained(0, &all), "{all:#?}");
    }
    println!("{overlapping} calls overlapped the one before");
}

#[test]
fn a_history_that_no_order_explains_is_noticed() {
    let charge = |begun, ended, passed| {
        let op = Op::Charge { cost: 2, now: INTERVAL };
        Done { op, begun, ended, passed }
    };
    assert!(explained(0, &[charge(0, 1, true), charge(2, 3, false)]));
    assert!(explained(0, &[charge(0, 3, false), charge(1, 2, true)]));
    assert!(!explained(0, &[charge(0, 1, false), charge(2, 3, true)]));
    assert!(!explained(0, &[charge(0, 3, true), charge(1, 2, true)]));
}
