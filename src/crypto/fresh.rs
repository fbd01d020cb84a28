//! Fresh secrets, and the digest they are stored by.

use ring::{
    digest,
    rand::{SecureRandom as _, SystemRandom},
};

/// The system has no random bytes to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRandom;

/// Bytes of the system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

/// SHA-256 (FIPS 180-4). Enough to store a secret by where that has 112 bits or more.
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    // Both are 32 bytes long; what `zip` would cut off does not exist.
    bytes.iter_mut().zip(digest::digest(&digest::SHA256, data).as_ref()).for_each(|(to, from)| {
        *to = *from;
    });
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fips_180_example() {
        let hex: String = sha256(b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn no_two_are_alike() {
        assert_ne!(random::<16>().unwrap(), random::<16>().unwrap());
    }
}
