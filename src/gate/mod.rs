//! The gate: all stages in their order, callable with or without a web framework.
//!
//! 1. The limits by client address; the route is looked up for its cost.
//! 2. A credential came by a safe way.
//! 3. Client address and path are read in one way only; what is not listed ends here.
//! 4. The credential is well formed.
//! 5. It is verified.
//! 6. The limits by principal, and by whatever else is known by now.
//! 7. What the route takes: a scope, a role, an action.
//! 8. How the caller authenticated, where the route asks for more than a log-in.
//! 9. The handler, which asks about its resource with [`Caller::may`].

mod answers;
mod builder;
mod caller;
mod editions;
mod error;
mod ids;
mod limit;
mod limits;
#[cfg(feature = "password")]
mod login;
mod onlooker;
mod policies;
mod routes;
mod rules;
mod stages;
mod step_up;
mod strangers;
mod transport;
mod visit;

use std::{collections::BTreeSet, fmt, pin::Pin, sync::Arc};

pub use builder::GateBuilder;
pub use caller::{Caller, Outcome};
pub use editions::ShadowCounts;
pub use error::{GateError, GateErrors};
pub use limit::Limit;
pub use limits::Outcomes;
#[cfg(feature = "password")]
pub use login::{ChallengeCheck, GuardedPasswords};
pub use policies::Policies;
pub use routes::{Access, RouteError, Routes};
pub use step_up::StepUp;

use crate::{
    Authenticator, Claim, Facts, Now, Principal, Refusal, Snapshot, Source, TrustedProxies,
    audit::Sink,
};
use {editions::Editions, ids::Ids, limits::Limits, routes::Table, transport::Transport};

/// Who is calling, what may they do, how often: one answer for every request.
///
/// Built once by [`Gate::builder`]; clones share everything.
///
/// ```
/// use portcullis::{Admission, Algorithm, Facts, Gate, JwtVerifier, Key, KeySet, Routes, Secret, clock};
///
/// let secret = Secret::new(*b"a secret of at least 32 bytes ..");
/// let keys = KeySet::from(Key::from_secret(Algorithm::Hs256, &secret)?);
/// let gate = Gate::builder()
///     .authenticate(JwtVerifier::new("staff", "https://id.example", "orders", keys))
///     .routes(Routes::new().public("GET", "/health").authenticated("GET", "/orders"))
///     .build()?;
///
/// let ask = |path| {
///     let mut facts = Facts::default();
///     facts.method = Some("GET");
///     facts.path = Some(path);
///     gate.admit(None, &facts, clock::now())
/// };
/// assert!(matches!(ask("/health"), Admission::Done(Ok(caller)) if caller.principal().is_none()));
/// let Admission::Done(Err(refusal)) = ask("/orders") else { panic!("nobody was proven") };
/// assert_eq!(refusal.status(), 401);
/// let Admission::Done(Err(refusal)) = ask("/unlisted") else { panic!("no line matches") };
/// assert_eq!(refusal.status(), 404);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    authenticators: Box<[Box<dyn Authenticator>]>,
    editions: Snapshot<Editions>,
    ids: Ids,
    limits: Limits,
    proxies: Option<TrustedProxies>,
    /// For each authenticator, those whom it may vouch in.
    realms: Box<[BTreeSet<String>]>,
    sink: Option<Box<dyn Sink>>,
    sources: Box<[Source]>,
    table: Table,
    transport: Transport,
    unchecked: Unchecked,
}

/// What becomes of a successful answer whose handler owed the policies a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unchecked {
    /// It is replaced by a refusal (500), and the event names the route.
    #[default]
    Refuse,
    /// Only the event tells; for services that are being moved over.
    Report,
}

/// The gate's answer to a request. There is no third way, so edges may match it whole.
#[must_use]
pub enum Admission {
    /// At once.
    Done(Result<Caller, Refusal>),
    /// After waiting for an authenticator.
    Wait(Pin<Box<dyn Future<Output = Result<Caller, Refusal>> + Send + 'static>>),
}

impl Gate {
    /// Starts with nothing: no authenticator, no route, no limit.
    pub fn builder() -> GateBuilder {
        GateBuilder::default()
    }

    /// Takes a request through every stage before its handler.
    ///
    /// A refusal has been recorded when this returns. A caller is recorded once: when it is
    /// finished, or when its last clone is dropped.
    pub fn admit<'a>(&self, claim: impl Into<Claim<'a>>, facts: &Facts<'_>, now: Now) -> Admission {
        self.stages(claim.into(), facts, now, None)
    }

    /// Takes a request through every stage but those of the credential, for a caller whom
    /// something else has proven. No credential is looked at.
    ///
    /// # Errors
    /// The refusal to answer with, which has been recorded.
    pub fn admit_proven(
        &self,
        principal: Option<Principal>,
        facts: &Facts<'_>,
        now: Now,
    ) -> Result<Caller, Refusal> {
        self.stages_proven(principal, facts, now, None)
    }

    /// Where credentials may stand besides the `Authorization` header: all that the authenticators
    /// name.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.0.sources
    }

    /// The route table, to print or to compare.
    pub fn routes(&self) -> &Routes {
        self.0.table.routes()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("authenticators", &self.0.authenticators)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(result) => f.debug_tuple("Done").field(result).finish(),
            Self::Wait(_) => f.write_str("Wait(..)"),
        }
    }
}
