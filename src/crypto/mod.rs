//! The one door to ring. Nothing else in the crate names it.
//!
//! A key is checked when it is loaded, bound to one algorithm then, and can only verify after.

mod algorithm;
#[cfg(feature = "jsonwebtoken")]
mod digest;
mod mac;
mod random;
#[cfg(feature = "password")]
mod sha1;
#[cfg(any(test, feature = "testing", feature = "jsonwebtoken"))]
mod sign;
mod verify;

pub use algorithm::{Algorithm, UnknownAlgorithm};
#[cfg(feature = "jsonwebtoken")]
pub(crate) use digest::{Hash, digest};
pub(crate) use mac::MacKey;
pub(crate) use random::random;
#[cfg(feature = "password")]
pub(crate) use sha1::sha1_hex;
#[cfg(any(test, feature = "testing", feature = "jsonwebtoken"))]
pub(crate) use sign::SigningKey;
pub(crate) use verify::{Forged, Material, Unfit, VerifyingKey};
