//! The one door to ring and AWS-LC. Nothing else in the crate names them.
//!
//! A key is checked when it is loaded, bound to one algorithm then, and can only verify after.

mod algorithm;
#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
mod backend;
mod digest;
mod mac;
mod otp;
mod random;
mod roca;
mod secret_hash;
#[cfg(feature = "password")]
mod sha1;
mod sha256;
#[cfg(any(test, feature = "testing", feature = "jsonwebtoken"))]
mod sign;
mod verify;

pub(crate) use algorithm::Curve;
pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use backend::Backend;
pub(crate) use digest::{Hash, digest};
pub(crate) use mac::MacKey;
pub(crate) use otp::{OtpMac, otp_mac};
pub(crate) use random::{NoRandomness, fill, random};
pub(crate) use roca::is_guessable;
pub(crate) use secret_hash::SecretHash;
#[cfg(feature = "password")]
pub(crate) use sha1::sha1_hex;
pub(crate) use sha256::sha256;
#[cfg(any(test, feature = "testing", feature = "jsonwebtoken"))]
pub(crate) use sign::SigningKey;
pub(crate) use verify::{Forged, Material, Unfit, VerifyingKey};
