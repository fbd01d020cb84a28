//! What the conditions of an action read: all that Cedar has to be told.

use std::collections::BTreeMap;

use crate::authz::{
    explain::Part,
    load::{
        check::role_of,
        expr::{EntityName, Expr, Kind, Literal, Path, Root},
    },
    set::Cell,
};

/// The variables, and the entities that are written down.
#[derive(Default)]
pub(super) struct Reads<'a> {
    pub(super) principal: Read<'a>,
    pub(super) resource: Read<'a>,
    pub(super) context: Read<'a>,
    pub(super) literals: Vec<&'a EntityName>,
    /// Those of the literals that are asked what they lie in.
    pub(super) climbing: Vec<&'a EntityName>,
}

/// What is read of one value.
#[derive(Default)]
pub(super) struct Read<'a> {
    pub(super) attributes: BTreeMap<&'a str, Read<'a>>,
    /// Whether it is asked what it lies in.
    pub(super) climbs: bool,
}

impl<'a> Reads<'a> {
    pub(super) fn of(cell: &'a Cell) -> Self {
        let mut reads = Self::default();
        let rules = cell.forbids.iter().chain(&cell.permits);
        for clause in rules.flat_map(|rule| &rule.clauses) {
            match &*clause.part {
                Part::Roles(_) => {}
                Part::When(expr) | Part::Unless(expr) => reads.note(expr),
            }
        }
        reads
    }

    fn note(&mut self, expr: &'a Expr) {
        match &expr.kind {
            Kind::Literal(Literal::Entity(entity)) => self.literals.push(entity),
            Kind::Literal(_) => {}
            Kind::Path(path) => {
                self.read(path);
            }
            Kind::Has(path, name) => {
                self.read(path).attributes.entry(name).or_default();
            }
            Kind::In(_, right) if role_of(right).is_some() => {}
            Kind::In(left, right) => {
                if let Kind::Path(path) = &left.kind {
                    self.read(path).climbs = true;
                } else if let Kind::Literal(Literal::Entity(entity)) = &left.kind {
                    self.climbing.push(entity);
                }
                self.note(left);
                self.note(right);
            }
            Kind::Not(inner) => self.note(inner),
            Kind::And(parts) | Kind::Or(parts) => parts.iter().for_each(|part| self.note(part)),
            Kind::Compare(_, left, right)
            | Kind::Differs(left, right)
            | Kind::InRange(left, right) => {
                self.note(left);
                self.note(right);
            }
        }
    }

    fn read(&mut self, path: &'a Path) -> &mut Read<'a> {
        let root = match path.root {
            Root::Principal => &mut self.principal,
            Root::Resource => &mut self.resource,
            Root::Context => &mut self.context,
        };
        path.attributes.iter().fold(root, |read, name| read.attributes.entry(name).or_default())
    }
}
