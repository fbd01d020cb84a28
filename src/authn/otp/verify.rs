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
mod tests {
    use super::*;
    use crate::{
        Secret,
        authn::{
            Answer, StoreError,
            otp::{Digits, MemorySteps, OtpAlgorithm},
            store::at_once,
        },
    };

    fn key() -> OtpKey {
        OtpKey::new(Secret::new(*b"12345678901234567890")).unwrap()
    }

    fn totp() -> Totp {
        Totp::new(MemorySteps::new(100))
    }

    fn verify(totp: &Totp, code: &str, secs: u64) -> Result<(), AuthnErrorKind> {
        let result = at_once(totp.verify("staff/alice", &key(), code, UnixTime::from_secs(secs)));
        result.map_err(AuthnError::kind)
    }

    #[test]
    fn rfc_6238_appendix_b() {
        let seed = b"1234567890".repeat(7);
        let check = |algorithm, length: usize, codes: [&str; 6]| {
            let key = OtpKey::new(Secret::new(&seed[..length])).unwrap();
            let key = key.algorithm(algorithm).digits(Digits::Eight);
            let totp = totp().drift(Drift::None);
            let times =
                [59, 1_111_111_109, 1_111_111_111, 1_234_567_890, 2_000_000_000, 20_000_000_000];
            for (secs, code) in times.into_iter().zip(codes) {
                let now = UnixTime::from_secs(secs);
                let wrong = if code.starts_with('0') { "12345678" } else { "00000000" };
                assert!(at_once(totp.verify("a", &key, wrong, now)).is_err(), "{secs}");
                assert_eq!(at_once(totp.verify("a", &key, code, now)), Ok(()), "{secs}");
            }
        };
        check(
            OtpAlgorithm::Sha1,
            20,
            ["94287082", "07081804", "14050471", "89005924", "69279037", "65353130"],
        );
        check(
            OtpAlgorithm::Sha256,
            32,
            ["46119246", "68084774", "67062674", "91819424", "90698825", "77737706"],
        );
        check(
            OtpAlgorithm::Sha512,
            64,
            ["90693936", "25091201", "99943326", "93441116", "38618901", "47863826"],
        );
    }

    #[test]
    fn the_window_is_one_step_either_way() {
        let code = key().code(100);
        for (secs, expected) in [(2969, false), (2970, true), (3059, true), (3060, false)] {
            assert_eq!(verify(&totp(), &code, secs).is_ok(), expected, "{secs}");
            let exact = (3000..3030).contains(&secs);
            assert_eq!(verify(&totp().drift(Drift::None), &code, secs).is_ok(), exact, "{secs}");
        }
        assert!(verify(&totp().drift(Drift::Two), &code, 2940).is_ok());
        assert!(verify(&totp().drift(Drift::Two), &code, 2939).is_err());
    }

    #[test]
    fn the_ends_of_time() {
        assert!(verify(&totp(), &key().code(0), 0).is_ok());
        assert!(verify(&totp(), "000000", u64::MAX).is_err());
    }

    #[test]
    fn attack_the_enrolment_code_as_first_log_in() {
        let totp = totp();
        let code = key().code(100);
        assert_eq!(verify(&totp, &code, 3000), Ok(()), "confirms the enrolment");
        assert_eq!(verify(&totp, &code, 3001), Err(AuthnErrorKind::Invalid));
        assert_eq!(verify(&totp, &key().code(101), 3031), Ok(()), "the next one is a log-in");
    }

    #[test]
    fn attack_the_clock_goes_back() {
        let totp = totp();
        assert_eq!(verify(&totp, &key().code(100), 3000), Ok(()));
        for secs in [2971, 2999, 3000] {
            assert_eq!(verify(&totp, &key().code(100), secs), Err(AuthnErrorKind::Invalid));
            assert_eq!(verify(&totp, &key().code(99), secs), Err(AuthnErrorKind::Invalid));
        }
    }

    #[test]
    fn attack_64_threads_race_one_code() {
        for round in 0..20_u64 {
            let (totp, code) = (totp(), key().code(100 + round));
            let start = std::sync::Barrier::new(64);
            let race = || {
                start.wait();
                verify(&totp, &code, (100 + round) * 30).is_ok()
            };
            let won = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..64).map(|_| scope.spawn(race)).collect();
                threads.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
            });
            assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
        }
    }

    #[test]
    fn a_wrong_code_uses_nothing_up() {
        let totp = totp();
        assert_eq!(verify(&totp, "000000", 3000), Err(AuthnErrorKind::Invalid));
        assert_eq!(verify(&totp, "zero", 3000), Err(AuthnErrorKind::Malformed));
        assert_eq!(verify(&totp, &key().code(99), 3000), Ok(()));
    }

    #[test]
    fn a_store_that_fails_is_unavailable() {
        #[derive(Debug)]
        struct Down;
        impl StepStore for Down {
            fn advance(&self, _: &str, _: u64) -> Answer<Advance> {
                Answer::wait(async { Err(StoreError) })
            }
        }
        let down = Totp::new(Down);
        assert_eq!(verify(&down, &key().code(100), 3000), Err(AuthnErrorKind::Unavailable));
        assert_eq!(verify(&down, "000000", 3000), Err(AuthnErrorKind::Invalid));
    }

    #[test]
    fn an_account_needs_a_name_of_some_length() {
        let totp = totp();
        let now = UnixTime::from_secs(3000);
        for name in ["", &"x".repeat(2000)] {
            let refused = at_once(totp.verify(name, &key(), &key().code(100), now)).unwrap_err();
            assert_eq!(refused.kind(), AuthnErrorKind::Malformed);
        }
    }

    #[test]
    fn counters() {
        let hotp = Hotp::new(MemorySteps::new(100));
        let check = |counter, last, expected: Option<u64>| {
            let found = at_once(hotp.verify("a", &key(), &key().code(counter), last));
            assert_eq!(found.ok(), expected, "{counter} after {last:?}");
        };
        check(10, None, None);
        check(9, None, Some(9));
        check(9, None, None);
        check(9, Some(8), None);
        check(20, Some(9), None);
        check(19, Some(9), Some(19));
        check(u64::MAX, Some(u64::MAX - 1), Some(u64::MAX));
        check(u64::MAX, Some(u64::MAX), None);
    }
}
