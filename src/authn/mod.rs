//! Who are you? From a claimed [`Credential`] to a proven [`Principal`](crate::Principal).
//!
//! A [`Verifier`] checks credentials with what it holds in memory. An [`Authenticator`] may have
//! to wait for something; every verifier is one that never does.

pub mod api_key;
mod challenge;
mod credential;
mod error;
mod header;
pub mod introspection;
pub mod jwt;
mod kept;
#[cfg(any(feature = "fetch", feature = "password"))]
pub(crate) mod oneshot;
pub mod otp;
mod outbound;
#[cfg(feature = "password")]
pub mod password;
#[cfg(any(feature = "fetch", feature = "password"))]
pub(crate) mod pool;
pub mod revocation;
pub mod session;
mod store;
mod verifier;

pub use challenge::Challenge;
pub use credential::{Credential, Source};
pub use error::{AuthnError, AuthnErrorKind};
pub use header::{Claim, MAX_CREDENTIAL};
pub use outbound::Outbound;
pub use store::{Answer, StoreError};
pub use verifier::{Authenticator, Step, Verifier};
