//! The `Authorization` header (RFC 9110 section 11.6.2) as a pure function over bytes.

use super::Credential;

/// Credentials longer than this many bytes are not looked at.
pub const MAX_CREDENTIAL: usize = 16 * 1024;

/// What a request carries in the way of credentials.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Claim<'a> {
    /// None.
    Absent,
    /// Just one, well formed.
    Presented(Credential<'a>),
    /// One that its grammar does not allow.
    Malformed,
    /// More than one.
    Ambiguous,
    /// One longer than [`MAX_CREDENTIAL`].
    TooLarge,
}

impl<'a> Claim<'a> {
    /// Reads every value of a request's `Authorization` header, in order.
    ///
    /// ```
    /// use portcullis::{Claim, Credential};
    ///
    /// let read = |values: &[&'static str]| {
    ///     Claim::from_authorization(values.iter().map(|value| value.as_bytes()))
    /// };
    /// assert!(matches!(read(&["bearer abc"]), Claim::Presented(Credential::Bearer("abc"))));
    /// assert!(matches!(read(&[]), Claim::Absent));
    /// assert!(matches!(read(&["Bearer a b"]), Claim::Malformed));
    /// assert!(matches!(read(&["Bearer a", "Bearer a"]), Claim::Ambiguous));
    /// ```
    #[must_use]
    pub fn from_authorization(mut values: impl Iterator<Item = &'a [u8]>) -> Self {
        let Some(value) = values.next() else { return Self::Absent };
        if values.next().is_some() {
            return Self::Ambiguous;
        }
        if value.len() > MAX_CREDENTIAL {
            return Self::TooLarge;
        }
        credential(value).map_or(Self::Malformed, Self::Presented)
    }
}

impl<'a> From<Credential<'a>> for Claim<'a> {
    fn from(credential: Credential<'a>) -> Self {
        Self::Presented(credential)
    }
}

impl<'a> From<Option<Credential<'a>>> for Claim<'a> {
    fn from(credential: Option<Credential<'a>>) -> Self {
        credential.map_or(Self::Absent, Self::Presented)
    }
}

/// `auth-scheme 1*SP value`, visible ASCII throughout.
fn credential(value: &[u8]) -> Option<Credential<'_>> {
    let text = std::str::from_utf8(value).ok()?;
    let (scheme, value) = text.split_once(' ')?;
    let value = value.trim_start_matches(' ');
    if scheme.is_empty() || !scheme.bytes().all(is_token) || value.is_empty() {
        return None;
    }
    if scheme.eq_ignore_ascii_case("Bearer") {
        return is_b64token(value).then_some(Credential::Bearer(value));
    }
    let visible = value.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !value.ends_with(' ');
    visible.then_some(Credential::Other { scheme, value })
}

/// RFC 9110 section 5.6.2: `tchar`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 6750 section 2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(text: &str) -> bool {
    let token = text.trim_end_matches('=');
    !token.is_empty()
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read<'a>(values: &[&'a [u8]]) -> Claim<'a> {
        Claim::from_authorization(values.iter().copied())
    }

    #[test]
    fn bearer_tokens() {
        for value in ["Bearer a.b-c_d~e+f/0==", "bearer x", "BEARER   x"] {
            let claim = read(&[value.as_bytes()]);
            assert!(matches!(claim, Claim::Presented(Credential::Bearer(_))), "{value}");
        }
    }

    #[test]
    fn malformed() {
        let values: [&[u8]; 13] = [
            b"",
            b"Bearer",
            b"Bearer ",
            b"Bearer\tx",
            b"Bearer x\t",
            b"Bearer x ",
            b"Bearer x, Bearer y",
            b"Bearer =",
            b"Bearer a=b",
            b" Bearer x",
            b"Bearer x\x80",
            b"B(r x",
            b"Basic a\x7f",
        ];
        for value in values {
            assert!(matches!(read(&[value]), Claim::Malformed), "{:?}", value.escape_ascii());
        }
    }

    #[test]
    fn attack_two_headers_even_if_equal() {
        assert!(matches!(read(&[b"Bearer x", b"Bearer x"]), Claim::Ambiguous));
    }

    #[test]
    fn a_giant_is_not_read() {
        let value = format!("Bearer {}", "x".repeat(MAX_CREDENTIAL));
        assert!(matches!(read(&[value.as_bytes()]), Claim::TooLarge));
    }

    proptest! {
        #[test]
        fn what_passes_is_visible_ascii(value in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Claim::Presented(credential) = read(&[&value]) {
                let text = match credential {
                    Credential::Bearer(text) | Credential::Other { value: text, .. } => text,
                };
                prop_assert!(!text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            }
        }
    }
}
