//! SHA-1, which services that list breached passwords are asked by. It protects nothing here.

use ring::digest;

/// The hash in upper-case hexadecimal, 40 digits.
pub(crate) fn sha1_hex(data: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, data);
    hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fips_180_example() {
        assert_eq!(sha1_hex(b"abc"), "A9993E364706816ABA3E25717850C26C9CD0D89D");
    }
}
