//! How often each rule and each grant of a role decided.

use std::{
    collections::BTreeMap,
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use serde_json::{Value, json};

use super::{Action, Decision, Effect, PolicySet, RuleId, explain::Part, rules::Condition};
use crate::UnixTime;

/// Counts which rule, and which role's grant of which action, decided; for a service that opts in
/// by [counting](Self::count) what it is answered. A gate that
/// [counts](crate::GateBuilder::count_hits) does so by itself.
///
/// Counting takes no lock and allocates nothing. Of several rules that permit, a decision names
/// one, and that one is counted: what is never counted may stand behind another.
///
/// ```
/// use portcullis::{Principal, UnixTime, authz::{AccessRequest, Context, Document, Hits, PolicySet}};
///
/// struct Order { id: String }
/// portcullis::entity! { Order as "Order" by id {} }
///
/// let policies = PolicySet::from_document(Document::from_toml(r#"
///     [resources.Order]
///     actions = ["order:read", "order:refund"]
///     [roles]
///     clerk = { may = ["order:read", "order:refund"] }
/// "#)?)?;
/// let hits = Hits::new(&policies, UnixTime::from_secs(1_700_000_000));
/// let alice = Principal::assertion("staff", "alice").roles(["clerk"]).finish()?;
/// let read = policies.action("order:read").ok_or("no such action")?;
/// hits.count(read, policies.decide(&AccessRequest {
///     subject: &policies.subject(&alice),
///     principal: &alice,
///     action: read,
///     resource: &Order { id: "7".into() },
///     context: &Context::new(UnixTime::from_secs(1_700_000_060)),
/// }));
/// let usage = hits.usage(&policies);
/// assert_eq!(usage.to_string(), "role `clerk` never used `order:refund` since 1700000000");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Hits {
    epoch: u64,
    /// By number; those of roles stay at nothing, as their grants are counted one by one.
    rules: Box<[Counter]>,
    /// By role and action, sorted.
    grants: Box<[((u32, u32), Counter)]>,
}

#[derive(Debug)]
struct Counter {
    hits: AtomicU64,
    since: UnixTime,
}

/// What was used of a set, and since when it is counted: every rule and every grant. Shows itself
/// as what was never used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Usage(Vec<Used>);

/// How often a rule, or a grant, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Used {
    /// The rule, or the role that grants.
    pub name: Box<str>,
    /// The action that is granted; `None` for a rule.
    pub action: Option<Box<str>>,
    /// How many decisions it made.
    pub hits: u64,
    /// Since when it has been counted.
    pub since: UnixTime,
}

impl Hits {
    /// Starts at nothing, at `now`.
    #[must_use]
    pub fn new(policies: &PolicySet, now: UnixTime) -> Self {
        let granted = (0_u32..).zip(&policies.cells).flat_map(|(action, cell)| {
            cell.grants.iter().map(move |role| ((role, action), Counter::new(0, now)))
        });
        let mut grants: Vec<_> = granted.collect();
        grants.sort_unstable_by_key(|(of, _)| *of);
        let rules = (0..policies.rule_names.len()).map(|_| Counter::new(0, now)).collect();
        Self { epoch: policies.epoch, rules, grants: grants.into() }
    }

    /// Counts a decision about `action`. A decision of another set, and one that no rule made,
    /// counts for nothing.
    pub fn count(&self, action: Action, decision: Decision) {
        let Some(rule) = decision.rule().filter(|_| action.epoch == self.epoch) else { return };
        if let Some(counter) = self.grant((rule.0, action.number)).or(self.rule(rule)) {
            // A statistic: nothing is ordered by it.
            counter.hits.fetch_add(1, Relaxed);
        }
    }

    /// The counters of `to`, which takes the place of `from` at `now`. What is the same in both
    /// goes on, a rule of the same name and text, a grant of the same role and action; the rest
    /// starts at nothing.
    #[must_use]
    pub fn carried(&self, from: &PolicySet, to: &PolicySet, now: UnixTime) -> Self {
        let mut hits = Self::new(to, now);
        if from.epoch != self.epoch {
            return hits;
        }
        let (before, after) = (Texts::of(from), Texts::of(to));
        for (id, counter) in (0..).map(RuleId).zip(&mut hits.rules) {
            let old = before.same(&after, to.rule_name(id)).and_then(|old| self.rule(old));
            *counter = old.map_or(Counter::new(0, now), Counter::snapshot);
        }
        for ((role, action), counter) in &mut hits.grants {
            let role = to.roles.name(*role).and_then(|role| from.roles.number(role));
            let action = to.actions.name(*action).and_then(|action| from.actions.number(action));
            let old = role.zip(action).and_then(|old| self.grant(old));
            *counter = old.map_or(Counter::new(0, now), Counter::snapshot);
        }
        hits
    }

    /// What was used so far; of another set than `policies`, nothing is known.
    pub fn usage(&self, policies: &PolicySet) -> Usage {
        if policies.epoch != self.epoch {
            return Usage(Vec::new());
        }
        let used = |name: &str, action: Option<&str>, counter: &Counter| Used {
            name: name.into(),
            action: action.map(Box::from),
            hits: counter.hits.load(Relaxed),
            since: counter.since,
        };
        let rules = (0_u32..).zip(&self.rules).skip(policies.roles.len());
        let rules = rules.filter_map(|(rule, counter)| {
            Some(used(policies.rule_name(RuleId(rule))?, None, counter))
        });
        let grants = self.grants.iter().filter_map(|((role, action), counter)| {
            let action = policies.actions.name(*action)?;
            Some(used(policies.roles.name(*role)?, Some(action), counter))
        });
        Usage(rules.chain(grants).collect())
    }

    fn rule(&self, rule: RuleId) -> Option<&Counter> {
        self.rules.get(rule.0 as usize)
    }

    fn grant(&self, of: (u32, u32)) -> Option<&Counter> {
        let at = self.grants.binary_search_by_key(&of, |(of, _)| *of).ok()?;
        self.grants.get(at).map(|(_, counter)| counter)
    }
}

impl Counter {
    const fn new(hits: u64, since: UnixTime) -> Self {
        Self { hits: AtomicU64::new(hits), since }
    }

    fn snapshot(&self) -> Self {
        Self::new(self.hits.load(Relaxed), self.since)
    }
}

/// For each rule's name its number, and what it says about which actions.
struct Texts<'a>(BTreeMap<&'a str, (RuleId, Vec<Text<'a>>)>);

/// What a rule says about one action.
#[derive(PartialEq)]
struct Text<'a> {
    action: &'a str,
    effect: Effect,
    parts: Vec<&'a Part>,
}

impl<'a> Texts<'a> {
    fn of(set: &'a PolicySet) -> Self {
        let mut texts = BTreeMap::new();
        for (action, cell) in set.actions.iter().zip(&set.cells) {
            for (branch, effect) in [(cell.forbids, Effect::Forbid), (cell.permits, Effect::Permit)]
            {
                for rule in set.rules_of(branch) {
                    let Some(name) = set.rule_name(rule.id) else { continue };
                    let parts = rule.conditions().map(|one: &Condition| &*one.part).collect();
                    let (_, text) = texts.entry(name).or_insert((rule.id, Vec::new()));
                    text.push(Text { action, effect, parts });
                }
            }
        }
        Self(texts)
    }

    /// The rule that is called `name` here, if it says the same there.
    fn same(&self, other: &Self, name: Option<&str>) -> Option<RuleId> {
        let (rule, text) = self.0.get(name?)?;
        let (_, now) = other.0.get(name?)?;
        (text == now).then_some(*rule)
    }
}

impl Usage {
    /// The rules in order of their names, then the grants.
    pub fn iter(&self) -> impl Iterator<Item = &Used> {
        self.0.iter()
    }

    /// Those that decided nothing since they are counted.
    pub fn never(&self) -> impl Iterator<Item = &Used> {
        self.0.iter().filter(|used| used.hits == 0)
    }

    /// As JSON: a list of `{"rule" or "role" and "action", "hits", "since"}`, seconds since 1970.
    #[must_use]
    pub fn to_json(&self) -> String {
        let row = |used: &Used| {
            let since = used.since.as_secs();
            match &used.action {
                Some(action) => json!({
                    "role": used.name, "action": action, "hits": used.hits, "since": since,
                }),
                None => json!({ "rule": used.name, "hits": used.hits, "since": since }),
            }
        };
        Value::from(self.0.iter().map(row).collect::<Vec<_>>()).to_string()
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, used) in self.never().enumerate() {
            let (name, since) = (&used.name, used.since.as_secs());
            let line = if number == 0 { "" } else { "\n" };
            match &used.action {
                Some(action) => {
                    write!(f, "{line}role `{name}` never used `{action}` since {since}")?
                }
                None => write!(f, "{line}rule `{name}` never decided since {since}")?,
            }
        }
        Ok(())
    }
}
