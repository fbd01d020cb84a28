//! The digest that long random secrets are stored by.

use ring::digest;

/// SHA-256 (FIPS 180-4). Enough to store a secret by where that has 112 random bits or more.
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
}
