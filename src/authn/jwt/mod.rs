//! JSON Web Tokens (RFC 7519) under the rules of RFC 8725.
//!
//! A [`JwtVerifier`] checks the tokens of one issuer with a [`KeySet`]. It checks, in this order:
//!
//! 1. the size, before anything else is looked at;
//! 2. the form: three parts of base64url without padding (RFC 7515 section 3.1);
//! 3. the header: an object without duplicate names; `typ` that of the [`profile`]; no `crit`;
//! 4. the key: the one that `kid` names, and `alg` must be the algorithm that key is for;
//! 5. the signature. Nothing of the payload is believed before it holds;
//! 6. the payload: an object without duplicate names at any depth;
//! 7. `iss` and `aud`, both mandatory; no `cnf`; what the [`profile`] demands and forbids;
//! 8. `sub`, mandatory, and the types of the other claims that become part of the principal: of
//!    roles, scopes and attributes too, since one that is lost could be one that forbids;
//! 9. the times: `exp`, mandatory, and `nbf`, `iat` and `auth_time` if present;
//! 10. that it is not [revoked](crate::authn::revocation), where a list is given.
//!
//! The last two hang on the moment, so they are asked of a token that is
//! [cached](JwtVerifier::cache) too. Of several issuers, [`JwtIssuers`] picks the one that a token names. A verifier reads no clock and
//! fetches nothing. Keys that come with a token (`jwk`, `jku`, `x5u`, `x5c`) are never used.
//! Encrypted and nested tokens are refused.

mod cache;
mod claims;
mod compact;
mod envelope;
mod error;
mod header;
mod introspected;
mod issuers;
mod json;
mod jwk;
mod jwks;
mod key;
mod key_set;
mod loader;
mod mapping;
mod options;
mod pem;
pub mod profile;
mod provider;
mod remembered;
mod remote;
mod revocable;
mod roles;
mod rules;
mod source;
#[cfg(test)]
mod tests;
mod thumbprint;
mod unverified;
mod verifier;

pub use cache::CacheStats;
pub use error::{KeyError, KeySetError, SkippedKey};
pub use issuers::JwtIssuers;
pub use key::Key;
pub use key_set::KeySet;
pub use loader::Loader;
#[cfg(feature = "jsonwebtoken")]
pub(crate) use pem::rsa_public_key;
pub use remote::{
    Discovery, FetchError, FetchOutcome, FetchRequest, KeysHealth, NotReady, RemoteKeys, RemoteSet,
    RemoteSetError, freshness,
};
pub use roles::RoleMap;
pub use source::Keys;
pub use verifier::JwtVerifier;
pub(super) use verifier::Proven;

pub use crate::crypto::{Algorithm, Backend, UnknownAlgorithm};

use crate::authn::{AuthnError, AuthnErrorKind};

/// What a verifier of tokens takes every one of.
pub(super) const EVERY_TOKEN: &str = "JWT";

const fn invalid(detail: &'static str) -> AuthnError {
    AuthnError::new(AuthnErrorKind::Invalid, detail)
}

const fn encrypted() -> AuthnError {
    AuthnError::new(AuthnErrorKind::Encrypted, "encrypted tokens (JWE) are not taken")
}

const fn malformed(detail: &'static str) -> AuthnError {
    AuthnError::new(AuthnErrorKind::Malformed, detail)
}
