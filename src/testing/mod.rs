//! What the tests of a service need: an issuer, its keys and its tokens.
//!
//! Nothing here is a way past a check. The tokens are real tokens with real signatures, and they
//! are verified like all others. The keys are published with the crate: never trust them outside
//! of tests.

mod issuer;
mod token;

pub use issuer::Issuer;
pub use token::TokenBuilder;
