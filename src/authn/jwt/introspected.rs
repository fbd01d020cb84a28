//! What an issuer's answer about a token proves (RFC 7662 section 2.2), under the rules for tokens.
//!
//! Here the issuer's word stands in for its signature. All that is demanded of a token's claims is
//! demanded of the answer's members, and they become the principal in the same way.

use super::{
    JwtVerifier,
    claims::Claims,
    invalid,
    json::{Document, Value},
    verifier::Proven,
};
use crate::{
    Principal, UnixTime,
    authn::{AuthnError, AuthnErrorKind},
};

/// What issuers that say what their tokens are for call those that are for access.
const ACCESS: [&str; 2] = ["access_token", "access"];

const fn garbage(detail: &'static str) -> AuthnError {
    AuthnError::new(AuthnErrorKind::Unavailable, detail)
}

impl JwtVerifier {
    /// What `answer` proves, whenever the token is presented. An answer that is none is
    /// [`Unavailable`](AuthnErrorKind::Unavailable), since it says nothing about the token.
    pub(in crate::authn) fn prove_answer(&self, answer: &[u8]) -> Result<Proven, AuthnError> {
        let mut document = Document::default();
        let claims = Claims::read(answer, &mut document);
        let claims = claims.map_err(|_| garbage("the introspection's answer is no JSON object"))?;
        match claims.get("active").and_then(Value::boolean) {
            Some(true) => {}
            Some(false) => return Err(invalid("the issuer says that the token is not active")),
            None => return Err(garbage("the introspection's answer has no boolean `active`")),
        }
        check_use(&claims)?;
        // Optional here, unlike in a token: who answers is known without it.
        let times = match claims.iss {
            Some(_) => self.rules.check(&claims)?,
            None => self.rules.check_meant(&claims)?,
        };
        let principal = self.mapping.principal(&claims, &self.rules.issuer, &times)?;
        Ok(Proven { principal, times, handles: self.handles(&claims)? })
    }

    /// Who it is, if the token counts at `now`.
    pub(in crate::authn) fn still(
        &self,
        proven: &Proven,
        now: UnixTime,
    ) -> Result<Principal, AuthnError> {
        self.admit(proven, now)?;
        Ok(proven.principal.clone())
    }

    /// The longest token that is looked at, in bytes.
    pub(in crate::authn) fn longest(&self) -> usize {
        self.envelope.max_bytes
    }
}

/// Endpoints answer about refresh tokens too (RFC 7662 section 2.1), and about tokens that count
/// only with a proof.
fn check_use(claims: &Claims<'_>) -> Result<(), AuthnError> {
    let is = |name, fits: &dyn Fn(&str) -> bool| {
        claims.get(name).is_none_or(|value| value.text().is_some_and(fits))
    };
    if !is("token_type", &|kind| kind.eq_ignore_ascii_case("Bearer")) {
        return Err(invalid("`token_type` is not `Bearer`"));
    }
    if !is("token_use", &|kind| ACCESS.contains(&kind)) {
        return Err(invalid("`token_use` is not that of an access token"));
    }
    Ok(())
}
