//! Reads roles and scopes into sets of actions.

use std::collections::BTreeMap;

use super::{
    declare::{MAX_NAMES, is_name, unknown_fields},
    document::{Document, Grants, Named},
    error::{Place, Problems, hint},
};
use crate::authz::{
    bits::Bits,
    names::{Names, nearest},
};

/// More pairs of an action with a rule, role or scope are refused.
const MAX_PAIRS: usize = 4_000_000;

/// Turns names and patterns into actions.
pub(in crate::authz) struct Expander<'a> {
    pub(in crate::authz) actions: &'a Names,
    left: usize,
}

/// The roles of a document.
pub(in crate::authz) struct Roles {
    pub(in crate::authz) names: Names,
    /// For each role, itself and all that it inherits.
    pub(in crate::authz) inherited: Box<[Bits]>,
    /// For each action, the roles that list it themselves.
    pub(in crate::authz) grants: Vec<Bits>,
}

impl<'a> Expander<'a> {
    pub(in crate::authz) fn new(actions: &'a Names) -> Self {
        Self { actions, left: MAX_PAIRS }
    }

    /// The actions that the list means: names, `order:*`, `*`; ascending, each once.
    pub(in crate::authz) fn expand(
        &mut self,
        list: &[String],
        place: &Place,
        problems: &mut Problems,
    ) -> Vec<u32> {
        let mut found = Vec::new();
        for (position, text) in list.iter().enumerate() {
            let place = place.position(position);
            let before = found.len();
            match text.strip_suffix('*') {
                Some(stem) if stem.is_empty() || stem.ends_with(':') => {
                    found.extend(self.actions.starting(stem));
                }
                _ => found.extend(self.actions.number(text)),
            }
            if found.len() == before {
                let meant = self.meant(text);
                problems.add(&place, || format!("no action `{text}`{}", hint(meant.as_deref())));
                // The one that was meant stands in, so that the rest can be checked too.
                found.extend(meant.and_then(|meant| self.actions.number(&meant)));
            }
            self.left = self.left.saturating_sub(found.len() - before);
            if problems.is_full() {
                break;
            }
            if self.left == 0 {
                problems.add(&place, || format!("more than {MAX_PAIRS} grants in all"));
                break;
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn meant(&self, text: &str) -> Option<String> {
        let Some(stem) = text.strip_suffix(":*") else {
            return self.actions.nearest(text).map(str::to_owned);
        };
        let stems = self.actions.iter().filter_map(|name| Some(name.rsplit_once(':')?.0));
        nearest(stem, stems).map(|stem| format!("{stem}:*"))
    }
}

pub(in crate::authz) fn roles(
    document: &Document,
    expander: &mut Expander<'_>,
    problems: &mut Problems,
) -> Roles {
    let listed = &document.roles;
    let root = Place::default().key("roles");
    let names = Names::new(listed.0.keys().map(|name| &**name));
    if names.len() > MAX_NAMES {
        problems.add(&root, || format!("at most {MAX_NAMES} roles"));
        return Roles { names, inherited: Box::default(), grants: Vec::new() };
    }
    let mut grants = vec![Bits::none(names.len()); expander.actions.len()];
    for ((name, role), number) in listed.0.iter().zip(0..) {
        let place = root.key(name);
        unknown_fields(&role.unknown, &place, &["may", "inherits"], problems);
        if !is_name(name) {
            problems.add(&place, || format!("{name:?} cannot name a role"));
        }
        for action in expander.expand(&role.may, &place.key("may"), problems) {
            if let Some(grants) = grants.get_mut(action as usize) {
                grants.add(number);
            }
        }
    }
    let inherited = inherited(listed, &names, problems);
    Roles { names, inherited, grants }
}

/// For each role, itself and all above it; parents are finished before their heirs.
fn inherited(listed: &Named<Grants>, names: &Names, problems: &mut Problems) -> Box<[Bits]> {
    let parents: Vec<Vec<u32>> =
        listed.0.iter().map(|(name, role)| parents(name, role, names, problems)).collect();
    let mut finished: Vec<Option<Bits>> = vec![None; names.len()];
    for start in 0..names.len() {
        let mut path = vec![start];
        while let Some(role) = path.last().copied() {
            let above = parents.get(role).map_or(&[][..], |parents| parents);
            let open = above.iter().map(|parent| *parent as usize);
            let mut open = open.filter(|parent| finished.get(*parent).is_some_and(Option::is_none));
            match open.next() {
                Some(parent) if path.contains(&parent) => {
                    cyclic(&path, parent, names, problems);
                    return Box::default();
                }
                Some(parent) => path.push(parent),
                None => {
                    let mut bits = Bits::none(names.len());
                    bits.add(u32::try_from(role).unwrap_or(u32::MAX));
                    let done = above.iter().filter_map(|above| finished.get(*above as usize));
                    done.flatten().for_each(|inherited| bits.add_all(inherited));
                    if let Some(slot) = finished.get_mut(role) {
                        *slot = Some(bits);
                    }
                    path.pop();
                }
            }
        }
    }
    finished.into_iter().flatten().collect()
}

fn parents(name: &str, role: &Grants, names: &Names, problems: &mut Problems) -> Vec<u32> {
    let place = Place::default().key("roles").key(name).key("inherits");
    let mut parents = Vec::new();
    for (position, parent) in role.inherits.iter().enumerate() {
        match names.number(parent) {
            Some(number) => parents.push(number),
            None => problems.add(&place.position(position), || unknown_role(parent, names)),
        }
    }
    parents.sort_unstable();
    parents.dedup();
    parents
}

pub(in crate::authz) fn unknown_role(name: &str, names: &Names) -> String {
    format!("no role `{name}`{}", hint(names.nearest(name)))
}

fn cyclic(path: &[usize], back: usize, names: &Names, problems: &mut Problems) {
    let circle = path.iter().skip_while(|role| **role != back).chain([&back]);
    let words: Vec<&str> =
        circle.filter_map(|role| names.name(u32::try_from(*role).ok()?)).collect();
    let place = Place::default().key("roles").key(words.first().unwrap_or(&""));
    problems.add(&place.key("inherits"), || {
        format!("a role cannot inherit itself: `{}`", words.join("` from `"))
    });
}

/// For each scope, the actions it covers. Without a table, the actions are the scopes.
pub(in crate::authz) fn scopes(
    document: &Document,
    expander: &mut Expander<'_>,
    problems: &mut Problems,
) -> BTreeMap<Box<str>, Bits> {
    let bits = |covered: Vec<u32>, count: usize| {
        let mut bits = Bits::none(count);
        covered.into_iter().for_each(|action| bits.add(action));
        bits
    };
    let count = expander.actions.len();
    let Some(listed) = &document.scopes else {
        let names = (0..).zip(expander.actions.iter());
        return names.map(|(at, name)| (name.into(), bits(vec![at], count))).collect();
    };
    let root = Place::default().key("scopes");
    if listed.0.is_empty() {
        problems.add(&root, || "no scopes: leave the table out".to_owned());
    }
    if listed.0.len() > MAX_NAMES {
        problems.add(&root, || format!("at most {MAX_NAMES} scopes"));
        return BTreeMap::new();
    }
    let mut scopes = BTreeMap::new();
    for (scope, list) in &listed.0 {
        let place = root.key(scope);
        if !is_name(scope) || scope.contains(' ') {
            problems.add(&place, || format!("{scope:?} cannot name a scope"));
        }
        if list.is_empty() {
            problems.add(&place, || format!("scope `{scope}` covers nothing"));
        }
        scopes.insert(scope.clone(), bits(expander.expand(list, &place, problems), count));
    }
    scopes
}
