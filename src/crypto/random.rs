//! The system's randomness.

use ring::rand::{SecureRandom as _, SystemRandom};

/// Random bytes nobody can guess; `None` when the system has none to give.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        assert_ne!(random::<16>().unwrap(), random::<16>().unwrap());
    }
}
