//! Logout tokens: how an issuer says that a session is over.

use super::{Profile, absent, optional, present};
use crate::{
    Algorithm, UnixTime,
    authn::{
        AuthnError,
        jwt::{
            Keys,
            claims::Claims,
            envelope::Envelope,
            header::Types,
            invalid,
            json::Value,
            rules::{ClaimRules, Times},
        },
    },
};

/// The one event of a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Verifies the logout tokens that an issuer posts to a client (OpenID Connect Back-Channel Logout
/// 1.0 section 2.6).
///
/// A logout token proves nobody and is no credential: it takes something away. That its `jti` is
/// used once is for whoever acts on it.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use portcullis::{Algorithm, UnixTime, authn::jwt::profile::LogoutTokens, testing::Issuer};
/// use serde_json::json;
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let issuer = Issuer::new("https://id.example").with_audience("shop");
/// let logouts =
///     LogoutTokens::new("https://id.example", "shop", Algorithm::Es256, issuer.keys());
///
/// let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
/// let token = issuer.token("alice").header("typ", "logout+jwt").claim("events", event);
/// let logout = logouts.verify(&token.clone().claim("sid", "s1").sign(now), now)?;
/// assert_eq!((logout.subject(), logout.session()), (Some("alice"), Some("s1")));
///
/// let refused = logouts.verify(&token.claim("nonce", "n").sign(now), now).unwrap_err();
/// assert_eq!(refused.detail(), "`nonce` is of ID tokens");
/// # }
/// # Ok::<(), portcullis::AuthnError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a verifier checks nothing until it is asked"]
pub struct LogoutTokens {
    profile: Profile,
    algorithm: Algorithm,
}

/// A session, or all sessions of somebody, that are over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutToken {
    issuer: String,
    subject: Option<String>,
    session: Option<String>,
    id: String,
    issued_at: UnixTime,
    expires_at: UnixTime,
}

impl LogoutTokens {
    /// Takes the logout tokens of `issuer` for the client `client_id`, signed by one of `keys`
    /// with the `algorithm` that the client is registered with for ID tokens.
    pub fn new(
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        algorithm: Algorithm,
        keys: impl Into<Keys>,
    ) -> Self {
        let mut rules = ClaimRules::new(issuer.into(), client_id.into());
        rules.demands = vec![
            present("iat", "the token has no `iat`"),
            present("jti", "the token has no `jti`"),
            present("events", "the token has no `events`"),
            absent("nonce", "`nonce` is of ID tokens"),
        ];
        let envelope = Envelope::new(Types::new(["logout+jwt"], false), keys.into());
        Self { profile: Profile { envelope, rules }, algorithm }
    }

    /// How far the issuer's clock may be off: 0 unless said otherwise, at most 300 s.
    pub fn leeway(mut self, leeway: std::time::Duration) -> Self {
        self.profile.rules.leeway = leeway;
        self
    }

    /// What is wrong with the set-up. While anything is, every token is refused as
    /// [`Unavailable`](crate::AuthnErrorKind::Unavailable).
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.profile.problems()
    }

    /// What `token` says is over.
    ///
    /// # Errors
    /// The first rule the token does not meet.
    pub fn verify(&self, token: &str, now: UnixTime) -> Result<LogoutToken, AuthnError> {
        let rules = &self.profile.rules;
        self.profile.read(token, now, |claims, algorithm| {
            if algorithm != self.algorithm {
                return Err(invalid("the token's `alg` is not the registered one"));
            }
            let times = rules.check(claims)?;
            times.check(now, rules)?;
            LogoutToken::of(claims, &times, &rules.issuer)
        })
    }
}

impl LogoutToken {
    fn of(claims: &Claims<'_>, times: &Times, issuer: &str) -> Result<Self, AuthnError> {
        let events = claims.get("events").and_then(Value::members);
        let mut events = events.ok_or(invalid("`events` is not an object"))?;
        match (events.next(), events.next()) {
            (Some((EVENT, event)), None) if event.members().is_some() => {}
            _ => return Err(invalid("`events` is not that of a logout")),
        }
        let subject = optional(claims.sub, "`sub` is not a string")?;
        let session = optional(claims.get("sid"), "`sid` is not a string")?;
        let nobody = |name: &Option<String>| name.as_ref().is_none_or(String::is_empty);
        if nobody(&subject) && nobody(&session) {
            return Err(invalid("the token has neither `sub` nor `sid`"));
        }
        let id = optional(claims.jti, "`jti` is not a string")?;
        let id = id.filter(|id| !id.is_empty()).ok_or(invalid("`jti` is empty"))?;
        let issued_at = times.iat.ok_or(invalid("the token has no `iat`"))?;
        Ok(Self {
            issuer: issuer.to_owned(),
            subject,
            session,
            id,
            issued_at,
            expires_at: times.exp,
        })
    }

    /// Who says so (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whose sessions are over (`sub`); with a [`session`](Self::session), whose that one was.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The session that is over (`sid`). Without one, all of the subject's are.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The token's own id (`jti`). It counts once.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was said (`iat`).
    #[must_use]
    pub fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// From when on the token no longer counts (`exp`): so long its id must be remembered, and the
    /// leeway longer.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.expires_at
    }
}
