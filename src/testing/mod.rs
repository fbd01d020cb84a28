//! What the tests of a service need: an issuer with its keys and tokens, requests, a recorder,
//! and checks of the service's own stores.
//!
//! Nothing here is a way past a check. The tokens are real tokens with real signatures, and they
//! are verified like all others. The keys are published with the crate: never trust them outside
//! of tests.

mod issuer;
mod recorder;
#[cfg(feature = "http")]
mod request;
mod stores;
mod token;

pub use issuer::Issuer;
pub use recorder::{Recorded, Recorder};
#[cfg(feature = "http")]
pub use request::{RequestBuilder, assert_refused, request};
pub use stores::{BrokenPromise, BrokenPromises, StoreChecks};
pub use token::TokenBuilder;
