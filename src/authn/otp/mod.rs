//! Second factors: one-time codes (RFC 4226, RFC 6238) and recovery codes.
//!
//! - [`OtpKey`] is the secret shared with an authenticator app, and how codes are made from it.
//! - [`Totp`] takes codes by the time, [`Hotp`] by a counter. **Each code counts once**: taking
//!   one advances the account's last step in a [`StepStore`], in one atomic operation. A code
//!   that confirms an enrolment is taken the same way, so it cannot be a log-in after.
//! - [`Recovery`] issues and takes the codes for the day on which the app is lost.
//!
//! None of them proves who is calling: they add to what a first factor proved. A code of six
//! digits can be guessed, so **count failures per account** and refuse beyond a handful an hour:
//! ten guesses an hour, at a drift of one step, succeed once in some 33,000 hours.

mod base32;
mod key;
mod recovery;
mod steps;
mod verify;

pub use key::{Digits, OtpAlgorithm, OtpKey, OtpKeyError};
pub use recovery::{MemoryRecovery, Recovery, RecoveryHash, RecoveryStore};
pub use steps::{Advance, MemorySteps, StepStore};
pub use verify::{Drift, Hotp, Totp};

use super::{AuthnError, AuthnErrorKind, StoreError};

/// Longer names of accounts are refused: a realm, a slash and the longest subject.
const MAX_ACCOUNT: usize = 32 + 1 + 1024;

const UNAVAILABLE: AuthnError =
    AuthnError::new(AuthnErrorKind::Unavailable, "the store of second factors cannot answer");

fn account(account: &str) -> Result<&str, AuthnError> {
    let named = !account.is_empty() && account.len() <= MAX_ACCOUNT;
    let unnamed = AuthnError::new(AuthnErrorKind::Malformed, "that names no account");
    named.then_some(account).ok_or(unnamed)
}

fn unavailable(_: StoreError) -> AuthnError {
    UNAVAILABLE
}
