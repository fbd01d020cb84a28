//! Reads the rules of a document, checks them and compiles their conditions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    check::Checker,
    declare::unknown_fields,
    document::{Document, Policy},
    emit::{Target, TooLong, emit},
    error::{MAX_LISTED, Place, Problems},
    expr::{Expr, Kind, parse},
    grants::{Expander, unknown_role},
};
use crate::authz::{
    Effect, TypeName,
    explain::{Clause, Part},
    names::Names,
    program::{MAX_STEPS, Program},
    schema::{Schema, Ty},
};

/// More rules than this are refused.
const MAX_RULES: usize = 100_000;

/// What a rule's names are looked up in.
#[derive(Clone, Copy)]
pub(in crate::authz) struct Known<'a> {
    pub(in crate::authz) schema: &'a Schema,
    pub(in crate::authz) roles: &'a Names,
    /// For each action, the type that it belongs to.
    pub(in crate::authz) resources: &'a [TypeName],
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
    pub(in crate::authz) program: Program,
    pub(in crate::authz) clauses: Vec<Clause>,
}

pub(in crate::authz) fn rules(
    document: &Document,
    known: &Known<'_>,
    expander: &mut Expander<'_>,
    problems: &mut Problems,
) -> Vec<Checked> {
    let root = Place::default().key("rule");
    if document.rules.len() > MAX_RULES {
        problems.add(&root, || format!("at most {MAX_RULES} rules"));
        return Vec::new();
    }
    let mut ids = BTreeMap::new();
    let mut checked = Vec::new();
    for (position, policy) in document.rules.iter().enumerate() {
        if problems.is_full() {
            break;
        }
        let place = root.position(position);
        let fields = ["id", "effect", "actions", "roles", "when", "unless"];
        unknown_fields(&policy.unknown, &place, &fields, problems);
        let before = problems.len();
        let name = name(policy, &place, problems);
        if let Some(first) = name.and_then(|name| ids.insert(name, position)) {
            problems.add(&place.key("id"), || format!("already the id of rule[{first}]"));
        }
        let effect = effect(policy, &place, problems);
        let actions = actions(policy, &place, expander, problems);
        let actions = by_type(actions, known);
        let parts = parts(policy, &place, &actions, known, problems);
        let (Some(name), Some(effect)) = (name, effect) else { continue };
        if problems.len() > before {
            continue;
        }
        match compile(&parts, actions, known) {
            Ok(compiled) => checked.push(Checked { name: name.into(), effect, compiled }),
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

/// The actions, each under the type of its resources.
fn by_type(actions: Vec<u32>, known: &Known<'_>) -> BTreeMap<TypeName, Vec<u32>> {
    let mut sorted: BTreeMap<TypeName, Vec<u32>> = BTreeMap::new();
    for action in actions {
        if let Some(resource) = known.resources.get(action as usize) {
            sorted.entry(*resource).or_default().push(action);
        }
    }
    sorted
}

/// A program for each type, because an attribute may be declared differently in each.
fn compile(
    parts: &[Arc<Part>],
    actions: BTreeMap<TypeName, Vec<u32>>,
    known: &Known<'_>,
) -> Result<Vec<Compiled>, TooLong> {
    let compile = |(resource, actions)| {
        let resource = Ty::Entity(resource);
        let target = Target { schema: known.schema, roles: known.roles, resource };
        emit(parts, target).map(|(program, clauses)| Compiled { actions, program, clauses })
    };
    actions.into_iter().map(compile).collect()
}

/// The rule's conditions, and-ed: roles first, because they cannot fail.
fn parts(
    policy: &Policy,
    place: &Place,
    actions: &BTreeMap<TypeName, Vec<u32>>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Vec<Arc<Part>> {
    let mut parts = Vec::new();
    parts.extend(roles(policy, place, known, problems));
    let when = condition(policy.when.as_deref(), &place.key("when"), problems);
    let unless = condition(policy.unless.as_deref(), &place.key("unless"), problems);
    let wrong = wrong_types(actions.keys(), [&when, &unless], known);
    for ((field, text), errors) in
        [("when", &policy.when), ("unless", &policy.unless)].iter().zip(wrong)
    {
        for (at, message) in errors {
            let text = text.as_deref().unwrap_or_default();
            problems.add_in(&place.key(field), text, at, message);
        }
    }
    match when {
        Some(Expr { kind: Kind::And(all), .. }) => parts.extend(all.into_iter().map(Part::When)),
        other => parts.extend(other.map(Part::When)),
    }
    parts.extend(unless.map(Part::Unless));
    parts.into_iter().map(Arc::new).collect()
}

/// Checks both conditions with every type that the resource may be of; what the first has asked
/// for is known in the second.
fn wrong_types<'a>(
    resources: impl Iterator<Item = &'a TypeName>,
    conditions: [&Option<Expr>; 2],
    known: &Known<'_>,
) -> [BTreeSet<(usize, String)>; 2] {
    let mut wrong = [BTreeSet::new(), BTreeSet::new()];
    for resource in resources {
        let mut present = BTreeSet::new();
        for (expr, errors) in conditions.iter().zip(&mut wrong) {
            let resource = Ty::Entity(*resource);
            let mut checker =
                Checker { schema: known.schema, roles: known.roles, resource, errors };
            expr.iter().for_each(|expr| checker.condition(expr, &mut present));
        }
        if wrong.iter().any(|errors| errors.len() > MAX_LISTED) {
            break;
        }
    }
    wrong
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

fn condition(text: Option<&str>, place: &Place, problems: &mut Problems) -> Option<Expr> {
    let text = text?;
    match parse(text) {
        Ok(expr) => Some(expr),
        Err(error) => {
            problems.add_in(place, text, error.at, error.message);
            None
        }
    }
}
