//! The claims (RFC 7519 section 4): read only after the signature, and checked one by one.

use super::{
    json::{Document, Value},
    malformed,
};
use crate::authn::AuthnError;

/// A payload may hold this many values.
const MAX_VALUES: usize = 1024;

/// A payload's claims, found in one pass; their types are not checked yet.
#[derive(Clone, Copy, Default)]
pub(super) struct Claims<'a> {
    pub(super) all: Value<'a>,
    pub(super) acr: Option<Value<'a>>,
    pub(super) amr: Option<Value<'a>>,
    pub(super) aud: Option<Value<'a>>,
    pub(super) auth_time: Option<Value<'a>>,
    pub(super) azp: Option<Value<'a>>,
    pub(super) client_id: Option<Value<'a>>,
    pub(super) cnf: Option<Value<'a>>,
    pub(super) exp: Option<Value<'a>>,
    pub(super) iat: Option<Value<'a>>,
    pub(super) iss: Option<Value<'a>>,
    pub(super) jti: Option<Value<'a>>,
    pub(super) nbf: Option<Value<'a>>,
    /// What makes the token one of another kind than an access token, if anything does.
    pub(super) other_kind: Option<&'static str>,
    pub(super) scope: Option<Value<'a>>,
    pub(super) scp: Option<Value<'a>>,
    pub(super) sub: Option<Value<'a>>,
}

impl<'a> Claims<'a> {
    /// Reads a decoded payload with the room that an empty document has.
    pub(super) fn read<'t: 'a>(
        payload: &'t [u8],
        document: &'a mut Document<'t>,
    ) -> Result<Self, AuthnError> {
        let all = document.read(payload, MAX_VALUES).map_err(malformed)?;
        let mut claims = Self { all, ..Self::default() };
        for (name, value) in all.members().ok_or(malformed("the payload is not an object"))? {
            let claim = match name {
                "acr" => &mut claims.acr,
                "amr" => &mut claims.amr,
                "aud" => &mut claims.aud,
                "auth_time" => &mut claims.auth_time,
                "azp" => &mut claims.azp,
                "client_id" => &mut claims.client_id,
                "cnf" => &mut claims.cnf,
                "exp" => &mut claims.exp,
                "iat" => &mut claims.iat,
                "iss" => &mut claims.iss,
                "jti" => &mut claims.jti,
                "nbf" => &mut claims.nbf,
                "scope" => &mut claims.scope,
                "scp" => &mut claims.scp,
                "sub" => &mut claims.sub,
                // OIDC Core section 2; RFC 8417 section 2.2.
                "at_hash" | "c_hash" | "nonce" => {
                    claims.other_kind = Some("`nonce`, `at_hash` and `c_hash` are of ID tokens");
                    continue;
                }
                "events" => {
                    claims.other_kind = Some("`events` is of security events");
                    continue;
                }
                _ => continue,
            };
            *claim = Some(value);
        }
        Ok(claims)
    }

    /// The claim of that name.
    pub(super) fn get(&self, name: &str) -> Option<Value<'a>> {
        self.all.member(name)
    }
}
