//! Refusals that name what the caller is to come back with.

use super::{Gate, step_up::Unmet};
use crate::{Challenge, Class, Credential, Reason, Refusal};

/// What kind of credential a request brought, as far as its answer depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sent {
    Bearer,
    #[default]
    Other,
}

impl From<&Credential<'_>> for Sent {
    fn from(credential: &Credential<'_>) -> Self {
        if matches!(credential, Credential::Bearer(_)) { Self::Bearer } else { Self::Other }
    }
}

impl Gate {
    /// 401 with every registered scheme. `error` stands in Bearer's challenge only where a bearer
    /// token was sent (RFC 6750 section 3.1). A credential that could not be checked is no 401,
    /// and so names nothing to come back with.
    pub(super) fn unauthenticated(&self, reason: Reason, sent: Sent) -> Refusal {
        if reason.class() != Class::Unauthenticated {
            return reason.into();
        }
        let error = (sent == Sent::Bearer).then_some("invalid_token");
        self.challenged(reason, error, None)
    }

    /// A refusal of the handler's own: no 401 goes out without challenges (RFC 9110 section
    /// 15.5.2).
    pub(super) fn completed(&self, refusal: Refusal) -> Refusal {
        let bare = refusal.class() == Class::Unauthenticated && refusal.challenges().is_empty();
        if bare { refusal.challenged(self.challenges()) } else { refusal }
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
    pub(super) fn step_up_needed(&self, unmet: &Unmet<'_>) -> Refusal {
        let extend = |challenge: Challenge| match challenge.scheme() {
            "Bearer" | "Cookie" => unmet.challenge(challenge),
            _ => challenge,
        };
        let challenges = self.0.authenticators.iter().filter_map(|one| one.challenge());
        Refusal::new(Reason::StepUpNeeded).challenged(challenges.map(extend))
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
        Refusal::new(reason).challenged(self.challenges().into_iter().map(extend))
    }

    /// Each once, in the order written.
    fn challenges(&self) -> Vec<Challenge> {
        let mut challenges = Vec::new();
        for challenge in self.0.authenticators.iter().filter_map(|one| one.challenge()) {
            if !challenges.contains(&challenge) {
                challenges.push(challenge);
            }
        }
        challenges
    }
}
