//! Passwords (feature `password`): Argon2id on a bounded pool of plain threads.
//!
//! A password hash is slow and takes megabytes on purpose, so whoever can start one without a
//! bound can stop the service. A [`Hasher`] takes all of its memory at start, runs as many hashes
//! at a time as it has threads, and says *unavailable* (503) when its queue is full.
//!
//! What a caller can learn from a refusal is the same for a wrong password, an unknown user and
//! a stored hash that cannot be read: each costs one hash.

mod answer;
mod cost;
mod error;
mod hasher;
mod phc;
mod pool;

pub use cost::{Cost, CostError};
pub use error::HasherError;
pub use hasher::{Hasher, HasherBuilder, Match};

/// Passwords longer than this many bytes are not looked at.
pub const MAX_PASSWORD: usize = 1024;
