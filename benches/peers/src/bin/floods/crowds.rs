//! Who is denied, and what memory is taken, on a clock that is only a number.

use std::{error::Error, num::NonZero, ops::Range, time::Duration};

use governor::{RateLimiter, clock::FakeRelativeClock};
use portcullis::{
    Mono, Quota,
    limit::{Limiter, slots_for},
};

use crate::memory::resident;

const MILLI: u64 = 1_000_000;
const SECONDS: u64 = 10;
const QUOTA: Quota = Quota::per_second(10).burst(20);
const LEGITIMATE: u64 = 1_000;
const ATTACKER: u64 = u64::MAX;
/// A full bucket, and what comes back in ten seconds less a millisecond.
const ATTACKERS_DUE: u64 = 119;
/// Strangers who are live at any moment.
const LIVE: usize = 100_000;

/// Who calls beside those who mean well.
struct Flood {
    name: &'static str,
    /// The keys that call in a millisecond.
    strangers: fn(u64) -> Range<u64>,
}

/// A stranger is live for 100 ms.
const NEW: Flood =
    Flood { name: "10,000,000 new keys", strangers: |milli| milli * 1_000..(milli + 1) * 1_000 };
/// Each calls every 50 ms, at twice the quota.
const STAYING: Flood = Flood {
    name: "100,000 who stay",
    strangers: |milli| milli % 50 * 2_000..(milli % 50 + 1) * 2_000,
};

#[derive(Default)]
struct Seen {
    /// By those who stay within the quota.
    calls: u64,
    denied: u64,
    /// What the attacker got.
    attacker: u64,
}

pub(crate) fn print() -> Result<(), Box<dyn Error>> {
    println!("| flood | limiter | slots | denied | attacker | heap, bytes | resident, MiB |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    // With the share of calls by those who mean well that may be denied, in per cent.
    let quarter = (LIVE * 5 / 4, 0.5);
    let (half, more, advised) = (LIVE * 5 / 2, LIVE * 4, slots_for(LIVE));
    for (slots, most) in [quarter, (LIVE * 3 / 2, 0.1), (half, 0.0), (more, 0.0), (advised, 0.0)] {
        ours(&NEW, slots, most)?;
    }
    let crowded = (LIVE * 5 / 4, 100.0);
    for (slots, most) in [crowded, (half, 10.0), (more, 5.0), (advised, 0.1)] {
        ours(&STAYING, slots, most)?;
    }
    governor(&NEW)?;
    println!();
    Ok(())
}

fn ours(flood: &Flood, slots: usize, most: f64) -> Result<(), Box<dyn Error>> {
    let limiter = Limiter::<u64>::new(QUOTA, slots)?;
    flood.row("portcullis", &slots.to_string(), most, |key, milli| {
        limiter.check_at(&key, Mono::from_nanos((1_000 + milli) * MILLI)).is_ok()
    })
}

fn governor(flood: &Flood) -> Result<(), Box<dyn Error>> {
    let (rate, burst) =
        (NonZero::<u32>::MIN.saturating_add(9), NonZero::<u32>::MIN.saturating_add(19));
    let (clock, quota) = (FakeRelativeClock::default(), governor::Quota::per_second(rate));
    let limiter = RateLimiter::dashmap_with_clock(quota.allow_burst(burst), clock.clone());
    let mut now = 0;
    flood.row("governor", "-", 0.0, |key, milli| {
        clock.advance(Duration::from_millis(milli - now));
        now = milli;
        limiter.check_key(&key).is_ok()
    })
}

impl Flood {
    fn row(
        &self,
        limiter: &str,
        slots: &str,
        most: f64,
        check: impl FnMut(u64, u64) -> bool,
    ) -> Result<(), Box<dyn Error>> {
        let (before, mut seen) = (resident(), Seen::default());
        let heap = allocation_counter::measure(|| seen = self.run(check));
        let grown = resident().zip(before).map(|(after, before)| after.saturating_sub(before));
        let grown = grown.map_or("?".to_owned(), |mib| format!("+{mib}"));
        let share = 100.0 * seen.denied as f64 / seen.calls as f64;
        let (name, attacker, bytes) = (self.name, seen.attacker, heap.bytes_current);
        println!(
            "| {name} | {limiter} | {slots} | {share:.3} % | {attacker} | {bytes} | {grown} |"
        );
        if attacker > ATTACKERS_DUE {
            return Err("the attacker got more than the quota".into());
        }
        if share > most { Err("too many calls were denied".into()) } else { Ok(()) }
    }

    /// Ten seconds in which the strangers call, each legitimate key ten times every two seconds,
    /// and the attacker once a millisecond.
    fn run(&self, mut check: impl FnMut(u64, u64) -> bool) -> Seen {
        let mut seen = Seen::default();
        for milli in 0..SECONDS * 1_000 {
            for key in (self.strangers)(milli) {
                check(LEGITIMATE + key, milli);
            }
            for key in (0..LEGITIMATE).filter(|key| key * 2 % 2_000 == milli % 2_000) {
                let denied = (0..10).filter(|_| !check(key, milli)).count();
                seen.calls += 10;
                seen.denied += denied as u64;
            }
            seen.attacker += u64::from(check(ATTACKER, milli));
        }
        seen
    }
}
