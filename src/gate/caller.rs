//! What a handler gets: who is calling, and the policies to ask.

use std::{fmt, net::IpAddr, sync::Arc};

use super::{
    Unchecked,
    answers::Sent,
    editions::Editions,
    limits::{Charges, Ending},
    stages::Settled,
    visit::{Telling, Visit},
};
use crate::{
    CorrelationId, Now, Principal, Reason, Refusal,
    audit::EventName,
    authz::{AccessRequest, Action, Decision, Entity, Explanation, PolicySet, Record, Subject},
    limit::Allowance,
};

/// One admitted request. Cheap to clone; all clones are the same request.
///
/// The layer leaves it in the request's extensions. The request's one event is written when
/// the layer sees the response, or by [`finish`](Self::finish), or when the last clone goes.
///
/// ```
/// use portcullis::{Caller, Refusal, authz::Entity};
///
/// /// In a handler that has loaded the resource.
/// fn read_order(caller: &Caller, order: &dyn Entity) -> Result<(), Refusal> {
///     caller.may("order:read", order)?; // 403 unless the policies permit it
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Caller(Arc<Shared>);

struct Shared {
    visit: Visit,
    editions: Arc<Editions>,
    known: Option<(Principal, Subject)>,
}

/// What has become of a request so far.
#[derive(Default)]
pub(super) struct State {
    /// What was charged, until it is known whether it counts.
    pub(super) charges: Charges,
    /// The action that the route asks for and the policies could not settle without a resource.
    owed: Option<Action>,
    /// What was asked last.
    asked: Option<(Action, Decision)>,
    /// The last refusal the handler was given, and what it had asked.
    refused: Option<(Refusal, Option<(Action, Decision)>)>,
    /// Who logged in by this request.
    login: Option<Principal>,
    /// Whether the event has been written.
    pub(super) told: bool,
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

impl Outcome<'_> {
    /// What it is called in the record where nothing was refused.
    const fn name(&self, login: Option<&Principal>) -> EventName {
        match self {
            Self::Abandoned => EventName::RequestAbandoned,
            Self::Served if login.is_some() => EventName::AuthnLoginSuccess,
            Self::Failed | Self::Refused(_) | Self::Served => EventName::AuthzAllow,
        }
    }
}

impl Caller {
    pub(super) fn new(
        visit: Visit,
        editions: Arc<Editions>,
        known: Option<(Principal, Subject)>,
        settled: Settled,
    ) -> Self {
        match settled {
            Settled::Open => {}
            Settled::Decided(action, decision) => visit.state().asked = Some((action, decision)),
            Settled::Owed(action) => visit.state().owed = Some(action),
        }
        Self(Arc::new(Shared { visit, editions, known }))
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

    /// The client's address, as limits and policies know it.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        self.0.visit.client
    }

    /// Whether the request is known to have come encrypted.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.visit.secure
    }

    /// What is left of the tightest quota that this request was charged to, as of the charge;
    /// `None` where nothing counted it, or once it is closed.
    #[must_use]
    pub fn allowance(&self) -> Option<Allowance> {
        self.0.visit.gate.0.limits.allowance(&self.0.visit.state().charges)
    }

    /// Charges what the request turned out to cost beyond the cost of its route, to all limits
    /// that counted it, room or not: it cannot be undone, but later requests wait for it. Each
    /// quota goes into debt by at most what [`limit_debt`](super::GateBuilder::limit_debt) says.
    /// Answers how much of it the fullest quota did not count.
    ///
    /// Also after the response's head, as for a body whose length shows at its end: keep a clone
    /// of the caller until then, and say what time it is.
    #[must_use = "what was not counted was forgiven"]
    pub fn owe(&self, cost: u32, now: Now) -> u32 {
        self.0.visit.gate.0.limits.owe(&self.0.visit.state().charges, cost, now)
    }

    /// Who is calling, where a handler cannot do without.
    ///
    /// # Errors
    /// 401 on a public route without a credential.
    pub fn require(&self) -> Result<&Principal, Refusal> {
        self.0.known().map(|(principal, _)| principal)
    }

    /// Asks whether the caller may do `action` to `resource`.
    ///
    /// # Errors
    /// The refusal to answer with, when not. A denial becomes the request's outcome in the
    /// record, whatever the handler answers; and where the route takes this very action, a
    /// handler that answers all the same is answered for by the refusal.
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

    /// The policies' decision, for handlers that have an answer of their own for a denial, such
    /// as leaving a resource out of a list.
    ///
    /// # Errors
    /// When there is nobody to decide about, or the policies declare no such action.
    pub fn decide(&self, action: &str, resource: &dyn Entity) -> Result<Decision, Refusal> {
        let (action, decision) = self.0.decide(action, resource, None)?;
        self.0.paid(action);
        Ok(decision)
    }

    /// Why the policies decide as they do, in words for the record or a developer. Never for the
    /// caller: it names rules and values.
    ///
    /// # Errors
    /// When there is nobody to decide about, or the policies declare no such action.
    pub fn explain(&self, action: &str, resource: &dyn Entity) -> Result<Explanation, Refusal> {
        self.0.asking(action, resource, None, |policies, request| policies.explain(request))
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

    /// A refusal of the handler's own as this request is to be told it: with its id, with
    /// challenges where HTTP wants them, and as 404 where the route hides denials. Edges other
    /// than the tower layer pass every refusal through here before they write it.
    #[must_use]
    pub fn complete(&self, refusal: Refusal) -> Refusal {
        self.0.visit.addressed(self.0.visit.gate.completed(refusal))
    }

    /// Lets the record of this request name who has logged in by it: for the handler of a login
    /// form, once every factor is right. Nothing else changes; whoever opens a session, or makes
    /// a token, decides by whom the next request is.
    pub fn logged_in(&self, principal: &Principal) {
        self.0.visit.state().login = Some(principal.clone());
    }
}

impl Shared {
    fn ask(
        &self,
        action: &str,
        resource: &dyn Entity,
        own: Option<&dyn Record>,
    ) -> Result<(), Refusal> {
        let (action, decision) = self.decide(action, resource, own)?;
        self.visit.gate.denied(decision).map_err(|refusal| self.visit.addressed(refusal))?;
        self.paid(action);
        Ok(())
    }

    fn decide(
        &self,
        action: &str,
        resource: &dyn Entity,
        own: Option<&dyn Record>,
    ) -> Result<(Action, Decision), Refusal> {
        let asked = self.asking(action, resource, own, |policies, request| {
            let decision = policies.decide(request);
            self.visit.onlooker.decided(request, decision);
            (request.action, decision)
        })?;
        let denial = self.visit.gate.denied(asked.1).err().map(|refusal| (refusal, Some(asked)));
        let mut state = self.visit.state();
        state.asked = Some(asked);
        state.refused = denial.or(state.refused.take());
        Ok(asked)
    }

    /// Puts a question together, for the policies this request came in under.
    fn asking<T>(
        &self,
        action: &str,
        resource: &dyn Entity,
        own: Option<&dyn Record>,
        answer: impl FnOnce(&PolicySet, &AccessRequest<'_>) -> T,
    ) -> Result<T, Refusal> {
        let (principal, subject) = self.known()?;
        let Some(action) = self.editions.policies().action(action) else {
            return Err(self.refuse(Reason::ActionUnknown.into()));
        };
        let mut context = self.visit.context(principal);
        if let Some(own) = own {
            context = context.members(own);
        }
        let request = AccessRequest { subject, principal, action, resource, context: &context };
        Ok(self.editions.in_force.policies.ask(&request, answer))
    }

    fn known(&self) -> Result<&(Principal, Subject), Refusal> {
        self.known.as_ref().ok_or_else(|| {
            let missing = Reason::CredentialMissing;
            let refusal = self.visit.gate.unauthenticated(missing, Sent::default());
            // Who is asked for a credential only at what exists knows that it exists.
            let hidden = self.visit.hides();
            self.refuse(if hidden { refusal.hidden() } else { refusal })
        })
    }

    /// Whoever is answered about the route's own action pays what the handler owes.
    fn paid(&self, action: Action) {
        let mut state = self.visit.state();
        state.owed = state.owed.filter(|owed| *owed != action);
    }

    fn refuse(&self, refusal: Refusal) -> Refusal {
        let refusal = self.visit.addressed(refusal);
        self.visit.state().refused = Some((refusal.clone(), None));
        refusal
    }

    fn conclude(&self, outcome: &Outcome<'_>) -> Result<(), Refusal> {
        // What is owed stays owed: a request that is closed twice is not paid for by the first.
        let (owed, asked, refused, login) = {
            let state = &mut *self.visit.state();
            let ending = state.ending(outcome);
            self.visit.gate.0.limits.settle(&mut state.charges, ending);
            (state.owed, state.asked, state.refused.clone(), state.login.clone())
        };
        let principal = login.as_ref().or(self.known.as_ref().map(|(principal, _)| principal));
        let action = owed.and_then(|owed| self.editions.policies().action_name(owed));
        let telling = Telling { principal, action, ..Telling::default() };
        let served = matches!(outcome, Outcome::Served);
        if served && owed.is_some() {
            let omitted = || (Reason::CheckOmitted.into(), asked);
            let about_it =
                |asked: Option<(Action, Decision)>| asked.map(|(action, _)| action) == owed;
            let denied = refused.filter(|(_, asked)| about_it(*asked));
            let (refusal, asked) = denied.unwrap_or_else(omitted);
            let refusal = self.visit.refuse(refusal, telling.asked(&self.editions, asked));
            return match self.visit.gate.0.unchecked {
                Unchecked::Refuse => Err(refusal),
                Unchecked::Report => Ok(()),
            };
        }
        let refused = match outcome {
            Outcome::Refused(refusal) => Some(((*refusal).clone(), asked)),
            Outcome::Abandoned | Outcome::Failed | Outcome::Served => refused,
        };
        if let Some((refusal, asked)) = refused {
            let _ = self.visit.refuse(refusal, telling.asked(&self.editions, asked));
        } else {
            self.visit.tell(outcome.name(login.as_ref()), telling.asked(&self.editions, asked));
        }
        Ok(())
    }
}

impl State {
    /// Whoever goes away before the answer may be hiding it, and counts like one refused.
    fn ending(&self, outcome: &Outcome<'_>) -> Ending {
        match outcome {
            Outcome::Abandoned | Outcome::Refused(_) => Ending::Refused,
            Outcome::Served | Outcome::Failed if self.refused.is_some() => Ending::Refused,
            Outcome::Served if self.owed.is_some() => Ending::Failed,
            Outcome::Served => Ending::Served,
            Outcome::Failed => Ending::Failed,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.visit.state().told {
            // Nobody is left to answer; the event tells what was owed.
            let _ = self.conclude(&Outcome::Served);
        }
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
