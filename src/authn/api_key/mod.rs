//! API keys: long random secrets for programs, found by a public id and kept as a hash.
//!
//! A key reads `orders_live_` and 48 letters and digits: an id of 12, a secret of 30 (178 bits)
//! and a checksum of 6. The service chooses the prefix, which tells its keys from tokens and from
//! those of other services; [`ApiKeys::scanner_pattern`] finds them where they should not be.
//!
//! What is taken, in the order in which it is refused:
//!
//! 1. the prefix; without it the value is left to other authenticators;
//! 2. the form and the checksum: what was mistyped costs no look-up;
//! 3. the record of that id, and its secret. An id that is not there costs the same work, and is
//!    answered the same, as a secret that is wrong;
//! 4. not revoked, the secret not replaced, not expired;
//! 5. the client's address, where the key is bound to some.
//!
//! Keys come in `Authorization: Bearer …`, and in a header of their own where
//! [`ApiKeys::header`] says so; never in a query string, which ends in logs.
//!
//! Whoever holds a key acts as its owner: keys are for programs, never for people.

mod check;
mod issue;
mod last_used;
mod memory;
mod record;
mod store;
mod stored;
#[cfg(test)]
mod tests;
mod text;
mod verifier;

pub use issue::{IssueError, NewKey};
pub use memory::{MemoryKeys, MemoryKeysError};
pub use record::{KeyGrant, KeyRecord};
pub use store::KeyStore;
pub use stored::RecordError;
pub use text::{KeyId, KeyIdError};
pub use verifier::ApiKeys;

use crate::authn::{AuthnError, AuthnErrorKind};

const fn invalid(detail: &'static str) -> AuthnError {
    AuthnError::new(AuthnErrorKind::Invalid, detail)
}

const fn malformed(detail: &'static str) -> AuthnError {
    AuthnError::new(AuthnErrorKind::Malformed, detail)
}

const fn unavailable(detail: &'static str) -> AuthnError {
    AuthnError::new(AuthnErrorKind::Unavailable, detail)
}
