//! What is kept of a key: everything but its secret.

use std::sync::Arc;

use super::{KeyId, last_used::LastUsed};
use crate::{IpNet, Kind, UnixTime, crypto::SecretHash};

/// What a key is to be good for, decided when it is issued.
///
/// ```
/// use portcullis::{KeyGrant, UnixTime};
///
/// let grant = KeyGrant::until("acme", UnixTime::from_secs(1_900_000_000))
///     .roles(["clerk"])
///     .scopes(["orders.read"])
///     .allowed_from(["192.0.2.0/24".parse()?])
///     .purpose("nightly export");
/// # Ok::<(), portcullis::IpNetError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a grant is good for nothing until a key is issued for it"]
pub struct KeyGrant {
    pub(super) owner: String,
    pub(super) kind: Kind,
    pub(super) roles: Vec<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) allowed: Option<Vec<IpNet>>,
    pub(super) purpose: String,
}

/// A key as a store keeps it. Its secrets are hashes and stay inside. Cheap to clone: one
/// reference count.
///
/// Made by [`ApiKeys::issue`](super::ApiKeys::issue) and [`rotate`](super::ApiKeys::rotate), and
/// read back from [`to_json`](Self::to_json)'s text.
#[derive(Clone, Debug)]
pub struct KeyRecord(pub(super) Arc<Kept>);

#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) id: KeyId,
    pub(super) grant: KeyGrant,
    pub(super) created_at: UnixTime,
    pub(super) current: LiveSecret,
    /// The secret before the last rotation.
    pub(super) previous: Option<LiveSecret>,
    pub(super) revoked_at: Option<UnixTime>,
    pub(super) last_used: LastUsed,
}

/// A secret that counts, and until when, if its time is shorter than the key's.
#[derive(Clone, Copy, Debug)]
pub(super) struct LiveSecret {
    pub(super) hash: SecretHash,
    pub(super) until: Option<UnixTime>,
}

impl KeyGrant {
    /// A key of `owner`, the subject within the keys' realm, that counts before `expires_at`.
    pub fn until(owner: impl Into<String>, expires_at: UnixTime) -> Self {
        Self { expires_at: Some(expires_at), ..Self::insecure_forever(owner) }
    }

    /// A key that never expires. One that was leaked and forgotten then opens the door for ever.
    pub fn insecure_forever(owner: impl Into<String>) -> Self {
        Self {
            owner: owner.into(),
            kind: Kind::Service,
            roles: Vec::new(),
            scopes: None,
            expires_at: None,
            allowed: None,
            purpose: String::new(),
        }
    }

    /// What the owner is; [`Kind::Service`] unless said otherwise.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The roles that the key's holder has; none unless said.
    pub fn roles(mut self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// Limits the key to these scopes; with none of them it is good for nothing.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Binds the key to clients within these ranges; with none of them it is good from nowhere.
    pub fn allowed_from(mut self, ranges: impl IntoIterator<Item = IpNet>) -> Self {
        self.allowed = Some(ranges.into_iter().collect());
        self
    }

    /// What the key is for, in words, for whoever looks after it.
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = purpose.into();
        self
    }
}

impl KeyRecord {
    /// By which a store finds it.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.id
    }

    /// Whose it is: the subject within the keys' realm.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.0.grant.owner
    }

    /// What it is for.
    #[must_use]
    pub fn purpose(&self) -> &str {
        &self.0.grant.purpose
    }

    /// When it was issued.
    #[must_use]
    pub fn created_at(&self) -> UnixTime {
        self.0.created_at
    }

    /// From when on it no longer counts; `None` for never.
    #[must_use]
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.0.grant.expires_at
    }

    /// When it was revoked, if it was.
    #[must_use]
    pub fn revoked_at(&self) -> Option<UnixTime> {
        self.0.revoked_at
    }

    /// When it was last used: at most a minute before it really was. Clones share it.
    #[must_use]
    pub fn last_used(&self) -> Option<UnixTime> {
        self.0.last_used.at()
    }

    /// Withdraws the key for good. The time is for the record: a revoked key does not count
    /// whatever the clock says.
    pub fn revoke(&mut self, at: UnixTime) {
        let kept = Arc::make_mut(&mut self.0);
        kept.revoked_at = Some(kept.revoked_at.unwrap_or(at));
    }
}
