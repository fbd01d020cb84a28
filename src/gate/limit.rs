//! A limit as its owner describes it.

use std::{fmt, sync::Arc};

use super::Outcomes;
use crate::{Principal, Quota};

/// A limit by whatever a request can be counted by, which may only watch, and may warn.
///
/// [`GateBuilder::limit_clients`](super::GateBuilder::limit_clients) and
/// [`limit_principals`](super::GateBuilder::limit_principals) are short for the two that most
/// services need.
///
/// ```
/// use portcullis::{Gate, Quota, Routes, gate::Limit};
///
/// let gate = Gate::builder()
///     .routes(Routes::new().public("GET", "/health"))
///     // Everybody of a tenant together; told in the event once four fifths are used.
///     .limit(Limit::by_attribute("tenant", Quota::per_minute(600)).warn_at(80))
///     // Would this one do? It refuses nobody, but the event names it where it would have.
///     .limit(Limit::by_principal([Quota::per_second(5), Quota::per_hour(500)]).shadow())
///     .build()?;
/// assert!(gate.limits().all(|(_, refused)| refused == 0));
/// # Ok::<(), portcullis::GateErrors>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "goes to `GateBuilder::limit`"]
pub struct Limit {
    pub(super) by: By,
    pub(super) name: String,
    pub(super) quotas: Vec<Quota>,
    pub(super) plans: Vec<(String, Vec<Quota>)>,
    pub(super) choose: Option<Choose>,
    pub(super) at_once: Option<u32>,
    pub(super) outcomes: Outcomes,
    pub(super) each_route: bool,
    pub(super) shadow: bool,
    pub(super) warn_at: Option<u8>,
}

/// Names a principal's plan.
#[derive(Clone)]
pub(super) struct Choose(Arc<PlanOf>);

type PlanOf = dyn for<'a> Fn(&'a Principal) -> Option<&'a str> + Send + Sync;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    Client,
    Principal,
    Credential,
    Attribute(String),
    Route,
}

impl By {
    /// What it is called in errors, and in the names of policies.
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Principal => "principal",
            Self::Credential => "credential",
            Self::Attribute(_) => "attribute",
            Self::Route => "route",
        }
    }
}

impl Limit {
    /// Counts each client address; IPv6 clients by their /64. Before any credential is looked at.
    pub fn by_client(quotas: impl IntoIterator<Item = Quota>) -> Self {
        Self::new(By::Client, "client", quotas)
    }

    /// Counts each principal.
    pub fn by_principal(quotas: impl IntoIterator<Item = Quota>) -> Self {
        Self::new(By::Principal, "principal", quotas)
    }

    /// Counts each credential by its id, within the principal's realm: two API keys of one caller
    /// have a quota each. Where a credential has no id, its principal is counted.
    pub fn by_credential(quotas: impl IntoIterator<Item = Quota>) -> Self {
        Self::new(By::Credential, "credential", quotas)
    }

    /// Counts all principals together of whom this attribute has the same value, such as a tenant,
    /// within their realm. Those of a realm who lack it are counted together as well.
    pub fn by_attribute(attribute: &str, quotas: impl IntoIterator<Item = Quota>) -> Self {
        Self::new(By::Attribute(attribute.to_owned()), attribute, quotas)
    }

    /// Counts each line of the routes, whoever calls. Once the caller is known, so that nobody can
    /// use it up with credentials that are wrong; on public routes anybody can.
    pub fn by_route(quotas: impl IntoIterator<Item = Quota>) -> Self {
        Self::new(By::Route, "route", quotas)
    }

    fn new(by: By, name: &str, quotas: impl IntoIterator<Item = Quota>) -> Self {
        Self {
            by,
            name: name.to_owned(),
            quotas: quotas.into_iter().collect(),
            plans: Vec::new(),
            choose: None,
            at_once: None,
            outcomes: Outcomes::All,
            each_route: false,
            shadow: false,
            warn_at: None,
        }
    }

    /// What the event calls it, where there are several of a kind.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Adds a plan with quotas of its own, for the callers whom [`plan_by`](Self::plan_by) puts
    /// under it; all other callers keep to the limit's own quotas.
    ///
    /// Each plan counts by itself, so that those who are counted together should be under one. A
    /// caller who moves to another plan finds its quotas untouched.
    ///
    /// ```
    /// use portcullis::{Attribute, Gate, Quota, Routes, gate::Limit};
    ///
    /// let gate = Gate::builder()
    ///     .routes(Routes::new().public("GET", "/health"))
    ///     .limit(
    ///         Limit::by_principal(Quota::per_minute(60))
    ///             .plan("paying", Quota::per_minute(600))
    ///             .plan("reseller", [Quota::per_second(100), Quota::per_day(1_000_000)])
    ///             .plan_by(|caller| match caller.attribute("plan") {
    ///                 Some(Attribute::Str(plan)) => Some(plan),
    ///                 _ => None,
    ///             }),
    ///     )
    ///     .build()?;
    /// # Ok::<(), portcullis::GateErrors>(())
    /// ```
    pub fn plan(mut self, name: &str, quotas: impl IntoIterator<Item = Quota>) -> Self {
        self.plans.push((name.to_owned(), quotas.into_iter().collect()));
        self
    }

    /// Chooses each principal's plan by name; `None` for the limit's own quotas. A name that no
    /// [`plan`](Self::plan) has is refused (500), and so is `None` where there are no quotas but
    /// those of plans.
    pub fn plan_by(
        mut self,
        choose: impl for<'a> Fn(&'a Principal) -> Option<&'a str> + Send + Sync + 'static,
    ) -> Self {
        self.choose = Some(Choose(Arc::new(choose)));
        self
    }

    /// Lets at most so many requests be under way at once, besides the quotas, of which there may
    /// then be none. One is under way until the head of its answer is there, or nobody waits for
    /// it any more.
    ///
    /// ```
    /// use portcullis::{Gate, Routes, gate::Limit};
    ///
    /// let gate = Gate::builder()
    ///     .routes(Routes::new().public("GET", "/reports"))
    ///     .limit(Limit::by_client([]).at_once(4))
    ///     .build()?;
    /// # Ok::<(), portcullis::GateErrors>(())
    /// ```
    pub fn at_once(mut self, most: u32) -> Self {
        self.at_once = Some(most);
        self
    }

    /// Counts every line of the routes by itself.
    pub fn each_route(mut self) -> Self {
        self.each_route = true;
        self
    }

    /// Which requests count.
    pub fn count(mut self, outcomes: Outcomes) -> Self {
        self.outcomes = outcomes;
        self
    }

    /// Refuses nobody: where it would have, the request goes on, the event names the limit, and
    /// [`Gate::limits`](super::Gate::limits) counts it. It takes no more memory than it will in
    /// force.
    pub fn shadow(mut self) -> Self {
        self.shadow = true;
        self
    }

    /// Names the limit in the event once so many per cent of one of its quotas are used. More than
    /// 100 counts as 100.
    pub fn warn_at(mut self, percent: u8) -> Self {
        self.warn_at = Some(percent.min(100));
        self
    }

    /// What the event calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its own quotas, in the order given.
    #[must_use]
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    /// Its plans and their quotas, in the order given.
    pub fn plans(&self) -> impl Iterator<Item = (&str, &[Quota])> {
        self.plans.iter().map(|(name, quotas)| (&**name, &**quotas))
    }

    /// Whether it is nothing without quotas of its own, or has some.
    pub(super) fn needs_quotas(&self) -> bool {
        !self.quotas.is_empty() || (self.at_once.is_none() && self.plans.is_empty())
    }

    /// What is wrong with its plans.
    pub(super) fn plans_problem(&self) -> Option<&'static str> {
        let names = || self.plans.iter().map(|(name, _)| name);
        let twice = names().enumerate().any(|(at, name)| names().take(at).any(|it| it == name));
        match &self.choose {
            _ if twice => Some("two have one name"),
            None if self.plans.is_empty() => None,
            Some(_) if self.plans.is_empty() => Some("`.plan_by(…)` chooses among none"),
            None => Some("nothing chooses among them: say `.plan_by(…)`"),
            Some(_) if self.by == By::Client => {
                Some("a client is counted before its plan is known")
            }
            Some(_) => None,
        }
    }
}

impl Choose {
    pub(super) fn plan<'a>(&self, principal: &'a Principal) -> Option<&'a str> {
        (self.0)(principal)
    }
}

impl fmt::Debug for Choose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Choose")
    }
}
