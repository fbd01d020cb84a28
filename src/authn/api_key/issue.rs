//! New keys and new secrets of old ones. The text of a key exists once: in what is handed back.

use std::{fmt, str, sync::Arc};

use super::{
    ApiKeys, KeyGrant, KeyId, KeyRecord,
    last_used::LastUsed,
    record::{Kept, LiveSecret},
    text::{self, KeyText},
};
use crate::{
    Secret, UnixTime,
    crypto::{NoRandomness, SecretHash},
};

/// A key that was just issued: its text, to be shown once, and the record to keep.
#[must_use = "the text cannot be had again, and the record is in no store yet"]
pub struct NewKey {
    text: Secret,
    record: KeyRecord,
}

/// Why no key was issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The expiry is not after now.
    #[error("the key would have expired already")]
    Expired,
    /// The system has no random bytes.
    #[error("the system has no random bytes")]
    NoRandomness,
    /// Nobody can be vouched for under the owner's name.
    #[error("the owner is 1 to 1,024 bytes without control characters")]
    Owner,
    /// The key was revoked; issue another one.
    #[error("the key was revoked")]
    Revoked,
    /// A role that the verifier lets no key grant.
    #[error("no key may grant the role `{role}`: it is not in the verifier's list")]
    Role {
        /// The role as written.
        role: String,
    },
    /// The verifier's own set-up is wrong; building a gate says how.
    #[error("the verifier is not set up: see its problems")]
    SetUp,
}

impl ApiKeys {
    /// A new key for `grant`. Put its record into the store and show its text to the owner.
    ///
    /// # Errors
    /// When the grant can never be used, or the system has no random bytes.
    pub fn issue(&self, grant: KeyGrant, now: UnixTime) -> Result<NewKey, IssueError> {
        if grant.expires_at.is_some_and(|at| at <= now) {
            return Err(IssueError::Expired);
        }
        if let Some(role) = grant.roles.iter().find(|role| !self.may_grant(role)) {
            return Err(IssueError::Role { role: role.clone() });
        }
        let id = KeyId::random()?;
        let (text, current) = self.secret(id)?;
        let kept = Kept {
            id,
            grant,
            created_at: now,
            current,
            previous: None,
            revoked_at: None,
            last_used: LastUsed::new(None),
        };
        // What could never be vouched for is refused now, not at its first use.
        self.vouch(&kept, current).map_err(|_| IssueError::Owner)?;
        Ok(NewKey { text, record: KeyRecord(Arc::new(kept)) })
    }

    /// A new secret for a key. The one it has counts until `old_until`, so that its holders can
    /// change over; one that was leaked should stop now. Only one old secret ever counts.
    ///
    /// # Errors
    /// When the key is revoked, or the system has no random bytes.
    pub fn rotate(&self, record: &KeyRecord, old_until: UnixTime) -> Result<NewKey, IssueError> {
        if record.revoked_at().is_some() {
            return Err(IssueError::Revoked);
        }
        let (text, current) = self.secret(record.id())?;
        let previous = Some(LiveSecret { until: Some(old_until), ..record.0.current });
        let kept = Kept { current, previous, ..(*record.0).clone() };
        Ok(NewKey { text, record: KeyRecord(Arc::new(kept)) })
    }

    fn secret(&self, id: KeyId) -> Result<(Secret, LiveSecret), IssueError> {
        if !self.is_sound() {
            return Err(IssueError::SetUp);
        }
        let text = text::generate(self.prefix(), id)?;
        // Read back the way it will come in: what is shown is what will be taken.
        let Some(Ok(KeyText { secret, .. })) = text::parse(self.prefix(), &text) else {
            return Err(IssueError::SetUp);
        };
        let secret = LiveSecret { hash: SecretHash::of(secret), until: None };
        Ok((Secret::new(text.as_bytes()), secret))
    }
}

impl NewKey {
    /// The whole key. Show it once, over a safe way, and keep it nowhere.
    #[must_use]
    pub fn expose(&self) -> &str {
        // Keys are ASCII, so this is never empty.
        str::from_utf8(self.text.expose()).unwrap_or_default()
    }

    /// What to keep.
    #[must_use]
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }
}

impl From<NoRandomness> for IssueError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("record", &self.record).finish_non_exhaustive()
    }
}
