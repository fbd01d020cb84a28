//! Conditions in Cedar's words. They mean the same there, but for entities known by name only.

use std::{collections::BTreeSet, mem};

use super::KNOWN;
use crate::authz::{
    load::{
        check::Checker,
        expr::{Expr, Kind},
        lift::and,
        settled::role_of,
    },
    names::Names,
    schema::{Schema, Ty},
};

/// Prints conditions of a rule about resources of these types.
#[derive(Clone, Copy)]
pub(super) struct Printer<'a> {
    pub(super) schema: &'a Schema,
    pub(super) roles: &'a Names,
    pub(super) resources: &'a [Ty],
}

impl Printer<'_> {
    pub(super) fn print(self, expr: &Expr) -> String {
        let mut expr = expr.clone();
        self.mark(&mut expr);
        expr.to_string()
    }

    /// All of them, as one condition.
    pub(super) fn print_all(self, parts: &[&Expr]) -> String {
        match parts {
            [part] => self.print(part),
            several => self.print(&and(several.iter().copied().cloned().collect::<Vec<_>>())),
        }
    }

    /// Puts a test beside each question that fails of an entity known by name only. What is asked
    /// twice is marked once, where it is asked first: so texts do not double with every level.
    fn mark(self, expr: &mut Expr) {
        let (plain, at) = (expr.kind.clone(), expr.at);
        expr.parts_mut().into_iter().for_each(|part| self.mark(part));
        let kind = mem::replace(&mut expr.kind, Kind::And(Vec::new()));
        expr.kind = match (kind, plain) {
            (Kind::Is(inner, word, Some(within)), Kind::Is(plain, ..)) => {
                let below = self.below(plain.clone(), within, &plain);
                let is = Kind::Is(inner, word, None);
                Kind::And([is, below].map(|kind| Expr { kind, at }).into())
            }
            (Kind::In(left, right), Kind::In(plain, _)) => self.below(left, right, &plain),
            (Kind::Has(of, name), Kind::Has(plain, _)) if self.may_be_a_name(&plain) => {
                let has = Expr { kind: Kind::Has(plain, name), at };
                Kind::And(vec![Expr::field(*of, [KNOWN.into()]), has])
            }
            (kind, _) => kind,
        };
    }

    /// An entity known by name only lies in itself; whether in anything else is an error.
    fn below(self, left: Box<Expr>, right: Box<Expr>, plain: &Expr) -> Kind {
        let nothing = matches!(&right.kind, Kind::Set(listed) if listed.is_empty());
        let may_fail = role_of(&right).is_none() && !nothing && self.may_be_a_name(plain);
        let (at, below) = (left.at, Kind::In(left, right));
        if !may_fail {
            return below;
        }
        let known = Expr::field(plain.clone(), [KNOWN.into()]);
        Kind::Or([below, Kind::Not(known.into())].map(|kind| Expr { kind, at }).into())
    }

    /// Whether it is an entity, and not one that a request always tells of.
    fn may_be_a_name(self, expr: &Expr) -> bool {
        let variable = matches!(&expr.kind, Kind::Path(path) if path.attributes.is_empty());
        let is_entity = |resource: &Ty| {
            let mut errors = BTreeSet::new();
            let (schema, roles, resource) = (self.schema, self.roles, *resource);
            let mut checker = Checker { schema, roles, resource, errors: &mut errors };
            checker.value(expr, &BTreeSet::new()).is_some_and(|shape| shape.is_entity())
        };
        !variable && self.resources.iter().any(is_entity)
    }
}
