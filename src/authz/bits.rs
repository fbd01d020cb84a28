//! Sets of small numbers.

use std::{iter, num::NonZero};

/// A set of numbers below a bound that is fixed when it is made. Up to 64 it allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bits {
    first: u64,
    rest: Box<[u64]>,
}

impl Bits {
    /// No number of those below `bound`.
    pub(super) fn none(bound: usize) -> Self {
        Self { first: 0, rest: vec![0; bound.saturating_sub(1) / 64].into() }
    }

    /// Adds `number`; one that is far beyond the bound stays out.
    pub(super) fn add(&mut self, number: u32) {
        let rest = (number as usize / 64).checked_sub(1);
        let word = rest.map_or(Some(&mut self.first), |at| self.rest.get_mut(at));
        word.into_iter().for_each(|word| *word |= 1 << (number % 64));
    }

    /// Adds all of `other`.
    pub(super) fn add_all(&mut self, other: &Self) {
        self.first |= other.first;
        for (mine, theirs) in self.rest.iter_mut().zip(&other.rest) {
            *mine |= theirs;
        }
    }

    pub(super) fn holds(&self, number: u32) -> bool {
        let rest = (number as usize / 64).checked_sub(1);
        let word = rest.map_or(self.first, |at| self.rest.get(at).copied().unwrap_or(0));
        word >> (number % 64) & 1 == 1
    }

    /// The lowest number that is in both sets.
    pub(super) fn first_common(&self, other: &Self) -> Option<u32> {
        let rest = self.rest.iter().zip(&other.rest).map(|(mine, theirs)| mine & theirs);
        let mut words = iter::once(self.first & other.first).chain(rest);
        let step =
            |at, word: u64| if word == 0 { Ok(at + 64) } else { Err(at + word.trailing_zeros()) };
        words.try_fold(0, step).err()
    }

    /// The numbers in the set, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let words = iter::once(self.first).chain(self.rest.iter().copied());
        (0..).step_by(64).zip(words).flat_map(|(at, word)| {
            let without_lowest = |word: &NonZero<u64>| NonZero::new(word.get() & (word.get() - 1));
            let left = iter::successors(NonZero::new(word), without_lowest);
            left.map(move |word| at + word.trailing_zeros())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{prop::collection::btree_set, proptest};

    use super::*;

    fn bits(numbers: &BTreeSet<u32>) -> Bits {
        let mut bits = Bits::none(200);
        numbers.iter().for_each(|number| bits.add(*number));
        bits
    }

    proptest! {
        #[test]
        fn behaves_as_a_set(a in btree_set(0_u32..200, 0..20), b in btree_set(0_u32..200, 0..20)) {
            let mut union = bits(&a);
            union.add_all(&bits(&b));
            assert_eq!(union, bits(&(&a | &b)));
            assert_eq!(bits(&a).first_common(&bits(&b)), (&a & &b).first().copied());
            assert!(bits(&a).iter().eq(a.iter().copied()));
            assert!((0..300).all(|number| bits(&a).holds(number) == a.contains(&number)));
        }
    }

    #[test]
    fn a_number_beyond_the_bound_is_not_held() {
        let mut bits = Bits::none(64);
        bits.add(64);
        assert!(!bits.holds(64) && !bits.holds(0));
        assert_eq!(Bits::none(0).first_common(&Bits::none(0)), None);
    }
}
