//! Setting up a guard.

use std::{hash::RandomState, sync::Arc, time::Duration};

use super::{DEVICES_SHARE, Inner, Limits, LoginGuard, Table, state::Pace};
use crate::{Secret, crypto::MacKey};

/// A guard being set up; see [`LoginGuard::builder`].
///
/// Unless said otherwise: 5 free attempts for an account from one network, 20 for an account from
/// anywhere, 100 for a network on any account; a delay of 1 s that doubles up to 15 minutes; one
/// failure forgotten every 15 minutes, of a network every 45 s. So an account sees at most about 35 wrong passwords in its
/// first hour, and 4 an hour from then on.
#[derive(Clone, Debug)]
#[must_use = "a guard guards nothing before it is started"]
pub struct LoginGuardBuilder {
    limits: Limits,
    key: Option<Secret>,
}

/// Why a guard cannot be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// More may fail than is good for anybody.
    #[error("an account has 1 to 100 free attempts, a network 1 to 100,000")]
    Attempts,
    /// No delay, one that shrinks, or one for too long.
    #[error("a delay is 1 ms to 24 hours, and the longest not shorter than the first")]
    Delay,
    /// Failures are forgotten before they count, or hardly ever.
    #[error("a failure is forgotten after 1 minute to 24 hours")]
    Forget,
    /// A table of that size is none, or too much.
    #[error("a guard has 1,000 to 16,777,216 entries, not {entries}")]
    Entries {
        /// What was asked for.
        entries: usize,
    },
    /// A key that can be guessed.
    #[error("the key of device cookies has 32 bytes or more")]
    Key,
    /// The system has no random bytes.
    #[error("the system has no random bytes")]
    Random,
}

const DAY: Duration = Duration::from_secs(86_400);

impl LoginGuardBuilder {
    /// Free attempts for one account from one network, or from its known devices: one count for
    /// about a sixteenth of them.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.limits.pair.free = attempts;
        self
    }

    /// Free attempts for one account, wherever they come from: at most 100 (NIST SP 800-63B).
    pub fn account_attempts(mut self, attempts: u32) -> Self {
        self.limits.account.free = attempts;
        self
    }

    /// Free attempts of one network, an IPv4 address or an IPv6 /64, on whatever accounts.
    pub fn network_attempts(mut self, attempts: u32) -> Self {
        self.limits.network.free = attempts;
        self
    }

    /// The first delay, and the longest that doubling leads to.
    pub fn delays(mut self, first: Duration, longest: Duration) -> Self {
        for pace in self.limits.paces() {
            (pace.first_delay, pace.longest_delay) = (first, longest);
        }
        self
    }

    /// How long until one failure is forgotten. A network has as many more free attempts as
    /// people share it, and forgets as much faster: 20 times, with 100 for 5.
    pub fn forget(mut self, after: Duration) -> Self {
        for pace in self.limits.paces() {
            pace.forget = after;
        }
        self
    }

    /// Asks for a challenge from this many failures on. Without it, none is ever asked for. It is
    /// for forms: HTTP Basic can carry no solution.
    pub fn challenge_after(mut self, failures: u32) -> Self {
        self.limits.challenge = Some(failures);
        self
    }

    /// Room for so many accounts, networks and pairs together, about 50 bytes each: 262,144
    /// unless said otherwise. Every failure makes up to three, for as long as it is remembered. An
    /// eighth of them is kept for known devices, each of which needs one.
    pub fn entries(mut self, entries: usize) -> Self {
        self.limits.entries = entries;
        self
    }

    /// Signs device cookies with this key, so that they outlive the process. Without it they are
    /// worth nothing after a restart.
    pub fn device_key(mut self, key: Secret) -> Self {
        self.key = Some(key);
        self
    }

    /// The guard.
    ///
    /// # Errors
    /// When a number is out of its range, or the system has no random bytes for a key.
    pub fn start(self) -> Result<LoginGuard, GuardError> {
        let Self { mut limits, key } = self;
        let Limits { pair, account, network, entries, .. } = limits;
        let fits = |pace: Pace, most| (1..=most).contains(&pace.free);
        if !(fits(pair, 100) && fits(account, 100) && fits(network, 100_000)) {
            return Err(GuardError::Attempts);
        }
        let Pace { free, first_delay, longest_delay, forget } = pair;
        if first_delay < Duration::from_millis(1)
            || longest_delay < first_delay
            || longest_delay > DAY
        {
            return Err(GuardError::Delay);
        }
        if !(Duration::from_secs(60)..=DAY).contains(&forget) {
            return Err(GuardError::Forget);
        }
        if !(1_000..=1 << 24).contains(&entries) {
            return Err(GuardError::Entries { entries });
        }
        let key = match key {
            Some(key) if key.expose().len() < 32 => return Err(GuardError::Key),
            Some(key) => MacKey::new(key.expose()),
            None => MacKey::random().ok_or(GuardError::Random)?,
        };
        limits.network.forget = (forget * free / network.free).min(forget);
        let reserved = entries / DEVICES_SHARE;
        let (strangers, devices) = (Table::of(entries - reserved), Table::of(reserved));
        let hashing = RandomState::new();
        Ok(LoginGuard(Arc::new(Inner { limits, key, hashing, strangers, devices })))
    }
}

impl Limits {
    fn paces(&mut self) -> [&mut Pace; 3] {
        [&mut self.pair, &mut self.account, &mut self.network]
    }
}

impl Default for LoginGuardBuilder {
    fn default() -> Self {
        let pace = |free| Pace {
            free,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(900),
            forget: Duration::from_secs(900),
        };
        let (pair, account, network) = (pace(5), pace(20), pace(100));
        let limits = Limits { pair, account, network, challenge: None, entries: 262_144 };
        Self { limits, key: None }
    }
}
