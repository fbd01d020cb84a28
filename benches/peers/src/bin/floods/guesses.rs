//! How many of the guesses that come at once are looked at.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use portcullis::{
    Mono, Quota,
    limit::{LimitSet, Login, LoginGuard, OnDrop, Verdict},
};

const GUESSES: usize = 10_000;
const NOW: Mono = Mono::from_nanos(1_000_000_000_000);
/// What an account may get wrong from one network, and from anywhere.
const FROM_ONE: u32 = 5;
const FROM_ANYWHERE: u32 = 20;

pub(crate) fn print() -> Result<(), Box<dyn Error>> {
    println!("| at one account | threads | guesses | looked at | free |");
    println!("|---|---:|---:|---:|---:|");
    for threads in [2, 16, 128] {
        let networks =
            |count| move |guess: usize| IpAddr::from(Ipv4Addr::from_bits((guess % count) as u32));
        guarded("guard, from one network", threads, networks(1), FROM_ONE)?;
        guarded("guard, from 10,000 networks", threads, networks(GUESSES), FROM_ANYWHERE)?;
        let set = LimitSet::<str>::new(Quota::per_minute(5), 1_024)?;
        let looked_at = at_once(threads, |_| set.reserve_at("alice", 1, NOW, OnDrop::Commit).ok());
        row("reserved, 5 a minute", threads, looked_at, 5)?;
    }
    println!();
    Ok(())
}

fn guarded(
    name: &str,
    threads: usize,
    network: impl Fn(usize) -> IpAddr + Sync,
    free: u32,
) -> Result<(), Box<dyn Error>> {
    let guard = LoginGuard::builder().attempts(FROM_ONE).account_attempts(FROM_ANYWHERE).start()?;
    let looked_at = at_once(threads, |guess| {
        match guard.reserve(&Login::new("alice").client(network(guess)), NOW) {
            Verdict::Allow(attempt) => Some(attempt),
            _ => None,
        }
    });
    row(name, threads, looked_at, free)
}

fn row(name: &str, threads: usize, looked_at: u64, free: u32) -> Result<(), Box<dyn Error>> {
    println!("| {name} | {threads} | {GUESSES} | {looked_at} | {free} |");
    if looked_at == u64::from(free) { Ok(()) } else { Err("more or fewer were looked at".into()) }
}

/// Guesses that nobody knows the outcome of before the last has been made; how many were let in.
fn at_once<T>(threads: usize, guess: impl Fn(usize) -> Option<T> + Sync) -> u64 {
    let (start, end, let_in) = (Barrier::new(threads), Barrier::new(threads), AtomicU64::new(0));
    thread::scope(|scope| {
        for thread in 0..threads {
            let (start, end, let_in, guess) = (&start, &end, &let_in, &guess);
            scope.spawn(move || {
                start.wait();
                let mine = (0..GUESSES).filter(|at| at % threads == thread);
                let held: Vec<T> = mine.filter_map(guess).collect();
                let_in.fetch_add(held.len() as u64, Relaxed);
                end.wait();
            });
        }
    });
    let_in.into_inner()
}
