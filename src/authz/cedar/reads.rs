//! What the conditions of an action read: all that Cedar has to be told.

use std::collections::BTreeMap;

use crate::authz::{
    PolicySet,
    explain::{Part, Times},
    load::{
        expr::{EntityName, Expr, Kind, Literal, Root},
        settled::role_of,
    },
    rules::Rule,
    set::Cell,
};

/// The variables, and the entities that are written down.
#[derive(Default)]
pub(super) struct Reads<'a> {
    pub(super) principal: Read<'a>,
    pub(super) resource: Read<'a>,
    pub(super) context: Read<'a>,
    pub(super) literals: Vec<Written<'a>>,
    pub(super) windows: Vec<&'a Times>,
}

/// What is read of one value.
#[derive(Default)]
pub(super) struct Read<'a> {
    pub(super) attributes: BTreeMap<&'a str, Read<'a>>,
    /// Whether it is asked what it lies in.
    pub(super) climbs: bool,
}

/// An entity that is written down, and what more is asked of it.
pub(super) struct Written<'a> {
    pub(super) name: &'a EntityName,
    pub(super) reads: bool,
    pub(super) climbs: bool,
}

/// What is asked of a value: these attributes, one of the other, and what that lies in.
#[derive(Clone, Default)]
struct Asked<'a> {
    names: Vec<&'a str>,
    climbs: bool,
}

impl<'a> Reads<'a> {
    pub(super) fn of(set: &'a PolicySet, cell: &Cell) -> Self {
        let mut reads = Self::default();
        let rules = set.rules_of(cell.forbids).chain(set.rules_of(cell.permits));
        for condition in rules.flat_map(Rule::conditions) {
            match &*condition.part {
                Part::Roles(_) => {}
                Part::During(times) | Part::Outside(times) => reads.windows.push(times),
                Part::When(expr) | Part::Unless(expr) => reads.note(expr, &Asked::default()),
            }
        }
        reads
    }

    fn root(&mut self, root: Root) -> Option<&mut Read<'a>> {
        match root {
            Root::Principal => Some(&mut self.principal),
            Root::Resource => Some(&mut self.resource),
            Root::Context => Some(&mut self.context),
            Root::Action => None,
        }
    }

    fn note(&mut self, expr: &'a Expr, asked: &Asked<'a>) {
        match &expr.kind {
            Kind::Literal(Literal::Entity(name)) => {
                let (reads, climbs) = (!asked.names.is_empty(), asked.climbs);
                self.literals.push(Written { name, reads, climbs });
            }
            Kind::Path(path) => {
                let Some(root) = self.root(path.root) else { return };
                let names = path.attributes.iter().map(|name| &**name).chain(asked.names.clone());
                let read = names.fold(root, |read, name| read.attributes.entry(name).or_default());
                read.climbs |= asked.climbs;
            }
            Kind::Field(of, names) => {
                let names = names.iter().map(|name| &**name).chain(asked.names.clone());
                self.note(of, &Asked { names: names.collect(), climbs: asked.climbs });
            }
            Kind::If(parts) => {
                let [condition, one, other] = &**parts;
                self.note(condition, &Asked::default());
                self.note(one, asked);
                self.note(other, asked);
            }
            Kind::Record(fields) => {
                let (first, rest) = asked.names.split_first().unzip();
                for (name, field) in fields {
                    let meant = first == Some(&&**name);
                    let names = rest.filter(|_| meant).map(<[_]>::to_vec).unwrap_or_default();
                    self.note(field, &Asked { names, climbs: meant && asked.climbs });
                }
            }
            Kind::Has(of, name) => self.note(of, &Asked { names: vec![name], climbs: false }),
            Kind::In(_, right) if role_of(right).is_some() => {}
            Kind::In(left, right) | Kind::Is(left, _, Some(right)) => {
                self.note(left, &Asked { names: Vec::new(), climbs: true });
                self.note(right, &Asked::default());
            }
            Kind::Literal(_)
            | Kind::Set(_)
            | Kind::Not(_)
            | Kind::And(_)
            | Kind::Or(_)
            | Kind::Compare(..)
            | Kind::Differs(..)
            | Kind::Is(_, _, None)
            | Kind::InRange(..)
            | Kind::Like(..)
            | Kind::Contains(..)
            | Kind::IsEmpty(_)
            | Kind::HasPath(..)
            | Kind::Call(..)
            | Kind::Arithmetic(..)
            | Kind::Negated(_) => {
                let parts = expr.parts().into_iter();
                parts.for_each(|part| self.note(part, &Asked::default()));
            }
        }
    }
}
