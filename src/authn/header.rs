//! Header grammars as pure functions over bytes: `Authorization` (RFC 9110 section 11.6.2), API
//! keys in headers of their own, cookies (RFC 6265 section 4.2.1).

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
    pub fn from_authorization(values: impl Iterator<Item = &'a [u8]>) -> Self {
        Self::only(values, credential)
    }

    /// Reads every value of a header that holds an API key, in order.
    #[must_use]
    pub fn from_api_key(values: impl Iterator<Item = &'a [u8]>) -> Self {
        Self::only(values, |value| visible(value).map(Credential::ApiKey))
    }

    /// Reads every value of a request's `Cookie` header, in order, for the cookie `name`. What
    /// the other cookies are like does not matter.
    #[must_use]
    pub fn from_cookies(values: impl Iterator<Item = &'a [u8]>, name: &str) -> Self {
        let pairs = values.flat_map(|value| value.split(|byte| *byte == b';'));
        let value = |pair: &'a [u8]| {
            let pair = pair.trim_ascii();
            pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
        };
        Self::only(pairs.filter_map(value), |value| visible(value).map(Credential::Session))
    }

    /// This claim and `other`, read from another place of the same request: two credentials are
    /// one too many.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Absent, claim) | (claim, Self::Absent) => claim,
            (_, _) => Self::Ambiguous,
        }
    }

    fn only(
        mut values: impl Iterator<Item = &'a [u8]>,
        read: impl Fn(&'a [u8]) -> Option<Credential<'a>>,
    ) -> Self {
        let Some(value) = values.next() else { return Self::Absent };
        if values.next().is_some() {
            return Self::Ambiguous;
        }
        if value.len() > MAX_CREDENTIAL {
            return Self::TooLarge;
        }
        read(value).map_or(Self::Malformed, Self::Presented)
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
        return is_token68(value).then_some(Credential::Bearer(value));
    }
    if scheme.eq_ignore_ascii_case("Basic") {
        return is_token68(value).then_some(Credential::Basic(value));
    }
    let visible = value.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !value.ends_with(' ');
    visible.then_some(Credential::Other { scheme, value })
}

/// Visible ASCII without spaces, and some of it.
fn visible(value: &[u8]) -> Option<&str> {
    let plain = !value.is_empty() && value.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(value).ok().filter(|_| plain)
}

/// RFC 9110 section 5.6.2: `tchar`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 9110 section 11.2: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_token68(text: &str) -> bool {
    let token = text.trim_end_matches('=');
    // Without a way out before the end, the compiler takes many bytes at a time.
    // `-`, `.` and `/` lie before the digits.
    let plain = |b: u8| b.is_ascii_alphabetic() | matches!(b, b'-'..=b'9' | b'+' | b'_' | b'~');
    !token.is_empty() && token.bytes().fold(true, |all, byte| all & plain(byte))
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
        let values: [&[u8]; 14] = [
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
            b"Basic a b",
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

    #[test]
    fn cookies() {
        let session = |cookies: &[&'static str]| match Claim::from_cookies(
            cookies.iter().map(|value| value.as_bytes()),
            "id",
        ) {
            Claim::Presented(Credential::Session(value)) => value,
            Claim::Absent => "absent",
            Claim::Ambiguous => "ambiguous",
            Claim::Malformed | Claim::Presented(_) | Claim::TooLarge => "malformed",
        };
        assert_eq!(session(&["a=1; id=x.y; b=2"]), "x.y");
        assert_eq!(session(&["a=1", "id=x"]), "x");
        assert_eq!(session(&["idx=1; ID=2; aid=3; id"]), "absent");
        assert_eq!(session(&["id=1; id=1"]), "ambiguous");
        assert_eq!(session(&["id=1", "id=2"]), "ambiguous");
        assert_eq!(session(&["id="]), "malformed");
        assert_eq!(session(&["id=a b"]), "malformed");
    }

    #[test]
    fn two_credentials_are_one_too_many() {
        let key = Claim::from_api_key([&b"k1"[..]].into_iter());
        assert!(matches!(key, Claim::Presented(Credential::ApiKey("k1"))));
        assert!(matches!(key.and(Claim::Absent), Claim::Presented(_)));
        assert!(matches!(Claim::Absent.and(key), Claim::Presented(_)));
        assert!(matches!(key.and(read(&[b"Bearer x"])), Claim::Ambiguous));
        assert!(matches!(key.and(Claim::Malformed), Claim::Ambiguous));
        assert!(matches!(Claim::from_api_key([&b"a b"[..]].into_iter()), Claim::Malformed));
    }

    #[test]
    fn every_byte_of_token68() {
        let allowed = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
        for byte in 0..=u8::MAX {
            let text = char::from(byte).to_string();
            assert_eq!(is_token68(&text), allowed.contains(&byte), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn token68_is_its_definition(text in "[a-z0-9+/=._~-]{0,80}[ -~é]?=?[a-z=]{0,40}") {
            let mut rest = text.bytes().skip_while(|&byte| {
                byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte)
            });
            let plain = !text.starts_with('=') && !text.is_empty() && rest.all(|byte| byte == b'=');
            prop_assert_eq!(is_token68(&text), plain);
        }

        #[test]
        fn what_passes_is_visible_ascii(value in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Claim::Presented(credential) = read(&[&value]) {
                let (Credential::Basic(text)
                | Credential::Bearer(text)
                | Credential::Other { value: text, .. }) = credential
                else {
                    panic!("{credential:?} does not stand in this header")
                };
                prop_assert!(!text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            }
        }
    }
}
