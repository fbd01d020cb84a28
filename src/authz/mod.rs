//! May you?

mod context;
mod decision;
mod entity;
mod expr;
mod names;
mod value;

pub use context::Context;
pub use decision::{Coarse, Decision, Effect, RuleId, Why};
pub use entity::{Describe, Entity, Type};
pub use value::{Attr, EvalError, Record, TypeName, Uid, Value, ValueSet};
