//! The system's randomness.

use ring::rand::{SecureRandom as _, SystemRandom};

/// The system has no random bytes.
#[derive(Debug)]
pub(crate) struct NoRandomness;

/// Fills `bytes` with what nobody can guess.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    SystemRandom::new().fill(bytes).map_err(|_| NoRandomness)
}

/// Bytes that nobody can guess; `None` when the system has none to give.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        assert_ne!(random::<16>().unwrap(), random::<16>().unwrap());
    }
}
