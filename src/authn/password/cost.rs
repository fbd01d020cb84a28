//! What one hash costs.

/// What one Argon2id hash costs: memory, passes over it, and lanes (RFC 9106 section 3.1).
///
/// The default, 19 MiB in 2 passes, is the one OWASP asks for; about 40 ms on a small server.
///
/// ```
/// use portcullis::authn::password::{Cost, CostError};
///
/// let cost = Cost::new(47_104, 1, 1)?;
/// assert_eq!(cost.memory_kib(), 47_104);
/// assert_eq!(Cost::new(4_096, 2, 1), Err(CostError::TooWeak));
/// # Ok::<(), CostError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Why there can be no hash of that cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CostError {
    /// Passwords hashed so cheaply are soon guessed.
    #[error("a hash takes at least 7,168 KiB, and memory times passes at least 35,840 KiB")]
    TooWeak,
    /// Beyond what is ever run.
    #[error(
        "a hash takes 8 KiB to 1 GiB and at least 8 KiB for each lane, 1 to 10 passes, and 1 to 16 lanes"
    )]
    OutOfRange,
}

const MOST_MEMORY_KIB: u32 = 1 << 20;
const MOST_PASSES: u32 = 10;
const MOST_LANES: u32 = 16;

// The cheapest of the five settings that the OWASP cheat sheet on password storage calls equal.
const LEAST_MEMORY_KIB: u32 = 7_168;
const LEAST_WORK: u64 = 5 * 7_168;

impl Cost {
    /// `memory_kib` KiB, that many passes over them, in so many lanes. Lanes run one after the
    /// other here; 1 is right for new hashes.
    ///
    /// # Errors
    /// When it is weaker than every setting OWASP takes, or more than is ever run.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CostError> {
        match Self::insecure_new(memory_kib, passes, lanes) {
            Ok(cost) if cost.memory_kib < LEAST_MEMORY_KIB || cost.work() < LEAST_WORK => {
                Err(CostError::TooWeak)
            }
            other => other,
        }
    }

    /// Like [`new`](Self::new) without the lower bound: for tests, which hash often.
    ///
    /// # Errors
    /// When it is more than is ever run, or less than Argon2 can do.
    pub const fn insecure_new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CostError> {
        let fits = memory_kib <= MOST_MEMORY_KIB
            && 1 <= passes
            && passes <= MOST_PASSES
            && 1 <= lanes
            && lanes <= MOST_LANES
            && 8 * lanes <= memory_kib;
        if fits { Ok(Self { memory_kib, passes, lanes }) } else { Err(CostError::OutOfRange) }
    }

    /// Memory, in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// Whether a hash of this cost is weaker than one of `wanted`: no stronger in memory nor in
    /// memory times passes, and weaker in one of them. So a change never weakens a hash.
    pub(super) const fn is_weaker_than(self, wanted: Self) -> bool {
        let (memory, work) = (self.memory_kib, self.work());
        let no_stronger = memory <= wanted.memory_kib && work <= wanted.work();
        no_stronger && (memory < wanted.memory_kib || work < wanted.work())
    }

    /// Memory times passes, which is what the time goes by.
    pub(super) const fn work(self) -> u64 {
        self.memory_kib as u64 * self.passes as u64
    }

    /// A cost of so much work within that memory; `None` where it is too little for any hash. Of
    /// what is more than 10 passes over the memory, those 10.
    pub(super) fn of_work(work: u64, memory_kib: u32) -> Option<Self> {
        let passes = work.div_ceil(u64::from(memory_kib).max(1)).clamp(1, MOST_PASSES.into());
        let memory = (work / passes).min(memory_kib.into());
        let (memory, passes) = (u32::try_from(memory).ok()?, u32::try_from(passes).ok()?);
        Self::insecure_new(memory, passes, 1).ok()
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asvs_11_4_2_every_owasp_setting_is_taken_and_weaker_ones_are_not() {
        for (memory, passes) in [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)] {
            assert!(Cost::new(memory, passes, 1).is_ok(), "{memory} {passes}");
        }
        for (memory, passes) in [(7_167, 10), (7_168, 4), (19_456, 1), (8, 1)] {
            assert_eq!(Cost::new(memory, passes, 1), Err(CostError::TooWeak), "{memory} {passes}");
        }
        let (memory, passes, lanes) = (19_456, 2, 1);
        assert_eq!(Cost::new(memory, passes, lanes), Ok(Cost::default()));
    }

    #[test]
    fn bounds() {
        let check = |memory, passes, lanes, fits| {
            let found = Cost::insecure_new(memory, passes, lanes).is_ok();
            assert_eq!(found, fits, "{memory} {passes} {lanes}");
        };
        check(8, 1, 1, true);
        check(7, 1, 1, false);
        check(15, 1, 2, false);
        check(1 << 20, 10, 16, true);
        check((1 << 20) + 1, 1, 1, false);
        check(u32::MAX, 1, 1, false);
        check(64, 0, 1, false);
        check(64, 11, 1, false);
        check(64, 1, 0, false);
        check(1 << 20, 1, 17, false);
        check(1 << 20, 1, u32::MAX, false);
    }

    #[test]
    fn trap_a_stronger_hash_is_never_called_weak() {
        let check = |stored: (u32, u32), wanted: (u32, u32), weaker| {
            let cost = |(memory, passes)| Cost::insecure_new(memory, passes, 1).unwrap();
            let found = cost(stored).is_weaker_than(cost(wanted));
            assert_eq!(found, weaker, "{stored:?} for {wanted:?}");
        };
        check((19_456, 2), (19_456, 2), false);
        check((19_456, 1), (19_456, 2), true);
        check((19_456, 3), (19_456, 2), false);
        check((12_288, 3), (19_456, 2), true);
        check((19_456, 2), (12_288, 3), false);
        check((47_104, 1), (19_456, 2), false);
        check((9_728, 4), (19_456, 2), true);
        check((9_216, 10), (19_456, 2), false);
        check((65_536, 3), (19_456, 2), false);
    }
}
