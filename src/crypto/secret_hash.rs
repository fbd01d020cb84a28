//! How a long random secret is kept: as its hash, compared in constant time.

use std::fmt;

use subtle::ConstantTimeEq as _;

use super::sha256::sha256;

/// The SHA-256 (FIPS 180-4) of a secret that nobody can guess: 112 random bits or more. A slow
/// hash would make such a secret no safer and every guess at it expensive to refuse.
///
/// No `PartialEq`: the only comparison takes the same time for all values.
#[derive(Clone, Copy)]
pub(crate) struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of `secret`.
    pub(crate) fn of(secret: &[u8]) -> Self {
        Self(sha256(secret))
    }

    /// The hash that was stored as these bytes.
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What to store.
    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are of the same secret, in constant time.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts_and_none_is_shown() {
        let hash = SecretHash::of(b"abc");
        assert!(hash.is(&SecretHash::of(b"abc")));
        for index in 0..32 {
            let mut bytes = *hash.as_bytes();
            bytes[index] ^= 1;
            assert!(!hash.is(&SecretHash::from_bytes(bytes)), "{index}");
        }
        assert_eq!(format!("{hash:?}"), "SecretHash(..)");
    }
}
