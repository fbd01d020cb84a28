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
/// Tables of so many have more room: that costs little, and fewer searches pass a wrong slot.
const SMALL: usize = 64;

impl Slots {
    /// Finds `0..count`, of which number `n` stands for what has the hash `hash(seed, n)`. The seed
    /// differs from table to table, so that nobody can choose keys that meet.
    pub(super) fn new(count: usize, hash: impl Fn(u64, usize) -> u64) -> Self {
        let seed = RandomState::new().hash_one(0);
        let places = if count <= SMALL { 4 * count } else { 2 * count };
        let mut slots = vec![FREE; places.next_power_of_two()].into_boxed_slice();
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
    product(state ^ word, FACTOR)
}

/// A hash of the text. Both factors of the last product are secret where the state is, so that
/// nobody can choose texts that meet; the length comes last, where no letter makes up for it.
pub(super) fn fold_text(state: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut state = state;
    if let Some(rest) = bytes.get(8..).filter(|rest| rest.len() > 8) {
        let words = rest.as_chunks::<8>().0.iter();
        state = words.fold(state, |state, word| fold(state, u64::from_le_bytes(*word)));
    }
    let (first, last) = ends(bytes);
    let length = (bytes.len() as u64).wrapping_mul(FACTOR);
    product(state ^ first, state.rotate_left(32) ^ last).wrapping_add(length)
}

/// Whether the texts are one. Short ones are compared without a call.
#[inline]
pub(super) fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    one.len() == other.len() && if one.len() > 16 { one == other } else { ends(one) == ends(other) }
}

/// The first and the last eight bytes, or four; those of a shorter text are all in the first.
fn ends(bytes: &[u8]) -> (u64, u64) {
    let half = |half: &[u8; 4]| u64::from(u32::from_le_bytes(*half));
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        (half(first), half(last))
    } else {
        (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0)
    }
}

fn product(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product >> 64) as u64 ^ product as u64
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

    /// Each text of a pair differs from the other in its length, and in letters by as much.
    #[test]
    fn attack_no_letter_makes_up_for_a_length() {
        let pairs = [
            ("aaaaaaaabaaaaaaaa", "aaaaaaaaaaaaaaaaaa"),
            ("aaaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaa"),
            ("baaaaaaaaaaaaaa", "raaaaaaaaaaaqaaa"),
            ("aaaaaaaaa", "baaaaacaaa"),
            ("aaaa", "`aaaa"),
        ];
        for seed in 0..1_000_u64 {
            let seed = fold(seed, FACTOR);
            for (one, other) in pairs {
                assert_ne!(fold_text(seed, one), fold_text(seed, other), "{one} {other}");
            }
        }
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
            "aaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaa",
            "aaaaaaaabaaaaaaaa",
            "aaaaaaaaabaaaaaaaa",
            "aaaaaaaaaaaaaaaaaa",
        ];
        let hashes: std::collections::BTreeSet<u64> =
            texts.map(|text| fold_text(FACTOR, text)).into();
        assert_eq!(hashes.len(), texts.len());
        for (one, other) in texts.iter().flat_map(|one| texts.map(|other| (*one, other))) {
            assert_eq!(same(one, other), one == other, "{one:?} {other:?}");
        }
    }
}
