//! What the gate keeps of a request, and the one event it owes.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Caller, Gate, answers::Sent, caller::State, editions::Editions, limits::Watched,
    onlooker::Onlooker,
};
use crate::{
    Class, CorrelationId, Facts, Now, Principal, Refusal,
    audit::{Event, EventName},
    authz::{Action, Context, Decision},
};

/// Of method and path, no more bytes than this are kept for the event.
const MAX_KEPT: usize = 1024;

/// One request on its way through the gate. Whatever becomes of it, it leaves one event.
pub(super) struct Visit {
    pub(super) gate: Gate,
    pub(super) now: Now,
    pub(super) correlation: CorrelationId,
    pub(super) client: Option<IpAddr>,
    pub(super) secure: bool,
    /// The number of the route's line, once one matched.
    pub(super) line: Option<usize>,
    pub(super) watched: Watched,
    pub(super) sent: Sent,
    pub(super) onlooker: Onlooker,
    pub(super) state: Mutex<State>,
    method: Box<str>,
    path: Box<str>,
}

/// What the event says beyond the request itself.
#[derive(Clone, Copy, Default)]
pub(super) struct Telling<'a> {
    pub(super) principal: Option<&'a Principal>,
    pub(super) action: Option<&'a str>,
    pub(super) rule: Option<&'a str>,
    pub(super) refusal: Option<&'a Refusal>,
}

impl<'a> Telling<'a> {
    /// With the names of what was asked and of the rule that decided.
    pub(super) fn asked(self, editions: &'a Editions, asked: Option<(Action, Decision)>) -> Self {
        let Some((action, decision)) = asked else { return self };
        let policies = editions.policies();
        let rule = decision.rule().and_then(|rule| policies.rule_name(rule));
        Self { action: policies.action_name(action), rule, ..self }
    }
}

impl Visit {
    pub(super) fn new(gate: &Gate, facts: &Facts<'_>, now: Now) -> Self {
        Self {
            gate: gate.clone(),
            now,
            correlation: gate.0.ids.next(),
            client: facts.client_address(),
            secure: gate.0.transport.is_secure(facts),
            line: None,
            watched: Watched::default(),
            sent: Sent::default(),
            onlooker: Onlooker::default(),
            state: Mutex::default(),
            method: kept(gate, facts.method),
            path: kept(gate, facts.path),
        }
    }

    /// Behind another gate, with the time and the id of the request there, and with the client
    /// that it found, unless this one looks for itself.
    pub(super) fn within(mut self, outer: Option<&Caller>) -> Self {
        if let Some(outer) = outer {
            self.now = outer.now();
            self.correlation = outer.correlation_id();
            if self.gate.0.proxies.is_none() {
                self.client = outer.client().or(self.client);
            }
        }
        self
    }

    /// The route's template, as the table spells it.
    pub(super) fn template(&self) -> Option<&str> {
        self.gate.0.table.line(self.line?).map(|line| line.template.as_str())
    }

    /// What policies may know of the request itself.
    pub(super) fn context<'a>(&self, principal: &'a Principal) -> Context<'a> {
        let facts = Facts { client: self.client, secure: self.secure, ..Facts::default() };
        Context::new(self.now.wall).facts(&facts).principal(principal)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the event, unless it has been written.
    pub(super) fn tell(&self, name: EventName, telling: Telling<'_>) {
        if std::mem::replace(&mut self.state().told, true) {
            return;
        }
        let Some(sink) = &self.gate.0.sink else { return };
        let mut event = Event::new(name, self.now.wall, self.correlation);
        event.principal = telling.principal;
        event.client = self.client;
        event.method = Some(&*self.method).filter(|text| !text.is_empty());
        event.path = Some(&*self.path).filter(|text| !text.is_empty());
        event.template = self.template();
        event.action = telling.action;
        event.rule = telling.rule;
        event.refusal = telling.refusal;
        self.gate.0.limits.tell(self.watched, &mut event);
        event.shadow = self.onlooker.told();
        sink.record(&event);
    }

    /// Whether the route's line tells a denial as "no such thing".
    pub(super) fn hides(&self) -> bool {
        self.line.and_then(|line| self.gate.0.table.line(line)).is_some_and(|line| line.hidden)
    }

    /// A refusal as this request is to be told it.
    pub(super) fn addressed(&self, refusal: Refusal) -> Refusal {
        let hidden = refusal.class() == Class::Forbidden && self.hides();
        let refusal = if hidden { refusal.hidden() } else { refusal };
        refusal.correlated(self.correlation)
    }

    /// Writes the event of a refusal and gives it the request's id.
    pub(super) fn refuse(&self, refusal: Refusal, telling: Telling<'_>) -> Refusal {
        let refusal = self.addressed(refusal);
        self.tell(name_of(&refusal), Telling { refusal: Some(&refusal), ..telling });
        refusal
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.tell(EventName::RequestAbandoned, Telling::default());
    }
}

/// What a refusal is called in the record.
pub(super) fn name_of(refusal: &Refusal) -> EventName {
    match refusal.reason().class() {
        Class::Malformed | Class::TooLarge => EventName::InputValidationFail,
        Class::Unauthenticated => EventName::AuthnLoginFail,
        Class::Forbidden | Class::NotFound => EventName::AuthzFail,
        Class::Throttled => EventName::ExcessRateLimitExceeded,
        Class::Misconfigured => EventName::SysMisconfigured,
        Class::Unavailable => EventName::SysUnavailable,
    }
}

/// What is kept for the event, if anybody records it.
fn kept(gate: &Gate, text: Option<&str>) -> Box<str> {
    let text = text.filter(|_| gate.0.sink.is_some()).unwrap_or_default();
    let fits = |end: &usize| text.is_char_boundary(*end);
    let end = (0..=text.len().min(MAX_KEPT)).rev().find(fits);
    end.and_then(|end| text.get(..end)).unwrap_or_default().into()
}
