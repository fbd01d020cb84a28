//! What only some verifiers demand, and what is wrong with demands.

use std::{borrow::Cow, time::Duration};

use super::ClaimRules;
use crate::authn::{
    AuthnError, AuthnErrorKind,
    jwt::{claims::Claims, invalid, json::Value},
};

/// The most that an issuer's clock may be off.
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Which claim says for whom a token is.
#[derive(Clone, Copy, Debug)]
pub(in crate::authn::jwt) enum AudienceClaim {
    Aud,
    /// For issuers that write no `aud`; a token that has one is for somebody else.
    ClientId,
}

/// A rule about one claim more.
#[derive(Clone, Debug)]
pub(in crate::authn::jwt) struct Demand {
    pub(in crate::authn::jwt) claim: Cow<'static, str>,
    pub(in crate::authn::jwt) need: Need,
    /// Why a token that does not meet it is refused.
    pub(in crate::authn::jwt) otherwise: &'static str,
}

#[derive(Clone, Debug)]
pub(in crate::authn::jwt) enum Need {
    Absent,
    Present,
    Text(String),
    /// That text, where the claim is there at all.
    TextIfAny(String),
}

impl ClaimRules {
    /// What is wrong with the rules themselves.
    pub(in crate::authn::jwt) fn problems(&self) -> Vec<&'static str> {
        let nothing = |span: Option<Duration>| span.is_some_and(|span| span.is_zero());
        [
            (self.issuer.is_empty(), "the issuer is empty"),
            (self.audiences.iter().any(String::is_empty), "an audience is empty"),
            (self.leeway > MAX_LEEWAY, "a leeway of more than 300 s is an open door"),
            (nothing(self.max_lifetime), "with a `max_lifetime` of 0 no token is taken"),
            (nothing(self.max_age), "with a `max_age` of 0 no token is taken"),
            (self.demands.iter().any(|demand| demand.claim.is_empty()), "a claim's name is empty"),
        ]
        .into_iter()
        .filter_map(|(wrong, problem)| wrong.then_some(problem))
        .collect()
    }

    pub(super) fn check_client(&self, claims: &Claims<'_>) -> Result<(), AuthnError> {
        let refuse = |detail| Err(AuthnError::new(AuthnErrorKind::WrongAudience, detail));
        match claims.client_id.map(Value::text) {
            _ if claims.aud.is_some() => refuse("`aud` is there, and none was expected"),
            Some(Some(client)) if self.is_meant(client) => Ok(()),
            Some(Some(_)) => refuse("`client_id` names another client"),
            Some(None) => refuse("`client_id` is not a string"),
            None => refuse("the token has no `client_id`"),
        }
    }
}

impl Demand {
    pub(super) fn check(&self, claims: &Claims<'_>) -> Result<(), AuthnError> {
        let found = claims.get(&self.claim);
        let met = match &self.need {
            Need::Absent => found.is_none(),
            Need::Present => found.is_some_and(|value| !value.is_null()),
            Need::Text(text) => found.and_then(Value::text) == Some(text),
            Need::TextIfAny(text) => found.is_none_or(|value| value.text() == Some(text)),
        };
        if met { Ok(()) } else { Err(invalid(self.otherwise)) }
    }
}
