//! The keys in the order in which they are asked for.

use super::GIVEN;

/// How many calls come before the order repeats itself; a power of two.
const CALLS: usize = 1 << 20;

pub(super) struct Order(Vec<u64>);

impl Order {
    pub(super) fn of(keys: u64) -> Self {
        let calls = 0..CALLS as u64;
        Self(calls.map(|call| spread(spread(call ^ GIVEN) % keys)).collect())
    }

    /// Each thread starts somewhere else.
    pub(super) fn key(&self, thread: usize, call: u64) -> &u64 {
        let at = (call as usize + thread * (CALLS / 2)) % CALLS;
        self.0.get(at).unwrap_or(&0)
    }
}

/// The keys, each once.
pub(super) fn keys(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(spread)
}

/// Spreads small numbers over all numbers (splitmix64), like the ids of clients.
fn spread(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
