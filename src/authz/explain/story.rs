//! Finds what is to be told, by looking at every rule of the action.

use super::{
    Clause, ClauseKind, Explanation, Finding, Looked, MAX_LISTED, MAX_NEAREST, MAX_TEXT, Part,
    listed,
};
use crate::authz::{
    Decision, EvalError, PolicySet, RuleId, TypeName, Value, Why,
    load::expr::{Path, Quoted},
    program::{Attribute, Read},
    rules::{Condition, Rule},
    set::Cell,
    world::{Stop, World},
};

/// What is told about one request.
pub(super) struct Story<'a> {
    pub(super) set: &'a PolicySet,
    pub(super) action: &'a str,
    pub(super) cell: &'a Cell,
    pub(super) world: World<'a>,
}

impl Story<'_> {
    pub(super) fn tell(&self, decision: Decision) -> Explanation {
        let action = self.action;
        let rules = self.determining(decision);
        let names = || listed(&self.names(&rules));
        let mut findings: Vec<Finding> =
            rules.iter().take(MAX_LISTED).map(|rule| self.finding(*rule, decision)).collect();
        let mut granting = Vec::new();
        let heading = match decision {
            Decision::Allow { .. } => format!("`{action}` is allowed by {}", names()),
            Decision::Deny(Why::InsufficientScope) => format!(
                "`{action}` is denied: no scope of the credential covers it; \
                 without scopes it would be allowed by {}",
                names()
            ),
            Decision::Deny(Why::Forbidden(_)) => format!("`{action}` is forbidden by {}", names()),
            Decision::Deny(Why::ErrorInForbid(..)) => {
                format!("`{action}` is denied: {}", self.failures())
            }
            Decision::Deny(Why::NoRule { .. }) => {
                (findings, granting) = (self.nearest(), self.granting());
                format!("`{action}` is denied: nothing permits it")
            }
            Decision::Deny(Why::WrongResource) => {
                let ty = self.cell.resource.and_then(|ty| self.set.schema.type_text(ty));
                format!("`{action}` is denied: the resource is no `{}`", ty.unwrap_or_default())
            }
            Decision::Deny(Why::Stale) => {
                "denied: the subject was made by another policy set".to_owned()
            }
        };
        let errors = match decision {
            Decision::Deny(Why::WrongResource | Why::Stale) => Vec::new(),
            Decision::Allow { .. } | Decision::Deny(_) => self.errors(),
        };
        let heading = heading + &self.skipped(&errors);
        let text = match decision {
            Decision::Deny(Why::NoRule { .. }) => self.in_one_line(&heading, &findings, &granting),
            Decision::Allow { .. } | Decision::Deny(_) => heading.clone(),
        };
        let named = |(rule, error): &(RuleId, EvalError)| Some((self.name(*rule)?.into(), *error));
        let failed = errors.iter().filter_map(named).collect();
        let action = Some(action.into());
        Explanation { decision, rules, errors, failed, action, findings, granting, heading, text }
    }

    fn determining(&self, decision: Decision) -> Vec<RuleId> {
        match decision {
            Decision::Allow { .. } | Decision::Deny(Why::InsufficientScope) => self.permits(),
            Decision::Deny(Why::Forbidden(_)) => self.forbids(|answer| answer == Ok(true)),
            Decision::Deny(Why::ErrorInForbid(..)) => self.forbids(|answer| answer.is_err()),
            Decision::Deny(_) => Vec::new(),
        }
    }

    /// The clauses that held, or the one that failed.
    fn finding(&self, id: RuleId, decision: Decision) -> Finding {
        let all = self.set.rules_of(self.cell.forbids).chain(self.set.rules_of(self.cell.permits));
        let failing = matches!(decision, Decision::Deny(Why::ErrorInForbid(..)));
        let clauses = all.filter(|rule| rule.id == id).take(1).flat_map(Rule::conditions);
        let clauses = clauses.map(|condition| self.clause(condition));
        let clauses = clauses.filter(|clause| clause.answer.is_err() == failing);
        let taken = if failing { 1 } else { MAX_LISTED };
        self.found(id, clauses.take(taken).collect())
    }

    fn found(&self, rule: RuleId, clauses: Vec<Clause>) -> Finding {
        Finding { rule, name: self.name(rule).unwrap_or_default().into(), clauses }
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
            rule.run(&self.world).err()?;
            let clause = self.stopped_at(rule)?;
            Some(format!("forbid `{}` failed: {clause}", self.name(rule.id)?))
        });
        failed.take(MAX_LISTED).collect::<Vec<_>>().join("; ")
    }

    fn in_one_line(&self, heading: &str, nearest: &[Finding], granting: &[Box<str>]) -> String {
        let mut text = heading.to_owned();
        if let Some(rule) = nearest.first() {
            text.push_str(&format!("; nearest rule `{}`: ", rule.name));
            match rule.clauses.first() {
                Some(clause) => text.push_str(&clause.to_string()),
                None => text.push_str("its condition is false"),
            }
        }
        if !granting.is_empty() {
            text.push_str(&format!("; roles that grant it: {}", listed(granting)));
        }
        text
    }

    fn granting(&self) -> Vec<Box<str>> {
        let roles = self.cell.grants.iter().filter_map(|role| self.set.roles.name(role));
        roles.take(MAX_LISTED).map(Box::from).collect()
    }

    /// The permits of which the fewest clauses do not hold; of several, those that passed more.
    fn nearest(&self) -> Vec<Finding> {
        let permits = self.set.rules_of(self.cell.permits).map(|rule| {
            let answers = rule.conditions().map(|one| one.program.run(&self.world) == Ok(true));
            let answers: Vec<bool> = answers.collect();
            let passed = answers.iter().take_while(|holds| **holds).count();
            (answers.iter().filter(|holds| !**holds).count(), usize::MAX - passed, rule)
        });
        let mut permits: Vec<_> = permits.collect();
        permits.sort_by_key(|(failed, passed, _)| (*failed, *passed));
        let nearest = permits.iter().take(MAX_NEAREST);
        nearest
            .map(|(.., rule)| self.found(rule.id, self.stopped_at(*rule).into_iter().collect()))
            .collect()
    }

    /// The first clause that does not hold.
    fn stopped_at(&self, rule: Rule<'_>) -> Option<Clause> {
        let stops = |one: &&Condition| one.program.run(&self.world) != Ok(true);
        rule.conditions().find(stops).map(|condition| self.clause(condition))
    }

    fn clause(&self, condition: &Condition) -> Clause {
        let answer = condition.program.run(&self.world).map_err(Stop::error);
        let (kind, text, expr) = match &*condition.part {
            Part::Roles(roles) => {
                let shown: Vec<_> = roles.iter().take(MAX_LISTED).collect();
                (ClauseKind::Roles, listed(&shown), None)
            }
            Part::When(expr) => (ClauseKind::When, expr.to_string(), Some(expr)),
            Part::Unless(expr) => (ClauseKind::Unless, expr.to_string(), Some(expr)),
            Part::During(times) => (ClauseKind::During, times.text.to_string(), None),
            Part::Outside(times) => (ClauseKind::Outside, times.text.to_string(), None),
        };
        let mut values: Vec<Looked> = Vec::new();
        if let Some(expr) = expr {
            expr.paths(&mut |path| {
                let known = || values.iter().any(|value| value.path == path.to_string());
                if values.len() < MAX_LISTED && !known() {
                    values.push(self.looked(path));
                }
            });
        }
        Clause { kind, text, answer, values }
    }

    /// Whatever it is: a value of the wrong type is shown too.
    fn looked(&self, path: &Path) -> Looked {
        let attributes = path.attributes.iter();
        let attributes = attributes.map(|name| Attribute { name: name.clone(), ty: None });
        let read = Read { root: path.root, attributes: attributes.collect() };
        let value = self.world.read(&read, |value| Ok(self.show(*value))).map_err(Stop::error);
        Looked { path: path.to_string(), value }
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

    fn entity(&self, kind: TypeName, id: &str) -> String {
        let kind = self.set.schema.type_text(kind).unwrap_or("Unknown");
        format!("{kind}::{}", Quoted(clip(id)))
    }

    fn names(&self, rules: &[RuleId]) -> Vec<&str> {
        rules.iter().filter_map(|rule| self.name(*rule)).take(MAX_LISTED).collect()
    }

    fn name(&self, rule: RuleId) -> Option<&str> {
        self.set.rule_name(rule)
    }
}

fn clip(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}
