//! One module per promise.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod limits;
