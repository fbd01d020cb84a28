//! The verifier of opaque tokens: its set-up, and what it takes.

use std::{fmt, sync::Arc};

use super::{
    Endpoint,
    desk::{Bounds, Desk},
};
use crate::{
    Authenticator, Challenge, Credential, Facts, JwtVerifier, KeySet, Now, Principal, Step,
    authn::{AuthnError, AuthnErrorKind, jwt::EVERY_TOKEN},
};

/// Asks one issuer what tokens are that say nothing themselves (RFC 7662).
///
/// What it takes and refuses is listed in the [module's documentation](super). Clones share what
/// is known; whatever is set after a clone was made starts that one with nothing.
///
/// ```
/// use portcullis::{AuthnErrorKind, Mono, Now, RoleMap, Secret, UnixTime};
/// use portcullis::authn::introspection::{Endpoint, Introspection, Request};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::AuthnError> {
/// // Stands in for an HTTP client; `fetch::Introspector` (feature `fetch`) is one.
/// let transport = |request: Request| async move {
///     Ok(match request.body() {
///         "token=good&token_type_hint=access_token" => {
///             r#"{"active": true, "aud": "orders", "sub": "alice", "exp": 1700000300,
///                 "roles": ["clerk", "root"]}"#
///         }
///         _ => r#"{"active": false}"#,
///     }
///     .as_bytes()
///     .to_vec())
/// };
/// let endpoint = Endpoint::new("https://id.example/introspect", transport)
///     .client("orders", &Secret::new(*b"correct horse battery staple"));
/// let verifier = Introspection::new("staff", "https://id.example", "orders", endpoint)
///     .roles(RoleMap::claim("roles").only(["clerk", "manager"]));
///
/// let now = Now::new(UnixTime::from_secs(1_700_000_000), Mono::from_nanos(0));
/// let alice = verifier.verify_token("good", now).await?;
/// assert_eq!(alice.id(), "staff/alice");
/// assert!(alice.roles().eq(["clerk"]));
///
/// let refused = verifier.verify_token("withdrawn", now).await.unwrap_err();
/// assert_eq!(refused.kind(), AuthnErrorKind::Invalid);
/// assert_eq!(refused.detail(), "the issuer says that the token is not active");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a verifier asks nobody until a gate asks it"]
pub struct Introspection {
    /// Rules and mapping; it has no key, so it verifies no token.
    pub(super) claims: JwtVerifier,
    endpoint: Endpoint,
    pub(super) bounds: Bounds,
    pub(super) all: bool,
    desk: Arc<Desk>,
    /// Whether there is no problem; see [`Authenticator::problems`].
    sound: bool,
}

/// How an introspection fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Questions that were begun.
    pub asked: u64,
    /// Callers who wait for an answer now.
    pub waiting: usize,
    /// Tokens that are known to be good.
    pub active: usize,
    /// Tokens that are known not to be.
    pub refused: usize,
}

impl Introspection {
    /// Vouches in `realm` for whoever `issuer`, asked at `endpoint`, names in its answers about
    /// tokens for `audience`. An answer that names an issuer must name this one, byte by byte.
    pub fn new(
        realm: impl Into<String>,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        endpoint: Endpoint,
    ) -> Self {
        let claims = JwtVerifier::new(realm, issuer, audience, KeySet::from(Vec::new()));
        let bounds = Bounds::default();
        let desk = Arc::new(Desk::new(claims.clone(), endpoint.clone(), bounds));
        Self { claims, endpoint, bounds, all: false, desk, sound: false }.settle()
    }

    /// Who `token` proves, if the issuer says so now or has said so lately.
    ///
    /// # Errors
    /// *Unavailable* when the issuer cannot be asked, or says what cannot be read. All others are
    /// about the token: what the issuer says of it, or a rule that is not met.
    pub fn verify_token(
        &self,
        token: &str,
        now: Now,
    ) -> impl Future<Output = Result<Principal, AuthnError>> + Send + use<> {
        let step = self.judge(token, now);
        async move {
            match step {
                Step::Wait(answer) => answer.await,
                Step::Done(result) => result,
                Step::NotMine => Err(AuthnError::new(AuthnErrorKind::Invalid, "not mine")),
            }
        }
    }

    /// What is known, and how many wait to know more.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Desk { flights, active, refused, .. } = &*self.desk;
        let (asked, waiting) = (flights.begun(), flights.waiting());
        Stats { asked, waiting, active: active.len(), refused: refused.len() }
    }

    fn judge(&self, token: &str, now: Now) -> Step {
        if self.sound {
            return self.desk.judge(token, now);
        }
        let detail = "the verifier is not set up: see its problems";
        Step::Done(Err(AuthnError::new(AuthnErrorKind::Unavailable, detail)))
    }

    pub(super) fn settle(mut self) -> Self {
        // What was found out under other rules is not found out under these.
        self.desk = Arc::new(Desk::new(self.claims.clone(), self.endpoint.clone(), self.bounds));
        self.sound = self.problems().is_empty();
        self
    }
}

impl Authenticator for Introspection {
    fn realm(&self) -> &str {
        Authenticator::realm(&self.claims)
    }

    fn challenge(&self) -> Option<Challenge> {
        Authenticator::challenge(&self.claims)
    }

    fn roles(&self) -> Vec<String> {
        Authenticator::roles(&self.claims)
    }

    fn attributes(&self) -> Vec<String> {
        Authenticator::attributes(&self.claims)
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Authenticator::problems(&self.claims);
        problems.extend(self.endpoint.problems());
        problems.extend(self.bounds.problems());
        if !self.desk.has_key() {
            problems.push("the system has no random bytes".to_owned());
        }
        problems
    }

    fn takes_every(&self) -> Option<String> {
        Some(if self.all { EVERY_TOKEN } else { "opaque token" }.to_owned())
    }

    /// Takes every `Bearer` without a dot, or [every one](Introspection::all_tokens).
    fn authenticate(&self, credential: &Credential<'_>, _: &Facts<'_>, now: Now) -> Step {
        let Credential::Bearer(token) = credential else { return Step::NotMine };
        if self.all || !token.contains('.') { self.judge(token, now) } else { Step::NotMine }
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("realm", &Authenticator::realm(&self.claims))
            .field("endpoint", &self.endpoint)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
