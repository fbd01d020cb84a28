//! Limits by key. Keys are asked for in a random order that is the same for all.
//!
//! The reference is governor with its default store, a sharded map, and its default clock, the
//! processor's counter by way of quanta.

mod denied;
mod keyed;
mod order;
mod peers;
mod three;

use std::error::Error;

use portcullis::{Quota, limit::Limiter};

use crate::measure::Session;

/// One call a second, so that a key stays in debt.
const INTERVAL: u64 = 1_000_000_000;
/// So much that it is never used up.
const BURST: u32 = 400_000_000;

/// A limiter with a burst of two admits two of three calls.
const EXPECTED: [bool; 3] = [true, true, false];

/// The moment that is given, in nanoseconds.
const GIVEN: u64 = 1_000_000_000_000;

pub(crate) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    keyed::measure(session)?;
    denied::measure(session)?;
    three::measure(session)
}

fn ours(burst: u32, keys: u64) -> Result<Limiter<u64>, Box<dyn Error>> {
    Ok(Limiter::new(Quota::per_second(1).burst(burst), slots(keys))?)
}

/// As the documentation says: four for every key that is live.
fn slots(keys: u64) -> usize {
    usize::try_from(keys).unwrap_or(usize::MAX).saturating_mul(4)
}
