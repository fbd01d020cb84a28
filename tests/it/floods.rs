//! What floods do to the callers who mean well, on a clock that is only a number:
//! `cargo test --test it floods -- --ignored --nocapture`, a minute without optimisation.

use portcullis::{
    Mono, Quota,
    limit::{Limiter, slots_for},
};

const MILLI: u64 = 1_000_000;
const QUOTA: Quota = Quota::per_second(10).burst(20);
const LEGITIMATE: u64 = 1_000;
const ATTACKER: u64 = u64::MAX;
const SECONDS: u64 = 10;

/// Calls of those who stay within the quota, and how many of these were denied; what the
/// attacker got.
#[derive(Default)]
struct Seen {
    calls: u64,
    denied: u64,
    attacker: u64,
}

/// Ten seconds in which `strangers` call in every millisecond, each legitimate key ten times every
/// two seconds, and the attacker once a millisecond.
fn flood(slots: usize, strangers: impl Fn(u64) -> std::ops::Range<u64>) -> Seen {
    let (limiter, mut seen) = (Limiter::<u64>::new(QUOTA, slots).unwrap(), Seen::default());
    for milli in 0..SECONDS * 1_000 {
        let now = Mono::from_nanos((1_000 + milli) * MILLI);
        for key in strangers(milli) {
            let _ = limiter.check_at(&(LEGITIMATE + key), now);
        }
        for key in (0..LEGITIMATE).filter(|key| key * 2 % 2_000 == milli % 2_000) {
            let denied = (0..10).filter(|_| limiter.check_at(&key, now).is_err()).count();
            seen.calls += 10;
            seen.denied += denied as u64;
        }
        seen.attacker += u64::from(limiter.check_at(&ATTACKER, now).is_ok());
    }
    seen
}

#[test]
#[ignore = "takes a minute: ten million keys, several times over"]
fn a_flood_of_new_keys_and_a_crowd_that_stays() {
    println!("| flood | slots | legitimate calls | denied | attacker, of 119 allowed |");
    println!("|---|---:|---:|---:|---:|");
    let row = |name: &str, slots: usize, most: f64, seen: &Seen| {
        let share = 100.0 * seen.denied as f64 / seen.calls as f64;
        println!("| {name} | {slots} | {} | {share:.3} % | {} |", seen.calls, seen.attacker);
        assert!(seen.attacker <= 120, "the attacker is never admitted beyond the quota");
        assert!(share <= most, "{name}, {slots} slots: {share} %");
    };
    // A stranger is live for 100 ms: 100,000 at a time.
    let fresh = |milli: u64| milli * 1_000..(milli + 1) * 1_000;
    for (slots, most) in [(125_000, 0.1), (150_000, 0.0), (250_000, 0.0)] {
        row("10,000,000 new keys", slots, most, &flood(slots, fresh));
    }
    // A hundred thousand who each call every 50 ms, at twice the quota.
    let crowd = |milli: u64| milli % 50 * 2_000..(milli % 50 + 1) * 2_000;
    for (slots, most) in [(250_000, 100.0), (400_000, 100.0), (slots_for(100_000), 0.1)] {
        row("100,000 who stay", slots, most, &flood(slots, crowd));
    }
}
