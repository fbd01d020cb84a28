//! What a handler gets: who is calling, and the policies to ask.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Unchecked,
    limits::{Charges, Ending},
    rules::Rules,
    stages::Settled,
    visit::{Telling, Visit},
};
use crate::{
    CorrelationId, Now, Principal, Reason, Refusal,
    audit::EventName,
    authz::{AccessRequest, Action, Decision, Entity, Record, Subject},
};

/// One admitted request. Cheap to clone; all clones are the same request.
///
/// The layer leaves it in the request's extensions. The request's one event is written when
/// the layer sees the response, or by [`finish`](Self::finish), or when the last clone goes.
#[derive(Clone)]
pub struct Caller(Arc<Shared>);

struct Shared {
    visit: Visit,
    rules: Arc<Rules>,
    known: Option<(Principal, Subject)>,
    state: Mutex<State>,
}

/// What the handler has done so far.
#[derive(Default)]
struct State {
    /// The action that the route asks for and the policies could not settle without a resource.
    owed: Option<Action>,
    /// What was asked last.
    asked: Option<(Action, Decision)>,
    /// The last refusal the handler was given.
    refusal: Option<Refusal>,
    /// What was charged, until it is known whether it counts.
    charges: Charges,
}

/// What came of a request behind the gate.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// The handler answered and did not fail.
    Served,
    /// The handler answered with an error of its own.
    Failed,
    /// The handler answered with a refusal.
    Refused(&'a Refusal),
    /// Nobody waited for the answer.
    Abandoned,
}

impl Caller {
    pub(super) fn new(
        mut visit: Visit,
        rules: Arc<Rules>,
        known: Option<(Principal, Subject)>,
        settled: Settled,
    ) -> Self {
        let charges = std::mem::take(&mut visit.charges);
        let mut state = State { charges, ..State::default() };
        match settled {
            Settled::Open => {}
            Settled::Decided(action, decision) => state.asked = Some((action, decision)),
            Settled::Owed(action) => state.owed = Some(action),
        }
        let state = Mutex::new(state);
        Self(Arc::new(Shared { visit, rules, known, state }))
    }

    /// Who is calling; `None` on a public route without a credential.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.0.known.as_ref().map(|(principal, _)| principal)
    }

    /// The reading of time this request is judged by.
    #[must_use]
    pub fn now(&self) -> Now {
        self.0.visit.now
    }

    /// The id that this request's answer and event share.
    #[must_use]
    pub fn correlation_id(&self) -> CorrelationId {
        self.0.visit.correlation
    }

    /// Whether the request is known to have come encrypted.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.visit.secure
    }

    /// Asks whether the caller may do `action` to `resource`.
    ///
    /// # Errors
    /// The refusal to answer with, when not. A denial becomes the request's outcome in the
    /// record, whatever the handler answers.
    pub fn may(&self, action: &str, resource: &dyn Entity) -> Result<(), Refusal> {
        self.0.ask(action, resource, None)
    }

    /// Like [`may`](Self::may), with context of the application's own.
    ///
    /// # Errors
    /// The refusal to answer with, when the caller may not.
    pub fn may_in(
        &self,
        action: &str,
        resource: &dyn Entity,
        context: &dyn Record,
    ) -> Result<(), Refusal> {
        self.0.ask(action, resource, Some(context))
    }

    /// The policies' decision, for handlers that have an answer of their own for a denial.
    ///
    /// # Errors
    /// When there is nobody to decide about, or the policies declare no such action.
    pub fn decide(&self, action: &str, resource: &dyn Entity) -> Result<Decision, Refusal> {
        self.0.decide(action, resource, None)
    }

    /// Closes the request and writes its event, where no layer does.
    ///
    /// # Errors
    /// When the route asked for an action and nobody asked the policies about its resource.
    pub fn finish(&self) -> Result<(), Refusal> {
        self.conclude(&Outcome::Served)
    }

    /// Closes the request with what came of it and writes its event; for edges other than the
    /// tower layer.
    ///
    /// # Errors
    /// The refusal that the answer is to be replaced by, when a handler that answered owed a
    /// question to the policies.
    pub fn conclude(&self, outcome: &Outcome<'_>) -> Result<(), Refusal> {
        self.0.conclude(outcome)
    }
}

impl Shared {
    fn ask(
        &self,
        action: &str,
        resource: &dyn Entity,
        own: Option<&dyn Record>,
    ) -> Result<(), Refusal> {
        let decision = self.decide(action, resource, own)?;
        self.visit.gate.denied(decision).map_err(|no| no.correlated(self.visit.correlation))
    }

    fn decide(
        &self,
        action: &str,
        resource: &dyn Entity,
        own: Option<&dyn Record>,
    ) -> Result<Decision, Refusal> {
        let Some((principal, subject)) = &self.known else {
            return Err(self.refuse(self.visit.gate.unauthenticated(Reason::CredentialMissing)));
        };
        let policies = &self.rules.policies;
        let Some(action) = policies.action(action) else {
            return Err(self.refuse(Reason::ActionUnknown.into()));
        };
        let mut context = self.visit.context(principal);
        if let Some(own) = own {
            context = context.members(own);
        }
        let decision = policies.decide(&AccessRequest {
            subject,
            principal,
            action,
            resource,
            context: &context,
        });
        self.remember(action, decision);
        Ok(decision)
    }

    /// Whoever asks about the route's own action pays what the handler owes.
    fn remember(&self, action: Action, decision: Decision) {
        let denial = self.visit.gate.denied(decision).err();
        let mut state = self.state();
        state.owed = state.owed.filter(|owed| *owed != action);
        state.asked = Some((action, decision));
        state.refusal = denial.or(state.refusal.take());
    }

    fn refuse(&self, refusal: Refusal) -> Refusal {
        let refusal = refusal.correlated(self.visit.correlation);
        self.state().refusal = Some(refusal.clone());
        refusal
    }

    fn conclude(&self, outcome: &Outcome<'_>) -> Result<(), Refusal> {
        let mut state = std::mem::take(&mut *self.state());
        let charges = std::mem::take(&mut state.charges);
        self.visit.gate.0.limits.settle(charges, state.ending(outcome));
        let principal = self.known.as_ref().map(|(principal, _)| principal);
        let action = state.owed.and_then(|owed| self.rules.policies.action_name(owed));
        let telling = Telling { principal, action, ..Telling::default() };
        let telling = telling.asked(&self.rules, state.asked);
        let refusal = match outcome {
            Outcome::Abandoned => {
                self.visit.tell(EventName::RequestAbandoned, telling);
                return Ok(());
            }
            Outcome::Refused(refusal) => Some((*refusal).clone()),
            Outcome::Served if state.owed.is_some() => {
                let refusal = self.visit.refuse(Reason::CheckOmitted.into(), telling);
                return match self.visit.gate.0.unchecked {
                    Unchecked::Refuse => Err(refusal),
                    Unchecked::Report => Ok(()),
                };
            }
            Outcome::Served | Outcome::Failed => state.refusal,
        };
        match refusal {
            Some(refusal) => drop(self.visit.refuse(refusal, telling)),
            None => self.visit.tell(EventName::AuthzAllow, telling),
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whoever goes away before the answer may be hiding it, and counts like one refused.
    fn ending(&self, outcome: &Outcome<'_>) -> Ending {
        match outcome {
            Outcome::Abandoned | Outcome::Refused(_) => Ending::Refused,
            Outcome::Served | Outcome::Failed if self.refusal.is_some() => Ending::Refused,
            Outcome::Served if self.owed.is_some() => Ending::Failed,
            Outcome::Served => Ending::Served,
            Outcome::Failed => Ending::Failed,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Nobody is left to answer; the event tells what was owed.
        let _ = self.conclude(&Outcome::Served);
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("principal", &self.principal())
            .field("correlation_id", &self.correlation_id())
            .finish_non_exhaustive()
    }
}
