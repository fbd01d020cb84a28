//! What must hold before a key's owner is vouched for: every rule in one order.

use std::net::IpAddr;

use super::{
    ApiKeys, KeyId, KeyRecord, invalid,
    record::{Kept, LiveSecret},
    unavailable,
};
use crate::{
    Authenticator as _, AuthnError, AuthnErrorKind, Principal, UnixTime, authn::StoreError,
    crypto::SecretHash,
};

/// What a caller has shown, without the secret itself.
pub(super) struct Attempt {
    pub(super) id: KeyId,
    pub(super) hash: SecretHash,
    pub(super) client: Option<IpAddr>,
    pub(super) now: UnixTime,
}

impl ApiKeys {
    /// Who `attempt` proves, by what the store has found for its id.
    pub(super) fn conclude(
        &self,
        attempt: &Attempt,
        found: Result<Option<KeyRecord>, StoreError>,
    ) -> Result<Principal, AuthnError> {
        let found = found.map_err(|StoreError| unavailable("the key store cannot answer"))?;
        // A store that ignores the case of letters finds another key than the one asked for.
        let found = found.filter(|record| record.id() == attempt.id);
        let kept = found.as_ref().map(|record| &*record.0);
        let secret = presented(kept, |hash| hash.is(&attempt.hash));
        let kept = kept.ok_or(invalid("no key has this id"))?;
        let secret = secret.ok_or(invalid("the secret is not the key's"))?;
        kept.check(secret, attempt)?;
        let principal = self.vouch(kept, secret)?;
        self.used(kept, attempt.now);
        Ok(principal)
    }

    /// Who the key's holder is.
    pub(super) fn vouch(&self, kept: &Kept, secret: LiveSecret) -> Result<Principal, AuthnError> {
        let grant = &kept.grant;
        let mut assertion = Principal::assertion(self.realm(), &grant.owner)
            .kind(grant.kind)
            .credential_id(kept.id.as_str())
            .roles(grant.roles.iter().map(String::as_str).filter(|role| self.may_grant(role)));
        if let Some(scopes) = &grant.scopes {
            assertion = assertion.scopes(scopes.iter().map(String::as_str));
        }
        if let Some(at) = grant.expires_at.into_iter().chain(secret.until).min() {
            assertion = assertion.expires_at(at);
        }
        assertion.finish().map_err(|_| invalid("the key's owner can name nobody"))
    }

    /// Whether a key may have this role.
    pub(super) fn may_grant(&self, role: &str) -> bool {
        self.roles.as_ref().is_none_or(|listed| listed.iter().any(|one| one == role))
    }
}

impl Kept {
    /// The rules besides the secret, for a caller who has presented it.
    fn check(&self, secret: LiveSecret, attempt: &Attempt) -> Result<(), AuthnError> {
        let expired = |detail| Err(AuthnError::new(AuthnErrorKind::Expired, detail));
        let over = |until: UnixTime| attempt.now >= until;
        if self.revoked_at.is_some() {
            return Err(AuthnError::new(AuthnErrorKind::Revoked, "the key was revoked"));
        }
        if secret.until.is_some_and(over) {
            return expired("the secret was replaced and its time is over");
        }
        if self.grant.expires_at.is_some_and(over) {
            return expired("the key's time is over");
        }
        match (&self.grant.allowed, attempt.client) {
            (None, _) => Ok(()),
            (Some(allowed), Some(client)) if allowed.iter().any(|net| net.contains(client)) => {
                Ok(())
            }
            (Some(_), Some(_)) => Err(invalid("the key is not for the client's address")),
            (Some(_), None) => {
                Err(invalid("the key is bound to addresses and the request has none"))
            }
        }
    }
}

/// Which secret was presented, by two comparisons always: with no record, or no second secret,
/// they are with a hash that no secret has.
pub(super) fn presented(
    kept: Option<&Kept>,
    mut is_presented: impl FnMut(&SecretHash) -> bool,
) -> Option<LiveSecret> {
    let nobodys = LiveSecret { hash: NOBODYS, until: None };
    let current = kept.map_or(nobodys, |kept| kept.current);
    let previous = kept.and_then(|kept| kept.previous).unwrap_or(nobodys);
    match (is_presented(&current.hash), is_presented(&previous.hash)) {
        (true, _) => Some(current),
        (false, true) => Some(previous),
        (false, false) => None,
    }
}

/// No text is known whose hash this is.
const NOBODYS: SecretHash = SecretHash::from_bytes([0; 32]);
