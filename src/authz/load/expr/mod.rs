//! Conditions as trees: a strict subset of Cedar's expressions.

mod lex;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

pub(in crate::authz) use parse::parse;

use crate::IpNet;
use crate::authz::TypeName;

/// Words that cannot name an attribute.
pub(in crate::authz) const RESERVED: [&str; 9] =
    ["true", "false", "if", "then", "else", "in", "is", "like", "has"];

/// A condition or a part of one, and where its text starts.
#[derive(Clone, Debug)]
pub(in crate::authz) struct Expr {
    pub(in crate::authz) kind: Kind,
    /// In bytes from the start of the condition's text.
    pub(in crate::authz) at: usize,
}

#[derive(Clone, Debug)]
pub(in crate::authz) enum Kind {
    Literal(Literal),
    Path(Path),
    Has(Path, Box<str>),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Relation, Box<Expr>, Box<Expr>),
    /// `!=`; a negated [`Relation::Equal`] that remembers how it was written.
    Differs(Box<Expr>, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    InRange(Box<Expr>, Box<Expr>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::authz) enum Literal {
    Bool(bool),
    Long(i64),
    Str(Box<str>),
    Ip(IpNet),
    Entity(EntityName),
}

/// `User::"staff/alice"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::authz) struct EntityName {
    pub(in crate::authz) kind: Box<str>,
    pub(in crate::authz) type_name: TypeName,
    pub(in crate::authz) id: Box<str>,
}

/// A variable and the attributes read from it, one of the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::authz) struct Path {
    pub(in crate::authz) root: Root,
    pub(in crate::authz) attributes: Vec<Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::authz) enum Root {
    Principal,
    Resource,
    Context,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::authz) enum Relation {
    Equal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What is wrong with a condition's text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::authz) struct SyntaxError {
    /// In bytes from the start of the text.
    pub(in crate::authz) at: usize,
    pub(in crate::authz) message: String,
}

impl Expr {
    /// Calls `each` with every path that is read.
    pub(in crate::authz) fn paths<'a>(&'a self, each: &mut dyn FnMut(&'a Path)) {
        match &self.kind {
            Kind::Literal(_) => {}
            Kind::Path(path) | Kind::Has(path, _) => each(path),
            Kind::Not(inner) => inner.paths(each),
            Kind::And(parts) | Kind::Or(parts) => parts.iter().for_each(|part| part.paths(each)),
            Kind::Compare(_, left, right)
            | Kind::Differs(left, right)
            | Kind::In(left, right)
            | Kind::InRange(left, right) => {
                left.paths(each);
                right.paths(each);
            }
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Literal(literal) => write!(f, "{literal}"),
            Kind::Path(path) => write!(f, "{path}"),
            Kind::Has(path, name) => write!(f, "{path} has {name}"),
            Kind::Not(inner) => write!(f, "!{}", Part(inner)),
            Kind::And(parts) => chain(f, parts, "&&"),
            Kind::Or(parts) => chain(f, parts, "||"),
            Kind::Compare(relation, left, right) => {
                write!(f, "{} {relation} {}", Part(left), Part(right))
            }
            Kind::Differs(left, right) => write!(f, "{} != {}", Part(left), Part(right)),
            Kind::In(left, right) => write!(f, "{} in {}", Part(left), Part(right)),
            Kind::InRange(left, right) => write!(f, "{}.isInRange({right})", Part(left)),
        }
    }
}

fn chain(f: &mut fmt::Formatter<'_>, parts: &[Expr], operator: &str) -> fmt::Result {
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            write!(f, " {operator} ")?;
        }
        // Everything but the two chains binds tighter than they do.
        let looser = matches!(part.kind, Kind::And(_) | Kind::Or(_));
        if looser { write!(f, "({part})")? } else { write!(f, "{part}")? }
    }
    Ok(())
}

/// An operand: in parentheses unless it is one word.
struct Part<'a>(&'a Expr);

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = matches!(self.0.kind, Kind::Literal(_) | Kind::Path(_));
        if word { write!(f, "{}", self.0) } else { write!(f, "({})", self.0) }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Long(value) => write!(f, "{value}"),
            Self::Str(value) => write!(f, "{}", Quoted(value)),
            Self::Ip(value) => write!(f, "ip(\"{value}\")"),
            Self::Entity(entity) => write!(f, "{}::{}", entity.kind, Quoted(&entity.id)),
        }
    }
}

/// Text in quotes, escaped so that it reads back as the same text.
pub(in crate::authz) struct Quoted<'a>(pub(in crate::authz) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_debug())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = match self.root {
            Root::Principal => "principal",
            Root::Resource => "resource",
            Root::Context => "context",
        };
        f.write_str(root)?;
        self.attributes.iter().try_for_each(|name| write!(f, ".{name}"))
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        })
    }
}
