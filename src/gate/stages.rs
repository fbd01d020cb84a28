//! The stages before the handler, in their order.

use super::{
    Access, Admission, Caller, Gate,
    answers::Sent,
    onlooker::Onlooker,
    routes::{Found, MAX_PATH, is_ambiguous},
    rules::{Need, Rules},
    visit::{Telling, Visit},
};
use crate::{
    AuthnError, AuthnErrorKind, Claim, Credential, Facts, Now, Principal, Reason, Refusal, Source,
    Step,
    authz::{Action, Coarse, Decision, Subject, Why},
};

impl Gate {
    /// All stages. Behind another gate, the request keeps that one's time and id.
    pub(crate) fn stages(
        &self,
        claim: Claim<'_>,
        facts: &Facts<'_>,
        now: Now,
        outer: Option<&Caller>,
    ) -> Admission {
        let (facts, located) = self.located(facts);
        let mut visit = Visit::new(self, &facts, now).within(outer);
        let now = visit.now;
        let claimed = match self.approach(&mut visit, claim, &facts, located) {
            Ok(claimed) => claimed,
            Err(refusal) => return Admission::Done(Err(visit.refuse(refusal, Telling::default()))),
        };
        let Some(credential) = claimed else { return Admission::Done(self.enter(visit, None)) };
        visit.sent = Sent::from(&credential);
        for (index, authenticator) in self.0.authenticators.iter().enumerate() {
            match authenticator.authenticate(&credential, &facts, now) {
                Step::NotMine => {}
                Step::Done(result) => return Admission::Done(self.verified(visit, index, result)),
                Step::Wait(lookup) => {
                    let gate = self.clone();
                    return Admission::Wait(Box::pin(async move {
                        let result = lookup.await;
                        gate.verified(visit, index, result)
                    }));
                }
            }
        }
        let refusal = self.unauthenticated(Reason::CredentialUnsupported, visit.sent);
        Admission::Done(Err(visit.refuse(refusal, Telling::default())))
    }

    /// The stages for a caller whom something else has proven, or for none.
    pub(crate) fn stages_proven(
        &self,
        principal: Option<Principal>,
        facts: &Facts<'_>,
        now: Now,
        outer: Option<&Caller>,
    ) -> Result<Caller, Refusal> {
        let (facts, located) = self.located(facts);
        let mut visit = Visit::new(self, &facts, now).within(outer);
        match self.approach(&mut visit, Claim::Absent, &facts, located) {
            Ok(_) => self.enter(visit, principal),
            Err(refusal) => Err(visit.refuse(refusal, Telling::default())),
        }
    }

    /// The facts with the client that trusted proxies name. Where that cannot be read, the record
    /// names the peer.
    fn located<'a>(&self, facts: &Facts<'a>) -> (Facts<'a>, Result<(), Refusal>) {
        match self.0.proxies.as_ref().map_or(Ok(facts.client), |proxies| proxies.client(facts)) {
            Ok(client) => (Facts { client, ..*facts }, Ok(())),
            Err(_) => (Facts { client: None, ..*facts }, Err(Reason::ForwardedMalformed.into())),
        }
    }

    /// All that is decided before any cryptography: the credential to verify, if there is one.
    fn approach<'a>(
        &self,
        visit: &mut Visit,
        claim: Claim<'a>,
        facts: &Facts<'a>,
        located: Result<(), Refusal>,
    ) -> Result<Option<Credential<'a>>, Refusal> {
        let found = self.find(facts);
        if let Found::Line(line) = found {
            visit.line = Some(line);
        }
        self.0.limits.charge_client(visit)?;
        if !matches!(claim, Claim::Absent) && !self.0.transport.carries_secrets(facts) {
            return Err(Reason::Cleartext.into());
        }
        located?;
        match found {
            Found::Line(_) => {}
            Found::Ambiguous => return Err(Reason::PathAmbiguous.into()),
            Found::Unlisted => return Err(Reason::RouteUnlisted.into()),
        }
        let reads = self.0.sources.contains(&Source::Certificate);
        match claim {
            // A certificate comes with the connection; it is a claim only where nothing else is.
            Claim::Absent => Ok(facts.certificate.filter(|_| reads).map(Credential::Certificate)),
            Claim::Presented(credential) => Ok(Some(credential)),
            Claim::Malformed => Err(self.bad_request(Reason::CredentialMalformed)),
            Claim::Ambiguous => Err(self.bad_request(Reason::CredentialAmbiguous)),
            Claim::TooLarge => Err(Reason::CredentialTooLarge.into()),
        }
    }

    /// The line of the route table, by the router's word or by the path.
    fn find(&self, facts: &Facts<'_>) -> Found {
        let method = facts.method.unwrap_or_default();
        let path = facts.path.unwrap_or_default();
        match facts.template {
            Some(template) => self.0.table.find_template(method, template),
            None if path.len() > MAX_PATH || is_ambiguous(path) => Found::Ambiguous,
            None => self.0.table.find(method, path),
        }
    }

    fn verified(
        &self,
        visit: Visit,
        index: usize,
        result: Result<Principal, AuthnError>,
    ) -> Result<Caller, Refusal> {
        match result {
            Ok(principal) => {
                let realms = self.0.realms.get(index);
                if !realms.is_some_and(|realms| realms.contains(principal.realm())) {
                    return Err(visit.refuse(Reason::RealmForeign.into(), Telling::default()));
                }
                self.enter(visit, Some(principal))
            }
            // A browser sends its cookie unasked, long after the session is over; it must be able
            // to reach the log-in all the same.
            Err(error) if error.kind() == AuthnErrorKind::SessionOver && self.is_open(&visit) => {
                self.enter(visit, None)
            }
            Err(error) => {
                let refusal = match error.retry_after() {
                    // Whoever is to wait is not asked for another credential.
                    Some(_) => error.into(),
                    None => self.unauthenticated(Reason::Credential(error), visit.sent),
                };
                Err(visit.refuse(refusal, Telling::default()))
            }
        }
    }

    /// Whether the route is for anybody.
    pub(super) fn is_open(&self, visit: &Visit) -> bool {
        let line = visit.line.and_then(|line| self.0.table.line(line));
        line.is_some_and(|line| line.access == Access::Public)
    }

    /// Nothing for an allow; for a denial its refusal.
    pub(super) fn denied(&self, decision: Decision) -> Result<(), Refusal> {
        match decision {
            Decision::Allow { .. } => Ok(()),
            Decision::Deny(Why::InsufficientScope) => {
                Err(self.insufficient_scope(Reason::Denied(Why::InsufficientScope), None))
            }
            Decision::Deny(why) => Err(Reason::Denied(why).into()),
        }
    }

    /// What is asked of a proven caller, or of none.
    fn enter(&self, mut visit: Visit, principal: Option<Principal>) -> Result<Caller, Refusal> {
        let editions = self.0.editions.load();
        let rules = &editions.in_force;
        visit.onlooker = Onlooker::new(&editions, principal.as_ref());
        let known = principal.map(|principal| {
            let subject = rules.policies.set().subject(&principal);
            (principal, subject)
        });
        let settled = self.settle(&mut visit, rules, known.as_ref());
        let asked = match settled {
            Ok(Settled::Decided(action, decision)) => Some((action, decision)),
            Ok(Settled::Open | Settled::Owed(_)) | Err(_) => None,
        };
        let denied = asked.map_or(Ok(()), |(_, decision)| self.denied(decision));
        let allowed = settled.and_then(|settled| denied.map(|()| settled));
        let fresh = || self.stepped_up(&visit, known.as_ref().map(|(principal, _)| principal));
        match allowed.and_then(|settled| fresh().map(|()| settled)) {
            Ok(settled) => Ok(Caller::new(visit, editions, known, settled)),
            Err(refusal) => {
                let principal = known.as_ref().map(|(principal, _)| principal);
                let telling = Telling { principal, ..Telling::default() }.asked(&editions, asked);
                Err(visit.refuse(refusal, telling))
            }
        }
    }

    /// Whether the caller authenticated as the route asks for besides.
    fn stepped_up(&self, visit: &Visit, caller: Option<&Principal>) -> Result<(), Refusal> {
        let line = visit.line.and_then(|line| self.0.table.line(line));
        let Some(step_up) = line.and_then(|line| line.step_up.as_ref()) else { return Ok(()) };
        let unmet = step_up.unmet(caller, visit.now.wall);
        unmet.map_or(Ok(()), |unmet| Err(self.step_up_needed(&unmet)))
    }

    /// The limits by principal, then what the route takes.
    fn settle(
        &self,
        visit: &mut Visit,
        rules: &Rules,
        known: Option<&(Principal, Subject)>,
    ) -> Result<Settled, Refusal> {
        self.0.limits.charge_known(visit, known.map(|(principal, _)| principal))?;
        let need = visit.line.and_then(|line| rules.need(line)).ok_or(Reason::RouteUnlisted)?;
        let missing = || self.unauthenticated(Reason::CredentialMissing, Sent::default());
        let caller = || known.ok_or_else(missing);
        match need {
            Need::Public => Ok(Settled::Open),
            Need::Authenticated => caller().map(|_| Settled::Open),
            Need::Scope(scope) => {
                let mut held = caller()?.0.scopes().into_iter().flatten();
                let refuse = || self.insufficient_scope(Reason::ScopeMissing, Some(scope));
                held.any(|held| held == scope).then_some(Settled::Open).ok_or_else(refuse)
            }
            Need::Role(role) => {
                let (principal, subject) = caller()?;
                // No scope covers a role, so whoever is limited by scopes is not let in by one.
                if principal.scopes().is_some() {
                    return Err(self.insufficient_scope(Reason::ScopeMissing, None));
                }
                let held = subject.holds(*role);
                visit.onlooker.role(visit.line, held);
                held.then_some(Settled::Open).ok_or(Reason::RoleMissing.into())
            }
            Need::Action(action) => {
                let (principal, subject) = caller()?;
                let context = visit.context(principal);
                let coarse = rules.policies.could(subject, principal, *action, &context);
                visit.onlooker.coarse(visit.line, principal, &context, (*action, coarse));
                Ok(match coarse {
                    Coarse::Yes(decision) | Coarse::No(decision) => {
                        Settled::Decided(*action, decision)
                    }
                    Coarse::Resource => Settled::Owed(*action),
                })
            }
        }
    }
}

/// What the gate itself could settle about the route's action.
pub(super) enum Settled {
    /// The route has none.
    Open,
    /// All of it.
    Decided(Action, Decision),
    /// It depends on the resource; the handler owes the question.
    Owed(Action),
}
