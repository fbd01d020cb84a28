//! Ids and what is kept of them.

use std::fmt;

use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::{
    Principal, SecretText,
    crypto::{random, sha256},
};

/// The SHA-256 of a session's id: names the session in stores, lists and records, and opens
/// nothing. It is the [`credential_id`](Principal::credential_id) of the session's principal.
///
/// ```
/// use portcullis::authn::session::SessionKey;
///
/// let key = SessionKey::from_bytes([7; 32]);
/// assert_eq!(SessionKey::parse(&key.to_string()), Some(key));
/// assert_eq!(SessionKey::parse("BwcH"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// From what a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From its text, 43 characters of base64url.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        decode(text).map(|bytes| Self(*bytes))
    }

    /// The session that `principal` came by; `None` when it came by something else.
    #[must_use]
    pub fn of(principal: &Principal) -> Option<Self> {
        principal.credential_id().and_then(Self::parse)
    }

    /// The key of an id as a cookie holds it; `None` for what was never an id.
    pub(super) fn of_id(id: &str) -> Option<Self> {
        decode(id).map(|id| Self(sha256(&*id)))
    }
}

/// A new id and its key; `None` when the system has no random bytes.
pub(super) fn new_id() -> Option<(SecretText, SessionKey)> {
    let id = Zeroizing::new(random::<32>()?);
    Some((
        SecretText::new(URL_SAFE_NO_PAD.encode_to_string(id.as_slice())),
        SessionKey(sha256(id.as_slice())),
    ))
}

/// The 32 bytes of a text in the one form that is written.
fn decode(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    if text.len() != 43 {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    // 43 digits hold no more than the 32 bytes that there is room for.
    URL_SAFE_NO_PAD.decode(text.as_bytes(), bytes.as_mut_slice().as_out()).ok()?;
    Some(bytes)
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode_to_string(self.0))
    }
}

/// Its first characters: enough to tell sessions apart.
impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({:.8}…)", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_have_256_bits_differ_and_lead_to_their_key() {
        let ((one, key), (other, _)) = (new_id().unwrap(), new_id().unwrap());
        assert_eq!(one.expose().len(), 43);
        assert_ne!(one.expose(), other.expose());
        assert_eq!(SessionKey::of_id(one.expose()), Some(key));
        assert_ne!(key.to_string(), one.expose());
        assert_eq!(format!("{one:?}"), "SecretText(43 bytes)");
    }

    #[test]
    fn attack_a_stolen_key_is_no_id() {
        let (_, key) = new_id().unwrap();
        assert_ne!(SessionKey::of_id(&key.to_string()), Some(key));
    }

    #[test]
    fn an_id_has_one_form() {
        let id = "A".repeat(43);
        assert!(SessionKey::of_id(&id).is_some());
        for text in [
            "".to_owned(),
            "A".repeat(42),
            "A".repeat(44),
            format!("{id}="),
            format!("{}B", "A".repeat(42)),
            format!("{}+", "A".repeat(42)),
            format!("{}ü", "A".repeat(41)),
        ] {
            assert_eq!(SessionKey::of_id(&text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_cookie_holds(text in "[A-Za-z0-9_=.-]{40,46}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(URL_SAFE_NO_PAD.encode_to_string(*bytes), text);
            }
        }
    }
}
