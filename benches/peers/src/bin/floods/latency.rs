//! How long the calls of those who mean well take while another thread floods.

use std::{
    error::Error,
    hint::black_box,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use governor::RateLimiter;
use portcullis::{Quota, clock, limit::Limiter};

/// Each is a quiet stretch and a flood.
const ROUNDS: usize = 9;
/// New keys in all.
const FLOOD: u64 = 10_000_000;
const LEGITIMATE: u64 = 1_000;
const BURST: u32 = 1_000_000;

/// Calls of one stretch: the median, and what one in a thousand exceeds, in nanoseconds.
#[derive(Clone, Copy)]
struct Stretch {
    median: u64,
    late: u64,
}

pub(crate) fn print() -> Result<(), Box<dyn Error>> {
    println!(
        "| limiter | new keys | median, quiet | in the flood | p99.9, quiet | in the flood | p99.9, times |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    // A new key is live for a microsecond: what is measured is the flood, not its debts.
    let limiter = Limiter::<u64>::new(Quota::per_second(BURST).burst(BURST), 1 << 20)?;
    row("portcullis", &|key| limiter.check_at(&key, clock::mono()).is_ok());
    let quota = governor::Quota::per_second(BURST.try_into()?);
    let peer = RateLimiter::dashmap(quota);
    row("governor", &|key| peer.check_key(&key).is_ok());
    println!();
    Ok(())
}

fn row(name: &str, check: &(dyn Fn(u64) -> bool + Sync)) {
    let new = AtomicU64::new(LEGITIMATE);
    let (mut quiet, mut flooded, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let alone = stretch(check, Duration::from_millis(200), &AtomicBool::new(false));
        let beside = beside_a_flood(check, &new, FLOOD / ROUNDS as u64);
        times.push(beside.late * 100 / alone.late.max(1));
        quiet.push(alone);
        flooded.push(beside);
    }
    let median = |of: fn(&Stretch) -> u64, all: &[Stretch]| middle(all.iter().map(of).collect());
    let [quiet_median, flooded_median] = [&quiet, &flooded].map(|all| median(|it| it.median, all));
    let [quiet_late, flooded_late] = [&quiet, &flooded].map(|all| median(|it| it.late, all));
    let (keys, times) = (new.into_inner() - LEGITIMATE, middle(times) as f64 / 100.0);
    println!(
        "| {name} | {keys} | {quiet_median} | {flooded_median} | {quiet_late} | {flooded_late} | \
         {times:.2} |"
    );
}

fn beside_a_flood(check: &(dyn Fn(u64) -> bool + Sync), new: &AtomicU64, count: u64) -> Stretch {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..count {
                black_box(check(new.fetch_add(1, Relaxed)));
            }
            over.store(true, Relaxed);
        });
        stretch(check, Duration::from_secs(60), &over)
    })
}

/// Calls by the legitimate keys in turn, until the time or the flood is over.
fn stretch(check: &(dyn Fn(u64) -> bool + Sync), time: Duration, over: &AtomicBool) -> Stretch {
    let (start, mut took) = (Instant::now(), Vec::with_capacity(1 << 22));
    let mut before = start;
    while before - start < time && !over.load(Relaxed) && took.len() < took.capacity() {
        black_box(check(took.len() as u64 % LEGITIMATE));
        let after = Instant::now();
        took.push((after - before).as_nanos() as u64);
        before = after;
    }
    took.sort_unstable();
    Stretch { median: crate::quantile(&took, 2), late: crate::quantile(&took, 1_000) }
}

fn middle(mut of: Vec<u64>) -> u64 {
    of.sort_unstable();
    crate::quantile(&of, 2)
}
