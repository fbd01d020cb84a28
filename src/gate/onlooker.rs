//! Who looks on while policies decide: counters of hits, and a shadow set. It changes no answer.

use std::sync::{Arc, OnceLock};

use super::{
    editions::{Editions, Shadow},
    rules::Need,
};
use crate::{
    Principal, Reason,
    audit::Disagreement,
    authz::{AccessRequest, Action, Coarse, Context, Decision, PolicySet, RuleId, Subject},
};

/// One request's onlooker; nobody, unless hits are counted or there is a shadow.
#[derive(Default)]
pub(super) struct Onlooker(Option<Box<Looking>>);

struct Looking {
    editions: Arc<Editions>,
    /// The caller as the shadow sees it.
    subject: Option<Subject>,
    /// The first disagreement of the request that is in the sample.
    told: OnceLock<Told>,
}

/// What the shadow answered otherwise.
struct Told {
    /// `None` where it was asked for the route's role.
    action: Option<Action>,
    answer: Answer,
}

/// What the shadow answers: a label, and the rule that decided.
type Answer = (&'static str, Option<RuleId>);

impl Onlooker {
    pub(super) fn new(editions: &Arc<Editions>, principal: Option<&Principal>) -> Self {
        if editions.hits.is_none() && editions.shadow.is_none() {
            return Self::default();
        }
        let shadow = editions.shadow.as_ref().zip(principal);
        let subject =
            shadow.map(|(shadow, principal)| shadow.rules.policies.set().subject(principal));
        let (editions, told) = (Arc::clone(editions), OnceLock::new());
        Self(Some(Box::new(Looking { editions, subject, told })))
    }

    /// Whether the caller holds the role of the route's line.
    pub(super) fn role(&self, line: Option<usize>, held: bool) {
        let Some(looking) = &self.0 else { return };
        let Some((shadow, subject)) = looking.shadow() else { return };
        if let Some(Need::Role(role)) = line.and_then(|line| shadow.rules.need(line)) {
            let holds = subject.holds(*role);
            let answer = if holds { ALLOW } else { Reason::RoleMissing.as_str() };
            looking.compare(shadow, None, (held, holds), (answer, None));
        }
    }

    /// What the gate could settle about the action of the route's line.
    pub(super) fn coarse(
        &self,
        line: Option<usize>,
        principal: &Principal,
        context: &Context<'_>,
        (action, coarse): (Action, Coarse),
    ) {
        let Some(looking) = &self.0 else { return };
        // The handler is to ask; then is the time to compare.
        let (Coarse::Yes(decision) | Coarse::No(decision)) = coarse else { return };
        looking.count(action, decision);
        let Some((shadow, subject)) = looking.shadow() else { return };
        let need = line.and_then(|line| shadow.rules.need(line));
        let Some(Need::Action(theirs)) = need else { return };
        match shadow.rules.policies.could(subject, principal, *theirs, context) {
            Coarse::Yes(other) | Coarse::No(other) => {
                let allows = (decision.is_allow(), other.is_allow());
                looking.compare(shadow, Some(action), allows, answer(other));
            }
            Coarse::Resource => shadow.undecided(),
        }
    }

    /// What was decided about a resource.
    pub(super) fn decided(&self, request: &AccessRequest<'_>, decision: Decision) {
        let Some(looking) = &self.0 else { return };
        looking.count(request.action, decision);
        let Some((shadow, subject)) = looking.shadow() else { return };
        let name = looking.editions.policies().action_name(request.action);
        let policies = &shadow.rules.policies;
        let (would_allow, answer) = match name.and_then(|name| policies.set().action(name)) {
            Some(action) => {
                let request = AccessRequest { subject, action, ..*request };
                let other = policies.ask(&request, PolicySet::decide);
                (other.is_allow(), answer(other))
            }
            None => (false, (Reason::ActionUnknown.as_str(), None)),
        };
        let allows = (decision.is_allow(), would_allow);
        looking.compare(shadow, Some(request.action), allows, answer);
    }

    /// The disagreement to tell, if one is in the sample.
    pub(super) fn told(&self) -> Option<Disagreement<'_>> {
        let looking = self.0.as_ref()?;
        let (told, shadow) = (looking.told.get()?, looking.editions.shadow.as_ref()?);
        let (answer, rule) = told.answer;
        Some(Disagreement {
            action: told.action.and_then(|one| looking.editions.policies().action_name(one)),
            answer,
            rule: rule.and_then(|rule| shadow.rules.policies.set().rule_name(rule)),
        })
    }
}

impl Looking {
    fn shadow(&self) -> Option<(&Shadow, &Subject)> {
        Some((self.editions.shadow.as_ref()?, self.subject.as_ref()?))
    }

    fn count(&self, action: Action, decision: Decision) {
        if let Some(hits) = &self.editions.hits {
            hits.count(action, decision);
        }
    }

    fn compare(
        &self,
        shadow: &Shadow,
        action: Option<Action>,
        (allowed, would_allow): (bool, bool),
        answer: Answer,
    ) {
        if shadow.compare(allowed, would_allow) {
            let _ = self.told.set(Told { action, answer });
        }
    }
}

fn answer(decision: Decision) -> Answer {
    let label = match decision {
        Decision::Allow { .. } => ALLOW,
        Decision::Deny(why) => why.as_str(),
    };
    (label, decision.rule())
}

const ALLOW: &str = "allow";
