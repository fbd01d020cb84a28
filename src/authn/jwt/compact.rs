//! The outer form of a token (RFC 7515 section 3.1): three base64url parts between two dots.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::malformed;
use crate::authn::{AuthnError, AuthnErrorKind};

/// A token taken apart. Nothing in it has been read yet, let alone believed.
pub(super) struct Compact<'t> {
    /// What the signature is over: header, dot and payload as they were sent.
    pub(super) signed: &'t [u8],
    /// Header, payload and signature, decoded, one after the other.
    decoded: Vec<u8>,
    payload: usize,
    signature: usize,
}

impl<'t> Compact<'t> {
    /// Takes `token` apart, unless it is longer than `max_bytes`.
    pub(super) fn parse(token: &'t str, max_bytes: usize) -> Result<Self, AuthnError> {
        if token.len() > max_bytes {
            return Err(AuthnError::new(AuthnErrorKind::TooLarge, "the token is too long"));
        }
        Self::take_apart(token).ok_or_else(|| fault(token))
    }

    /// Exactly three parts, none empty: without a signature there is nothing to check. Looked for
    /// from both ends, since the payload is the longest; a dot in it is no base64url.
    fn take_apart(token: &'t str) -> Option<Self> {
        let (header, rest) = token.split_once('.')?;
        let (payload, signature) = rest.rsplit_once('.')?;
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return None;
        }
        let mut decoded = vec![0; token.len()];
        let payload_start = decode(header, &mut decoded, 0)?;
        let signature_start = decode(payload, &mut decoded, payload_start)?;
        let end = decode(signature, &mut decoded, signature_start)?;
        decoded.truncate(end);
        Some(Self {
            signed: token.as_bytes().get(..header.len() + 1 + payload.len())?,
            decoded,
            payload: payload_start,
            signature: signature_start,
        })
    }

    pub(super) fn header(&self) -> &[u8] {
        self.decoded.get(..self.payload).unwrap_or_default()
    }

    pub(super) fn payload(&self) -> &[u8] {
        self.decoded.get(self.payload..self.signature).unwrap_or_default()
    }

    pub(super) fn signature(&self) -> &[u8] {
        self.decoded.get(self.signature..).unwrap_or_default()
    }
}

/// Bytes from base64url without padding (RFC 7515 section 2): no other alphabet, no white space,
/// and no bits left over, so that no two texts stand for the same bytes.
pub(super) fn base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// What is wrong with a token that cannot be taken apart.
fn fault(token: &str) -> AuthnError {
    match token.matches('.').count() {
        2 if token.split('.').any(str::is_empty) => malformed("a part of the token is empty"),
        2 => malformed("a part of the token is not base64url"),
        4 => malformed("encrypted tokens (JWE) are not taken"),
        _ => malformed("a token has three parts between two dots"),
    }
}

/// Decodes `part` into `buffer` from `start` on; hands back where it ends.
fn decode(part: &str, buffer: &mut [u8], start: usize) -> Option<usize> {
    let length = URL_SAFE_NO_PAD.decode_slice(part, buffer.get_mut(start..)?).ok()?;
    Some(start + length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(token: &str) -> Option<&'static str> {
        Compact::parse(token, 64).err().map(AuthnError::detail)
    }

    #[test]
    fn parts() {
        let token = Compact::parse("YWI.Y2RlZg.Zw", 64).unwrap();
        assert_eq!(token.signed, b"YWI.Y2RlZg");
        assert_eq!((token.header(), token.payload()), (&b"ab"[..], &b"cdef"[..]));
        assert_eq!(token.signature(), b"g");
    }

    #[test]
    fn attack_wrong_number_of_parts() {
        for token in ["", "YWI", "YWI.YWI", "YWI.YWI.YWI.YWI", "YWI.YWI.YWI.YWI.YWI.YWI"] {
            assert_eq!(refused(token), Some("a token has three parts between two dots"), "{token}");
        }
        assert_eq!(refused("YWI.YWI.YWI.YWI.YWI"), Some("encrypted tokens (JWE) are not taken"));
        for token in ["..", ".YWI.YWI", "YWI..YWI", "YWI.YWI."] {
            assert_eq!(refused(token), Some("a part of the token is empty"), "{token}");
        }
    }

    #[test]
    fn attack_loose_base64url() {
        let parts = [
            "YWI=", "YW I", "YWI\n", "YW+/", "YWJ", "Y", "YW\0I", "YWé", "YWI\r\n", " YWI", "YWI\t",
        ];
        for part in parts {
            for token in
                [format!("{part}.YWI.YWI"), format!("YWI.{part}.YWI"), format!("YWI.YWI.{part}")]
            {
                assert_eq!(
                    refused(&token),
                    Some("a part of the token is not base64url"),
                    "{token}"
                );
            }
        }
    }

    #[test]
    fn attack_giant_token_costs_nothing() {
        let giant = "A".repeat(10_000_000);
        assert_eq!(refused(&giant), Some("the token is too long"));
        let token = "YWI.YWI.YWI";
        assert!(Compact::parse(token, token.len()).is_ok());
        assert!(Compact::parse(token, token.len() - 1).is_err());
    }

    /// Every dot first, then every part on its own.
    fn oracle(token: &str) -> Result<Vec<Vec<u8>>, &'static str> {
        let parts: Vec<&str> = token.split('.').collect();
        match parts.len() {
            3 if parts.contains(&"") => Err("a part of the token is empty"),
            3 => parts
                .into_iter()
                .map(|part| base64url(part).ok_or("a part of the token is not base64url"))
                .collect(),
            5 => Err("encrypted tokens (JWE) are not taken"),
            _ => Err("a token has three parts between two dots"),
        }
    }

    fn agrees_with_oracle(token: &str) {
        let ours = Compact::parse(token, token.len());
        match (oracle(token), ours) {
            (Ok(parts), Ok(ours)) => {
                assert_eq!([ours.header(), ours.payload(), ours.signature()], *parts, "{token}");
                assert_eq!(Some(ours.signed), token.rsplit_once('.').map(|(s, _)| s.as_bytes()));
            }
            (theirs, ours) => {
                assert_eq!(ours.map(drop).map_err(AuthnError::detail), theirs.map(drop), "{token}");
            }
        }
    }

    proptest! {
        #[test]
        fn parts_are_those_between_all_dots(token in "[A-Za-z0-9_-]{0,9}(\\.[A-Za-z0-9_-]{0,9}){0,5}") {
            agrees_with_oracle(&token);
        }

        #[test]
        fn any_text_is_parts_or_refused(token in "(\\PC|[.]|[A-Za-z0-9+/=_-]{1,9}){0,12}") {
            agrees_with_oracle(&token);
        }
    }
}
