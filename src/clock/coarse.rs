//! The monotonic clock at a fraction of the price, for limiters that are asked more often than
//! anything else.

use crate::Mono;

/// Reads the monotonic clock as it stood at the system's last tick, for a fraction of the price.
///
/// It lies behind [`mono`](super::mono) by up to a tick, which is 1 to 10 ms
/// (`CLOCK_MONOTONIC_COARSE` on Linux; elsewhere it is `mono` itself), and is a reading of the same
/// clock: both may be used with one limiter. A reading that is behind never admits more, since a
/// bucket has drained by the reading at the most. Who was told to wait may be told so again, for
/// less than a tick.
///
/// ```
/// use portcullis::{clock, limit::{Limiter, Quota}};
///
/// let limiter: Limiter<str> = Limiter::new(Quota::per_hour(1), 1024)?;
/// assert!(limiter.check_at("alice", clock::coarse()).is_ok());
/// assert!(limiter.check_at("alice", clock::coarse()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[inline]
pub fn coarse() -> Mono {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let reading = super::nanos(rustix::time::ClockId::MonotonicCoarse);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let reading = super::monotonic_nanos();
    Mono::from_nanos(reading)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::mono;

    #[test]
    fn a_coarse_reading_is_never_ahead_and_a_little_behind() {
        for _ in 0..1_000 {
            let (first, fine, later) = (coarse(), mono(), coarse());
            assert!(first <= fine && first <= later, "{first:?} {fine:?} {later:?}");
            let behind = Duration::from_nanos(fine.as_nanos() - first.as_nanos());
            assert!(behind < Duration::from_secs(60), "{behind:?} is no tick");
        }
    }
}
