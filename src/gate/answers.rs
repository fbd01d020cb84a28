//! Refusals that name what the caller is to come back with.

use super::{Gate, StepUp};
use crate::{
    Challenge, Reason, Refusal,
    authz::{Decision, Why},
};

impl Gate {
    /// 401 with every registered scheme. `error` stands in Bearer's challenge only where a
    /// credential was sent (RFC 6750 section 3.1).
    pub(super) fn unauthenticated(&self, reason: Reason) -> Refusal {
        let sent = matches!(reason, Reason::Credential(_));
        self.challenged(reason, sent.then_some("invalid_token"), None)
    }

    /// 400 for a header that is no credential (RFC 6750 section 3.1).
    pub(super) fn bad_request(&self, reason: Reason) -> Refusal {
        self.challenged(reason, Some("invalid_request"), None)
    }

    /// 403 that names the scope to ask for, where one is known (RFC 6750 section 3.1).
    pub(super) fn insufficient_scope(&self, reason: Reason, scope: Option<&str>) -> Refusal {
        self.challenged(reason, Some("insufficient_scope"), scope)
    }

    /// 401 that names how to authenticate again (RFC 9470 section 3), in the challenges of the
    /// schemes that carry it.
    pub(super) fn step_up_needed(&self, step_up: &StepUp) -> Refusal {
        let extend = |challenge: Challenge| match challenge.scheme() {
            "Bearer" | "Cookie" => step_up.challenge(challenge),
            _ => challenge,
        };
        let challenges = self.0.authenticators.iter().filter_map(|one| one.challenge());
        Refusal::new(Reason::StepUpNeeded).challenged(challenges.map(extend))
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

    fn challenged(&self, reason: Reason, error: Option<&str>, scope: Option<&str>) -> Refusal {
        let extend = |challenge: Challenge| match error {
            Some(error) if challenge.scheme() == "Bearer" => {
                let challenge = challenge.with("error", error);
                match scope {
                    Some(scope) => challenge.with("scope", scope),
                    None => challenge,
                }
            }
            _ => challenge,
        };
        let challenges = self.0.authenticators.iter().filter_map(|one| one.challenge());
        Refusal::new(reason).challenged(challenges.map(extend))
    }
}
