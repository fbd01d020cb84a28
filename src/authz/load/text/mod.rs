//! Cedar's policy text: parsed into the trees that documents have too, and compiled.
//!
//! <https://docs.cedarpolicy.com/policies/syntax-grammar.html>

mod branch;
mod compile;
mod expr;
mod known;
mod lower;
mod parse;
mod policies;
mod policy;
mod primary;
mod print;
#[cfg(test)]
mod tests;

pub use policies::{CedarPolicies, Slots};

pub(in crate::authz) use parse::is_type_name;
