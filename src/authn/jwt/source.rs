//! Where a verifier's keys come from.

use std::sync::Arc;

use super::{KeySet, RemoteKeys};
use crate::{Snapshot, UnixTime, authn::AuthnError};

/// The keys of a [`JwtVerifier`](super::JwtVerifier): a set that the application holds, or one
/// that is fetched.
#[derive(Clone, Debug)]
pub struct Keys(Source);

#[derive(Clone, Debug)]
enum Source {
    Held(Snapshot<KeySet>),
    Fetched(RemoteKeys),
}

impl Keys {
    /// The set to verify with at `now`.
    pub(super) fn load(&self, now: UnixTime) -> Result<Arc<KeySet>, AuthnError> {
        match &self.0 {
            Source::Held(keys) => Ok(keys.load()),
            Source::Fetched(keys) => keys.keys(now),
        }
    }

    /// Shows the set to verify with at `now` to `look`, if there is one. Threads that only look
    /// share nothing that they write.
    pub(super) fn show<R>(&self, now: UnixTime, look: impl FnOnce(&Arc<KeySet>) -> R) -> Option<R> {
        match &self.0 {
            Source::Held(keys) => Some(look(&keys.peek())),
            Source::Fetched(keys) => keys.show(now, look),
        }
    }

    /// What to say of a token for whose `kid` nothing was found in `set`, instead of `otherwise`.
    pub(super) fn missed(
        &self,
        set: &KeySet,
        kid: &str,
        now: UnixTime,
        otherwise: AuthnError,
    ) -> AuthnError {
        let lacks = set.keys().iter().all(|key| key.kid() != Some(kid));
        match &self.0 {
            Source::Fetched(keys) if lacks => keys.missed(kid, now, otherwise),
            Source::Fetched(_) | Source::Held(_) => otherwise,
        }
    }
}

impl From<Snapshot<KeySet>> for Keys {
    fn from(keys: Snapshot<KeySet>) -> Self {
        Self(Source::Held(keys))
    }
}

impl From<KeySet> for Keys {
    fn from(keys: KeySet) -> Self {
        Snapshot::new(keys).into()
    }
}

impl From<RemoteKeys> for Keys {
    fn from(keys: RemoteKeys) -> Self {
        Self(Source::Fetched(keys))
    }
}
