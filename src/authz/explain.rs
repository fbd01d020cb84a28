//! A decision in words. For operators and tests: it shows values, and it takes its time.

use std::{fmt, sync::Arc};

use super::{
    AccessRequest, Decision, EvalError, PolicySet, RuleId, Value, Why,
    load::expr::{Expr, Path, Quoted},
    program::{Attribute, Read, Stop, World},
    rules::Rule,
    set::Cell,
    window::Window,
};

/// Why a request is allowed or denied, in words: what [`Display`](fmt::Display) says.
///
/// It names rules and shows the values that conditions looked at, so it belongs in front of an
/// operator, never into a response.
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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Explanation {
    decision: Decision,
    rules: Vec<RuleId>,
    errors: Vec<(RuleId, EvalError)>,
    nearest: Option<RuleId>,
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

    /// Where nothing permits, the rule that came closest to it.
    #[must_use]
    pub const fn nearest(&self) -> Option<RuleId> {
        self.nearest
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
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
            let (rules, errors) = (Vec::new(), Vec::new());
            return Explanation { decision, rules, errors, nearest: None, text };
        };
        let world = self.world(request);
        Story { set: self, action, cell, world }.tell(decision)
    }
}

/// How a rule ended, and at which of its conditions.
#[derive(Clone, Copy)]
struct Halt {
    answer: Result<bool, Stop>,
    at: usize,
}

/// What is told about one request.
struct Story<'a> {
    set: &'a PolicySet,
    action: &'a str,
    cell: &'a Cell,
    world: World<'a>,
}

impl Story<'_> {
    fn tell(&self, decision: Decision) -> Explanation {
        let action = self.action;
        let mut nearest = None;
        let (rules, text) = match decision {
            Decision::Allow { .. } => {
                let rules = self.permits();
                let text = format!("`{action}` is allowed by {}", self.names(&rules));
                (rules, text)
            }
            Decision::Deny(Why::InsufficientScope) => {
                let rules = self.permits();
                let text = format!(
                    "`{action}` is denied: no scope of the credential covers it; \
                     without scopes it would be allowed by {}",
                    self.names(&rules)
                );
                (rules, text)
            }
            Decision::Deny(Why::Forbidden(_)) => {
                let rules = self.forbids(|answer| answer == Ok(true));
                let text = format!("`{action}` is forbidden by {}", self.names(&rules));
                (rules, text)
            }
            Decision::Deny(Why::ErrorInForbid(..)) => {
                let failed = self.forbids(|answer| answer.is_err());
                (failed, format!("`{action}` is denied: {}", self.failures()))
            }
            Decision::Deny(Why::NoRule { .. }) => {
                let rule = self.nearest();
                nearest = rule.map(|(rule, _)| rule.id);
                (Vec::new(), self.nothing_permits(rule))
            }
            Decision::Deny(Why::WrongResource) => {
                let kind = self
                    .cell
                    .resource
                    .and_then(|ty| self.set.schema.type_text(ty))
                    .unwrap_or_default();
                (Vec::new(), format!("`{action}` is denied: the resource is no `{kind}`"))
            }
            Decision::Deny(Why::Stale) => {
                let text = "denied: the subject was made by another policy set".to_owned();
                (Vec::new(), text)
            }
        };
        let errors = match decision {
            Decision::Deny(Why::WrongResource | Why::Stale) => Vec::new(),
            Decision::Allow { .. } | Decision::Deny(_) => self.errors(),
        };
        let text = text + &self.skipped(&errors);
        Explanation { decision, rules, errors, nearest, text }
    }

    /// Which forbids did not count because they could not be evaluated.
    fn skipped(&self, errors: &[(RuleId, EvalError)]) -> String {
        let failed = |rule: Rule<'_>| errors.iter().any(|(failed, _)| *failed == rule.id);
        if self.set.skips_errors && self.set.rules_of(self.cell.forbids).any(failed) {
            format!("; skipped: {}", self.failures())
        } else {
            String::new()
        }
    }

    fn errors(&self) -> Vec<(RuleId, EvalError)> {
        let all = self.set.rules_of(self.cell.forbids);
        let all = all.chain(self.set.rules_of(self.cell.permits));
        let failed =
            |rule: Rule<'_>| rule.run(&self.world).err().map(|stop| (rule.id, stop.error()));
        let mut errors: Vec<_> = all.filter_map(failed).collect();
        errors.sort_by_key(|(rule, _)| *rule);
        errors
    }

    fn permits(&self) -> Vec<RuleId> {
        let held = self.cell.grants.iter().filter(|role| self.world.roles.holds(*role));
        let permits = self.set.rules_of(self.cell.permits);
        let applying = permits.filter(|rule| rule.run(&self.world) == Ok(true));
        held.map(RuleId).chain(applying.map(|rule| rule.id)).collect()
    }

    fn forbids(&self, such: impl Fn(Result<bool, Stop>) -> bool) -> Vec<RuleId> {
        let forbids = self.set.rules_of(self.cell.forbids);
        forbids.filter(|rule| such(rule.run(&self.world))).map(|rule| rule.id).collect()
    }

    fn failures(&self) -> String {
        let failed = self.set.rules_of(self.cell.forbids).filter_map(|rule| {
            let halt = self.halt(rule);
            halt.answer.err()?;
            let name = self.names(&[rule.id]);
            Some(format!("forbid {name} failed: {}", self.stopped_at(rule, halt)))
        });
        failed.take(MAX_LISTED).collect::<Vec<_>>().join("; ")
    }

    fn nothing_permits(&self, nearest: Option<(Rule<'_>, Halt)>) -> String {
        let mut text = format!("`{}` is denied: nothing permits it", self.action);
        if let Some((rule, halt)) = nearest {
            let (name, reason) = (self.names(&[rule.id]), self.stopped_at(rule, halt));
            text.push_str(&format!("; nearest rule {name}: {reason}"));
        }
        let grants = self.cell.grants.iter().filter_map(|role| self.set.roles.name(role));
        let grants: Vec<String> = grants.take(MAX_LISTED).map(|role| format!("`{role}`")).collect();
        if !grants.is_empty() {
            text.push_str(&format!("; roles that grant it: {}", grants.join(", ")));
        }
        text
    }

    /// The permit with the fewest parts left when it stopped; of several, the one that passed
    /// more.
    fn nearest(&self) -> Option<(Rule<'_>, Halt)> {
        let stopped = self.set.rules_of(self.cell.permits).map(|rule| (rule, self.halt(rule)));
        stopped
            .min_by_key(|(rule, halt)| (rule.conditions().count() - halt.at, usize::MAX - halt.at))
    }

    fn halt(&self, rule: Rule<'_>) -> Halt {
        let mut answers = rule.conditions().map(|one| one.program.run(&self.world));
        let stopped = answers.by_ref().enumerate().find(|(_, answer)| *answer != Ok(true));
        let (at, answer) = stopped.unwrap_or((rule.conditions().count(), Ok(true)));
        Halt { answer, at }
    }

    /// The part of the condition at which the rule stopped, and what it looked at.
    fn stopped_at(&self, rule: Rule<'_>, halt: Halt) -> String {
        let condition = rule.conditions().nth(halt.at);
        let Some(condition) = condition else { return "its condition is false".to_owned() };
        let ending = |usual: &str| match halt.answer {
            Ok(_) => format!("is {usual}"),
            Err(stop) => format!("failed because {}", stop.error()),
        };
        let (expr, verdict) = match &*condition.part {
            Part::Roles(roles) => {
                let roles: Vec<String> =
                    roles.iter().take(MAX_LISTED).map(|role| format!("`{role}`")).collect();
                return format!("the principal has no role of {}", roles.join(", "));
            }
            Part::During(times) => {
                return format!("`during`, `{}`, {}", times.text, ending("false"));
            }
            Part::Outside(times) => {
                return format!("`outside`, `{}`, {}", times.text, ending("false"));
            }
            Part::When(expr) => (expr, format!("`{expr}` {}", ending("false"))),
            Part::Unless(expr) => (expr, format!("its `unless`, `{expr}`, {}", ending("true"))),
        };
        let mut values: Vec<String> = Vec::new();
        expr.paths(&mut |path| {
            let value = self.value(path);
            if values.len() < MAX_LISTED && !values.contains(&value) {
                values.push(value);
            }
        });
        if values.is_empty() { verdict } else { format!("{verdict} ({})", values.join(", ")) }
    }

    /// Whatever it is: a value of the wrong type is shown too.
    fn value(&self, path: &Path) -> String {
        let attributes = path.attributes.iter();
        let attributes = attributes.map(|name| Attribute { name: name.clone(), ty: None });
        match self.world.read(&Read { root: path.root, attributes: attributes.collect() }) {
            Ok(value) => format!("`{path}` is {}", self.show(value)),
            Err(Stop::Error(EvalError::Missing)) => format!("`{path}` is missing"),
            Err(stop) => format!("`{path}` has no value because {}", stop.error()),
        }
    }

    fn show(&self, value: Value<'_>) -> String {
        match value {
            Value::Missing => "missing".to_owned(),
            Value::Error(error) => error.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Str(value) => Quoted(clip(value)).to_string(),
            Value::Ref(kind, id) => self.entity(kind, id),
            Value::Entity(entity) => self.entity(entity.type_name(), entity.id()),
            Value::Strings(values) => format!("a set of {}", values.len()),
            Value::Set(_) => "a set".to_owned(),
            Value::Record(_) => "a record".to_owned(),
            Value::Ip(net) => net.to_string(),
            Value::Long(value)
            | Value::Decimal(value)
            | Value::Datetime(value)
            | Value::Duration(value) => value.to_string(),
        }
    }

    fn entity(&self, kind: super::TypeName, id: &str) -> String {
        let kind = self.set.schema.type_text(kind).unwrap_or("Unknown");
        format!("{kind}::{}", Quoted(clip(id)))
    }

    fn names(&self, rules: &[RuleId]) -> String {
        let names = rules.iter().filter_map(|rule| self.set.rule_name(*rule));
        names.take(MAX_LISTED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}

fn clip(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// More rules, roles or values than this are left out.
const MAX_LISTED: usize = 8;
/// More characters of a value than this are left out.
const MAX_TEXT: usize = 64;
