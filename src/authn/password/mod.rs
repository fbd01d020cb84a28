//! Passwords (feature `password`): HTTP Basic (RFC 7617) and logins, over Argon2id on a bounded
//! pool of plain threads.
//!
//! A password hash is slow and takes megabytes on purpose, so whoever can start one without a
//! bound can stop the service. A [`Hasher`] takes all of its memory at start, runs as many hashes
//! at a time as it has threads, and says *unavailable* (503) when its queue is full.
//!
//! What a caller can learn from a refusal is the same for a wrong password, an unknown user and
//! a stored hash that cannot be read. Each costs the same work, at whatever cost the hash was
//! stored. What is left of a difference is what caches make of smaller memory: 3 to 15 per cent
//! of the time where it was measured, which a guard leaves few attempts to see.
//!
//! [`Passwords`] joins a hasher with a [`PasswordStore`]: add it to a gate to take Basic, call
//! [`verify_password`](Passwords::verify_password) from the handler of a login form.
//! Neither slows guessing down: [`GuardedPasswords`](crate::gate::GuardedPasswords) does.

mod basic;
mod blocks;
mod cache;
mod cost;
mod error;
mod hasher;
mod phc;
mod policy;
mod store;
mod verifier;

pub(crate) use basic::{said, user_name};
pub use cost::{Cost, CostError};
pub use error::HasherError;
pub use hasher::{Hasher, HasherBuilder, Match};
pub use policy::{BreachCheck, PasswordPolicy, PasswordProblem};
pub use store::{MemoryPasswords, PasswordRecord, PasswordStore};
pub(crate) use verifier::Claimed;
pub use verifier::{Attempt, Passwords};

/// Passwords longer than this many bytes are not looked at.
pub const MAX_PASSWORD: usize = 1024;

/// User names longer than this many bytes are nobody's.
pub const MAX_USER: usize = 256;
