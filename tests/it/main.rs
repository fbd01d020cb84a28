//! Every promise of the crate, one module each, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that is surprised should say so and stop"
)]

mod architecture;
#[cfg(feature = "testing")]
mod callers;
#[cfg(all(feature = "tower", feature = "testing"))]
mod examples;
#[cfg(feature = "testing")]
mod gate;
#[cfg(all(feature = "jsonwebtoken", feature = "testing"))]
mod jsonwebtoken;
#[cfg(feature = "testing")]
mod kit;
mod limits;
#[cfg(all(feature = "tower", feature = "testing"))]
mod routes;
#[cfg(all(feature = "tower", feature = "testing"))]
mod tower;
