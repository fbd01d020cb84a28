//! What the server knows of a session.

use std::{sync::Arc, time::Duration};

use super::{
    SessionKey,
    stored::{RecordError, Stored},
};
use crate::{Principal, PrincipalError, UnixTime};

/// One session: whom it is for, how they authenticated, and when it is over.
///
/// A store keeps it as text: [`encode`](Self::encode) and [`decode`](Self::decode). It does not
/// hold the id, so it opens nothing; but whoever can write records can make callers.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    key: SessionKey,
    principal: Principal,
    factors: Arc<[Factor]>,
    pub(super) times: Times,
    version: u64,
}

/// One way in which the caller authenticated, and when.
///
/// ```
/// use portcullis::{UnixTime, authn::session::Factor};
///
/// let factor = Factor::new("otp", UnixTime::from_secs(1_700_000_000));
/// assert_eq!(factor.method(), "otp");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    method: String,
    at: UnixTime,
}

/// When a session was what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) created: UnixTime,
    pub(super) seen: UnixTime,
    pub(super) idle_until: UnixTime,
    pub(super) ends: UnixTime,
}

impl SessionRecord {
    /// The session of `key` for `who`.
    pub(super) fn new(
        key: SessionKey,
        who: &Principal,
        factors: &[Factor],
        times: Times,
    ) -> Result<Self, PrincipalError> {
        Stored::of(who, factors, times, 1).record(key)
    }

    pub(super) fn from_parts(
        key: SessionKey,
        principal: Principal,
        factors: Arc<[Factor]>,
        times: Times,
        version: u64,
    ) -> Self {
        Self { key, principal, factors, times, version }
    }

    /// From the text that [`encode`](Self::encode) wrote, kept under `key`.
    ///
    /// # Errors
    /// When it is another text, or one of another version of this crate.
    pub fn decode(key: SessionKey, text: &str) -> Result<Self, RecordError> {
        Stored::parse(text)?.record(key).map_err(|_| RecordError)
    }

    /// As text for a store: JSON, without the key.
    ///
    /// # Errors
    /// Never for a record of this crate's making.
    pub fn encode(&self) -> Result<String, RecordError> {
        Stored::of(&self.principal, &self.factors, self.times, self.version).text()
    }

    /// What the store finds it by.
    #[must_use]
    pub fn key(&self) -> &SessionKey {
        &self.key
    }

    /// The caller, as every request of the session has it.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// How the caller authenticated, each method once, at its last time.
    #[must_use]
    pub fn factors(&self) -> &[Factor] {
        &self.factors
    }

    /// When the caller logged in.
    #[must_use]
    pub fn created_at(&self) -> UnixTime {
        self.times.created
    }

    /// When a request came last, to within a minute.
    #[must_use]
    pub fn seen_at(&self) -> UnixTime {
        self.times.seen
    }

    /// From when on the session is over unless a request comes before; a store may drop it then.
    #[must_use]
    pub fn over_at(&self) -> UnixTime {
        self.times.idle_until.min(self.times.ends)
    }

    /// Rises with every change; see [`SessionStore::update`](super::SessionStore::update).
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The same, seen at `now` and good for `idle` from then.
    pub(super) fn touched(&self, now: UnixTime, idle: Duration) -> Self {
        let times = Times { seen: now, idle_until: now.saturating_add(idle), ..self.times };
        Self { times, version: self.version.saturating_add(1), ..self.clone() }
    }
}

impl Factor {
    /// Authenticated by `method`, a value of RFC 8176 such as `pwd`, `otp` or `hwk`, at `at`.
    #[must_use]
    pub fn new(method: impl Into<String>, at: UnixTime) -> Self {
        Self { method: method.into(), at }
    }

    /// How.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> UnixTime {
        self.at
    }
}
