//! A decision in words. For operators and tests: it shows values, and it takes its time.

mod clause;
mod json;
mod story;

use std::{fmt, sync::Arc};

pub use clause::{Clause, ClauseKind, Finding, Looked};
use story::Story;

use super::{
    AccessRequest, Decision, EvalError, PolicySet, RuleId, Why, load::expr::Expr, window::Window,
};

/// Why a request is allowed or denied, in words: what [`Display`](fmt::Display) says in one line,
/// with `{:#}` in many, and [`to_json`](Self::to_json) for tools.
///
/// It names rules and shows the values that conditions looked at, which may be personal data. It
/// belongs in front of an operator, never into a response, and nothing writes it to an event.
/// Nothing of it is prepared by a decision: who does not ask does not pay.
///
/// ```
/// use portcullis::{Principal, UnixTime, authz::{AccessRequest, Context, Document, PolicySet}};
///
/// struct Order { id: String, owner: String }
/// portcullis::entity! { Order as "Order" by id { owner: "User" } }
///
/// let policies = PolicySet::from_document(Document::from_toml(r#"
///     [resources.Order]
///     attributes = { owner = "User" }
///     actions = ["order:read"]
///     [roles]
///     clerk = { may = ["order:read"] }
///     [[rule]]
///     id = "owner-reads-own"
///     effect = "permit"
///     actions = ["order:read"]
///     when = "resource.owner == principal"
/// "#)?)?;
/// let alice = Principal::assertion("staff", "alice").finish()?;
/// let explanation = policies.explain(&AccessRequest {
///     subject: &policies.subject(&alice),
///     principal: &alice,
///     action: policies.action("order:read").ok_or("no such action")?,
///     resource: &Order { id: "7".into(), owner: "staff/bob".into() },
///     context: &Context::new(UnixTime::from_secs(0)),
/// });
/// assert_eq!(explanation.to_string(), "`order:read` is denied: nothing permits it; \
///     nearest rule `owner-reads-own`: `resource.owner == principal` is false \
///     (`resource.owner` is User::\"staff/bob\", `principal` is User::\"staff/alice\"); \
///     roles that grant it: `clerk`");
///
/// let nearest = explanation.nearest().next().ok_or("a rule could have permitted it")?;
/// let clause = nearest.clauses().next().ok_or("its condition")?;
/// assert_eq!(clause.text(), "resource.owner == principal");
/// assert_eq!(clause.answer(), Ok(false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Explanation {
    decision: Decision,
    rules: Vec<RuleId>,
    errors: Vec<(RuleId, EvalError)>,
    /// The same by name.
    failed: Vec<(Box<str>, EvalError)>,
    action: Option<Box<str>>,
    findings: Vec<Finding>,
    /// Roles that would have been enough.
    granting: Vec<Box<str>>,
    heading: String,
    text: String,
}

/// What is and-ed to a rule's condition.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// Any of these.
    Roles(Vec<Box<str>>),
    When(Expr),
    Unless(Expr),
    During(Times),
    Outside(Times),
}

/// A window, and how it is written.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Times {
    pub(super) text: Box<str>,
    pub(super) window: Arc<Window>,
}

impl Explanation {
    /// The decision that is explained.
    pub const fn decision(&self) -> Decision {
        self.decision
    }

    /// All rules and grants that determined it; none where nothing permits.
    pub fn rules(&self) -> impl Iterator<Item = RuleId> {
        self.rules.iter().copied()
    }

    /// All rules of the action that could not be evaluated, and why; whether or not that made a
    /// difference.
    pub fn errors(&self) -> impl Iterator<Item = (RuleId, EvalError)> {
        self.errors.iter().copied()
    }

    /// What is known of the rules that [determined](Self::rules) it, of at most eight: the clauses
    /// that held, or the one that failed. A role's grant has no clause.
    pub fn determining(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|_| !self.is_default_deny())
    }

    /// Where nothing permits, the rules that came closest to it, at most three, the closest first:
    /// those of which the fewest clauses did not hold. Each has one clause, the first of those.
    pub fn nearest(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|_| self.is_default_deny())
    }

    /// Where nothing permits, the roles that grant the action by themselves, at most eight.
    pub fn granting_roles(&self) -> impl Iterator<Item = &str> {
        self.granting.iter().map(|role| &**role)
    }

    const fn is_default_deny(&self) -> bool {
        matches!(self.decision, Decision::Deny(Why::NoRule { .. }))
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return f.write_str(&self.text);
        }
        f.write_str(&self.heading)?;
        let role = if self.is_default_deny() { "nearest rule" } else { "rule" };
        for finding in &self.findings {
            write!(f, "\n  {role} `{}`", finding.name())?;
            for clause in finding.clauses() {
                write!(f, "\n    {}", clause.verdict())?;
                for looked in clause.values() {
                    write!(f, "\n      {looked}")?;
                }
            }
        }
        if !self.granting.is_empty() {
            write!(f, "\n  roles that grant it: {}", listed(&self.granting))?;
        }
        Ok(())
    }
}

impl PolicySet {
    /// Decides again and says why. For the cold path: it allocates, and looks at every rule of
    /// the action.
    pub fn explain(&self, request: &AccessRequest<'_>) -> Explanation {
        let decision = self.decide(request);
        let known = self.cell(request.action).zip(self.actions.name(request.action.number));
        let Some((cell, action)) = known else {
            let text = "denied: the action was made by another policy set".to_owned();
            return Explanation {
                decision,
                rules: Vec::new(),
                errors: Vec::new(),
                failed: Vec::new(),
                action: None,
                findings: Vec::new(),
                granting: Vec::new(),
                heading: text.clone(),
                text,
            };
        };
        let world = self.world(request);
        Story { set: self, action, cell, world }.tell(decision)
    }
}

/// Names in backticks.
fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    names.join(", ")
}

/// More rules, roles or values than this are left out.
const MAX_LISTED: usize = 8;
/// More rules that came close are left out.
const MAX_NEAREST: usize = 3;
/// More characters of a value than this are left out.
const MAX_TEXT: usize = 64;
