//! From a document to the policies in force. Everything wrong is found before anything is built.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use super::{
    declare::declare,
    document::Document,
    error::{PolicyErrors, Problems},
    grants::{Expander, Roles, roles, scopes},
    pool::Pool,
    rules::{Checked, Compiled, Known, rules},
};
use crate::authz::{
    Effect, PolicySet, RuleId, TypeName,
    index::{Builder, Entry, FEW, Section},
    set::Cell,
    texts::Texts,
};

impl PolicySet {
    /// Checks a document whole and compiles it.
    ///
    /// The work is bounded: at most 16 MiB of conditions and 2,097,152 tests in the programs of
    /// all rules. A condition that names `resource` is checked and compiled for every type of
    /// resource that its rule is about, and counts as often; any other counts once.
    ///
    /// # Errors
    /// Lists everything that is wrong (the first hundred), each with its place and, for a wrong
    /// name, the one that was probably meant.
    pub fn from_document(document: Document) -> Result<Self, PolicyErrors> {
        Self::build(&document, Builder::new(FEW))
    }

    pub(in crate::authz) fn build(
        document: &Document,
        builder: Builder,
    ) -> Result<Self, PolicyErrors> {
        let mut problems = Problems::default();
        let declared = declare(document, &mut problems);
        let mut expander = Expander::new(&declared.actions);
        let roles = roles(document, &mut expander, &mut problems);
        let scopes = scopes(document, &mut expander, &mut problems);
        let known =
            Known { schema: &declared.schema, roles: &roles.names, resources: &declared.resources };
        let mut pool = Pool::new(builder);
        let rules = rules(document, &known, &mut expander, &mut pool, &mut problems);
        problems.finish(document.source.as_deref())?;

        let Pool { mut builder, .. } = pool;
        let resources: Vec<_> = declared.resources.into_iter().map(Some).collect();
        let (rule_names, cells) = assemble(rules, &roles, &resources, &mut builder);
        let (rules, index) = builder.finish();
        Ok(Self {
            // Freshly keyed each time: no state is shared, yet two sets do not agree.
            epoch: RandomState::new().hash_one(0),
            actions: declared.actions,
            action_uids: Box::default(),
            roles: roles.names,
            inherited: roles.inherited,
            scopes,
            cells,
            rules,
            index,
            rule_names,
            schema: declared.schema,
            skips_errors: false,
        })
    }
}

/// Numbers the rules in the order of their names, so that the order in a document says nothing,
/// and files them under their actions.
pub(super) fn assemble(
    mut rules: Vec<Checked>,
    roles: &Roles,
    resources: &[Option<TypeName>],
    builder: &mut Builder,
) -> (Texts, Box<[Cell]>) {
    let mut names: Vec<Box<str>> =
        roles.names.iter().map(|role| format!("role:{role}").into()).collect();
    let mut filed: Vec<[Vec<Entry>; 2]> = resources.iter().map(|_| Default::default()).collect();
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    for Checked { name, effect, compiled } in rules {
        let rule = RuleId(u32::try_from(names.len()).unwrap_or(u32::MAX));
        names.push(name);
        for Compiled { actions, conditions } in compiled {
            for action in actions {
                let Some([forbids, permits]) = filed.get_mut(action as usize) else { continue };
                let of_effect = if effect == Effect::Forbid { forbids } else { permits };
                of_effect.push(Entry { rule, list: conditions.clone() });
            }
        }
    }
    // Rules about all actions are the same list for each of them.
    let mut known: HashMap<Vec<Entry>, Section> = HashMap::new();
    let mut section = |entries: Vec<Entry>| {
        known.get(&entries).copied().unwrap_or_else(|| {
            let section = builder.section(entries.clone());
            known.insert(entries, section);
            section
        })
    };
    let cells = resources.iter().zip(&roles.grants).zip(filed);
    let cells = cells.map(|((resource, grants), [forbids, permits])| Cell {
        resource: *resource,
        grants: grants.clone(),
        forbids: section(forbids),
        permits: section(permits),
    });
    (names.into_iter().collect(), cells.collect())
}
