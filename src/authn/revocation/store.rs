//! What a list of revocations is told and asked.

use std::fmt;

use crate::{UnixTime, authn::AuthnError};

/// A list of what is revoked.
///
/// It is asked on the way of every request, so it answers from memory: one that is shared between
/// processes keeps a copy, and says that it is not available once that copy is too old to rely on.
/// Whether a list of your own keeps what is promised here, `testing::StoreChecks` finds out
/// (feature `testing`).
pub trait Revocations: fmt::Debug + Send + Sync + 'static {
    /// Whether a token that was proven counts at `now`.
    ///
    /// # Errors
    /// [`Revoked`](crate::AuthnErrorKind::Revoked) when anything that stands refuses it;
    /// [`Unavailable`](crate::AuthnErrorKind::Unavailable) when that is not known, which is told as
    /// 503.
    fn check(&self, presented: &Presented<'_>, now: UnixTime) -> Result<(), AuthnError>;

    /// Lets `revocation` stand from now on, for every [`check`](Self::check) that begins after
    /// this has returned. Where it stands already, the later times of the two hold. Returns whether
    /// it is new.
    ///
    /// # Errors
    /// When it does not stand.
    fn revoke(&self, revocation: &Revocation<'_>, now: UnixTime) -> Result<bool, RevokeError>;
}

/// What a token that was presented has proven, as far as it can be revoked by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Presented<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `jti`.
    pub token: Option<&'a str>,
    /// `sid`.
    pub session: Option<&'a str>,
    /// `sub`, whatever claim else may name the caller.
    pub subject: Option<&'a str>,
    /// What the principal has for its client: `client_id`, or `azp`.
    pub client: Option<&'a str>,
    /// `iat`. A token without it counts as issued before any time.
    pub issued_at: Option<UnixTime>,
}

/// Something that is to count no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revocation<'a> {
    /// Whose tokens it is about (`iss`), byte by byte.
    pub issuer: &'a str,
    /// Which of them.
    pub target: Target<'a>,
    /// Only those issued by then, where that is said.
    pub issued_by: Option<UnixTime>,
    /// How long it stands. Keep it standing for as long as any token that it refuses would count:
    /// until the token's `exp`, or for the longest that the issuer's tokens live, and the leeway.
    pub until: UnixTime,
}

/// Which of an issuer's tokens are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Target<'a> {
    /// The one with this `jti`.
    Token(&'a str),
    /// Those of this session (`sid`).
    Session(&'a str),
    /// Those of this subject (`sub`).
    Subject(&'a str),
    /// Those of this client.
    Client(&'a str),
    /// All.
    Issuer,
    /// None of a caller: the logout token with this `jti`, which counts once.
    Logout(&'a str),
}

/// Why something is not revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// There is no room for it. What stood before stands.
    #[error("the list of revocations is full")]
    Full,
    /// It would end before it begins. What it is about must be over by itself.
    #[error("a revocation ends before it begins")]
    Over,
    /// The logout token was used before. What it says is over is revoked.
    #[error("a logout token counts once")]
    Repeated,
    /// The list cannot be reached.
    #[error("the list of revocations cannot be reached")]
    Unavailable,
}

impl<'a> Presented<'a> {
    /// A token of this issuer that says nothing else.
    #[must_use]
    pub const fn new(issuer: &'a str) -> Self {
        Self { issuer, token: None, session: None, subject: None, client: None, issued_at: None }
    }

    /// Everything that the token is revoked by.
    pub fn targets(&self) -> impl Iterator<Item = Target<'a>> {
        let said = [
            self.token.map(Target::Token),
            self.session.map(Target::Session),
            self.subject.map(Target::Subject),
            self.client.map(Target::Client),
            Some(Target::Issuer),
        ];
        said.into_iter().flatten()
    }
}

impl<'a> Revocation<'a> {
    /// The token of `issuer` with this `jti`.
    #[must_use]
    pub const fn token(issuer: &'a str, jti: &'a str, until: UnixTime) -> Self {
        Self::of(issuer, Target::Token(jti), until)
    }

    /// The tokens of `issuer` for this session.
    #[must_use]
    pub const fn session(issuer: &'a str, sid: &'a str, until: UnixTime) -> Self {
        Self::of(issuer, Target::Session(sid), until)
    }

    /// The tokens of `issuer` for this subject. Without [`issued_by`](Self::issued_by), the subject
    /// is shut out for as long as it stands.
    #[must_use]
    pub const fn subject(issuer: &'a str, sub: &'a str, until: UnixTime) -> Self {
        Self::of(issuer, Target::Subject(sub), until)
    }

    /// The tokens of `issuer` for this client.
    #[must_use]
    pub const fn client(issuer: &'a str, client: &'a str, until: UnixTime) -> Self {
        Self::of(issuer, Target::Client(client), until)
    }

    /// All tokens of `issuer`.
    #[must_use]
    pub const fn issuer(issuer: &'a str, until: UnixTime) -> Self {
        Self::of(issuer, Target::Issuer, until)
    }

    /// Only those issued at `at` or before, by the issuer's clock and in whole seconds as `iat` is:
    /// what is issued within that very second is refused too.
    #[must_use]
    pub const fn issued_by(mut self, at: UnixTime) -> Self {
        self.issued_by = Some(at);
        self
    }

    pub(super) const fn of(issuer: &'a str, target: Target<'a>, until: UnixTime) -> Self {
        Self { issuer, target, issued_by: None, until }
    }
}

impl Target<'_> {
    /// What to say of a token that is refused because of it.
    #[must_use]
    pub const fn refusal(self) -> &'static str {
        match self {
            Self::Token(_) => "the token was revoked",
            Self::Session(_) => "the token's session is over",
            Self::Subject(_) => "the subject's tokens were revoked",
            Self::Client(_) => "the client's tokens were revoked",
            Self::Issuer => "the issuer's tokens were revoked",
            Self::Logout(_) => "the logout token was used before",
        }
    }
}
