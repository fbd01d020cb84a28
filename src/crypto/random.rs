//! Random bytes of the system.

use ring::rand::{SecureRandom as _, SystemRandom};

/// The system has no random bytes.
#[derive(Debug)]
pub(crate) struct NoRandomness;

/// Fills `bytes` with random ones.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    SystemRandom::new().fill(bytes).map_err(|_| NoRandomness)
}
