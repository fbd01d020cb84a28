//! Conditions in Cedar's words.

use super::KNOWN;
use crate::authz::{
    load::{
        check::role_of,
        expr::{Expr, Kind, Path},
    },
    schema::{Schema, Ty},
};

/// Prints conditions of a rule about resources of one type.
#[derive(Clone, Copy)]
pub(super) struct Printer<'a> {
    pub(super) schema: &'a Schema,
    pub(super) resource: Ty,
}

impl Printer<'_> {
    pub(super) fn print(self, expr: &Expr) -> String {
        let pair = |left, operator: &str, right| {
            format!("{} {operator} {}", self.part(left), self.part(right))
        };
        match &expr.kind {
            Kind::Literal(literal) => literal.to_string(),
            Kind::Path(path) => path.to_string(),
            Kind::Has(path, name) if self.is_read_entity(path) => {
                format!("({path}.{KNOWN} && {path} has {name})")
            }
            Kind::Has(path, name) => format!("{path} has {name}"),
            Kind::Not(inner) => format!("!{}", self.part(inner)),
            Kind::And(parts) => self.chain(parts.iter(), " && "),
            Kind::Or(parts) => self.chain(parts.iter(), " || "),
            Kind::Compare(relation, left, right) => pair(left, &relation.to_string(), right),
            Kind::Differs(left, right) => pair(left, "!=", right),
            Kind::In(left, right) if role_of(right).is_some() => pair(left, "in", right),
            Kind::In(left, right) => {
                let (left, right) = (self.part(left), self.part(right));
                if matches!(&*left, "principal" | "resource") {
                    format!("{left} in {right}")
                } else {
                    format!("({left} == {right} || {left}.{KNOWN} && {left} in {right})")
                }
            }
            Kind::InRange(left, right) => {
                format!("{}.isInRange({})", self.part(left), self.print(right))
            }
        }
    }

    /// Everything but the two chains binds tighter than they do.
    pub(super) fn chain<'e>(self, parts: impl Iterator<Item = &'e Expr>, operator: &str) -> String {
        let parts = parts.map(|part| {
            let text = self.print(part);
            let looser = matches!(part.kind, Kind::And(_) | Kind::Or(_));
            if looser { format!("({text})") } else { text }
        });
        parts.collect::<Vec<_>>().join(operator)
    }

    /// An operand: in parentheses unless it is one word.
    fn part(self, expr: &Expr) -> String {
        let text = self.print(expr);
        let word = matches!(expr.kind, Kind::Literal(_) | Kind::Path(_));
        if word { text } else { format!("({text})") }
    }

    /// Whether it is an entity that is read of something: it may be known by name only.
    fn is_read_entity(self, path: &Path) -> bool {
        let mut ty = path.root.ty(self.resource);
        for name in &path.attributes {
            let declared = self.schema.attributes(ty).and_then(|known| known.get(name));
            let Some(declared) = declared else { return false };
            ty = declared.ty;
        }
        !path.attributes.is_empty() && ty.is_entity()
    }
}
