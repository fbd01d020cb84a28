//! How keys become the 64 bits that a table tells them apart by.
//!
//! Two keys with the same 64 bits share a bucket, and keys whose bits lie close share a set. So
//! the bits must not be for a stranger to choose. All of it hangs on secrets, which are drawn for
//! every limiter from SipHash under the system's random keys.
//!
//! **Numbers and addresses** are words, and are summed up, each times a factor of its own: 128
//! random bits. The upper half of the sum is strongly universal (Dietzfelbinger 1996; Lemire and
//! Kaser, "Strongly universal string hashing is fast"): for any two different keys, whichever a
//! stranger picks, 1 in 2^64 of all secrets make them collide. Nor does it help to pick them
//! after looking: as long as no two have shared a bucket, all that was seen is that they do not.
//!
//! **Text**, and what has more words than there are factors, is SipHash-1-3, as in the standard
//! maps, and then one word.
//!
//! **Where a key lies** shows a little, as keys that crowd a set are refused early. A sum alone
//! would let a stranger count on from two keys that met, so what leaves here is folded: a shift,
//! and both halves of the product with a secret. The sums of two keys are as good as drawn apart
//! from each other, so that after folding, too, two keys meet as seldom as chance has it: 2 in 2^64
//! times. That no pattern of the sums shines through is no theorem, but a table shows no more than
//! which keys share a set, and only by filling it.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

/// The secrets of one limiter.
#[derive(Clone)]
pub(super) struct Hashing {
    text: RandomState,
    start: u128,
    factors: [u128; WORDS],
    count: u128,
    fold: u64,
}

impl Default for Hashing {
    fn default() -> Self {
        let (secrets, mut drawn) = (RandomState::new(), 0_u64);
        let mut half = || {
            drawn += 1;
            secrets.hash_one(drawn)
        };
        let mut whole = || u128::from(half()) << 64 | u128::from(half());
        let (start, factors, count) = (whole(), [(); WORDS].map(|()| whole()), whole());
        Self { text: RandomState::new(), start, factors, count, fold: half() | 1 << 63 | 1 }
    }
}

impl Hashing {
    #[inline]
    pub(super) fn hash<K: Hash + ?Sized>(&self, key: &K) -> u64 {
        let mut words = Words { secrets: self, sum: self.start, count: 0 };
        key.hash(&mut words);
        words.finish()
    }
}

/// A key on its way.
struct Words<'a> {
    secrets: &'a Hashing,
    sum: u128,
    count: usize,
}

impl Hasher for Words<'_> {
    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.sum = match self.secrets.factors.get(self.count) {
            // In this order, so that the first sum waits for no word.
            Some(factor) => {
                let counted = self.sum.wrapping_add(self.secrets.count);
                counted.wrapping_add(factor.wrapping_mul(word.into()))
            }
            None => u128::from(self.secrets.text.hash_one((self.sum, word))) << 64,
        };
        self.count += 1;
    }

    #[inline]
    fn write_u128(&mut self, words: u128) {
        self.write_u64(words as u64);
        self.write_u64((words >> 64) as u64);
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut word = [0; 8];
        // With the length in the last byte, so that no zero at the end is overlooked.
        let [short @ .., length] = &mut word;
        match short.get_mut(..bytes.len()) {
            Some(short) => {
                short.copy_from_slice(bytes);
                *length = bytes.len() as u8;
                self.write_u64(u64::from_ne_bytes(word));
            }
            None => self.write_u64(self.secrets.text.hash_one(bytes)),
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        let sum = (self.sum >> 64) as u64;
        let product = u128::from(sum ^ sum >> 32) * u128::from(self.secrets.fold);
        product as u64 ^ (product >> 64) as u64
    }
}

/// The words that have a factor each: more than the range of an address takes.
const WORDS: usize = 6;

#[cfg(test)]
mod tests;
