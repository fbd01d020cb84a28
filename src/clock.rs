//! The one place that reads a clock. The edge calls it once per request; the core never does.
#![expect(clippy::disallowed_methods, reason = "this file is the one reader of the clocks")]

mod coarse;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use coarse::coarse;

use crate::{Mono, Now, UnixTime};

/// Reads both clocks, now.
#[must_use]
pub fn now() -> Now {
    // A clock before 1970 is broken; at the end of time every token has expired.
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::MAX);
    let wall = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    Now::new(UnixTime::from_millis(wall), mono())
}

/// Reads the monotonic clock alone: all that a limiter of one's own asks for, at half the price.
///
/// It is raw `CLOCK_MONOTONIC` on Unix, whose origin is the same for every caller on the machine,
/// and time since the first call elsewhere. Readings of [`now`] are of the same clock.
///
/// ```
/// use portcullis::{clock, limit::{Limiter, Quota}};
///
/// let limiter: Limiter<str> = Limiter::new(Quota::per_hour(1), 1024)?;
/// assert!(limiter.check_at("alice", clock::mono()).is_ok());
/// assert!(limiter.check_at("alice", clock::mono()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn mono() -> Mono {
    Mono::from_nanos(monotonic_nanos())
}

#[cfg(unix)]
fn monotonic_nanos() -> u64 {
    nanos(rustix::time::ClockId::Monotonic)
}

#[cfg(unix)]
fn nanos(clock: rustix::time::ClockId) -> u64 {
    let reading = rustix::time::clock_gettime(clock);
    let secs = u64::try_from(reading.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(reading.tv_nsec).unwrap_or(0);
    secs.saturating_mul(1_000_000_000).saturating_add(nanos)
}

#[cfg(not(unix))]
fn monotonic_nanos() -> u64 {
    use std::{sync::OnceLock, time::Instant};
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(ORIGIN.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_read_one_clock() {
        let (first, second, third) = (mono(), now().mono, mono());
        assert!(first <= second && second <= third, "{first:?} {second:?} {third:?}");
        let apart = Duration::from_nanos(third.as_nanos() - first.as_nanos());
        assert!(apart < Duration::from_secs(60), "{apart:?} is no time between two calls");
    }
}
