//! The names that policies mention: types, actions and their groups, roles.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        error::{Place, Problems},
        expr::{EntityName, Expr, Kind, Literal, Quoted},
        grants::Roles,
    },
    policies::{CedarPolicies, Uid},
    policy::{Actions, Slot, Written},
};
use crate::authz::{TypeName, bits::Bits, names::Names, schema::Schema};

/// More actions, roles or types than this are refused, of each.
const MAX_NAMES: usize = 10_000;

/// All names in the policies.
pub(super) struct Known {
    pub(super) schema: Schema,
    pub(super) actions: Names,
    /// For each action, its type and id.
    pub(super) uids: Box<[(TypeName, Box<str>)]>,
    /// For each action and each group, the actions that are it or in it.
    below: BTreeMap<Uid, Vec<u32>>,
    roles: BTreeSet<Box<str>>,
}

impl Known {
    pub(super) fn of(policies: &CedarPolicies, problems: &mut Problems) -> Self {
        let mut found = Found::default();
        policies.all.iter().for_each(|named| found.note(&named.written));
        found.types.extend(policies.types.iter().cloned());
        let declared = policies.groups.iter().flat_map(|(one, groups)| groups.iter().chain([one]));
        found.actions.extend(declared.cloned());
        found.types.extend(found.actions.iter().map(|(kind, _)| kind.clone()));
        let counts = [found.types.len(), found.actions.len(), found.roles.len()];
        if counts.iter().any(|count| *count > MAX_NAMES) {
            let message = || format!("more than {MAX_NAMES} types, actions or roles");
            problems.add(&Place::default(), message);
            found = Found::default();
        }
        let schema = Schema::new(found.types.iter().map(|text| &**text));
        let mut schema = schema.unwrap_or_else(|(one, other)| {
            let message = || format!("the types `{one}` and `{other}` have the same number");
            problems.add(&Place::default(), message);
            Schema::default()
        });
        schema.is_open = true;
        let texts: BTreeMap<String, &Uid> = found.actions.iter().map(|u| (name_of(u), u)).collect();
        if texts.len() < found.actions.len() {
            problems.add(&Place::default(), || "two actions have the same name".to_owned());
        }
        let mut below: BTreeMap<Uid, Vec<u32>> = BTreeMap::new();
        for (number, uid) in (0..).zip(texts.values()) {
            for group in above(uid, &policies.groups) {
                below.entry(group.clone()).or_default().push(number);
            }
        }
        let uid = |(kind, id): &&Uid| (TypeName::new(kind), id.clone());
        let uids = texts.values().map(uid).collect();
        let actions = Names::new(texts.keys().map(String::as_str));
        Self { schema, actions, uids, below, roles: found.roles }
    }

    /// The numbers of the actions that a scope is about.
    pub(super) fn actions_of(&self, scope: &Actions) -> Vec<u32> {
        let uid = |name: &EntityName| (name.kind.clone(), name.id.clone());
        match scope {
            Actions::Any => (0..).take(self.actions.len()).collect(),
            Actions::Equal(one) => self.actions.number(&name_of(&uid(one))).into_iter().collect(),
            Actions::In(several) => {
                let below = several.iter().filter_map(|one| self.below.get(&uid(one))).flatten();
                below.copied().collect::<BTreeSet<u32>>().into_iter().collect()
            }
        }
    }

    /// The roles that policies name; none inherits another, and none grants by itself.
    pub(super) fn roles(&self) -> Roles {
        let names = Names::new(self.roles.iter().map(|role| &**role));
        let inherited = (0..).take(names.len()).map(|role| {
            let mut own = Bits::none(names.len());
            own.add(role);
            own
        });
        let inherited = inherited.collect();
        let grants = vec![Bits::none(names.len()); self.actions.len()];
        Roles { names, inherited, grants }
    }
}

fn name_of((kind, id): &Uid) -> String {
    if &**kind == "Action" { id.to_string() } else { format!("{kind}::{}", Quoted(id)) }
}

/// The action itself, and all groups that it is in, at any distance.
fn above<'a>(action: &'a Uid, groups: &'a BTreeMap<Uid, BTreeSet<Uid>>) -> BTreeSet<&'a Uid> {
    let mut all = BTreeSet::new();
    let mut open = vec![action];
    while let Some(uid) = open.pop() {
        if all.insert(uid) {
            open.extend(groups.get(uid).into_iter().flatten());
        }
    }
    all
}

/// What the policies mention.
#[derive(Default)]
struct Found {
    types: BTreeSet<Box<str>>,
    actions: BTreeSet<Uid>,
    roles: BTreeSet<Box<str>>,
}

impl Found {
    fn note(&mut self, written: &Written) {
        for scope in [&written.principal, &written.resource] {
            scope.type_word().into_iter().for_each(|word| add(&mut self.types, word));
            if let Some(Slot::Filled(name)) = scope.slot() {
                self.entity(name);
            }
        }
        match &written.actions {
            Actions::Any => {}
            Actions::Equal(action) => self.action(action),
            Actions::In(actions) => actions.iter().for_each(|action| self.action(action)),
        }
        written.conditions.iter().for_each(|clause| self.expr(&clause.expr));
    }

    fn expr(&mut self, expr: &Expr) {
        if let Kind::Literal(Literal::Entity(name)) = &expr.kind {
            self.entity(name);
        } else if let Kind::Is(_, word, _) = &expr.kind {
            add(&mut self.types, &word.text);
        }
        expr.parts().into_iter().for_each(|part| self.expr(part));
    }

    fn entity(&mut self, name: &EntityName) {
        add(&mut self.types, &name.kind);
        if &*name.kind == "Role" {
            add(&mut self.roles, &name.id);
        }
    }

    fn action(&mut self, action: &EntityName) {
        self.actions.insert((action.kind.clone(), action.id.clone()));
    }
}

/// Most are there already.
fn add(names: &mut BTreeSet<Box<str>>, name: &str) {
    if !names.contains(name) {
        names.insert(name.into());
    }
}
