//! Every promise of the crate, one module each, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that is surprised should say so and stop"
)]

mod architecture;
mod limits;
#[cfg(all(feature = "jsonwebtoken", feature = "testing"))]
mod jsonwebtoken;
