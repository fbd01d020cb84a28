//! Taking codes, each once.

use std::sync::Arc;

use super::{
    account,
    key::{Code, OtpKey},
    steps::{Advance, StepStore},
    unavailable,
};
use crate::{
    UnixTime,
    authn::{AuthnError, AuthnErrorKind},
};

/// Takes codes by the time (RFC 6238), a step every 30 s.
///
/// ```
/// use portcullis::{Secret, UnixTime, authn::otp::{MemorySteps, OtpKey, Totp}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let totp = Totp::new(MemorySteps::new(10_000));
/// let key = OtpKey::new(Secret::new(*b"12345678901234567890"))?;
/// let now = UnixTime::from_secs(59);
///
/// totp.verify("staff/alice", &key, "287082", now).await?;
/// let again = totp.verify("staff/alice", &key, "287082", now).await;
/// assert_eq!(again.unwrap_err().detail(), "the code, or a later one, was used before");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Totp {
    steps: Arc<dyn StepStore>,
    drift: Drift,
}

/// How far an app's clock may be off (RFC 6238 section 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// Only the code of the present step.
    None,
    /// One step, 30 s, either way.
    #[default]
    One,
    /// Two steps, a minute, either way.
    Two,
}

/// Takes codes by a counter (RFC 4226).
///
/// ```
/// use portcullis::{Secret, authn::otp::{Hotp, MemorySteps, OtpKey}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hotp = Hotp::new(MemorySteps::new(10_000)); // a service keeps counters in its database
/// let key = OtpKey::new(Secret::new(*b"12345678901234567890"))?;
///
/// assert_eq!(hotp.verify("staff/alice", &key, "359152", None).await?, 2);
/// assert!(hotp.verify("staff/alice", &key, "359152", Some(2)).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Hotp {
    steps: Arc<dyn StepStore>,
}

impl Totp {
    /// Remembers used steps in `steps`; lets clocks be off by one step.
    #[must_use]
    pub fn new(steps: impl StepStore) -> Self {
        Self { steps: Arc::new(steps), drift: Drift::default() }
    }

    /// Lets clocks be off by more, or not at all.
    #[must_use]
    pub fn drift(mut self, drift: Drift) -> Self {
        self.drift = drift;
        self
    }

    /// Takes `code` for `account` (a principal's id), whose key is `key`. The code and all before
    /// it are used up then. Confirm an enrolment with it too: the same code is no log-in after.
    ///
    /// # Errors
    /// `Malformed` for what is no code, `Invalid` for a wrong or used one, `Unavailable` when
    /// the store cannot say.
    pub async fn verify(
        &self,
        account: &str,
        key: &OtpKey,
        code: &str,
        now: UnixTime,
    ) -> Result<(), AuthnError> {
        let (step, drift) = (now.as_secs() / PERIOD_SECS, self.drift.steps());
        let window = step.saturating_sub(drift)..=step.saturating_add(drift);
        take(&*self.steps, account, key.find(window, code)).await.map(|_| ())
    }
}

impl Hotp {
    /// Remembers used counters in `steps`, which must outlast a restart.
    #[must_use]
    pub fn new(steps: impl StepStore) -> Self {
        Self { steps: Arc::new(steps) }
    }

    /// Takes `code` for `account` (a principal's id), whose key is `key` and whose last used
    /// counter is `last`. Looks ten codes ahead (RFC 4226 section 7.4). The counter it hands back
    /// is the last used one from then on.
    ///
    /// # Errors
    /// `Malformed` for what is no code, `Invalid` for a wrong or used one, `Unavailable` when
    /// the store cannot say.
    pub async fn verify(
        &self,
        account: &str,
        key: &OtpKey,
        code: &str,
        last: Option<u64>,
    ) -> Result<u64, AuthnError> {
        let next = match last {
            None => Some(0),
            Some(last) => last.checked_add(1),
        };
        let found = match next {
            Some(next) => key.find(next..=next.saturating_add(LOOK_AHEAD - 1), code),
            None => Code::Wrong,
        };
        take(&*self.steps, account, found).await
    }
}

impl Drift {
    const fn steps(self) -> u64 {
        match self {
            Self::None => 0,
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

async fn take(steps: &dyn StepStore, name: &str, found: Code) -> Result<u64, AuthnError> {
    let refuse = |kind, detail| Err(AuthnError::new(kind, detail));
    let step = match found {
        Code::Of(step) => step,
        Code::Malformed => return refuse(AuthnErrorKind::Malformed, "that is no code"),
        Code::Wrong => return refuse(AuthnErrorKind::Invalid, "the code is wrong"),
    };
    match steps.advance(account(name)?, step).await.map_err(unavailable)? {
        Advance::Taken => Ok(step),
        Advance::Used => {
            refuse(AuthnErrorKind::Invalid, "the code, or a later one, was used before")
        }
    }
}

/// RFC 6238 section 5.2: the recommended length of a step.
const PERIOD_SECS: u64 = 30;

/// RFC 4226 section 7.4 leaves it open; every code more makes guessing that much easier.
const LOOK_AHEAD: u64 = 10;

#[cfg(test)]
mod tests;
