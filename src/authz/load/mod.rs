//! From a document to a policy set. Wrong text does not load, and every mistake is told at once.

// Declarations, grants, conditions, rules; `build` puts them together.
mod build;
pub(super) mod check;
mod clauses;
pub(super) mod declare;
pub(super) mod document;
pub(super) mod emit;
pub(super) mod expr;
pub(super) mod grants;
pub(super) mod lift;
pub(super) mod rules;
pub(super) mod settled;
mod shape;
mod steps;
pub(super) mod text;
pub(super) mod window;

// What is wrong, and where.
pub(super) mod error;
mod locate;
mod pool;

pub use document::{Document, Policy};
pub use error::{PolicyError, PolicyErrors};
pub use text::{CedarPolicies, Slots};
