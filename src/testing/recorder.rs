//! A sink that remembers.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    thread::panicking,
};

use crate::{
    CorrelationId, Principal, Reason, Refusal, UnixTime,
    audit::{Disagreement, Event, EventName, Sink},
};

/// Keeps the last 1,024 events for a test to look at. Clones share them.
///
/// It panics on the event of a handler that answered without asking the policies about its
/// resource, whatever the gate makes of that: no test of a service should pass with it.
///
/// ```
/// use portcullis::{CorrelationId, UnixTime, audit::{Event, EventName, Sink}, testing::Recorder};
///
/// let recorder = Recorder::default();
/// let sink = recorder.clone(); // goes to the gate
///
/// let id = CorrelationId::from_bytes([7; 16]);
/// sink.record(&Event::new(EventName::AuthzFail, UnixTime::from_secs(0), id));
///
/// let events = recorder.take();
/// assert_eq!(events.len(), 1);
/// assert_eq!(events[0].event().name, EventName::AuthzFail);
/// assert!(recorder.take().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<VecDeque<Recorded>>>);

/// An event that outlived its request.
#[derive(Clone, Debug)]
pub struct Recorded {
    name: EventName,
    at: UnixTime,
    correlation: CorrelationId,
    principal: Option<Principal>,
    client: Option<IpAddr>,
    method: Option<String>,
    path: Option<String>,
    template: Option<String>,
    action: Option<String>,
    rule: Option<String>,
    limit: Option<String>,
    shadowed: Option<String>,
    nearing: Option<String>,
    refusal: Option<Refusal>,
    shadow: Option<Shadow>,
}

/// A disagreement: action, answer and rule.
type Shadow = (Option<String>, &'static str, Option<String>);

impl Recorder {
    /// The events since the last call, oldest first.
    #[must_use = "the events are taken out"]
    pub fn take(&self) -> Vec<Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

impl Sink for Recorder {
    #[expect(clippy::panic, reason = "invariant: a handler without its check fails every test")]
    fn record(&self, event: &Event<'_>) {
        let omitted = event.refusal.is_some_and(|one| one.reason() == Reason::CheckOmitted);
        if omitted && !panicking() {
            let route = event.template.unwrap_or_default();
            panic!("the handler of `{route}` answered without asking `Caller::may`");
        }
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == CAPACITY {
            events.pop_front();
        }
        events.push_back(Recorded::from(event));
    }
}

impl Recorded {
    /// The event as the sink saw it.
    #[must_use]
    pub fn event(&self) -> Event<'_> {
        Event {
            name: self.name,
            at: self.at,
            correlation: self.correlation,
            principal: self.principal.as_ref(),
            client: self.client,
            method: self.method.as_deref(),
            path: self.path.as_deref(),
            template: self.template.as_deref(),
            action: self.action.as_deref(),
            rule: self.rule.as_deref(),
            limit: self.limit.as_deref(),
            shadowed: self.shadowed.as_deref(),
            nearing: self.nearing.as_deref(),
            refusal: self.refusal.as_ref(),
            shadow: self.shadow.as_ref().map(|(action, answer, rule)| Disagreement {
                action: action.as_deref(),
                answer,
                rule: rule.as_deref(),
            }),
        }
    }
}

impl From<&Event<'_>> for Recorded {
    fn from(event: &Event<'_>) -> Self {
        Self {
            name: event.name,
            at: event.at,
            correlation: event.correlation,
            principal: event.principal.cloned(),
            client: event.client,
            method: event.method.map(str::to_owned),
            path: event.path.map(str::to_owned),
            template: event.template.map(str::to_owned),
            action: event.action.map(str::to_owned),
            rule: event.rule.map(str::to_owned),
            limit: event.limit.map(str::to_owned),
            shadowed: event.shadowed.map(str::to_owned),
            nearing: event.nearing.map(str::to_owned),
            refusal: event.refusal.cloned(),
            shadow: event.shadow.map(|shadow| {
                (shadow.action.map(str::to_owned), shadow.answer, shadow.rule.map(str::to_owned))
            }),
        }
    }
}

const CAPACITY: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_kept_whole() {
        let alice = Principal::assertion("staff", "alice").finish().unwrap();
        let refusal = Refusal::new(Reason::RoleMissing);
        let event = Event {
            name: EventName::AuthzFail,
            at: UnixTime::from_secs(7),
            correlation: CorrelationId::from_bytes([1; 16]),
            principal: Some(&alice),
            client: Some("10.0.0.7".parse().unwrap()),
            method: Some("GET"),
            path: Some("/orders/7"),
            template: Some("/orders/{id}"),
            action: Some("order:read"),
            rule: Some("owner-reads-own"),
            limit: Some("tenant"),
            shadowed: Some("client"),
            nearing: Some("route"),
            refusal: Some(&refusal),
            shadow: Some(Disagreement {
                action: Some("order:read"),
                answer: "forbidden_by_rule",
                rule: Some("nobody-reads"),
            }),
        };
        let recorder = Recorder::default();
        recorder.record(&event);
        let kept = recorder.take();
        assert_eq!(format!("{:?}", kept[0].event()), format!("{event:?}"));
    }

    #[test]
    fn the_oldest_events_make_room() {
        let recorder = Recorder::default();
        for secs in 0..1_030 {
            let id = CorrelationId::from_bytes([0; 16]);
            recorder.record(&Event::new(EventName::AuthzAllow, UnixTime::from_secs(secs), id));
        }
        let kept = recorder.take();
        assert_eq!(kept.len(), 1_024);
        assert_eq!(kept[0].event().at, UnixTime::from_secs(6));
    }
}
