//! Takes trees apart, so that a program's tests are of values alone.

use super::{
    emit::TooLong,
    expr::{Expr, Kind, Literal, Path, Relation},
};

/// Whether a value has to be put in other terms before a test of it can be made: it holds an
/// `if`, a condition, or an attribute of a record that is written down.
pub(in crate::authz) fn is_lifted(value: &Expr) -> bool {
    is_kept(value) || value.parts().into_iter().any(is_lifted)
}

fn is_kept(value: &Expr) -> bool {
    !matches!(
        value.kind,
        Kind::Literal(_)
            | Kind::Path(_)
            | Kind::Set(_)
            | Kind::Record(_)
            | Kind::Arithmetic(..)
            | Kind::Negated(_)
            | Kind::Call(..)
    )
}

/// The first value in a test that has to be put in other terms. What a condition is made of is
/// its own business.
pub(in crate::authz) fn slot(test: &mut Expr) -> Option<&mut Expr> {
    let value = test.parts_mut().into_iter().find(|value| is_lifted(value))?;
    let whole = if let Kind::Field(of, _) = &value.kind {
        // What it is read of comes first, unless that is plain.
        !is_lifted(of) || matches!(of.kind, Kind::Record(_))
    } else {
        is_kept(value)
    };
    if whole { Some(value) } else { slot(value) }
}

/// The attribute of a record, or of what is none; what else the record holds is `forced`.
///
/// # Errors
/// Where the record has no such attribute; checked types have left no such case.
pub(in crate::authz) fn read(
    of: Expr,
    names: Vec<Box<str>>,
    forced: &mut Vec<Expr>,
) -> Result<Expr, TooLong> {
    let mut value = of;
    let mut names = names.into_iter();
    while let Expr { kind: Kind::Record(mut fields), .. } = value {
        let Some(name) = names.next() else {
            return Ok(Expr { kind: Kind::Record(fields), at: 0 });
        };
        value = fields.remove(&name).ok_or(TooLong)?;
        forced.extend(fields.into_values());
    }
    let mut names = names.peekable();
    Ok(if names.peek().is_some() { Expr::field(value, names) } else { value })
}

/// What of a value may fail.
pub(in crate::authz) fn atoms(value: &Expr, all: &mut Vec<Expr>) {
    if let Kind::Set(_) | Kind::Record(_) = value.kind {
        value.parts().into_iter().for_each(|part| atoms(part, all));
    } else if !matches!(value.kind, Kind::Literal(_)) {
        all.push(value.clone());
    }
}

/// How many parts there are in all; one with long names or text counts as several.
pub(in crate::authz) fn size(expr: &Expr) -> usize {
    1 + bulk(&expr.kind) + expr.parts().into_iter().map(size).sum::<usize>()
}

/// As how many parts more its own names and text count.
pub(in crate::authz) fn bulk(kind: &Kind) -> usize {
    let names = |names: &[Box<str>]| names.iter().map(|name| name.len() + NAME).sum::<usize>();
    let bytes = if let Kind::Path(Path { attributes: all, .. }) | Kind::Field(_, all) = kind {
        names(all)
    } else if let Kind::Like(_, pieces) = kind {
        names(pieces)
    } else if let Kind::Literal(Literal::Str(text)) = kind {
        text.len()
    } else if let Kind::Literal(Literal::Entity(entity)) = kind {
        entity.id.len()
    } else {
        0
    };
    bytes / PART
}

/// What a part takes, and a name besides its letters, in bytes, about.
const PART: usize = 64;
const NAME: usize = 16;

pub(in crate::authz) fn equality(one: &Expr, other: &Expr) -> Expr {
    let kind = Kind::Compare(Relation::Equal, one.clone().into(), other.clone().into());
    Expr { kind, at: one.at }
}

pub(in crate::authz) fn and(parts: impl Into<Vec<Expr>>) -> Expr {
    Expr { kind: Kind::And(parts.into()), at: 0 }
}

pub(in crate::authz) fn or(parts: impl Into<Vec<Expr>>) -> Expr {
    Expr { kind: Kind::Or(parts.into()), at: 0 }
}

pub(in crate::authz) fn literal(value: bool) -> Expr {
    Expr { kind: Kind::Literal(Literal::Bool(value)), at: 0 }
}
