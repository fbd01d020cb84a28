//! Message authentication codes over several parts.

use ring::hmac;

use super::random;

/// A key of HMAC-SHA256 (RFC 2104) that signs lists of parts: each with its length before it, so
/// that no two lists are the same message.
pub(crate) struct MacKey(hmac::Key);

impl MacKey {
    /// A key nobody knows; `None` when the system has no random bytes.
    pub(crate) fn random() -> Option<Self> {
        random::<32>().map(|bytes| Self::new(&bytes))
    }

    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The code of these parts.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let tag = context.sign();
        let mut code = [0; 32];
        // Both are 32 bytes long; what `zip` would cut off does not exist.
        code.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4231_test_case_2_over_a_length_and_a_part() {
        let key = MacKey::new(b"Jefe");
        let plain = hmac::sign(&key.0, b"\0\0\0\0\0\0\0\x1cwhat do ya want for nothing?");
        assert_eq!(key.sign(&[b"what do ya want for nothing?"]), plain.as_ref());
    }

    #[test]
    fn attack_parts_that_are_shifted_into_each_other() {
        let key = MacKey::random().unwrap();
        assert_ne!(key.sign(&[b"ab", b"c"]), key.sign(&[b"a", b"bc"]));
        assert_ne!(key.sign(&[b"ab"]), key.sign(&[b"ab", b""]));
        assert_ne!(key.sign(&[b"a"]), MacKey::random().unwrap().sign(&[b"a"]));
    }
}
