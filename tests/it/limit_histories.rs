//! Small histories of racing threads, each held against a bucket that is used by one: some order
//! of the calls, in which none comes before one that had ended when it began, explains all answers.
//!
//! Threads of so short a life would run one after the other. So they live through all histories,
//! and meet before every single call.

use std::{
    collections::HashSet,
    hint::spin_loop,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    thread,
};

use portcullis::{
    Mono, Quota,
    limit::{Charge, LimitSet},
};

const INTERVAL: u64 = 1_000_000_000;
const BURST: u64 = 3;
/// As many as even a small machine runs at once: a third would wait, and hold the others up.
const THREADS: usize = 2;
/// Calls of each thread in one history.
const CALLS: usize = 8;

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
        Op::Refund { cost } => tat.checked_sub(u64::from(cost) * INTERVAL),
        Op::Charge { cost, now } | Op::Peek { cost, now } => {
            let until = tat.max(now) + u64::from(cost) * INTERVAL;
            let passes = until - now <= BURST * INTERVAL;
            let moves = passes && matches!(done.op, Op::Charge { .. });
            (passes == done.passed).then_some(if moves { until } else { tat })
        }
    }
}

/// Whether some order explains the calls; `dead` are the ends that were found to lead nowhere.
fn explained(all: &[Done], tat: u64, done: u32, dead: &mut HashSet<(u32, u64)>) -> bool {
    if done.count_ones() as usize == all.len() {
        return true;
    }
    if !dead.insert((done, tat)) {
        return false;
    }
    let left = |at: &usize| done & 1 << at == 0;
    let first_end = (0..all.len()).filter(left).map(|at| all[at].ended).min().unwrap();
    (0..all.len()).filter(left).any(|at| {
        let after = (all[at].begun <= first_end).then(|| step(tat, &all[at])).flatten();
        after.is_some_and(|tat| explained(all, tat, done | 1 << at, dead))
    })
}

/// What the threads of a history call.
trait Subject: Sync {
    /// What is taken back.
    type Receipt;

    fn charge(&self, cost: u32, now: u64) -> Option<Self::Receipt>;
    fn peek(&self, cost: u32, now: u64) -> bool;
    fn refund(&self, cost: u32, receipt: Self::Receipt);
}

impl Subject for LimitSet<str> {
    type Receipt = Charge;

    fn charge(&self, cost: u32, now: u64) -> Option<Charge> {
        self.charge_at("a", cost, Mono::from_nanos(now)).ok()
    }

    fn peek(&self, cost: u32, now: u64) -> bool {
        self.peek_at("a", cost, Mono::from_nanos(now)).is_ok()
    }

    fn refund(&self, _: u32, receipt: Charge) {
        LimitSet::refund(self, receipt);
    }
}

/// A bucket that looks, lets others on, and then writes: what is charged in between is lost.
#[derive(Default)]
struct Careless(AtomicU64);

impl Subject for Careless {
    type Receipt = ();

    fn charge(&self, cost: u32, now: u64) -> Option<()> {
        let until = self.0.load(SeqCst).max(now) + u64::from(cost) * INTERVAL;
        let passes = until - now <= BURST * INTERVAL;
        thread::yield_now();
        passes.then(|| self.0.store(until, SeqCst))
    }

    fn peek(&self, cost: u32, now: u64) -> bool {
        self.0.load(SeqCst).max(now) + u64::from(cost) * INTERVAL - now <= BURST * INTERVAL
    }

    fn refund(&self, cost: u32, (): ()) {
        self.0.fetch_sub(u64::from(cost) * INTERVAL, SeqCst);
    }
}

fn random(seed: &mut u64, below: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

/// Lets nobody on before all have come. No thread sleeps here: whoever has to be woken comes late.
#[derive(Default)]
struct Meeting(AtomicUsize);

impl Meeting {
    fn wait(&self) {
        let place = self.0.fetch_add(1, SeqCst);
        let (all, mut turns) = (place - place % THREADS + THREADS, 0);
        while self.0.load(SeqCst) < all {
            turns += 1;
            // Where there are fewer processors than threads, one of them has to let another on.
            if turns % 64 == 0 { thread::yield_now() } else { spin_loop() }
        }
    }
}

/// What one thread of a history does.
fn caller<S: Subject>(
    subject: &S,
    time: &AtomicUsize,
    meeting: &Meeting,
    mut seed: u64,
    refunds: bool,
) -> Vec<Done> {
    let (mut done, mut standing) = (Vec::with_capacity(CALLS), Vec::with_capacity(CALLS));
    for _ in 0..CALLS {
        let (cost, dice) = (1 + random(&mut seed, 2) as u32, random(&mut seed, 4));
        // Refunds give back all only while time stands still.
        let now = if refunds { 100 } else { 100 + random(&mut seed, 5) } * INTERVAL;
        let kept = if refunds && dice < 2 { standing.pop() } else { None };
        meeting.wait();
        let begun = time.fetch_add(1, SeqCst);
        let (op, passed) = match (dice, kept) {
            (_, Some((cost, receipt))) => {
                subject.refund(cost, receipt);
                (Op::Refund { cost }, true)
            }
            (2, None) => (Op::Peek { cost, now }, subject.peek(cost, now)),
            (_, None) => {
                let charged = subject.charge(cost, now);
                let passed = charged.is_some();
                standing.extend(charged.map(|receipt| (cost, receipt)));
                (Op::Charge { cost, now }, passed)
            }
        };
        done.push(Done { op, begun, ended: time.fetch_add(1, SeqCst), passed });
    }
    done
}

/// Runs histories on subjects of their own until enough calls overlapped the one before, or the
/// machine is found too busy for that; answers them, and how many overlapped.
fn histories<S: Subject>(new: impl Fn() -> S) -> (Vec<Vec<Done>>, usize) {
    let (mut all, mut overlapping) = (Vec::new(), 0);
    while overlapping < ENOUGH && all.len() < MOST {
        let (more, overlapped) = some_histories(all.len(), &new);
        overlapping += overlapped;
        all.extend(more);
    }
    (all, overlapping)
}

fn some_histories<S: Subject>(first: usize, new: impl Fn() -> S) -> (Vec<Vec<Done>>, usize) {
    let stages: Vec<_> = (0..AT_A_TIME).map(|_| (new(), AtomicUsize::new(0))).collect();
    let meeting = Meeting::default();
    let run = |thread: usize| {
        let lived = stages.iter().zip(first..).map(|((subject, time), number)| {
            let seed = (number * THREADS + thread) as u64;
            caller(subject, time, &meeting, seed, number % 2 == 0)
        });
        lived.collect::<Vec<_>>()
    };
    let threads: Vec<Vec<Vec<Done>>> = thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..THREADS).map(|it| scope.spawn(move || run(it))).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let (mut all, mut overlapping) = (vec![Vec::new(); AT_A_TIME], 0);
    for (history, done) in threads.into_iter().flat_map(|it| it.into_iter().enumerate()) {
        all[history].extend(done);
    }
    for history in &mut all {
        history.sort_unstable_by_key(|it| it.begun);
        overlapping += history.windows(2).filter(|pair| pair[1].begun < pair[0].ended).count();
    }
    (all, overlapping)
}

fn explains(history: &[Done]) -> bool {
    explained(history, 0, 0, &mut HashSet::new())
}

#[test]
fn every_small_history_is_one_of_calls_that_came_one_after_the_other() {
    let quota = Quota::per_second(1).burst(BURST as u32);
    let (all, overlapping) = histories(|| LimitSet::<str>::new(quota, 4).unwrap());
    println!("{overlapping} of {} calls overlapped the one before", all.len() * THREADS * CALLS);
    for history in all {
        assert!(explains(&history), "{history:#?}");
    }
}

#[test]
fn attack_a_bucket_that_looks_and_then_writes_is_found_out() {
    let (all, overlapping) = histories(Careless::default);
    let found = all.iter().filter(|history| !explains(history)).count();
    println!("{found} of {} histories, {overlapping} calls overlapped", all.len());
    assert!(found > 0, "{overlapping} calls overlapped");
}

#[test]
fn a_history_that_no_order_explains_is_noticed() {
    let charge = |begun, ended, passed| {
        let op = Op::Charge { cost: 2, now: INTERVAL };
        Done { op, begun, ended, passed }
    };
    assert!(explains(&[charge(0, 1, true), charge(2, 3, false)]));
    assert!(explains(&[charge(0, 3, false), charge(1, 2, true)]));
    assert!(!explains(&[charge(0, 1, false), charge(2, 3, true)]));
    assert!(!explains(&[charge(0, 3, true), charge(1, 2, true)]));
}

const AT_A_TIME: usize = 500;
const ENOUGH: usize = 3_000;
const MOST: usize = 5_000;
