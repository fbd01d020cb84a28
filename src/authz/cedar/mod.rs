//! The policies and a request in Cedar's words: for review, for moving over, and for tests that
//! compare answers. Nothing is decided here.
//!
//! <https://docs.cedarpolicy.com/policies/syntax-grammar.html>

mod expr;
mod reads;
mod request;
mod teller;
mod text;

pub use request::{CedarError, CedarRequest};

/// True of every entity that a request tells of; reading it of any other is an error in Cedar, as
/// asking what an entity known by name only lies in is one here.
const KNOWN: &str = "__known";
/// The member of the context that holds the actions which the credential's scopes cover.
const COVERED: &str = "__covered";
/// The member of the context that holds the windows, as they are written, that it is the time for.
const WINDOWS: &str = "__windows";
