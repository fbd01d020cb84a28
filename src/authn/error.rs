//! Why a credential proved nothing.

use std::time::Duration;

use crate::PrincipalError;

/// A refused credential: a kind to act on and a detail for the record.
///
/// Neither ever holds a part of the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct AuthnError {
    kind: AuthnErrorKind,
    detail: &'static str,
    retry_after: Option<Duration>,
}

/// What is wrong with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthnErrorKind {
    /// A challenge is to be solved before it is looked at.
    ChallengeRequired,
    /// It is encrypted, or says so (JWE, RFC 7516), and such are not taken, whatever is in them.
    Encrypted,
    /// Its time is over.
    Expired,
    /// It proves nothing: a wrong secret or signature, an unknown key, a rule not met.
    Invalid,
    /// It is not of the form its scheme demands.
    Malformed,
    /// Its time has not come.
    NotYetValid,
    /// It is a password of more bytes than are looked at, and came in no header.
    PasswordTooLong,
    /// It was withdrawn.
    Revoked,
    /// The session it names has ended, timed out, or never was. A browser sends its cookie all
    /// the same, so where no caller is needed this counts as no credential.
    SessionOver,
    /// Too many proved nothing of late; it is not looked at for now.
    Throttled,
    /// It came in a header and is longer than what is looked at.
    TooLarge,
    /// It could not be checked; nothing is known about it.
    Unavailable,
    /// It is meant for somebody else.
    WrongAudience,
    /// It comes from somebody else.
    WrongIssuer,
}

/// A credential that names nobody who could be vouched for proves nothing.
impl From<PrincipalError> for AuthnError {
    fn from(_: PrincipalError) -> Self {
        Self::new(AuthnErrorKind::Invalid, "the credential names nobody")
    }
}

impl AuthnErrorKind {
    /// A stable label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChallengeRequired => "challenge_required",
            Self::Encrypted => "encrypted",
            Self::Expired => "expired",
            Self::Invalid => "invalid",
            Self::Malformed => "malformed",
            Self::NotYetValid => "not_yet_valid",
            Self::PasswordTooLong => "password_too_long",
            Self::Revoked => "revoked",
            Self::SessionOver => "session_over",
            Self::Throttled => "login_throttled",
            Self::TooLarge => "too_large",
            Self::Unavailable => "unavailable",
            Self::WrongAudience => "wrong_audience",
            Self::WrongIssuer => "wrong_issuer",
        }
    }
}

impl std::fmt::Display for AuthnErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AuthnError {
    /// An error of `kind`; `detail` is a fixed text for the record, never shown outside.
    #[must_use]
    pub const fn new(kind: AuthnErrorKind, detail: &'static str) -> Self {
        Self { kind, detail, retry_after: None }
    }

    /// With the time after which it makes sense to try again.
    #[must_use]
    pub const fn with_retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(self) -> AuthnErrorKind {
        self.kind
    }

    /// The exact rule that was not met.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        self.detail
    }

    /// After what time it makes sense to try again, where that is known.
    #[must_use]
    pub const fn retry_after(self) -> Option<Duration> {
        self.retry_after
    }
}
