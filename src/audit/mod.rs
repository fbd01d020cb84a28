//! What happened? One [`Event`] per request, handed to a sink.

mod event;

pub use event::{Event, EventName};
