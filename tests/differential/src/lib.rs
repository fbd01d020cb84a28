//! Portcullis held against others: `tests/tokens` against jsonwebtoken and jwt-simple,
//! `tests/policies` and `tests/text` against cedar-policy. Here is what they draw their cases from.

/// Choices made by bytes, so that fewer and smaller bytes make simpler cases.
pub struct Choices(std::vec::IntoIter<u8>);

impl Choices {
    /// All choices that the bytes make.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into_iter())
    }

    /// A number below `count`; nought when there are no bytes left.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % count
    }

    /// True in so many of a hundred cases; never when there are no bytes left.
    pub fn chance(&mut self, percent: usize) -> bool {
        usize::from(self.0.next().unwrap_or(0)) * 100 >= (100 - percent) * 256
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Each with a chance of so many of a hundred.
    pub fn some<T: Copy>(&mut self, from: &[T], percent: usize) -> Vec<T> {
        from.iter().copied().filter(|_| self.chance(percent)).collect()
    }
}
