//! The outer form of a token (RFC 7515 section 3.1): three base64url parts between two dots.

use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};

use super::{encrypted, malformed};
use crate::authn::{AuthnError, AuthnErrorKind};

/// A token taken apart. Nothing in it has been read yet, let alone believed.
pub(super) struct Compact<'t> {
    /// What the signature is over: header, dot and payload as they were sent.
    pub(super) signed: &'t [u8],
    /// The header as it was sent.
    pub(super) header_sent: &'t [u8],
    pub(super) header: &'t [u8],
    pub(super) payload: &'t [u8],
    pub(super) signature: &'t [u8],
}

/// Where the parts of a token are decoded to: on the stack, unless it is long.
pub(super) struct Buffer {
    room: [u8; ROOM],
    more: Vec<u8>,
}

/// Tokens with more bytes than this are rare.
const ROOM: usize = 2048;

impl Default for Buffer {
    fn default() -> Self {
        Self { room: [0; ROOM], more: Vec::new() }
    }
}

impl<'t> Compact<'t> {
    /// Takes `token` apart, unless it is longer than `max_bytes`.
    pub(super) fn parse(
        token: &'t str,
        max_bytes: usize,
        buffer: &'t mut Buffer,
    ) -> Result<Self, AuthnError> {
        if token.len() > max_bytes {
            return Err(AuthnError::new(AuthnErrorKind::TooLarge, "the token is too long"));
        }
        if token.len() > ROOM {
            buffer.more.resize(token.len(), 0);
        }
        let buffer = if token.len() > ROOM { &mut *buffer.more } else { &mut buffer.room };
        Self::take_apart(token.as_bytes(), buffer).ok_or_else(|| fault(token))
    }

    /// Exactly three parts, none empty: without a signature there is nothing to check. Looked for
    /// from both ends, since the payload is the longest; a dot in it is no base64url.
    fn take_apart(token: &'t [u8], buffer: &'t mut [u8]) -> Option<Self> {
        let header = token.iter().position(|byte| *byte == b'.')?;
        let signature = token.iter().rposition(|byte| *byte == b'.').filter(|at| *at > header)?;
        let (signed, last) = (token.get(..signature)?, token.get(signature + 1..)?);
        let (first, middle) = (token.get(..header)?, token.get(header + 1..signature)?);
        let (for_header, buffer) = buffer.split_at_mut_checked(first.len())?;
        let (for_payload, for_signature) = buffer.split_at_mut_checked(middle.len())?;
        Some(Self {
            signed,
            header_sent: first,
            header: decode(first, for_header)?,
            payload: decode(middle, for_payload)?,
            signature: decode(last, for_signature)?,
        })
    }
}

/// Bytes from base64url without padding (RFC 7515 section 2): no other alphabet, no white space,
/// and no bits left over, so that no two texts stand for the same bytes.
pub(super) fn base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

/// `bytes` in base64url without padding.
pub(super) fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Decodes `part`, which is not empty, into the front of `room`.
fn decode<'r>(part: &[u8], room: &'r mut [u8]) -> Option<&'r [u8]> {
    let decoded = URL_SAFE_NO_PAD.decode(part, room.as_out()).ok()?;
    Some(&*decoded).filter(|decoded| !decoded.is_empty())
}

/// What is wrong with a token that cannot be taken apart.
fn fault(token: &str) -> AuthnError {
    match token.matches('.').count() {
        2 if token.split('.').any(str::is_empty) => malformed("a part of the token is empty"),
        2 => malformed("a part of the token is not base64url"),
        4 => encrypted(),
        _ => malformed("a token has three parts between two dots"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(token: &str) -> Option<&'static str> {
        Compact::parse(token, 64, &mut Buffer::default()).err().map(AuthnError::detail)
    }

    #[test]
    fn parts() {
        let mut buffer = Buffer::default();
        let token = Compact::parse("YWI.Y2RlZg.Zw", 64, &mut buffer).unwrap();
        assert_eq!(token.signed, b"YWI.Y2RlZg");
        assert_eq!((token.header, token.payload), (&b"ab"[..], &b"cdef"[..]));
        assert_eq!(token.signature, b"g");
    }

    #[test]
    fn tokens_that_just_fit_on_the_stack_or_just_do_not() {
        for length in (ROOM - 4..=ROOM + 4).filter(|length| (length - 9) % 4 != 1) {
            let token = format!("e30.{}.AAAA", "A".repeat(length - 9));
            let mut buffer = Buffer::default();
            let parts = Compact::parse(&token, ROOM + 4, &mut buffer).unwrap();
            assert_eq!((token.len(), parts.payload.len()), (length, (length - 9) * 3 / 4));
        }
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
        let mut buffer = Buffer::default();
        assert!(Compact::parse(token, token.len(), &mut buffer).is_ok());
        assert!(Compact::parse(token, token.len() - 1, &mut buffer).is_err());
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
        let mut buffer = Buffer::default();
        let ours = Compact::parse(token, token.len(), &mut buffer);
        match (oracle(token), ours) {
            (Ok(parts), Ok(ours)) => {
                assert_eq!([ours.header, ours.payload, ours.signature], *parts, "{token}");
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
