//! What happened? One [`Event`] per request, handed to a [`Sink`].

mod event;
mod json;
mod lines;
mod rfc3339;
mod sink;

pub use event::{Disagreement, Event, EventName};
pub use lines::JsonLines;
pub use sink::Sink;
