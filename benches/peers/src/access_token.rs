//! The access token that everybody verifies, and the keys it is signed with.

mod claims;
mod keys;
mod verifier;

pub(crate) use claims::{BorrowedClaims, Claims};
pub(crate) use keys::{Algorithm, Keys};
pub(crate) use verifier::Verifier;
#[cfg(feature = "tokens")]
pub(crate) use verifier::{IsSignature, open};

/// Who issues the token.
pub(crate) const ISSUER: &str = "https://login.example.com/realms/main";

/// Whom it is for.
pub(crate) const AUDIENCE: &str = "https://api.example.com";

/// Seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    portcullis::clock::now().wall.as_secs()
}
