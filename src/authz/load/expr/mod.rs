//! Conditions as trees: a strict subset of Cedar's expressions.

pub(in crate::authz) mod lex;
mod parse;
mod print;
mod terms;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

pub(in crate::authz) use parse::parse;
pub(in crate::authz) use print::Quoted;

use crate::IpNet;
use crate::authz::{TypeName, general::Function};

/// Words that cannot name an attribute.
pub(in crate::authz) const RESERVED: [&str; 9] =
    ["true", "false", "if", "then", "else", "in", "is", "like", "has"];

/// A condition or a part of one, and where its text starts. Two that differ only in that are equal.
#[derive(Clone, Debug)]
pub(in crate::authz) struct Expr {
    pub(in crate::authz) kind: Kind,
    /// In bytes from the start of the condition's text.
    pub(in crate::authz) at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::authz) enum Kind {
    Literal(Literal),
    Path(Path),
    /// What is read of a record, or of what only `if` decides; one of the other. Never of a path.
    Field(Box<Expr>, Vec<Box<str>>),
    Set(Vec<Expr>),
    Record(BTreeMap<Box<str>, Expr>),
    Has(Box<Expr>, Box<str>),
    /// `has` of several attributes, one of the other: only in Cedar's policy text.
    HasPath(Box<Expr>, Box<[Box<str>]>),
    /// A function or method of Cedar's policy text; a method's owner is its first argument.
    Call(Function, Vec<Expr>),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    /// `if … then … else …`
    If(Box<[Expr; 3]>),
    Compare(Relation, Box<Expr>, Box<Expr>),
    /// `!=`; a negated [`Relation::Equal`] that remembers how it was written.
    Differs(Box<Expr>, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    /// `… is Type`, or `… is Type in …`.
    Is(Box<Expr>, TypeWord, Option<Box<Expr>>),
    InRange(Box<Expr>, Box<Expr>),
    /// The pieces between the stars.
    Like(Box<Expr>, Box<[Box<str>]>),
    Contains(How, Box<Expr>, Box<Expr>),
    IsEmpty(Box<Expr>),
    Arithmetic(Operator, Box<Expr>, Box<Expr>),
    Negated(Box<Expr>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::authz) enum Literal {
    Bool(bool),
    Long(i64),
    Str(Box<str>),
    Ip(IpNet),
    Entity(EntityName),
}

/// `User::"staff/alice"`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::authz) struct EntityName {
    pub(in crate::authz) kind: Box<str>,
    pub(in crate::authz) type_name: TypeName,
    pub(in crate::authz) id: Box<str>,
}

/// The type behind `is`, and where it stands.
#[derive(Clone, Debug)]
pub(in crate::authz) struct TypeWord {
    pub(in crate::authz) text: Box<str>,
    pub(in crate::authz) at: usize,
}

/// A variable and the attributes read from it, one of the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::authz) struct Path {
    pub(in crate::authz) root: Root,
    pub(in crate::authz) attributes: Vec<Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::authz) enum Root {
    Principal,
    Resource,
    Context,
    /// Only in Cedar's policy text.
    Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::authz) enum Relation {
    Equal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What is asked of a set: `contains`, `containsAll`, `containsAny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::authz) enum How {
    Element,
    All,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::authz) enum Operator {
    Add,
    Subtract,
    Multiply,
}

/// What is wrong with a condition's text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::authz) struct SyntaxError {
    /// In bytes from the start of the text.
    pub(in crate::authz) at: usize,
    pub(in crate::authz) message: String,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Expr {}

impl Hash for Expr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl PartialEq for TypeWord {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for TypeWord {}

impl Hash for TypeWord {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Expr {
    /// What it is made of, in the order of the text; of a record in the order of the names.
    pub(in crate::authz) fn parts(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Literal(_) | Kind::Path(_) => Vec::new(),
            Kind::Field(inner, _)
            | Kind::Has(inner, _)
            | Kind::HasPath(inner, _)
            | Kind::Not(inner)
            | Kind::Like(inner, _)
            | Kind::IsEmpty(inner)
            | Kind::Negated(inner) => vec![inner],
            Kind::Set(parts) | Kind::And(parts) | Kind::Or(parts) | Kind::Call(_, parts) => {
                parts.iter().collect()
            }
            Kind::Record(fields) => fields.values().collect(),
            Kind::If(parts) => parts.iter().collect(),
            Kind::Is(inner, _, within) => [inner].into_iter().chain(within).map(|p| &**p).collect(),
            Kind::Compare(_, left, right)
            | Kind::Differs(left, right)
            | Kind::In(left, right)
            | Kind::InRange(left, right)
            | Kind::Contains(_, left, right)
            | Kind::Arithmetic(_, left, right) => vec![left, right],
        }
    }

    /// As [`parts`](Self::parts).
    pub(in crate::authz) fn parts_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.kind {
            Kind::Literal(_) | Kind::Path(_) => Vec::new(),
            Kind::Field(inner, _)
            | Kind::Has(inner, _)
            | Kind::HasPath(inner, _)
            | Kind::Not(inner)
            | Kind::Like(inner, _)
            | Kind::IsEmpty(inner)
            | Kind::Negated(inner) => vec![inner],
            Kind::Set(parts) | Kind::And(parts) | Kind::Or(parts) | Kind::Call(_, parts) => {
                parts.iter_mut().collect()
            }
            Kind::Record(fields) => fields.values_mut().collect(),
            Kind::If(parts) => parts.iter_mut().collect(),
            Kind::Is(inner, _, within) => {
                [inner].into_iter().chain(within).map(|part| &mut **part).collect()
            }
            Kind::Compare(_, left, right)
            | Kind::Differs(left, right)
            | Kind::In(left, right)
            | Kind::InRange(left, right)
            | Kind::Contains(_, left, right)
            | Kind::Arithmetic(_, left, right) => vec![left, right],
        }
    }

    /// Calls `each` with every path that is read.
    pub(in crate::authz) fn paths<'a>(&'a self, each: &mut dyn FnMut(&'a Path)) {
        if let Kind::Path(path) = &self.kind {
            each(path);
        }
        self.parts().into_iter().for_each(|part| part.paths(each));
    }

    /// What is read of `of`, and of that.
    pub(in crate::authz) fn field(of: Self, names: impl IntoIterator<Item = Box<str>>) -> Self {
        let mut of = of;
        if let Kind::Path(Path { attributes: before, .. }) | Kind::Field(_, before) = &mut of.kind {
            before.extend(names);
            return of;
        }
        let at = of.at;
        Self { kind: Kind::Field(of.into(), names.into_iter().collect()), at }
    }
}

impl How {
    /// The method's name.
    pub(in crate::authz) const fn word(self) -> &'static str {
        match self {
            Self::Element => "contains",
            Self::All => "containsAll",
            Self::Any => "containsAny",
        }
    }
}
