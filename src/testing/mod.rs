//! What the tests of a service need. No back door: everything goes through the ordinary ways.

mod recorder;

pub use recorder::{Recorded, Recorder};
