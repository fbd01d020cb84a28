//! Kinds of tokens, each with rules that refuse the others (RFC 8725 section 3.12).
//!
//! | kind | taken by | `typ` | what it must have, besides issuer, audience and `exp` | what it must not have |
//! |---|---|---|---|---|
//! | access token, RFC 9068 | [`JwtVerifier::access_token`](super::JwtVerifier::access_token) | `at+jwt` | `sub`, `client_id`, `iat`, `jti` | as below |
//! | access token of any issuer | [`JwtVerifier::new`](super::JwtVerifier::new) | none, `JWT`, `at+jwt` | `sub` | `nonce`, `at_hash`, `c_hash`, `events`, a SPIFFE ID |
//! | ID token | [`IdTokens`] | none, `JWT` | `sub`, `iat`, the `nonce` of the request | `scope`, `scp`, `events`, a SPIFFE ID |
//! | logout token | [`LogoutTokens`] | `logout+jwt` | `iat`, `jti`, `events`, and `sub` or `sid` | `nonce` |
//! | JWT-SVID | [`JwtSvids`] | none, `JWT`, `JOSE` | a SPIFFE ID in `sub`; no issuer is asked for | `nonce`, `events`; more in its header than `alg`, `kid`, `typ` |
//! | one of your own | [`CustomTokens`] | its own | `sub`, `iat`, what you say | what you say |
//!
//! A token that one of them takes is refused by all others, with one exception that is none: what
//! is an access token by RFC 9068 is one for [`JwtVerifier::new`](super::JwtVerifier::new) too.
//! Everywhere `cnf` is refused: it binds the token to a proof that nobody here asks for (RFC 7800
//! section 3.1).
//!
//! ID tokens and logout tokens are not credentials of a caller. Their verifiers are no
//! [`Verifier`](crate::Verifier), so a gate cannot be given one.

mod access;
mod bundle;
mod custom;
mod id_token;
mod logout;
mod spiffe_id;
mod svid;
#[cfg(test)]
mod tests;

pub use bundle::SpiffeBundle;
pub use custom::{CustomTokens, ProfileError};
pub use id_token::{Expected, IdToken, IdTokens};
pub use logout::{LogoutToken, LogoutTokens};
pub use svid::JwtSvids;

use super::{
    claims::Claims,
    compact::Buffer,
    envelope::Envelope,
    invalid,
    json::{Document, Value},
    rules::{ClaimRules, Demand, Need},
};
use crate::{
    Algorithm, UnixTime,
    authn::{AuthnError, AuthnErrorKind},
};

/// That a token has the claim, and not as `null`.
pub(in crate::authn::jwt) fn present(claim: &'static str, otherwise: &'static str) -> Demand {
    Demand { claim: claim.into(), need: Need::Present, otherwise }
}

/// That a token has no such claim, whatever its value.
pub(in crate::authn::jwt) fn absent(claim: &'static str, otherwise: &'static str) -> Demand {
    Demand { claim: claim.into(), need: Need::Absent, otherwise }
}

/// That the claim is this text.
pub(in crate::authn::jwt) fn text(
    claim: &'static str,
    is: &str,
    otherwise: &'static str,
) -> Demand {
    Demand { claim: claim.into(), need: Need::Text(is.to_owned()), otherwise }
}

/// That the claim is this text, where the token has it.
pub(in crate::authn::jwt) fn text_if_any(
    claim: &'static str,
    is: &str,
    otherwise: &'static str,
) -> Demand {
    Demand { claim: claim.into(), need: Need::TextIfAny(is.to_owned()), otherwise }
}

/// Envelope and rules of tokens that are no credential for a gate.
#[derive(Clone, Debug)]
struct Profile {
    envelope: Envelope,
    rules: ClaimRules,
}

impl Profile {
    /// Hands the claims of `token`, once its signature holds, and what it was signed with over to
    /// `judge`.
    fn read<T>(
        &self,
        token: &str,
        now: UnixTime,
        judge: impl FnOnce(&Claims<'_>, Algorithm) -> Result<T, AuthnError>,
    ) -> Result<T, AuthnError> {
        if !self.rules.problems().is_empty() {
            let detail = "the verifier is not set up: see its problems";
            return Err(AuthnError::new(AuthnErrorKind::Unavailable, detail));
        }
        let mut buffer = Buffer::default();
        let token = self.envelope.open(token, &mut buffer)?;
        let algorithm = self.envelope.verify(&token, &self.rules.issuer, now)?;
        let mut document = Document::default();
        judge(&Claims::read(token.payload, &mut document)?, algorithm)
    }

    fn problems(&self) -> Vec<String> {
        self.rules.problems().into_iter().map(str::to_owned).collect()
    }
}

/// A claim that is text, where there is one.
fn optional(claim: Option<Value<'_>>, wrong: &'static str) -> Result<Option<String>, AuthnError> {
    claim.map(|value| value.text().map(str::to_owned).ok_or(invalid(wrong))).transpose()
}
