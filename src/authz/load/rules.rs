//! Reads the rules of a document, checks them and compiles their conditions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    check::Checker,
    clauses::clauses,
    declare::unknown_fields,
    document::{Document, Policy},
    emit::{Target, TooLong},
    error::{MAX_LISTED, Place, Problems},
    expr::{Expr, Root, SyntaxError, parse},
    grants::{Expander, unknown_role},
    pool::Pool,
    settled::settled,
    window::Zones,
};
use crate::authz::{
    Effect, TypeName,
    explain::{Part, Times},
    names::Names,
    program::MAX_STEPS,
    schema::{Schema, Ty},
};

/// More rules than this are refused.
const MAX_RULES: usize = 100_000;

/// More than this is refused, in bytes of conditions; one that names the resource counts for each
/// type of resource that its rule is about. Twice what the longest document holds.
const MAX_CHECKED: usize = 16 * 1024 * 1024;

/// More tests than this are refused, in the programs of all rules for all types.
const MAX_TESTS: usize = 2 * 1024 * 1024;

/// What a rule's names are looked up in.
#[derive(Clone, Copy)]
pub(in crate::authz) struct Known<'a> {
    pub(in crate::authz) schema: &'a Schema,
    pub(in crate::authz) roles: &'a Names,
    /// For each action, the type that it belongs to.
    pub(in crate::authz) resources: &'a [TypeName],
}

/// What is left of the work that a document may cost.
struct Budget {
    /// In bytes.
    checked: usize,
    tests: usize,
}

/// The conditions of a rule.
struct Conditions {
    when: Option<Expr>,
    unless: Option<Expr>,
}

/// A rule in which nothing was found wrong.
pub(in crate::authz) struct Checked {
    pub(in crate::authz) name: Box<str>,
    pub(in crate::authz) effect: Effect,
    pub(in crate::authz) compiled: Vec<Compiled>,
}

/// A rule's condition for those of its actions whose resources are of one type.
pub(in crate::authz) struct Compiled {
    pub(in crate::authz) actions: Vec<u32>,
    /// By their numbers.
    pub(in crate::authz) conditions: Vec<u32>,
}

pub(in crate::authz) fn rules(
    document: &Document,
    known: &Known<'_>,
    expander: &mut Expander<'_>,
    pool: &mut Pool,
    problems: &mut Problems,
) -> Vec<Checked> {
    let root = Place::default().key("rule");
    if document.rules.len() > MAX_RULES {
        problems.add(&root, || format!("at most {MAX_RULES} rules"));
        return Vec::new();
    }
    let mut budget = Budget { checked: MAX_CHECKED, tests: MAX_TESTS };
    let mut zones = Zones::default();
    let mut ids = BTreeMap::new();
    let mut checked = Vec::new();
    for (position, policy) in document.rules.iter().enumerate() {
        if problems.is_full() {
            break;
        }
        let place = root.position(position);
        let fields = ["id", "effect", "actions", "roles", "when", "unless", "during", "outside"];
        unknown_fields(&policy.unknown, &place, &fields, problems);
        let before = problems.len();
        let name = name(policy, &place, problems);
        if let Some(first) = name.and_then(|name| ids.insert(name, position)) {
            problems.add(&place.key("id"), || format!("already the id of rule[{first}]"));
        }
        let effect = effect(policy, &place, problems);
        let actions = actions(policy, &place, expander, problems);
        let roles = roles(policy, &place, known, problems);
        let times = times(policy, &place, &mut zones, problems);
        let conditions = Conditions::read(policy, &place, problems);
        let actions = by_type(actions, &conditions, known);
        if !budget.covers(policy, actions.len()) {
            problems.add(&place, too_much);
            break;
        }
        wrong_types(policy, &place, &conditions, actions.keys(), known, problems);
        let (Some(name), Some(effect)) = (name, effect) else { continue };
        if problems.len() > before {
            continue;
        }
        let parts = conditions.into_parts(roles.into_iter().chain(times));
        match compile(&parts, actions, known, pool, &mut budget) {
            Ok(compiled) => checked.push(Checked { name: name.into(), effect, compiled }),
            Err(TooLong) if budget.tests == 0 => {
                problems.add(&place, || format!("more than {MAX_TESTS} tests in all rules"));
                break;
            }
            Err(TooLong) => {
                problems.add(&place, || format!("a rule has at most {MAX_STEPS} tests"));
            }
        }
    }
    checked
}

fn name<'a>(policy: &'a Policy, place: &Place, problems: &mut Problems) -> Option<&'a str> {
    let Some(name) = &policy.id else {
        problems.add(place, || "a rule needs an `id`".to_owned());
        return None;
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > 128 || !name.bytes().all(plain) {
        problems.add(&place.key("id"), || {
            "an id is 1 to 128 letters, digits, dots, underscores and hyphens".to_owned()
        });
    }
    Some(name)
}

fn effect(policy: &Policy, place: &Place, problems: &mut Problems) -> Option<Effect> {
    let Some(word) = &policy.effect else {
        problems.add(place, || "a rule needs an `effect`: permit or forbid".to_owned());
        return None;
    };
    let effects = [Effect::Permit, Effect::Forbid];
    let effect = effects.into_iter().find(|effect| effect.word() == word);
    if effect.is_none() {
        problems.add(&place.key("effect"), || {
            format!("no effect `{word}`; it is `permit` or `forbid`")
        });
    }
    effect
}

fn actions(
    policy: &Policy,
    place: &Place,
    expander: &mut Expander<'_>,
    problems: &mut Problems,
) -> Vec<u32> {
    if policy.actions.is_empty() {
        problems.add(place, || "a rule needs `actions`; `*` means all".to_owned());
    }
    expander.expand(&policy.actions, &place.key("actions"), problems)
}

/// The actions, each under the type of its resources. Conditions that never name the resource
/// mean the same for all types: one stands for all.
fn by_type(
    actions: Vec<u32>,
    conditions: &Conditions,
    known: &Known<'_>,
) -> BTreeMap<TypeName, Vec<u32>> {
    let of = |action: &u32| known.resources.get(*action as usize).copied();
    let one = actions.first().and_then(of).filter(|_| !conditions.name_the_resource());
    let mut sorted: BTreeMap<TypeName, Vec<u32>> = BTreeMap::new();
    for action in actions {
        if let Some(resource) = one.or_else(|| of(&action)) {
            sorted.entry(resource).or_default().push(action);
        }
    }
    sorted
}

/// A program for each type, because an attribute may be declared differently in each.
fn compile(
    parts: &[Arc<Part>],
    actions: BTreeMap<TypeName, Vec<u32>>,
    known: &Known<'_>,
    pool: &mut Pool,
    budget: &mut Budget,
) -> Result<Vec<Compiled>, TooLong> {
    let compile = |(resource, actions)| {
        let resource = Ty::Entity(resource);
        let target = Target { schema: known.schema, roles: known.roles, resource };
        let (conditions, cost) = pool.conditions(parts, target)?;
        budget.tests = budget.tests.saturating_sub(cost);
        if budget.tests == 0 { Err(TooLong) } else { Ok(Compiled { actions, conditions }) }
    };
    actions.into_iter().map(compile).collect()
}

/// Checks both conditions with every type that the resource may be of; what the first has asked
/// for is known in the second.
fn wrong_types<'a>(
    policy: &Policy,
    place: &Place,
    conditions: &Conditions,
    resources: impl Iterator<Item = &'a TypeName>,
    known: &Known<'_>,
    problems: &mut Problems,
) {
    let mut wrong = [BTreeSet::new(), BTreeSet::new()];
    for resource in resources {
        let mut present = BTreeSet::new();
        for (expr, errors) in [&conditions.when, &conditions.unless].iter().zip(&mut wrong) {
            let resource = Ty::Entity(*resource);
            let mut checker =
                Checker { schema: known.schema, roles: known.roles, resource, errors };
            expr.iter().for_each(|expr| checker.condition(expr, &mut present));
            // Behind a `when` that is false for this type nothing is about it.
            let truth = expr.as_ref().and_then(|expr| settled(expr, known.schema, resource));
            if truth == Some(false) {
                break;
            }
        }
        if wrong.iter().any(|errors| errors.len() > MAX_LISTED) {
            break;
        }
    }
    for ((field, text), errors) in
        [("when", &policy.when), ("unless", &policy.unless)].iter().zip(wrong)
    {
        for (at, message) in errors {
            let text = text.as_deref().unwrap_or_default();
            problems.add_in(&place.key(field), text, at, message);
        }
    }
}

impl Budget {
    /// Takes what checking the rule's conditions costs; whether there was so much.
    fn covers(&mut self, policy: &Policy, types: usize) -> bool {
        let bytes = [&policy.when, &policy.unless].into_iter().flatten().map(String::len);
        let cost = bytes.sum::<usize>().saturating_mul(types);
        let left = self.checked.checked_sub(cost);
        self.checked = left.unwrap_or(0);
        left.is_some()
    }
}

fn too_much() -> String {
    format!(
        "more than {MAX_CHECKED} bytes of conditions in all rules, each counted for every type \
         of resource that it is about"
    )
}

impl Conditions {
    fn read(policy: &Policy, place: &Place, problems: &mut Problems) -> Self {
        let mut read = |field, text: &Option<String>| {
            let text = text.as_deref()?;
            let refuse = |error: SyntaxError| {
                problems.add_in(&place.key(field), text, error.at, error.message);
            };
            parse(text).map_err(refuse).ok()
        };
        Self { when: read("when", &policy.when), unless: read("unless", &policy.unless) }
    }

    fn name_the_resource(&self) -> bool {
        let mut named = false;
        for condition in [&self.when, &self.unless].into_iter().flatten() {
            condition.paths(&mut |path| named |= path.root == Root::Resource);
        }
        named
    }

    /// All that is and-ed: roles and windows first, because they cannot fail.
    fn into_parts(self, first: impl Iterator<Item = Part>) -> Vec<Arc<Part>> {
        let mut parts: Vec<Part> = first.collect();
        parts.extend(self.when.into_iter().flat_map(clauses).map(Part::When));
        parts.extend(self.unless.map(Part::Unless));
        parts.into_iter().map(Arc::new).collect()
    }
}

/// The windows that the rule applies in.
fn times(policy: &Policy, place: &Place, zones: &mut Zones, problems: &mut Problems) -> Vec<Part> {
    let mut read = |field, text: &Option<String>| {
        let text = text.as_deref()?;
        let refuse = |error: SyntaxError| {
            problems.add_in(&place.key(field), text, error.at, error.message);
        };
        let window = zones.window(text).map_err(refuse).ok()?;
        Some(Times { text: text.into(), window: window.into() })
    };
    let during = read("during", &policy.during).map(Part::During);
    let outside = read("outside", &policy.outside).map(Part::Outside);
    during.into_iter().chain(outside).collect()
}

fn roles(
    policy: &Policy,
    place: &Place,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<Part> {
    let listed = policy.roles.as_ref()?;
    let place = place.key("roles");
    if listed.is_empty() {
        problems.add(&place, || "no roles: leave the field out".to_owned());
    }
    for (position, role) in listed.iter().enumerate() {
        if known.roles.number(role).is_none() {
            problems.add(&place.position(position), || unknown_role(role, known.roles));
        }
    }
    Some(Part::Roles(listed.iter().map(|role| role.as_str().into()).collect()))
}
