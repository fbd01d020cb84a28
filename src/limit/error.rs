//! The limiter's two kinds of no: to a call, and to a set-up.

use std::time::Duration;

use super::{Quota, bucket::Denied};

/// A call that was not admitted, and when to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("exceeded `{quota}`: {kind}")]
pub struct Exceeded {
    quota: Quota,
    kind: ExceededKind,
    wait: u64,
    /// The wait by the clock that the quota goes by: of a calendar, it counts calls.
    lacking: u64,
}

/// Why a call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ExceededKind {
    /// The reading of the clock lies beyond the 2^60 nanoseconds (36 years) since its origin that
    /// a limiter can count, as nanoseconds since 1970 do; or the quota goes by the calendar, and
    /// the time of day was not told, or lies beyond 2199. The caller is not at fault.
    #[error("clock")]
    Clock,
    /// The caller has used up the quota.
    #[error("spent")]
    Spent,
    /// The call costs more than the quota holds: no wait helps.
    #[error("too_costly")]
    TooCostly,
    /// The limiter has no room to count a new key, and was told to
    /// [`Deny`](super::WhenFull::Deny) then. The caller is not at fault.
    #[error("table_full")]
    TableFull,
}

impl Exceeded {
    pub(super) const fn new(quota: Quota, denied: Denied) -> Self {
        Self { quota, kind: denied.kind, wait: denied.wait, lacking: denied.wait }
    }

    /// With that wait by the clock on the wall.
    pub(super) const fn waiting(self, wait: u64) -> Self {
        Self { wait, ..self }
    }

    /// Why.
    #[must_use]
    pub const fn kind(self) -> ExceededKind {
        self.kind
    }

    /// The quota that was in force.
    #[must_use]
    pub const fn quota(self) -> Quota {
        self.quota
    }

    /// The least wait after which the same call can succeed, if no other call comes first.
    ///
    /// After [`ExceededKind::Clock`] and [`ExceededKind::TooCostly`], which no wait cures, the time
    /// in which a bucket refills.
    #[must_use]
    pub const fn retry_after(self) -> Duration {
        Duration::from_nanos(self.wait)
    }

    pub(super) const fn lacking(self) -> u64 {
        self.lacking
    }

    /// The wait as `Retry-After` takes it (RFC 9110 section 10.2.3): whole seconds, rounded up,
    /// at least 1.
    #[must_use]
    pub const fn retry_after_secs(self) -> u64 {
        let secs = self.wait.div_ceil(1_000_000_000);
        if secs == 0 { 1 } else { secs }
    }
}

/// A limiter that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// No slots, more than 2^28 (4 GiB), or more than memory allows.
    #[error("`{slots}` slots: a table takes 1 to 268435456, and memory for them")]
    Slots {
        /// How many were asked for.
        slots: usize,
    },
    /// A quota by the calendar where the time of day is not known, or one that is to take the
    /// place of a quota by another clock.
    #[error(
        "the quota `{quota}` goes by another clock: count days and months with a `LimitSet` and \
         `Now`, and let nothing but `Inheritance::Reset` stand between two clocks"
    )]
    Calendar {
        /// The quota at fault.
        quota: Quota,
    },
    /// A quota by the calendar with another burst than all of it.
    #[error("the quota `{quota}` goes by the calendar and comes back whole: leave its burst out")]
    CalendarBurst {
        /// The quota at fault.
        quota: Quota,
    },
    /// A [`ConcurrencyLimit`](super::ConcurrencyLimit) of none. To refuse everybody, say so in the
    /// policy.
    #[error("`0` at once admits nobody")]
    NoneAtOnce,
    /// No quota, or more than four.
    #[error("`{count}` quotas: a set takes 1 to 4")]
    Quotas {
        /// How many were given.
        count: usize,
    },
    /// No such time zone.
    #[error("no time zone `{name}`: take a name of the IANA database, such as `Europe/Berlin`")]
    Zone {
        /// What was asked for.
        name: String,
    },
    /// The interval between two calls would be shorter than the clock can say.
    #[error("the quota `{quota}` is faster than one per nanosecond")]
    TooFast {
        /// The quota at fault.
        quota: Quota,
    },
    /// Burst times interval is more than 2^59 nanoseconds.
    #[error("the quota `{quota}` takes more than 18 years to refill")]
    TooLong {
        /// The quota at fault.
        quota: Quota,
    },
    /// Rate or burst is zero. To refuse everybody, say so in the policy.
    #[error("the quota `{quota}` admits nobody")]
    Zero {
        /// The quota at fault.
        quota: Quota,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up_and_at_least_one() {
        let check = |wait: u64, secs: u64| {
            let denied = Denied { kind: ExceededKind::Spent, wait };
            let exceeded = Exceeded::new(Quota::per_second(1), denied);
            assert_eq!(exceeded.retry_after(), Duration::from_nanos(wait));
            assert_eq!(exceeded.retry_after_secs(), secs, "{wait} ns");
        };
        check(0, 1);
        check(1_000_000, 1);
        check(999_000_000, 1);
        check(1_000_000_000, 1);
        check(1_000_000_001, 2);
        check(1_001_000_000, 2);
        check(u64::MAX, 18_446_744_074);
    }

    #[test]
    fn it_says_what_and_why() {
        let denied = Denied { kind: ExceededKind::TableFull, wait: 5 };
        let exceeded = Exceeded::new(Quota::per_minute(5), denied);
        assert_eq!(exceeded.to_string(), "exceeded `5 per minute`: table_full");
    }
}
