//! May you?
//!
//! A [`Document`] says who may do what: roles, scopes, and rules with conditions in a subset of
//! Cedar's expressions. [`PolicySet::from_document`] checks it whole and compiles it. A decision
//! reads the application's own types through [`Entity`] and allocates nothing.
//!
//! Nothing is allowed that nothing permits; a forbid overrides every permit; the order of rules
//! says nothing. An error in a permit means that it does not apply, an error in a forbid denies
//! (the set fails closed) or, where [`PolicySet::cedar_compat`] was chosen, means the same. A value
//! that is not of its declared type is such an error.
//!
//! What a decision costs: rules about other actions cost nothing, and the roles that grant the
//! action are one comparison of bits. The rules of the action itself are run one after another:
//! all of its forbids, and its permits up to the first that applies.

// What must be right for an allow to be right.
mod bits;
mod context;
mod decision;
mod entity;
mod program;
mod set;
mod subject;
mod value;

// From text to a program. Wrong text does not load.
mod load;
mod names;
mod schema;

// On the cold path.
mod cedar;
mod conform;
mod describe;
mod explain;

#[cfg(test)]
mod tests;

pub use cedar::{CedarError, CedarRequest};
pub use context::Context;
pub use decision::{Coarse, Decision, Effect, RuleId, Why};
pub use describe::{Describe, Type};
pub use entity::Entity;
pub use explain::Explanation;
pub use load::{Document, Policy, PolicyError, PolicyErrors};
pub use set::{AccessRequest, PolicySet};
pub use subject::{Action, Role, Subject};
pub use value::{Attr, EvalError, Record, TypeName, Uid, Value, ValueSet};
