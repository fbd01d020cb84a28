//! Conditions of Cedar's policy text, as trees: whatever no typed step of a program says. Calls of
//! the extension types' functions are here for all conditions.
//!
//! Nothing is known of the types before a request comes, so every operator asks for them, and a
//! wrong one is an error of the policy. What an operator needs is evaluated whole and once, from
//! left to right, but for `&&`, `||`, `if` and `is … in …`.

mod call;
mod datum;
mod function;
mod hierarchy;
mod moments;
mod numbers;
mod run;
mod sets;
#[cfg(test)]
mod tests;

pub(super) use call::called;
pub(super) use datum::{Datum, DatumRecord, DatumSet, Net};
pub(super) use function::Function;
pub(super) use hierarchy::is_in;
pub(super) use numbers::arithmetic;
pub(super) use run::truth;

use super::{
    TypeName,
    load::expr::{How, Operator},
    program::Read,
};

/// One value and how it is had. No deeper than the text may nest, so recursion ends.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Constant(Datum),
    Read(Read),
    /// Attributes, one of the other, of what is not read itself.
    Attribute(Box<Node>, Box<[Box<str>]>),
    Has(Box<Node>, Box<[Box<str>]>),
    Not(Box<Node>),
    Negated(Box<Node>),
    And(Box<[Node]>),
    Or(Box<[Node]>),
    If(Box<[Node; 3]>),
    Equal(Box<[Node; 2]>),
    Less(Box<[Node; 2]>),
    AtMost(Box<[Node; 2]>),
    Arithmetic(Operator, Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    Is(Box<Node>, TypeName),
    IsIn(Box<[Node; 2]>, TypeName),
    Like(Box<Node>, Box<[Box<str>]>),
    Contains(How, Box<[Node; 2]>),
    IsEmpty(Box<Node>),
    Call(Function, Box<[Node]>),
    Set(Box<[Node]>),
    Record(Box<[(Box<str>, Node)]>),
}
