//! What an ID token says.

use super::super::optional;
use crate::{
    UnixTime,
    authn::{
        AuthnError,
        jwt::{claims::Claims, invalid, json::Value, rules::Times},
    },
};

/// OpenID Connect Core section 2: a subject has at most 255 ASCII characters.
const MAX_SUBJECT: usize = 255;

/// Who has logged in, and how, by an issuer's word.
#[derive(Clone, PartialEq, Eq)]
pub struct IdToken {
    issuer: String,
    subject: String,
    session: Option<String>,
    email: Option<String>,
    acr: Option<String>,
    amr: Vec<String>,
    auth_time: Option<UnixTime>,
    issued_at: UnixTime,
    expires_at: UnixTime,
}

impl IdToken {
    pub(super) fn of(claims: &Claims<'_>, times: &Times, issuer: &str) -> Result<Self, AuthnError> {
        let subject = optional(claims.sub, "`sub` is not a string")?;
        let fits = |sub: &String| {
            (1..=MAX_SUBJECT).contains(&sub.len())
                && sub.bytes().all(|byte| (b' '..=b'~').contains(&byte))
                && !sub.starts_with("spiffe://")
        };
        let subject = subject.filter(fits).ok_or(invalid("`sub` cannot name anybody"))?;
        let amr =
            claims.amr.map(|amr| amr.texts().ok_or(invalid("`amr` is not an array of strings")));
        let amr = amr.transpose()?.into_iter().flatten().map(str::to_owned).collect();
        let verified = claims.get("email_verified").and_then(Value::boolean) == Some(true);
        let email = claims.get("email").filter(|_| verified);
        Ok(Self {
            issuer: issuer.to_owned(),
            subject,
            session: optional(claims.get("sid"), "`sid` is not a string")?,
            email: optional(email, "`email` is not a string")?,
            acr: optional(claims.acr, "`acr` is not a string")?,
            amr,
            auth_time: times.auth_time,
            issued_at: times.iat.ok_or(invalid("the token has no `iat`"))?,
            expires_at: times.exp,
        })
    }

    /// Who says so (`iss`), as the verifier spells it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Who has logged in (`sub`): the one name of theirs that stays and is theirs alone, at this
    /// issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The issuer's session (`sid`), which a [logout token](super::super::LogoutToken) may name.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Their e-mail address, if the issuer has verified it (`email_verified` is `true`). It may
    /// change hands: nobody is to be told by it.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// The class in which they have authenticated (`acr`).
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.acr.as_deref()
    }

    /// How they have authenticated (`amr`, RFC 8176 values).
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.amr.iter().map(String::as_str)
    }

    /// When they have authenticated (`auth_time`).
    #[must_use]
    pub fn auth_time(&self) -> Option<UnixTime> {
        self.auth_time
    }

    /// When the token was issued (`iat`).
    #[must_use]
    pub fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// From when on the token no longer counts (`exp`).
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.expires_at
    }
}

/// Without the address.
impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdToken")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
