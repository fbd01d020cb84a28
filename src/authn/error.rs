//! Why a credential proved nothing.

/// A refused credential: a kind to act on and a detail for the record.
///
/// Neither ever holds a part of the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct AuthnError {
    kind: AuthnErrorKind,
    detail: &'static str,
}

/// What is wrong with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AuthnErrorKind {
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It proves nothing: a wrong secret or signature, an unknown key, a rule not met.
    #[error("invalid")]
    Invalid,
    /// It is not of the form its scheme demands.
    #[error("malformed")]
    Malformed,
    /// Its time has not come.
    #[error("not_yet_valid")]
    NotYetValid,
    /// It was withdrawn.
    #[error("revoked")]
    Revoked,
    /// It is longer than what is looked at.
    #[error("too_large")]
    TooLarge,
    /// It could not be checked; nothing is known about it.
    #[error("unavailable")]
    Unavailable,
    /// It is meant for somebody else.
    #[error("wrong_audience")]
    WrongAudience,
    /// It comes from somebody else.
    #[error("wrong_issuer")]
    WrongIssuer,
}

impl AuthnError {
    /// An error of `kind`; `detail` is a fixed text for the record, never shown outside.
    #[must_use]
    pub const fn new(kind: AuthnErrorKind, detail: &'static str) -> Self {
        Self { kind, detail }
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
}
