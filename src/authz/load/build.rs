//! From a document to the policies in force. Everything wrong is found before anything is built.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use super::{
    declare::declare,
    document::Document,
    error::{PolicyErrors, Problems},
    grants::{Expander, Roles, roles, scopes},
    rules::{Checked, Compiled, Known, rules},
};
use crate::authz::{
    Effect, PolicySet, RuleId, TypeName,
    bits::Bits,
    set::{Cell, Rule},
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
        let mut problems = Problems::default();
        let declared = declare(&document, &mut problems);
        let mut expander = Expander::new(&declared.actions);
        let roles = roles(&document, &mut expander, &mut problems);
        let scopes = scopes(&document, &mut expander, &mut problems);
        let known =
            Known { schema: &declared.schema, roles: &roles.names, resources: &declared.resources };
        let rules = rules(&document, &known, &mut expander, &mut problems);
        problems.finish(document.source.as_deref())?;

        let (rule_names, cells) = assemble(rules, &roles, &declared.resources);
        Ok(Self {
            // Freshly keyed each time: no state is shared, yet two sets do not agree.
            epoch: RandomState::new().hash_one(0),
            actions: declared.actions,
            roles: roles.names,
            inherited: roles.inherited,
            scopes,
            cells,
            rule_names,
            schema: declared.schema,
            skips_errors: false,
        })
    }
}

/// Numbers the rules in the order of their names, so that the order in a document says nothing,
/// and files them under their actions.
fn assemble(
    mut rules: Vec<Checked>,
    roles: &Roles,
    resources: &[TypeName],
) -> (Box<[Box<str>]>, Box<[Cell]>) {
    let new = |(resource, grants): (&TypeName, &Bits)| Cell {
        resource: *resource,
        grants: grants.clone(),
        forbids: Vec::new(),
        permits: Vec::new(),
    };
    let mut cells: Box<[Cell]> = resources.iter().zip(&roles.grants).map(new).collect();
    let mut names: Vec<Box<str>> =
        roles.names.iter().map(|role| format!("role:{role}").into()).collect();
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    for rule in rules {
        let id = RuleId(u32::try_from(names.len()).unwrap_or(u32::MAX));
        names.push(rule.name);
        for Compiled { actions, conditions } in rule.compiled {
            let compiled = Arc::new(Rule { id, conditions: conditions.into() });
            for action in actions {
                let Some(cell) = cells.get_mut(action as usize) else { continue };
                match rule.effect {
                    Effect::Forbid => cell.forbids.push(Arc::clone(&compiled)),
                    Effect::Permit => cell.permits.push(Arc::clone(&compiled)),
                }
            }
        }
    }
    (names.into(), cells)
}
