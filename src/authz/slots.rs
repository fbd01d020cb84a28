//! Numbers by what they stand for, without an order and without keeping a key twice.

use std::hash::{BuildHasher, RandomState};

/// Numbers in a table, each at the first free slot from its hash on. At most half of the slots are
/// taken, so a search ends.
#[derive(Debug, Default)]
pub(super) struct Slots {
    seed: u64,
    slots: Box<[u32]>,
}

const FREE: u32 = u32::MAX;

impl Slots {
    /// Finds `0..count`, of which number `n` stands for what has the hash `hash(seed, n)`. The seed
    /// differs from table to table, so that nobody can choose keys that meet.
    pub(super) fn new(count: usize, hash: impl Fn(u64, usize) -> u64) -> Self {
        let seed = RandomState::new().hash_one(0);
        let mut slots = vec![FREE; (2 * count).next_power_of_two()].into_boxed_slice();
        let last = slots.len() - 1;
        for (number, at) in (0..).zip((0..count).map(|number| hash(seed, number))) {
            let mut at = place(at, last);
            while let Some(slot) = slots.get_mut(at) {
                if *slot == FREE {
                    *slot = number;
                    break;
                }
                at = (at + 1) & last;
            }
        }
        Self { seed, slots }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The number from `hash` on that is the one asked for.
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let last = self.slots.len().checked_sub(1)?;
        let mut at = place(hash, last);
        loop {
            match *self.slots.get(at)? {
                FREE => return None,
                number if is(number) => return Some(number),
                _ => at = (at + 1) & last,
            }
        }
    }
}

fn place(hash: u64, last: usize) -> usize {
    usize::try_from(hash & last as u64).unwrap_or(0)
}

/// Half of the digits of pi: odd, and of no pattern.
const FACTOR: u64 = 0x243f_6a88_85a3_08d3;

/// A hash of one number more.
pub(super) fn fold(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word) * u128::from(FACTOR);
    (product >> 64) as u64 ^ product as u64
}

/// A hash of the text. Its last eight bytes are taken whole, though some of them were before.
pub(super) fn fold_text(state: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let state = fold(state, bytes.len() as u64);
    let (words, _) = bytes.as_chunks::<8>();
    let state = words.iter().fold(state, |state, word| fold(state, u64::from_le_bytes(*word)));
    let half = |half: &[u8; 4]| u64::from(u32::from_le_bytes(*half));
    fold(
        state,
        match (bytes.last_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(last), ..) => u64::from_le_bytes(*last),
            (None, Some(first), Some(last)) => half(first) << 32 | half(last),
            _ => bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        },
    )
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_set, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn what_is_in_is_found_and_nothing_else(
            texts in btree_set("[a-c]{0,20}", 0..50), other in "[a-d]{0,20}",
        ) {
            let all: Vec<&String> = texts.iter().collect();
            let slots = Slots::new(all.len(), |seed, number| fold_text(seed, all[number]));
            let find = |text: &str| {
                slots.find(fold_text(slots.seed(), text), |number| all[number as usize] == text)
            };
            for (number, text) in (0..).zip(&all) {
                prop_assert_eq!(find(text), Some(number));
            }
            prop_assert_eq!(find(&other).is_some(), texts.contains(&other));
        }
    }

    #[test]
    fn where_all_meet_all_are_found_and_a_search_ends() {
        let slots = Slots::new(5, |_, _| 7);
        assert!((0..5).all(|wanted| slots.find(7, |number| number == wanted) == Some(wanted)));
        assert_eq!(slots.find(7, |_| false), None);
        assert_eq!(
            (Slots::default().find(7, |_| true), Slots::new(0, |_, _| 0).find(7, |_| true)),
            (None, None)
        );
    }

    #[test]
    fn texts_that_end_alike_or_are_longer_by_nothing_differ() {
        let texts = [
            "",
            "\0",
            "\0\0",
            "a",
            "aa",
            "aaaa",
            "aaaaaaaa",
            "baaaaaaaa",
            "aaaaaaaaa",
            "aaaaaaaab",
        ];
        let hashes: std::collections::BTreeSet<u64> = texts.map(|text| fold_text(1, text)).into();
        assert_eq!(hashes.len(), texts.len());
    }
}
