//! The one door to ring. Nothing else in the crate names it.
//!
//! A key is checked when it is loaded, bound to one algorithm then, and can only verify after.

mod algorithm;
#[cfg(feature = "jsonwebtoken")]
mod digest;
mod fresh;
mod otp;
#[cfg(any(test, feature = "testing", feature = "jsonwebtoken"))]
mod sign;
mod verify;

pub use algorithm::{Algorithm, UnknownAlgorithm};
#[cfg(feature = "jsonwebtoken")]
pub(crate) use digest::{Hash, digest};
pub(crate) use fresh::{random, sha256};
pub(crate) use otp::{OtpMac, otp_mac};
#[cfg(any(test, feature = "testing", feature = "jsonwebtoken"))]
pub(crate) use sign::SigningKey;
pub(crate) use verify::{Forged, Material, Unfit, VerifyingKey};
