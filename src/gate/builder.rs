//! Putting a gate together; whatever is wrong is listed at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Access, Gate, GateError, GateErrors, Inner, Limit, Routes, Unchecked,
    editions::Editions,
    ids::Ids,
    limits::{Outcomes, Wanted},
    routes::Table,
    rules::Rules,
    transport::{Cleartext, Transport},
};
use crate::{
    Authenticator, IpNet, Snapshot, Source, TrustedProxies, UnixTime,
    audit::Sink,
    authz::{Entities, PolicySet},
    is_realm,
    limit::Quota,
};

/// A gate being put together; see [`Gate::builder`].
#[derive(Debug, Default)]
#[must_use]
pub struct GateBuilder {
    authenticators: Vec<Box<dyn Authenticator>>,
    counted_since: Option<UnixTime>,
    entities: Option<Arc<Entities>>,
    limits: Wanted,
    policies: Option<PolicySet>,
    proven_elsewhere: bool,
    proxies: Option<TrustedProxies>,
    routes: Option<Routes>,
    shared_realms: BTreeSet<String>,
    sink: Option<Box<dyn Sink>>,
    transport: Transport,
    unchecked: Unchecked,
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

    /// Entities beside the application's own types, in which conditions look names up: groups of
    /// callers, folders of documents. They are held against the policies, and
    /// [`Policies::replace_entities`](super::Policies::replace_entities) puts others in force.
    ///
    /// What is stored under the name of the caller, or of the resource that a handler asks about,
    /// adds to it: what it lies in, its tags, and attributes that it has not of its own. A caller's
    /// name is its [kind](crate::Kind) and `realm/subject`: `alice` of the realm `staff` is
    /// `{ "type": "User", "id": "staff/alice" }`.
    ///
    /// Entities that mention the type `Role` are refused: roles come with credentials alone.
    ///
    /// ```
    /// use portcullis::{Facts, Gate, PolicySet, Principal, Routes, authz::Entities, clock};
    ///
    /// let alice_in = |group: &str| {
    ///     Entities::from_json(&format!(r#"[
    ///         {{ "uid": {{ "type": "User", "id": "staff/alice" }}, "attrs": {{}},
    ///            "parents": [{{ "type": "Group", "id": "{group}" }}] }}
    ///     ]"#))
    /// };
    /// let gate = Gate::builder()
    ///     .policies(PolicySet::from_cedar(r#"
    ///         permit (principal in Group::"support", action == Action::"ticket:list", resource);
    ///     "#)?)
    ///     .entities(alice_in("support")?)
    ///     .routes(Routes::new().action("GET", "/tickets", "ticket:list"))
    ///     .proven_elsewhere()
    ///     .build()?;
    ///
    /// let mut facts = Facts::default();
    /// (facts.method, facts.path) = (Some("GET"), Some("/tickets"));
    /// let lists = || {
    ///     let alice = Principal::assertion("staff", "alice").finish()?;
    ///     let admitted = gate.admit_proven(Some(alice), &facts, clock::now());
    ///     Ok::<_, portcullis::PrincipalError>(admitted.is_ok())
    /// };
    /// assert!(lists()?);
    /// gate.policies().replace_entities(alice_in("sales")?)?;
    /// assert!(!lists()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn entities(mut self, entities: impl Into<Arc<Entities>>) -> Self {
        self.entities = Some(entities.into());
        self
    }

    /// Counts which rule and which role's grant decides, from `now` on, for
    /// [`Policies::usage`](super::Policies::usage). Nothing is counted unless said.
    pub fn count_hits(mut self, now: UnixTime) -> Self {
        self.counted_since = Some(now);
        self
    }

    /// Limits each client address; IPv6 clients by their /64. Takes one quota or several, which
    /// all hold: a second's and a day's, up to four.
    pub fn limit_clients(mut self, quotas: impl IntoIterator<Item = Quota>) -> Self {
        self.limits.clients.extend(quotas);
        self
    }

    /// Limits each principal. Takes one quota or several, which all hold, up to four. A request
    /// that this limit refuses burns nothing of the client's.
    pub fn limit_principals(mut self, quotas: impl IntoIterator<Item = Quota>) -> Self {
        self.limits.principals.extend(quotas);
        self
    }

    /// Adds a limit by whatever a request can be counted by.
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limits.listed.push(limit);
        self
    }

    /// By how many calls at most [`Caller::owe`](super::Caller::owe) may leave a quota in debt;
    /// by none unless said, so that it only uses up what is left.
    pub fn limit_debt(mut self, calls: u32) -> Self {
        self.limits.debt = calls;
        self
    }

    /// Lets a request to this line of the routes count as `cost` requests, in all limits; 0 for
    /// one that does not count.
    pub fn cost(mut self, method: &str, template: &str, cost: u32) -> Self {
        self.limits.costs.push((method.to_owned(), template.to_owned(), cost));
        self
    }

    /// Which requests count against the limits by client address.
    pub fn count_clients(mut self, outcomes: Outcomes) -> Self {
        self.limits.count_clients = outcomes;
        self
    }

    /// Which requests count against the limits by principal.
    pub fn count_principals(mut self, outcomes: Outcomes) -> Self {
        self.limits.count_principals = outcomes;
        self
    }

    /// How many clients or principals each quota tells apart, 24 bytes each: three times those
    /// expected to be active within the time a bucket takes to refill. 65,536 unless said.
    pub fn limit_slots(mut self, slots: usize) -> Self {
        self.limits.slots = Some(slots);
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

    /// Lets lines need a caller though nothing here proves one: for [`Gate::admit_proven`].
    pub fn proven_elsewhere(mut self) -> Self {
        self.proven_elsewhere = true;
        self
    }

    /// A gate that takes `access` of every request alike.
    ///
    /// # Errors
    /// What [`build`](Self::build) finds, and that there are routes.
    #[cfg(feature = "tower")]
    pub(crate) fn build_everywhere(mut self, access: Access) -> Result<Gate, GateErrors> {
        let given = self.routes.replace(Routes::everywhere(access));
        let mut errors: Vec<_> = given.map(|_| GateError::RoutesUnused).into_iter().collect();
        match collect(self.build(), &mut errors) {
            Some(gate) if errors.is_empty() => Ok(gate),
            Some(_) | None => Err(GateErrors(errors)),
        }
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
            && !self.proven_elsewhere
            && let Some(line) = closed()
        {
            errors.push(GateError::NoAuthenticator { route: line.to_string() });
        }
        errors.extend(route_errors.into_iter().map(GateError::Route));
        let problem = self.proxies.as_ref().and_then(TrustedProxies::problem);
        errors.extend(problem.map(|problem| GateError::Proxies { problem }));
        let policies = self.policies.unwrap_or_default();
        let rules = Rules::resolve(policies, &table, &self.authenticators)
            .and_then(|rules| Ok(rules.with(self.entities.as_ref())?));
        let rules = collect(rules, &mut errors);
        let (limits, limit_errors) = self.limits.build(&table);
        errors.extend(limit_errors);
        GateErrors::unless_empty(errors.clone())?;
        let Some(rules) = rules else { return Err(GateErrors(errors)) };
        Ok(Gate(Arc::new(Inner {
            sources: sources(&self.authenticators),
            realms: self
                .authenticators
                .iter()
                .map(|one| one.realms().into_iter().collect())
                .collect(),
            authenticators: self.authenticators.into(),
            editions: Snapshot::new(Editions::new(rules, self.counted_since)),
            ids: Ids::default(),
            limits,
            proxies: self.proxies,
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
    let mut takers = BTreeMap::new();
    for authenticator in authenticators {
        let realm = authenticator.realm().to_owned();
        let mut problems = authenticator.problems();
        if !is_realm(&realm) && problems.is_empty() {
            problems.push(
                "a realm is a lower-case letter and up to 31 letters, digits and hyphens"
                    .to_owned(),
            );
        }
        problems.extend(authenticator.sources().iter().filter_map(source_problem));
        let named = |problem| GateError::Authenticator { realm: realm.clone(), problem };
        errors.extend(problems.into_iter().map(named));
        let taken = [authenticator.takes_every(), authenticator.takes_some_of()];
        let before = taken.iter().flatten().find_map(|kind| Some((takers.get(kind)?, kind)));
        if let Some((first, kind)) = before {
            let (first, kind): (&String, _) = (first, kind.clone());
            errors.push(GateError::NeverAsked {
                first: first.clone(),
                second: realm.clone(),
                kind,
            });
        }
        if let Some(kind) = authenticator.takes_every() {
            takers.entry(kind).or_insert(realm);
        }
        for realm in authenticator.realms() {
            if !realms.insert(realm.clone()) && !shared.contains(&realm) {
                errors.push(GateError::RealmTwice { realm });
            }
        }
    }
    errors
}

/// A name that no header or cookie can have is never found (RFC 9110 section 5.6.2).
fn source_problem(source: &Source) -> Option<String> {
    let (Source::ApiKeyHeader(name) | Source::SessionCookie(name)) = source else { return None };
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let fits = !name.is_empty() && name.bytes().all(token);
    (!fits).then(|| format!("no header or cookie can be called `{name}`"))
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
