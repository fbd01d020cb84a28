//! Conditions in Cedar's words. They mean the same there, but for entities known by name only.

use std::collections::BTreeSet;

use super::KNOWN;
use crate::authz::{
    load::{
        check::Checker,
        expr::{Expr, How, Kind, Relation},
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
            several => self.print(&and(several.iter().copied().cloned().collect())),
        }
    }

    /// Puts a test before each question that fails of an entity known by name only.
    fn mark(self, expr: &mut Expr) {
        if let Kind::Is(inner, _, within) = &mut expr.kind
            && let Some(within) = within.take()
        {
            let below = Kind::In(inner.clone(), within);
            *expr = and(vec![expr.clone(), Expr { kind: below, at: expr.at }]);
        }
        let may_fail = if let Kind::In(left, right) = &expr.kind {
            let nothing = matches!(&right.kind, Kind::Set(listed) if listed.is_empty());
            role_of(right).is_none() && !nothing && self.may_be_a_name(left)
        } else {
            matches!(&expr.kind, Kind::Has(of, _) if self.may_be_a_name(of))
        };
        expr.parts_mut().into_iter().for_each(|part| self.mark(part));
        if may_fail {
            *expr = known(expr.clone());
        }
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

/// The question, asked of an entity that is known in full; that it lies in itself needs no more
/// than its name.
fn known(question: Expr) -> Expr {
    let at = question.at;
    let safe = |of: &Expr| and(vec![Expr::field(of.clone(), [KNOWN.into()]), question.clone()]);
    if let Kind::In(left, right) = &question.kind {
        let same = if let Kind::Set(_) = right.kind {
            Kind::Contains(How::Element, right.clone(), left.clone())
        } else {
            Kind::Compare(Relation::Equal, left.clone(), right.clone())
        };
        Expr { kind: Kind::Or(vec![Expr { kind: same, at }, safe(left)]), at }
    } else if let Kind::Has(of, _) = &question.kind {
        safe(of)
    } else {
        question
    }
}

fn and(parts: Vec<Expr>) -> Expr {
    Expr { kind: Kind::And(parts), at: 0 }
}
