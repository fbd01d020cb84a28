//! Real threads that read the real clock: in no interval of time is more admitted than burst and
//! rate allow, and who is alone gets all of it.

use std::{collections::HashMap, thread};

use portcullis::{
    Mono, Quota, clock,
    limit::{Charge, LimitSet, Limiter, WhenFull},
};

/// A call that counts: when it was begun and when it was answered.
#[derive(Clone, Copy)]
struct Counted {
    before: u64,
    after: u64,
}

/// A quota with the nanoseconds between its calls.
#[derive(Clone, Copy)]
struct Kept(Quota, u64, u32);

const QUOTAS: [Kept; 4] = [
    Kept(Quota::per_second(100_000).burst(5), 10_000, 5),
    Kept(Quota::per_second(2_000_000).burst(50), 500, 50),
    Kept(Quota::per_second(3_000).burst(100), 333_334, 100),
    Kept(Quota::per_day(1).burst(7), 86_400_000_000_000, 7),
];

fn nanos() -> u64 {
    clock::mono().as_nanos()
}

/// Over all pairs of calls, the most by which what lies between the beginning of one and the
/// answer to the other exceeds what burst and time allow, in nanoseconds.
fn excess(mut calls: Vec<Counted>, interval: u64, burst: u32) -> i128 {
    calls.sort_unstable_by_key(|call| call.after);
    let starts = calls.iter().map(|call| call.before);
    let worst = starts.map(|start| {
        let within = calls.iter().filter(|call| call.before >= start);
        let over = within.zip(1..).map(|(call, count)| {
            let allowed = i128::from(burst) * i128::from(interval) + i128::from(call.after - start);
            i128::from(interval) * count - allowed
        });
        over.max().unwrap_or(i128::MIN)
    });
    worst.max().unwrap_or(i128::MIN)
}

/// What `threads` callers of `calls` calls each see; `call` says whether one counts.
fn contend(
    threads: u64,
    calls: u64,
    keys: u64,
    call: impl Fn(u64, u64, Mono) -> bool + Sync,
) -> HashMap<u64, Vec<Counted>> {
    let caller = |thread: u64| {
        let mut counted = Vec::new();
        for number in 0..calls {
            let key = (number + thread) % keys;
            let before = nanos();
            if call(key, number, Mono::from_nanos(before)) {
                counted.push((key, Counted { before, after: nanos() }));
            }
        }
        counted
    };
    let mut all = HashMap::<u64, Vec<Counted>>::new();
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|it| scope.spawn(move || caller(it))).collect();
        for (key, call) in running.into_iter().flat_map(|it| it.join().unwrap()) {
            all.entry(key).or_default().push(call);
        }
    });
    all
}

/// From more slots than keys to five keys a slot.
const SHAPES: [(usize, u64); 4] = [(64, 1), (64, 3), (4, 12), (8, 40)];

#[test]
fn the_measure_of_excess_finds_one_call_too_many() {
    let calls = |times: &[(u64, u64)]| {
        times.iter().map(|&(before, after)| Counted { before, after }).collect::<Vec<_>>()
    };
    assert_eq!(excess(calls(&[(0, 1), (0, 1)]), 10, 2), -1);
    assert_eq!(excess(calls(&[(0, 1), (0, 1), (0, 1)]), 10, 2), 9);
    assert_eq!(excess(calls(&[(0, 1), (0, 1), (0, 11)]), 10, 2), -1);
    assert_eq!(excess(calls(&[(90, 91), (0, 1), (90, 92), (90, 93)]), 10, 2), 7);
}

#[test]
fn no_interval_of_real_time_admits_more_than_burst_and_rate() {
    for Kept(quota, interval, burst) in QUOTAS {
        for when_full in [WhenFull::Inherit, WhenFull::Deny] {
            for (threads, (slots, keys)) in [1, 2, 4].into_iter().zip(SHAPES.into_iter().cycle()) {
                let limiter = Limiter::<u64>::new(quota, slots).unwrap().when_full(when_full);
                let check = |key: u64, _, now| limiter.check_at(&key, now).is_ok();
                let counted = contend(threads, 1_500, keys, check);
                assert!(counted.values().map(Vec::len).sum::<usize>() >= burst as usize);
                for (key, calls) in counted {
                    let excess = excess(calls, interval, burst);
                    assert!(excess <= 0, "{quota} {when_full:?} {threads} {key}: {excess} ns");
                }
            }
        }
    }
}

#[test]
fn what_stands_keeps_every_interval_while_other_charges_are_refunded() {
    for (Kept(quota, interval, burst), (slots, keys)) in QUOTAS.into_iter().zip(SHAPES) {
        for threads in [1, 2, 4] {
            // The second quota refuses some that the first has charged already.
            let set = LimitSet::<u64>::new([quota, Quota::per_day(200)], slots).unwrap();
            let call = |key: u64, number: u64, now| {
                let charge: Option<Charge> = set.charge_at(&key, 1, now).ok();
                match number % 3 {
                    0 => charge.is_some(),
                    _ => {
                        charge.into_iter().for_each(|charge| set.refund(charge));
                        false
                    }
                }
            };
            let counted = contend(threads, 1_500, keys, call);
            assert!(!counted.is_empty());
            for (key, calls) in counted {
                assert!(calls.len() <= 200);
                let excess = excess(calls, interval, burst);
                assert!(excess <= 0, "{quota} {threads} {key}: {excess} ns");
            }
        }
    }
}

#[test]
fn who_is_alone_gets_all_that_burst_and_rate_allow() {
    // Buckets that take longer to refill than any pause of the machine.
    for (quota, interval, burst) in [
        (Quota::per_second(1_000).burst(5_000), 1_000_000, 5_000),
        (Quota::per_second(50).burst(1_000), 20_000_000, 1_000),
        (Quota::per_day(1).burst(3), 86_400_000_000_000, 3),
    ] {
        let limiter = Limiter::<str>::new(quota, 64).unwrap();
        let (first, mut last, mut admitted) = (nanos(), 0, 0);
        // Ends with a call that is refused, so that nothing due is left.
        loop {
            last = last.max(nanos());
            match limiter.check_at("one", Mono::from_nanos(last)) {
                Ok(()) => admitted += 1,
                Err(_) if last > first + 60_000_000 => break,
                Err(_) => {}
            }
        }
        let due = burst + (last - first) / interval;
        assert!((due - 1..=due).contains(&admitted), "{quota}: {admitted} of {due}");
    }
}
