//! Who has been proven to be calling. One type for every kind of credential.

mod assertion;
mod text;

use std::{fmt, sync::Arc};

pub use assertion::{Assertion, PrincipalError, is_realm};
use text::{Span, Text};

use crate::UnixTime;

/// A proven caller. Cheap to clone: one reference count.
///
/// Its identity is `(realm, subject)`, as text `realm/subject`: the realm is the name the
/// application gave to the verifier, so the same subject proven by two verifiers is two
/// principals. The only way to make one is [`Principal::assertion`].
///
/// ```
/// use portcullis::Principal;
///
/// let clerk = Principal::assertion("staff", "alice").roles(["clerk"]).finish()?;
/// assert_eq!(clerk.id(), "staff/alice");
/// assert!(clerk.roles().eq(["clerk"]));
/// assert!(Principal::assertion("No Realm", "alice").finish().is_err());
/// # Ok::<(), portcullis::PrincipalError>(())
/// ```
#[derive(Clone)]
pub struct Principal(Arc<Inner>);

/// One text buffer; every name in it is a range, so accessors hand out `&str` without copies.
#[derive(Default)]
struct Inner {
    text: Text,
    realm: Span,
    subject: Span,
    id: Span,
    kind: Kind,
    issuer: Option<Span>,
    client: Option<Span>,
    credential_id: Option<Span>,
    acr: Option<Span>,
    /// Of roles and scopes; each of them is a range of these.
    names: Vec<Span>,
    roles: Span,
    scopes: Option<Span>,
    amr: Box<[(Span, Option<UnixTime>)]>,
    attributes: Box<[(Span, Stored)]>,
    auth_time: Option<UnixTime>,
    acr_time: Option<UnixTime>,
    expires_at: Option<UnixTime>,
}

enum Stored {
    Bool(bool),
    Long(i64),
    Str(Span),
    Strings(Box<[String]>),
}

/// What sort of caller a principal is; policies see it as the entity type of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Kind {
    /// A person.
    #[default]
    User,
    /// A program acting for itself.
    Service,
    /// A machine or appliance.
    Device,
}

/// A listed attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attribute<'a> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Long(i64),
    /// Text.
    Str(&'a str),
    /// A set of texts.
    Strings(&'a [String]),
}

impl Principal {
    /// Vouches for a caller: `subject` as known in `realm`.
    ///
    /// Call it only after the credential has been checked. Everything that trusts a principal
    /// trusts the callers of this function; searching for its name lists them.
    pub fn assertion(realm: &str, subject: &str) -> Assertion {
        Assertion::new(realm, subject)
    }

    /// `realm/subject`: what policies, limits and events know this caller by.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.text.get(self.0.id)
    }

    /// The verifier's realm, such as `staff`.
    #[must_use]
    pub fn realm(&self) -> &str {
        self.0.text.get(self.0.realm)
    }

    /// The name within the realm. Two realms may use one subject for two callers.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.0.text.get(self.0.subject)
    }

    /// User, service or device.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Who issued the credential, such as a token's `iss`.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.optional(self.0.issuer)
    }

    /// The program the caller acts through, such as a token's `client_id`.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        self.optional(self.0.client)
    }

    /// The credential's own id, such as a token's `jti`.
    #[must_use]
    pub fn credential_id(&self) -> Option<&str> {
        self.optional(self.0.credential_id)
    }

    /// Roles that the verifier's own mapping granted.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.names(self.0.roles)
    }

    /// The scopes the credential is limited to; `None` when it carries no such limit.
    #[must_use]
    pub fn scopes(&self) -> Option<impl Iterator<Item = &str>> {
        self.0.scopes.map(|scopes| self.names(scopes))
    }

    /// How the caller authenticated (`amr`, RFC 8176).
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.factors().map(|(method, _)| method)
    }

    /// How, and when by each method: the time that was given for it, or else that of all.
    pub fn factors(&self) -> impl Iterator<Item = (&str, Option<UnixTime>)> {
        let Inner { text, amr, auth_time, .. } = &*self.0;
        amr.iter().map(|(method, at)| (text.get(*method), at.or(*auth_time)))
    }

    /// The authentication context class (`acr`).
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.optional(self.0.acr)
    }

    /// When the caller authenticated in that class; a later factor does not change it.
    #[must_use]
    pub fn acr_time(&self) -> Option<UnixTime> {
        self.0.acr_time.or(self.0.auth_time)
    }

    /// When the caller last authenticated in person (`auth_time`), by whichever method.
    #[must_use]
    pub fn auth_time(&self) -> Option<UnixTime> {
        self.0.auth_time.max(self.0.amr.iter().filter_map(|(_, at)| *at).max())
    }

    /// From when on the credential no longer counts.
    #[must_use]
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.0.expires_at
    }

    /// One attribute that the verifier's mapping lists.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        let found = self.0.attributes.iter().find(|(key, _)| self.0.text.get(*key) == name);
        found.map(|(_, stored)| self.told(stored))
    }

    /// Every attribute, in the order the verifier gave them.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Attribute<'_>)> {
        let all = self.0.attributes.iter();
        all.map(|(name, stored)| (self.0.text.get(*name), self.told(stored)))
    }

    fn told<'a>(&'a self, stored: &'a Stored) -> Attribute<'a> {
        match stored {
            Stored::Bool(value) => Attribute::Bool(*value),
            Stored::Long(value) => Attribute::Long(*value),
            Stored::Str(span) => Attribute::Str(self.0.text.get(*span)),
            Stored::Strings(values) => Attribute::Strings(values),
        }
    }

    fn optional(&self, span: Option<Span>) -> Option<&str> {
        span.map(|span| self.0.text.get(span))
    }

    fn names(&self, list: Span) -> impl Iterator<Item = &str> {
        let names = self.0.names.get(list.range()).unwrap_or_default();
        names.iter().map(|name| self.0.text.get(*name))
    }
}

/// Two principals are equal when they are the same caller: same realm, same subject.
impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Principal {}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("id", &self.id())
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}
