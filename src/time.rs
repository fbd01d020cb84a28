//! The two readings of time a request is judged by. Plain numbers: nothing here reads a clock.

use std::{fmt, time::Duration};

/// Both readings, taken once per request at the edge and passed along as an argument.
///
/// Tokens and policies use `wall`, limits use `mono`. Tests make any moment they like:
///
/// ```
/// use portcullis::{Mono, Now, UnixTime};
///
/// let now = Now::new(UnixTime::from_secs(1_700_000_000), Mono::from_nanos(0));
/// assert_eq!(now.wall.as_secs(), 1_700_000_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Civil time; may be stepped by the system's administrator.
    pub wall: UnixTime,
    /// Monotonic time; never goes back.
    pub mono: Mono,
}

impl Now {
    /// Joins two readings.
    #[must_use]
    pub const fn new(wall: UnixTime, mono: Mono) -> Self {
        Self { wall, mono }
    }

    /// The same moment moved forward by `by` on both clocks.
    #[must_use]
    pub fn later(self, by: Duration) -> Self {
        Self { wall: self.wall.saturating_add(by), mono: self.mono.saturating_add(by) }
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From whole seconds since the epoch; saturates.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The moment `by` later, or the last one that can be said.
    #[must_use]
    pub fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// The moment `by` earlier, or the epoch.
    #[must_use]
    pub fn saturating_sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1000, self.0 % 1000)
    }
}

/// Nanoseconds of a monotonic clock since an arbitrary origin.
///
/// Readings compare only with readings of the same clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(u64);

impl Mono {
    /// From nanoseconds since the clock's origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The moment `by` later, or the last one that can be said.
    #[must_use]
    pub fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
