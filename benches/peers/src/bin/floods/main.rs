//! What floods of new keys, crowds that stay, and parallel guesses do to those who mean well; see
//! `BENCHMARKS.md`.

use std::error::Error;

mod crowds;
mod guesses;
mod latency;
mod memory;

fn main() -> Result<(), Box<dyn Error>> {
    crowds::print()?;
    latency::print()?;
    guesses::print()
}

/// What one in so many exceeds.
fn quantile(sorted: &[u64], one_in: usize) -> u64 {
    let place = sorted.len().saturating_sub(1 + sorted.len() / one_in);
    sorted.get(place).copied().unwrap_or_default()
}
