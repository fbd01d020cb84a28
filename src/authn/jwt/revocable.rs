//! What revocations ask of a token, at every presentation.

use std::sync::Arc;

use super::{JwtVerifier, claims::Claims, invalid, json::Value, verifier::Proven};
use crate::{
    UnixTime,
    authn::{
        AuthnError,
        revocation::{Presented, Revocations},
    },
};

/// What a token is revoked by and its principal does not have.
#[derive(Default)]
pub(super) struct Handles {
    session: Option<Box<str>>,
    /// Only where another claim names the caller.
    subject: Option<Box<str>>,
}

impl JwtVerifier {
    /// Asks `list` about every token, each time that it is presented, whether or not its proof is
    /// cached; see [`revocation`](crate::authn::revocation). None unless said. Several verifiers may
    /// have one list.
    pub fn revocations(mut self, list: Arc<impl Revocations>) -> Self {
        self.revocations = Some(list);
        self.settle()
    }

    pub(super) fn handles(&self, claims: &Claims<'_>) -> Result<Handles, AuthnError> {
        if self.revocations.is_none() {
            return Ok(Handles::default());
        }
        let subject = claims.sub.filter(|_| self.mapping.subject.is_some());
        Ok(Handles {
            session: kept(claims.get("sid"), "`sid` is not a string")?,
            subject: kept(subject, "`sub` is not a string")?,
        })
    }

    /// That nothing which stands at `now` has taken the token back.
    pub(super) fn unrevoked(&self, proven: &Proven, now: UnixTime) -> Result<(), AuthnError> {
        let Some(list) = &self.revocations else { return Ok(()) };
        let Proven { principal, times, handles } = proven;
        let mut presented = Presented::new(&self.rules.issuer);
        presented.token = principal.credential_id();
        presented.session = handles.session.as_deref();
        presented.subject = match self.mapping.subject {
            Some(_) => handles.subject.as_deref(),
            None => Some(principal.subject()),
        };
        presented.client = principal.client();
        presented.issued_at = times.iat;
        list.check(&presented, now)
    }
}

/// A claim of another type would be one that no revocation meets.
fn kept(claim: Option<Value<'_>>, wrong: &'static str) -> Result<Option<Box<str>>, AuthnError> {
    claim.map(|value| value.text().map(Box::from).ok_or(invalid(wrong))).transpose()
}
