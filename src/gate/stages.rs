//! The stages before the handler, in their order.

use super::{
    Admission, Caller, Gate,
    routes::{Found, MAX_PATH, is_ambiguous},
    rules::{Need, Rules},
    visit::{Telling, Visit},
};
use crate::{
    AuthnError, Claim, Credential, Facts, Now, Principal, Reason, Refusal, Source, Step,
    authz::{Action, Coarse, Decision, Subject},
};

impl Gate {
    pub(super) fn stages(&self, claim: Claim<'_>, facts: &Facts<'_>, now: Now) -> Admission {
        let located = self.0.proxies.as_ref().map_or(Ok(facts.client), |it| it.client(facts));
        // The record of a header that cannot be read names the peer.
        let facts = &Facts { client: located.unwrap_or_default(), ..*facts };
        let mut visit = Visit::new(self, facts, now);
        let located = located.map_err(|_| Reason::ForwardedMalformed.into());
        let claimed = match located.and_then(|_| self.approach(&mut visit, claim, facts)) {
            Ok(claimed) => claimed,
            Err(refusal) => return Admission::Done(Err(visit.refuse(refusal, Telling::default()))),
        };
        let Some(credential) = claimed else { return Admission::Done(self.enter(visit, None)) };
        for (index, authenticator) in self.0.authenticators.iter().enumerate() {
            match authenticator.authenticate(&credential, facts, now) {
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
        let refusal = self.unauthenticated(Reason::CredentialUnsupported);
        Admission::Done(Err(visit.refuse(refusal, Telling::default())))
    }

    /// All that is decided before any cryptography: the credential to verify, if there is one.
    fn approach<'a>(
        &self,
        visit: &mut Visit,
        claim: Claim<'a>,
        facts: &Facts<'a>,
    ) -> Result<Option<Credential<'a>>, Refusal> {
        let path = facts.path.unwrap_or_default();
        if facts.template.is_none() && (path.len() > MAX_PATH || is_ambiguous(path)) {
            return Err(Reason::PathAmbiguous.into());
        }
        let method = facts.method.unwrap_or_default();
        let found = match facts.template {
            Some(template) => self.0.table.find_template(method, template),
            None => self.0.table.find(method, path),
        };
        if let Found::Line(line) = found {
            visit.line = Some(line);
        }
        self.0.limits.charge_client(visit)?;
        match found {
            Found::Line(_) => {}
            Found::Ambiguous => return Err(Reason::PathAmbiguous.into()),
            Found::Unlisted => return Err(Reason::RouteUnlisted.into()),
        }
        let reads = self.0.sources.contains(&Source::Certificate);
        match claim {
            // A certificate comes with the connection; it is a claim only where nothing else is.
            Claim::Absent => Ok(facts.certificate.filter(|_| reads).map(Credential::Certificate)),
            _ if !self.0.transport.carries_secrets(facts) => Err(Reason::Cleartext.into()),
            Claim::Presented(credential) => Ok(Some(credential)),
            Claim::Malformed => Err(self.bad_request(Reason::CredentialMalformed)),
            Claim::Ambiguous => Err(self.bad_request(Reason::CredentialAmbiguous)),
            Claim::TooLarge => Err(Reason::CredentialTooLarge.into()),
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
                let realm = self.0.authenticators.get(index).map(|one| one.realm());
                if realm != Some(principal.realm()) {
                    return Err(visit.refuse(Reason::RealmForeign.into(), Telling::default()));
                }
                self.enter(visit, Some(principal))
            }
            Err(error) => {
                let refusal = self.unauthenticated(Reason::Credential(error));
                Err(visit.refuse(refusal, Telling::default()))
            }
        }
    }

    /// What is asked of a proven caller, or of none.
    fn enter(&self, mut visit: Visit, principal: Option<Principal>) -> Result<Caller, Refusal> {
        let rules = self.0.rules.load();
        let known = principal.map(|principal| {
            let subject = rules.policies.subject(&principal);
            (principal, subject)
        });
        let settled = self.settle(&mut visit, &rules, known.as_ref());
        let asked = match settled {
            Ok(Settled::Decided(action, decision)) => Some((action, decision)),
            Ok(Settled::Open | Settled::Owed(_)) | Err(_) => None,
        };
        let denied = asked.map_or(Ok(()), |(_, decision)| self.denied(decision));
        match settled.and_then(|settled| denied.map(|()| settled)) {
            Ok(settled) => Ok(Caller::new(visit, rules, known, settled)),
            Err(refusal) => {
                let principal = known.as_ref().map(|(principal, _)| principal);
                let telling = Telling { principal, ..Telling::default() }.asked(&rules, asked);
                Err(visit.refuse(refusal, telling))
            }
        }
    }

    /// The limits by principal, then what the route takes.
    fn settle(
        &self,
        visit: &mut Visit,
        rules: &Rules,
        known: Option<&(Principal, Subject)>,
    ) -> Result<Settled, Refusal> {
        if let Some((principal, _)) = known {
            self.0.limits.charge_principal(visit, principal)?;
        }
        let need = visit.line.and_then(|line| rules.need(line)).ok_or(Reason::RouteUnlisted)?;
        let caller = || known.ok_or_else(|| self.unauthenticated(Reason::CredentialMissing));
        match need {
            Need::Public => Ok(Settled::Open),
            Need::Authenticated => caller().map(|_| Settled::Open),
            Need::Scope(scope) => {
                let mut held = caller()?.0.scopes().into_iter().flatten();
                let refuse = || self.insufficient_scope(Reason::ScopeMissing, Some(scope));
                held.any(|held| held == scope).then_some(Settled::Open).ok_or_else(refuse)
            }
            Need::Role(role) => {
                let held = caller()?.1.holds(*role);
                held.then_some(Settled::Open).ok_or(Reason::RoleMissing.into())
            }
            Need::Action(action) => {
                let (principal, subject) = caller()?;
                let context = visit.context(principal);
                Ok(match rules.policies.could(subject, principal, *action, &context) {
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
