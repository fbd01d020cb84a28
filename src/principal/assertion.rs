//! The one way to make a principal.

use std::sync::Arc;

use super::{Attribute, Inner, Kind, Principal, Span, Stored, Text};
use crate::UnixTime;

/// Subjects longer than this many bytes are refused.
const MAX_SUBJECT: usize = 1024;

/// Nobody authenticates by more methods than this.
const MAX_METHODS: usize = 16;

/// Room for what is usually said besides the name, in bytes: issuer, client, ids, roles, scopes.
/// With it the text of most principals is allocated once.
const ROOM: usize = 256;

/// Room for the roles and scopes of most principals, in names.
const NAMES: usize = 16;

/// A principal being put together by a verifier; see [`Principal::assertion`].
#[must_use = "an assertion vouches for nobody until it is finished"]
pub struct Assertion {
    inner: Inner,
    error: Option<PrincipalError>,
}

/// Why nobody can be vouched for under that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrincipalError {
    /// The realm is not `[a-z][a-z0-9-]{0,31}`.
    #[error("a realm is a lower-case letter and up to 31 letters, digits and hyphens")]
    Realm,
    /// The subject is empty, longer than 1,024 bytes, or holds a control character.
    #[error("a subject is 1 to 1,024 bytes without control characters")]
    Subject,
    /// There are more than 16 methods of authentication.
    #[error("a caller authenticates by 16 methods at most")]
    Methods,
}

/// Whether `text` can name a realm: `[a-z][a-z0-9-]{0,31}`.
#[must_use]
pub fn is_realm(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn is_subject(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    let controlled = || text.contains(char::is_control);
    !text.is_empty() && text.len() <= MAX_SUBJECT && (text.bytes().all(plain) || !controlled())
}

impl Assertion {
    pub(super) fn new(realm: &str, subject: &str) -> Self {
        let error = if !is_realm(realm) {
            Some(PrincipalError::Realm)
        } else if !is_subject(subject) {
            Some(PrincipalError::Subject)
        } else {
            None
        };
        let mut text = Text::with_capacity(realm.len() + 1 + subject.len() + ROOM);
        let realm = text.push(realm);
        text.push("/");
        let subject = text.push(subject);
        let id = realm.to(subject);
        let inner = Inner { text, realm, subject, id, ..Inner::default() };
        Self { inner, error }
    }

    /// User (the default), service or device.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.inner.kind = kind;
        self
    }

    /// Who issued the credential.
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.inner.issuer = Some(self.inner.text.push(issuer));
        self
    }

    /// The program the caller acts through.
    pub fn client(mut self, client: &str) -> Self {
        self.inner.client = Some(self.inner.text.push(client));
        self
    }

    /// The credential's own id.
    pub fn credential_id(mut self, id: &str) -> Self {
        self.inner.credential_id = Some(self.inner.text.push(id));
        self
    }

    /// The roles granted; replaces any given before.
    pub fn roles<'a>(mut self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        self.inner.roles = self.push_all(roles);
        self
    }

    /// Limits the caller to these scopes; no scopes at all means the caller may do nothing.
    pub fn scopes<'a>(mut self, scopes: impl IntoIterator<Item = &'a str>) -> Self {
        self.inner.scopes = Some(self.push_all(scopes));
        self
    }

    /// How the caller authenticated (RFC 8176 values), at [`auth_time`](Self::auth_time) by each;
    /// replaces any given before.
    pub fn amr<'a>(mut self, methods: impl IntoIterator<Item = &'a str>) -> Self {
        let text = &mut self.inner.text;
        self.inner.amr = methods.into_iter().map(|how| (text.push(how), None)).collect();
        self
    }

    /// How the caller authenticated (RFC 8176 values) and when by each, which proves nothing
    /// about when by another; replaces any given before.
    pub fn factors<'a>(mut self, all: impl IntoIterator<Item = (&'a str, UnixTime)>) -> Self {
        let text = &mut self.inner.text;
        self.inner.amr = all.into_iter().map(|(how, at)| (text.push(how), Some(at))).collect();
        self
    }

    /// The authentication context class.
    pub fn acr(mut self, class: &str) -> Self {
        self.inner.acr = Some(self.inner.text.push(class));
        self
    }

    /// When the caller authenticated in that class, where it was not at
    /// [`auth_time`](Self::auth_time).
    pub fn acr_time(mut self, at: UnixTime) -> Self {
        self.inner.acr_time = Some(at);
        self
    }

    /// When the caller last authenticated in person.
    pub fn auth_time(mut self, at: UnixTime) -> Self {
        self.inner.auth_time = Some(at);
        self
    }

    /// From when on the credential no longer counts.
    pub fn expires_at(mut self, at: UnixTime) -> Self {
        self.inner.expires_at = Some(at);
        self
    }

    /// Attributes that policies may read; replaces any given before.
    pub fn attributes<'a>(
        mut self,
        attributes: impl IntoIterator<Item = (&'a str, Attribute<'a>)>,
    ) -> Self {
        let text = &mut self.inner.text;
        let store = |(name, value): (&str, Attribute<'_>)| {
            let stored = match value {
                Attribute::Bool(value) => Stored::Bool(value),
                Attribute::Long(value) => Stored::Long(value),
                Attribute::Str(value) => Stored::Str(text.push(value)),
                Attribute::Strings(values) => Stored::Strings(values.into()),
            };
            (text.push(name), stored)
        };
        self.inner.attributes = attributes.into_iter().map(store).collect();
        self
    }

    /// The finished principal.
    ///
    /// # Errors
    /// When realm or subject cannot name anybody, or the methods are more than 16.
    pub fn finish(self) -> Result<Principal, PrincipalError> {
        match self.error {
            Some(error) => Err(error),
            None if self.inner.amr.len() > MAX_METHODS => Err(PrincipalError::Methods),
            None => Ok(Principal(Arc::new(self.inner))),
        }
    }

    fn push_all<'a>(&mut self, pieces: impl IntoIterator<Item = &'a str>) -> Span {
        let Inner { text, names, .. } = &mut self.inner;
        let start = names.len();
        names.reserve(if start == 0 { NAMES } else { 0 });
        names.extend(pieces.into_iter().map(|piece| text.push(piece)));
        Span::new(start, names.len()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Assertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assertion")
            .field("id", &self.inner.text.get(self.inner.id))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realms_and_subjects() {
        let check = |realm: &str, subject: &str, expected: Option<PrincipalError>| {
            assert_eq!(
                Principal::assertion(realm, subject).finish().err(),
                expected,
                "{realm}/{subject}"
            );
        };
        check("staff", "alice", None);
        check("a-1", "/", None);
        check("", "alice", Some(PrincipalError::Realm));
        check("1a", "alice", Some(PrincipalError::Realm));
        check("st/aff", "alice", Some(PrincipalError::Realm));
        check(&"a".repeat(33), "alice", Some(PrincipalError::Realm));
        check("staff", "", Some(PrincipalError::Subject));
        check("staff", "al\nice", Some(PrincipalError::Subject));
        check("staff", &"a".repeat(1025), Some(PrincipalError::Subject));
    }

    #[test]
    fn each_method_has_its_own_time_or_that_of_all() {
        let at = UnixTime::from_secs;
        let who = || Principal::assertion("staff", "alice");
        let told = |who: Assertion| {
            let who = who.finish().unwrap();
            let factors: Vec<_> =
                who.factors().map(|(method, at)| (method.to_owned(), at)).collect();
            assert!(who.amr().eq(factors.iter().map(|(method, _)| method)));
            (factors, who.auth_time(), who.acr_time())
        };
        let factor = |method: &str, at| (method.to_owned(), at);
        let (nine, two) = (Some(at(9)), Some(at(2)));
        assert_eq!(told(who().amr(["pwd"])), (vec![factor("pwd", None)], None, None));
        // As a token says it, in whichever order it is said.
        let all = (vec![factor("pwd", nine), factor("otp", nine)], nine, nine);
        assert_eq!(told(who().amr(["pwd", "otp"]).auth_time(at(9))), all);
        assert_eq!(told(who().auth_time(at(9)).amr(["pwd", "otp"])), all);
        // As a session says it.
        let own = who().factors([("otp", at(2)), ("pwd", at(9))]);
        let factors = vec![factor("otp", two), factor("pwd", nine)];
        assert_eq!(told(own), (factors, nine, None));
        let over = who().factors([("otp", at(2))]).auth_time(at(9));
        assert_eq!(told(over), (vec![factor("otp", two)], nine, nine), "its own is older");
        assert_eq!(told(who().acr_time(at(2)).auth_time(at(9))), (vec![], nine, two));
    }

    #[test]
    fn attack_methods_without_end() {
        let who = |methods| Principal::assertion("staff", "alice").amr(vec!["pwd"; methods]);
        assert!(who(16).finish().is_ok());
        assert_eq!(who(17).finish().err(), Some(PrincipalError::Methods));
    }

    #[test]
    fn no_two_ids_share_a_text() {
        let id =
            |realm, subject| Principal::assertion(realm, subject).finish().unwrap().id().to_owned();
        assert_ne!(id("a", "b/c"), id("a-b", "c"));
        assert_eq!(id("a", "b/c"), "a/b/c");
    }

    #[test]
    fn everything_said_is_read_back() {
        let tags = ["x".to_owned(), "y".to_owned()];
        let principal = Principal::assertion("keys", "robot")
            .kind(Kind::Service)
            .issuer("https://id.example")
            .client("cli")
            .credential_id("j1")
            .roles(["clerk", "manager"])
            .scopes(["orders.read"])
            .amr(["pwd", "otp"])
            .acr("2")
            .auth_time(UnixTime::from_secs(5))
            .expires_at(UnixTime::from_secs(9))
            .attributes([("department", Attribute::Str("it")), ("tags", Attribute::Strings(&tags))])
            .finish()
            .unwrap();
        assert_eq!((principal.realm(), principal.subject()), ("keys", "robot"));
        assert_eq!(principal.kind(), Kind::Service);
        assert_eq!(principal.issuer(), Some("https://id.example"));
        assert_eq!((principal.client(), principal.credential_id()), (Some("cli"), Some("j1")));
        assert!(principal.roles().eq(["clerk", "manager"]));
        assert!(principal.scopes().unwrap().eq(["orders.read"]));
        assert!(principal.amr().eq(["pwd", "otp"]));
        assert_eq!(principal.acr(), Some("2"));
        assert_eq!(principal.auth_time(), Some(UnixTime::from_secs(5)));
        assert_eq!(principal.expires_at(), Some(UnixTime::from_secs(9)));
        assert_eq!(principal.attribute("department"), Some(Attribute::Str("it")));
        assert_eq!(principal.attribute("tags"), Some(Attribute::Strings(&tags)));
        assert_eq!(principal.attribute("missing"), None);
    }
}
