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
///
/// // The button was pressed too often in a pocket: two codes in a row say how often.
/// let codes = [&*key.code(40), &key.code(41)];
/// assert!(hotp.verify("staff/alice", &key, codes[1], Some(2)).await.is_err());
/// assert_eq!(hotp.resynchronize("staff/alice", &key, codes, Some(2)).await?, 41);
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
        take(&*self.steps, account, key.find(window, code), 0).await.map(|_| ())
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
        let found = match next(last) {
            Some(next) => key.find(next..=next.saturating_add(LOOK_AHEAD - 1), code),
            None => Code::Wrong,
        };
        take(&*self.steps, account, found, 0).await
    }

    /// Takes two `codes` in a row, for a device whose counter has run beyond what
    /// [`verify`](Self::verify) looks at: looks a hundred codes ahead (RFC 4226 section 7.4). Both
    /// are used up then, as one log-in; the counter of the second is handed back, and is the last
    /// used one from then on.
    ///
    /// Two codes are guessed as hard as one of twelve digits. Count failures with those of single
    /// codes all the same.
    ///
    /// # Errors
    /// Those of `verify`: `Invalid` also when the codes do not follow each other, or either was
    /// used.
    pub async fn resynchronize(
        &self,
        account: &str,
        key: &OtpKey,
        codes: [&str; 2],
        last: Option<u64>,
    ) -> Result<u64, AuthnError> {
        let found = match next(last) {
            Some(next) => key.find_two(next..=next.saturating_add(RESYNC_AHEAD - 1), codes),
            None => Code::Wrong,
        };
        take(&*self.steps, account, found, 1).await
    }
}

/// The first counter that is unused; none after the highest there is.
fn next(last: Option<u64>) -> Option<u64> {
    last.map_or(Some(0), |last| last.checked_add(1))
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

/// Uses up the step that was found, and `before` it as many as were found with it.
async fn take(
    steps: &dyn StepStore,
    name: &str,
    found: Code,
    before: u64,
) -> Result<u64, AuthnError> {
    let refuse = |kind, detail| Err(AuthnError::new(kind, detail));
    let step = match found {
        Code::Of(step) => step,
        Code::Malformed => return refuse(AuthnErrorKind::Malformed, "that is no code"),
        Code::Wrong => return refuse(AuthnErrorKind::Invalid, "the code is wrong"),
    };
    let used = step.saturating_sub(before)..=step;
    match steps.advance(account(name)?, used).await.map_err(unavailable)? {
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

/// Codes that two in a row are looked for in. A guess at both is right one time in 10^10 even so.
const RESYNC_AHEAD: u64 = 100;

#[cfg(test)]
mod tests;
