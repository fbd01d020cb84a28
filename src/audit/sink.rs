//! Where events go.

use std::{fmt, sync::Arc};

use super::Event;

/// Takes the one event of each request.
///
/// It is called on the request's own path, so it must not wait: hand the event to something that
/// waits elsewhere, and count what does not fit. A sink that fails must not fail the request.
///
/// ```
/// use std::sync::mpsc::SyncSender;
///
/// use portcullis::audit::{Event, EventName, Sink};
///
/// /// Tells somebody that the service is set up wrongly.
/// #[derive(Debug)]
/// struct Alarm(SyncSender<&'static str>);
///
/// impl Sink for Alarm {
///     fn record(&self, event: &Event<'_>) {
///         if event.name == EventName::SysMisconfigured {
///             let _ = self.0.try_send(event.name.as_str());
///         }
///     }
/// }
/// ```
pub trait Sink: fmt::Debug + Send + Sync + 'static {
    /// Records one event, without waiting.
    fn record(&self, event: &Event<'_>);
}

/// A shared sink: the gate holds one handle, the application another.
impl<S: Sink + ?Sized> Sink for Arc<S> {
    fn record(&self, event: &Event<'_>) {
        (**self).record(event);
    }
}
