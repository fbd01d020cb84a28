//! What is known of tokens, and who is asking.

use std::{sync::Arc, time::Duration};

use super::{
    Endpoint, RequestError,
    flight::Task,
    flights::{Flights, Join},
    request::MAX_ANSWER,
};
use crate::{
    Now, Principal,
    authn::{
        AuthnError, AuthnErrorKind, Step,
        jwt::{JwtVerifier, Proven},
        kept::{Code, Kept},
    },
    crypto::MacKey,
};

/// How much is kept, how long, and how many may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) entries: usize,
    pub(super) keep_active: Duration,
    pub(super) keep_refused: Duration,
    pub(super) waiting: usize,
}

/// What an answer came to. That there was none is an error of its own kind, and is not kept.
type Verdict = Result<Arc<Proven>, AuthnError>;

pub(super) struct Desk {
    claims: JwtVerifier,
    endpoint: Endpoint,
    /// Nothing where the system has no random bytes.
    key: Option<MacKey>,
    /// Apart, so that tokens that somebody made up drive out none that are good.
    pub(super) active: Kept<Arc<Proven>>,
    pub(super) refused: Kept<AuthnError>,
    pub(super) flights: Arc<Flights<Verdict>>,
}

/// When to come back after a failure that may be over soon.
const RETRY: Duration = Duration::from_secs(1);

const fn unavailable(detail: &'static str) -> AuthnError {
    AuthnError::new(AuthnErrorKind::Unavailable, detail)
}

impl Desk {
    pub(super) fn new(claims: JwtVerifier, endpoint: Endpoint, bounds: Bounds) -> Self {
        let Bounds { entries, keep_active, keep_refused, waiting } = bounds;
        Self {
            claims,
            endpoint,
            key: MacKey::random(),
            active: Kept::new(entries, keep_active),
            refused: Kept::new(entries, keep_refused),
            flights: Arc::new(Flights::new(waiting)),
        }
    }

    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Judges `token` by what is known of it, or hands back what to wait for.
    pub(super) fn judge(self: &Arc<Self>, token: &str, now: Now) -> Step {
        if token.len() > self.claims.longest() {
            let long = AuthnError::new(AuthnErrorKind::TooLarge, "the token is too long");
            return Step::Done(Err(long));
        }
        let Some(key) = &self.key else {
            return Step::Done(Err(unavailable("the system has no random bytes")));
        };
        let code = key.sign(&[token.as_bytes()]);
        let known = || self.known(&code, now);
        if let Some(verdict) = known() {
            return Step::Done(self.conclude(&verdict, now));
        }
        match self.flights.join(code, known, || self.ask(token, code, now)) {
            Join::Known(verdict) => Step::Done(self.conclude(&verdict, now)),
            Join::Full => {
                let full = unavailable("too many callers wait for introspections");
                Step::Done(Err(full.with_retry_after(RETRY)))
            }
            Join::Waiting(waiter) => {
                let desk = Arc::clone(self);
                Step::Wait(Box::pin(async move {
                    let panicked = || Err(unavailable("the introspection's transport panicked"));
                    desk.conclude(&waiter.await.unwrap_or_else(panicked), now)
                }))
            }
        }
    }

    fn known(&self, code: &Code, now: Now) -> Option<Verdict> {
        let refused = self.refused.find(code, now.mono).map(Err);
        refused.or_else(|| self.active.find(code, now.mono).map(Ok))
    }

    /// The question, and what becomes of its answer. `now` is before it is asked: what the issuer
    /// has said of a token since then may be missing from it.
    fn ask(self: &Arc<Self>, token: &str, code: Code, now: Now) -> Task<Verdict> {
        let (desk, request) = (Arc::clone(self), self.endpoint.request(token));
        Box::pin(async move {
            let answer = desk.endpoint.transport().send(request).await;
            let verdict = match answer {
                Ok(answer) if answer.len() > MAX_ANSWER => {
                    Err(unavailable(RequestError::TooLarge.detail()))
                }
                Ok(answer) => desk.claims.prove_answer(&answer).map(Arc::new),
                Err(error) => Err(unavailable(error.detail())),
            };
            match &verdict {
                Ok(proven) => desk.active.keep(code, Arc::clone(proven), now.mono),
                Err(error) if error.kind() == AuthnErrorKind::Unavailable => {
                    return Err(error.with_retry_after(RETRY));
                }
                Err(error) => desk.refused.keep(code, *error, now.mono),
            }
            verdict
        })
    }

    fn conclude(&self, verdict: &Verdict, now: Now) -> Result<Principal, AuthnError> {
        match verdict {
            Ok(proven) => self.claims.still(proven, now.wall),
            Err(error) => Err(*error),
        }
    }
}
