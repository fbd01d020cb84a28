//! The `Basic` scheme's value (RFC 7617 section 2), and user names.

use base64_simd::STANDARD;
use zeroize::Zeroizing;

use super::{MAX_PASSWORD, MAX_USER};
use crate::{
    Secret,
    authn::{AuthnError, AuthnErrorKind, Credential},
};

/// What a caller says: who, and what only that one should know.
pub(crate) struct Said {
    pub(crate) user: String,
    pub(super) password: Secret,
}

impl Said {
    /// Refuses what nobody can have said, before anything is asked, charged or computed.
    pub(super) fn new(
        user: &str,
        password: &[u8],
        too_long: AuthnError,
    ) -> Result<Self, AuthnError> {
        if password.len() > MAX_PASSWORD {
            return Err(too_long);
        }
        Ok(Self { user: user_name(user)?, password: Secret::new(password) })
    }
}

const TOO_LONG: AuthnError =
    AuthnError::new(AuthnErrorKind::TooLarge, "a user or password is too long");

/// Base64 of the longest user name, a colon and the longest password.
const MAX_VALUE: usize = (MAX_USER + 1 + MAX_PASSWORD).div_ceil(3) * 4;

/// Reads what follows `Basic`.
fn parse(value: &str) -> Result<Said, AuthnError> {
    let malformed = |detail| AuthnError::new(AuthnErrorKind::Malformed, detail);
    if value.len() > MAX_VALUE {
        return Err(TOO_LONG);
    }
    let bytes = STANDARD.decode_to_vec(value).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| malformed("Basic is not base64"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("Basic is not UTF-8"))?;
    // RFC 7617 section 2: neither part may hold control characters, and a user no colon.
    if text.contains(char::is_control) {
        return Err(malformed("Basic holds a control character"));
    }
    let (user, password) = text.split_once(':').ok_or(malformed("Basic holds no colon"))?;
    Said::new(user, password.as_bytes(), TOO_LONG)
}

/// What a credential says; `None` when it is no password.
pub(crate) fn said(credential: &Credential<'_>) -> Option<Result<Said, AuthnError>> {
    let Credential::Basic(value) = credential else { return None };
    Some(parse(value))
}

/// The name as stores and guards know it: in lower case, and without the white space that
/// keyboards and pasting put around it. A name that has been through here comes out as it is.
pub(crate) fn user_name(name: &str) -> Result<String, AuthnError> {
    let fits = |name: &str| (1..=MAX_USER).contains(&name.len());
    let plain = fits(name) && !name.contains(char::is_control);
    // In lower case some names are longer.
    let name = plain.then(|| name.trim().to_lowercase()).filter(|name| fits(name));
    let detail = "a user name is 1 to 256 bytes without control characters";
    name.ok_or(AuthnError::new(AuthnErrorKind::Malformed, detail))
}

/// Whether a user asked for by that name, as [`user_name`] gives it, is the one stored as that.
pub(super) fn is_stored_as(user: &str, stored: &str) -> bool {
    user_name(stored).is_ok_and(|stored| stored == user)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> Result<(String, Vec<u8>), AuthnErrorKind> {
        parse(value)
            .map(|said| (said.user, said.password.expose().to_vec()))
            .map_err(AuthnError::kind)
    }

    fn encoded(text: impl AsRef<[u8]>) -> String {
        STANDARD.encode_to_string(text)
    }

    #[test]
    fn rfc_7617_examples() {
        // Sections 2 and 2.1.
        let user = |name: &str, password: &str| Ok((name.to_owned(), password.into()));
        assert_eq!(
            read("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            user("aladdin", "open sesame"),
            "names are told in lower case"
        );
        assert_eq!(read("dGVzdDoxMjPCow=="), user("test", "123£"));
    }

    #[test]
    fn values() {
        let check = |text: &[u8], expected: Option<(&str, &str)>| {
            let expected = expected
                .map(|(user, password)| (user.to_owned(), password.as_bytes().to_vec()))
                .ok_or(AuthnErrorKind::Malformed);
            assert_eq!(read(&encoded(text)), expected, "{}", text.escape_ascii());
        };
        check(b"a:b", Some(("a", "b")));
        check(b"a:b:c", Some(("a", "b:c")));
        check(b"a:", Some(("a", "")));
        check(b"a: b ", Some(("a", " b ")));
        check("Ä:b".as_bytes(), Some(("ä", "b")));
        check(b" a b  : c ", Some(("a b", " c ")));
        check("\u{3000}a\u{a0}:b".as_bytes(), Some(("a", "b")));
        check(b"  :b", None);
        check(b"a\t:b", None);
        check(b":b", None);
        check(b"a", None);
        check(b"", None);
        check(b"a\n:b", None);
        check(b"a:b\n", None);
        check(b"a:b\0", None);
        check(b"a:b\x7f", None);
        check("a:b\u{85}".as_bytes(), None);
        check(b"test:123\xa3", None);
        for value in ["dGVzdDoxMjPCow", "dGVzdDoxMjPCow=", "dGVzdDoxMjPCow== ", "YTpi-", "YTpj="] {
            assert_eq!(read(value), Err(AuthnErrorKind::Malformed), "{value}");
        }
    }

    #[test]
    fn attack_a_record_of_another_spelling_is_another_users() {
        let check = |stored: &str, asked: &str, expected| {
            let asked = user_name(asked).unwrap();
            assert_eq!(is_stored_as(&asked, stored), expected, "{stored} {asked}");
        };
        check("alice", "alice", true);
        check("Alice", "aLICE ", true);
        check(" alice", "alice", true);
        check("\u{c9}ric", "\u{e9}RIC", true);
        check("alice", "alic\u{e9}", false);
        check("alice", "\u{ff41}lice", false);
        check("alice", "al\u{131}ce", false);
        check("alice", "al\u{130}ce", false);
        check("alice", "a\u{ad}lice", false);
        check("alice", "alice\u{200b}", false);
        check("strasse", "stra\u{df}e", false);
        check("\u{e9}ric", "e\u{301}ric", false);
        check("", "alice", false);
        check("alice\0", "alice", false);
    }

    #[test]
    fn names_that_are_too_long_in_lower_case() {
        // U+0130 takes two bytes, and three in lower case.
        assert!(user_name(&"\u{130}".repeat(MAX_USER / 3)).is_ok());
        assert!(user_name(&"\u{130}".repeat(MAX_USER / 2)).is_err());
    }

    #[test]
    fn too_long_a_value_is_not_decoded() {
        let user = "u".repeat(MAX_USER);
        let password = "p".repeat(MAX_PASSWORD);
        assert!(read(&encoded(format!("{user}:{password}"))).is_ok());
        let long = encoded(format!("{user}:{password}pppp"));
        assert_eq!(read(&long), Err(AuthnErrorKind::TooLarge));
        assert_eq!(read(&encoded(format!("{user}u:p"))), Err(AuthnErrorKind::Malformed));
    }

    proptest! {
        #[test]
        fn any_value_is_refused_or_read_exactly(value in "[A-Za-z0-9+/]{0,40}={0,2}") {
            if let Ok(said) = parse(&value) {
                let text = STANDARD.decode_to_vec(&value).unwrap();
                prop_assert!(text.ends_with(said.password.expose()));
            }
        }

        #[test]
        fn a_name_that_is_plain_stays_as_it_is(name in "\\PC{0,40}") {
            if let Ok(name) = user_name(&name) {
                prop_assert_eq!(user_name(&name), Ok(name));
            }
        }

        #[test]
        fn what_is_said_is_what_is_read(user in "[a-z0-9@.]{1,20}", password in "\\PC{0,40}") {
            prop_assume!(!password.contains(char::is_control));
            let said = read(&encoded(format!("{user}:{password}")));
            prop_assert_eq!(said, Ok((user, password.into_bytes())));
        }
    }
}
