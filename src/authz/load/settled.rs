//! What the declared types alone tell of a condition.

use super::expr::{Expr, Kind, Literal, Path, Root};
use crate::authz::{
    TypeName,
    schema::{PRINCIPALS, Schema, Ty},
};

/// Whether a condition is true, or is false, whatever the request, because an `is` in it asks
/// for what the declared types tell. It may still fail.
pub(in crate::authz) fn settled(expr: &Expr, schema: &Schema, resource: Ty) -> Option<bool> {
    let settled = |expr: &Expr| settled(expr, schema, resource);
    if let Kind::Is(inner, word, within) = &expr.kind {
        let Kind::Path(path) = &inner.kind else { return None };
        let ty = path.ty(schema, resource)?;
        let is = match PRINCIPALS.iter().any(|(kind, _)| **kind == *word.text) {
            true if ty == Ty::Principal => return None,
            _ => ty == Ty::Entity(TypeName::new(&word.text)),
        };
        (!is || within.is_none()).then_some(is)
    } else if let Kind::Not(inner) = &expr.kind {
        settled(inner).map(|truth| !truth)
    } else if let Kind::And(parts) = &expr.kind {
        all_settled(parts.iter().map(settled), true)
    } else if let Kind::Or(parts) = &expr.kind {
        all_settled(parts.iter().map(settled), false)
    } else {
        None
    }
}

/// What a chain is: that of its parts which are all `usual`, or the first that is not.
fn all_settled(parts: impl Iterator<Item = Option<bool>>, usual: bool) -> Option<bool> {
    let mut all = Some(usual);
    for part in parts {
        if part == Some(!usual) {
            return part;
        }
        all = all.and(part);
    }
    all
}

/// The parts up to the first whose types alone make it `end`.
pub(in crate::authz) fn reached<'e>(
    parts: &'e [Expr],
    end: bool,
    schema: &Schema,
    resource: Ty,
) -> &'e [Expr] {
    let last = parts.iter().position(|part| settled(part, schema, resource) == Some(end));
    last.and_then(|last| parts.get(..=last)).unwrap_or(parts)
}

impl Path {
    /// The declared type of what is read.
    pub(in crate::authz) fn ty(&self, schema: &Schema, resource: Ty) -> Option<Ty> {
        let read = |ty, name: &str| Some(schema.attributes(ty)?.get(name)?.ty);
        let mut names = self.attributes.iter().map(|name| &**name);
        names.try_fold(self.root.ty(resource), read)
    }
}

impl Root {
    /// The variable's type; `resource` is that of the resource.
    pub(in crate::authz) fn ty(self, resource: Ty) -> Ty {
        match self {
            Self::Principal => Ty::Principal,
            Self::Resource => resource,
            Self::Context => Ty::Context,
            Self::Action => Ty::Entity(TypeName::ACTION),
        }
    }
}

/// The role that the literal names.
pub(in crate::authz) fn role_of(expr: &Expr) -> Option<&str> {
    let Kind::Literal(Literal::Entity(entity)) = &expr.kind else { return None };
    (&*entity.kind == "Role").then_some(&*entity.id)
}
