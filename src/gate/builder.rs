//! Putting a gate together; whatever is wrong is listed at once.

use std::{collections::BTreeSet, fmt, sync::Arc};

use super::{
    Access, Gate, Inner, Routes, Unchecked,
    ids::Ids,
    routes::{RouteError, Table},
    rules::Rules,
    transport::{Cleartext, Transport},
};
use crate::{
    Authenticator, IpNet, Snapshot, Source, TrustedProxies,
    audit::Sink,
    authz::PolicySet,
    is_realm,
    limit::{LimitError, Limiter, Quota},
};

/// Slots of a limiter's table unless [`GateBuilder::limit_slots`] says otherwise: 1 MiB each.
const SLOTS: usize = 65_536;

/// A gate being put together; see [`Gate::builder`].
#[derive(Debug, Default)]
#[must_use]
pub struct GateBuilder {
    authenticators: Vec<Box<dyn Authenticator>>,
    clients: Vec<Quota>,
    policies: Option<PolicySet>,
    principals: Vec<Quota>,
    proxies: Option<TrustedProxies>,
    routes: Option<Routes>,
    shared_realms: BTreeSet<String>,
    sink: Option<Box<dyn Sink>>,
    slots: Option<usize>,
    transport: Transport,
    unchecked: Unchecked,
}

/// Everything that is wrong with a gate's set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateErrors(Vec<GateError>);

/// One thing that is wrong with a gate's set-up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// No route table was given, or an empty one.
    #[error("no routes: a gate without them refuses everything; list them with `.routes(…)`")]
    NoRoutes,
    /// A route needs a caller and nothing can prove one.
    #[error("route `{route}` needs a caller: add an authenticator with `.authenticate(…)`")]
    NoAuthenticator {
        /// The route's line.
        route: String,
    },
    /// An authenticator's own set-up is wrong.
    #[error("authenticator of realm `{realm}`: {problem}")]
    Authenticator {
        /// Its realm.
        realm: String,
        /// What is wrong.
        problem: String,
    },
    /// Two authenticators vouch for one realm.
    #[error(
        "two authenticators have the realm `{realm}`; say `.share_realm(\"{realm}\")` if they know the same callers"
    )]
    RealmTwice {
        /// The realm.
        realm: String,
    },
    /// A line of the route table cannot stand.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A line of the route table names what the policies do not declare.
    #[error("route `{route}`: no {what} `{name}` in the policies{}", hint(.nearest.as_deref()))]
    Undeclared {
        /// The route's line.
        route: String,
        /// `role` or `action`.
        what: &'static str,
        /// The name as written.
        name: String,
        /// The nearest name that is declared.
        nearest: Option<String>,
    },
    /// A limit cannot be kept.
    #[error("limit by {by}: {error}")]
    Limit {
        /// `client` or `principal`.
        by: &'static str,
        /// What is wrong.
        error: LimitError,
    },
    /// The trusted proxies are nobody or everybody.
    #[error("trusted proxies: {problem}")]
    Proxies {
        /// What is wrong.
        problem: &'static str,
    },
    /// A limit was given twice.
    #[error("two limits by {by}: a gate keeps one of each")]
    LimitTwice {
        /// `client` or `principal`.
        by: &'static str,
    },
}

impl GateBuilder {
    /// Adds a way to prove who is calling. They are asked in the order written; the first that
    /// takes the credential decides.
    pub fn authenticate(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticators.push(Box::new(authenticator));
        self
    }

    /// Lets several authenticators vouch for one realm, over one table of users.
    pub fn share_realm(mut self, realm: &str) -> Self {
        self.shared_realms.insert(realm.to_owned());
        self
    }

    /// The routes, and what each takes. Mandatory.
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes = Some(routes);
        self
    }

    /// The policies that `role` and `action` routes and `Caller::may` ask.
    pub fn policies(mut self, policies: PolicySet) -> Self {
        self.policies = Some(policies);
        self
    }

    /// Limits each client address; IPv6 clients by their /64.
    pub fn limit_clients(mut self, quota: Quota) -> Self {
        self.clients.push(quota);
        self
    }

    /// Limits each principal.
    pub fn limit_principals(mut self, quota: Quota) -> Self {
        self.principals.push(quota);
        self
    }

    /// How many clients or principals each limit tells apart, 16 bytes each: three times those
    /// expected to be active within the time a bucket takes to refill. 65,536 unless said.
    pub fn limit_slots(mut self, slots: usize) -> Self {
        self.slots = Some(slots);
        self
    }

    /// Where events go; nowhere unless said.
    pub fn audit(mut self, sink: impl Sink) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }

    /// What becomes of a successful answer whose handler owed the policies a question.
    pub fn unchecked(mut self, unchecked: Unchecked) -> Self {
        self.unchecked = unchecked;
        self
    }

    /// Trusts these peers to terminate TLS: what they pass on came encrypted.
    pub fn tls_terminated_by(mut self, peers: impl IntoIterator<Item = IpNet>) -> Self {
        self.transport.terminators.extend(peers);
        self
    }

    /// Believes these proxies about the client's address, which limits, policies and events go
    /// by. Unless said, the client is the peer. Whoever terminates TLS is said apart.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// Looks at credentials that came in the clear over a network. Whoever listens has them.
    pub fn insecure_allow_cleartext(mut self) -> Self {
        self.transport.cleartext = Cleartext::Allowed;
        self
    }

    /// The finished gate.
    ///
    /// # Errors
    /// Everything that is wrong, not just the first.
    pub fn build(self) -> Result<Gate, GateErrors> {
        let routes = self.routes.unwrap_or_default();
        let (table, route_errors) = Table::build(&routes);
        let mut errors = authenticator_errors(&self.authenticators, &self.shared_realms);
        if routes.is_empty() {
            errors.push(GateError::NoRoutes);
        }
        let closed = || routes.lines().iter().find(|line| line.access != Access::Public);
        if self.authenticators.is_empty()
            && let Some(line) = closed()
        {
            errors.push(GateError::NoAuthenticator { route: line.to_string() });
        }
        errors.extend(route_errors.into_iter().map(GateError::Route));
        let problem = self.proxies.as_ref().and_then(TrustedProxies::problem);
        errors.extend(problem.map(|problem| GateError::Proxies { problem }));
        let rules = collect(Rules::resolve(self.policies.unwrap_or_default(), &table), &mut errors);
        let slots = self.slots.unwrap_or(SLOTS);
        let clients = collect(limiter("client", &self.clients, slots), &mut errors);
        let principals = collect(limiter("principal", &self.principals, slots), &mut errors);
        GateErrors::unless_empty(errors.clone())?;
        let (Some(rules), Some(clients), Some(principals)) = (rules, clients, principals) else {
            return Err(GateErrors(errors));
        };
        Ok(Gate(Arc::new(Inner {
            sources: sources(&self.authenticators),
            authenticators: self.authenticators.into(),
            clients,
            ids: Ids::default(),
            principals,
            proxies: self.proxies,
            rules: Snapshot::new(rules),
            sink: self.sink,
            table,
            transport: self.transport,
            unchecked: self.unchecked,
        })))
    }
}

/// Each once, in the order written.
fn sources(authenticators: &[Box<dyn Authenticator>]) -> Box<[Source]> {
    let mut sources = Vec::new();
    for source in authenticators.iter().flat_map(|one| one.sources()) {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources.into()
}

fn authenticator_errors(
    authenticators: &[Box<dyn Authenticator>],
    shared: &BTreeSet<String>,
) -> Vec<GateError> {
    let mut errors = Vec::new();
    let mut realms = BTreeSet::new();
    for authenticator in authenticators {
        let realm = authenticator.realm().to_owned();
        let mut problems = authenticator.problems();
        if !is_realm(&realm) && problems.is_empty() {
            problems.push(
                "a realm is a lower-case letter and up to 31 letters, digits and hyphens"
                    .to_owned(),
            );
        }
        let named = |problem| GateError::Authenticator { realm: realm.clone(), problem };
        errors.extend(problems.into_iter().map(named));
        if !realms.insert(realm.clone()) && !shared.contains(&realm) {
            errors.push(GateError::RealmTwice { realm });
        }
    }
    errors
}

fn limiter<K: ?Sized + std::hash::Hash>(
    by: &'static str,
    quotas: &[Quota],
    slots: usize,
) -> Result<Option<Limiter<K>>, GateErrors> {
    match quotas {
        [] => Ok(None),
        [quota] => match Limiter::new(*quota, slots) {
            Ok(limiter) => Ok(Some(limiter)),
            Err(error) => Err(GateErrors(vec![GateError::Limit { by, error }])),
        },
        _ => Err(GateErrors(vec![GateError::LimitTwice { by }])),
    }
}

fn collect<T>(result: Result<T, GateErrors>, errors: &mut Vec<GateError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(more) => {
            errors.extend(more.0);
            None
        }
    }
}

impl GateErrors {
    pub(super) fn unless_empty(errors: Vec<GateError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self(errors)) }
    }

    /// Each error, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &GateError> {
        self.0.iter()
    }
}

/// One line for each error.
impl fmt::Display for GateErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "error" } else { "errors" };
        write!(f, "the gate cannot be built, {} {plural}", self.0.len())?;
        for error in &self.0 {
            write!(f, "\n- {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for GateErrors {}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
