//! Opening, renewing, listing and ending sessions, for handlers that have proven who is there.

use super::{CROWDED, EXPIRED, FOREIGN, NO_RANDOM, NOT_SET_UP, OVER, Sessions, unavailable};
use crate::{
    Authenticator, AuthnError, Principal, PrincipalError, SecretText, UnixTime,
    authn::session::{Factor, SessionKey, SessionRecord, cookie, id::new_id, record::Times},
};

/// A session just opened or renewed: what to tell the browser, and what the server keeps.
#[derive(Clone, Debug)]
#[must_use = "the browser has no session until it is told the cookie"]
pub struct NewSession {
    cookie: SecretText,
    record: SessionRecord,
}

impl Sessions {
    /// Opens a session for `principal`, who authenticated by `factors`. Its roles, scopes and
    /// attributes are those of every request until the session is renewed, and so is its `acr`
    /// with the time of it; `amr` and `auth_time` come from the factors alone.
    ///
    /// It ends when the principal [expires](Principal::expires_at), if that comes before its
    /// own time is over. Where a log-in's token lives for minutes and its session is to go on, make
    /// a principal without an expiry ([`Principal::assertion`]).
    ///
    /// Where the browser had a session before, [`end`](Self::end) that one.
    ///
    /// # Errors
    /// `Invalid` for a principal of another realm or more than 16 methods, `Expired` for one that
    /// has expired, `Unavailable` when the store fails or has no room.
    pub async fn open(
        &self,
        principal: &Principal,
        factors: impl IntoIterator<Item = Factor>,
        now: UnixTime,
    ) -> Result<NewSession, AuthnError> {
        let times = Times {
            created: now,
            seen: now,
            idle_until: now.saturating_add(self.idle),
            ends: now.saturating_add(self.absolute),
        };
        let new = self.make(principal, &merged(factors), times)?;
        let inserted = self.store.insert(new.record.clone(), self.most, now);
        // An id that is there already was not drawn at random.
        inserted.await.map_err(unavailable)?.then_some(new).ok_or(NO_RANDOM)
    }

    /// Gives the session of `key` a new id after its user authenticated once more, or their
    /// roles changed: `principal` from then on, with `factors` besides those it had. The old id
    /// is dead in the same operation; the end of the session stays where it was, or comes earlier
    /// with that of the principal. A factor is refreshed by itself alone: a password proven again makes no code newer.
    ///
    /// # Errors
    /// `SessionOver` when there is no such session any more, `Invalid` when it is somebody
    /// else's or would have more than 16 methods, `Expired` when the principal has expired,
    /// `Unavailable` when the store fails.
    pub async fn renew(
        &self,
        key: &SessionKey,
        principal: &Principal,
        factors: impl IntoIterator<Item = Factor>,
        now: UnixTime,
    ) -> Result<NewSession, AuthnError> {
        let old = self.living(key, now).await?;
        if old.principal() != principal {
            return Err(FOREIGN);
        }
        let idle_until = now.saturating_add(self.idle);
        let times = Times { seen: now, idle_until, ..old.times };
        let new =
            self.make(principal, &merged(old.factors().iter().cloned().chain(factors)), times)?;
        let exchanged = self.store.exchange(key, new.record.clone()).await.map_err(unavailable)?;
        exchanged.then_some(new).ok_or(OVER)
    }

    /// The sessions of `user` (a principal's id) that are not over, oldest first.
    ///
    /// # Errors
    /// `Unavailable` when the store fails.
    pub async fn list(&self, user: &str, now: UnixTime) -> Result<Vec<SessionRecord>, AuthnError> {
        let mut records = self.store.of_user(user).await.map_err(unavailable)?;
        records.retain(|record| !self.is_over(record, now));
        records.sort_by_key(|record| (record.created_at(), *record.key()));
        Ok(records)
    }

    /// Ends one session of `user`; `false` when they have no such session. A handler knows the
    /// request's own by [`SessionKey::of`].
    ///
    /// # Errors
    /// `Unavailable` when the store fails; the session may go on then.
    pub async fn end(&self, user: &str, key: &SessionKey) -> Result<bool, AuthnError> {
        let found = self.store.find(key).await.map_err(unavailable)?;
        if found.is_none_or(|record| record.principal().id() != user) {
            return Ok(false);
        }
        self.store.remove(key).await.map_err(unavailable)
    }

    /// Ends every session of `user`, such as after a change of their password, and says how many.
    ///
    /// # Errors
    /// `Unavailable` when the store fails; the sessions may go on then.
    pub async fn end_all(&self, user: &str) -> Result<usize, AuthnError> {
        self.store.remove_of_user(user, None).await.map_err(unavailable)
    }

    /// Ends every session of `user` but that of `key`, and says how many.
    ///
    /// # Errors
    /// `Unavailable` when the store fails; the sessions may go on then.
    pub async fn end_others(&self, user: &str, key: &SessionKey) -> Result<usize, AuthnError> {
        self.store.remove_of_user(user, Some(key)).await.map_err(unavailable)
    }

    fn make(
        &self,
        principal: &Principal,
        factors: &[Factor],
        mut times: Times,
    ) -> Result<NewSession, AuthnError> {
        if !Authenticator::problems(self).is_empty() {
            return Err(NOT_SET_UP);
        }
        if principal.realm() != self.realm {
            return Err(FOREIGN);
        }
        if let Some(expires) = principal.expires_at() {
            times.ends = times.ends.min(expires);
        }
        if times.ends <= times.seen {
            return Err(EXPIRED);
        }
        let (id, key) = new_id().ok_or(NO_RANDOM)?;
        let record = SessionRecord::new(key, principal, factors, times);
        let record = record.map_err(|error| match error {
            PrincipalError::Methods => CROWDED,
            PrincipalError::Realm | PrincipalError::Subject => FOREIGN,
        })?;
        Ok(NewSession { cookie: cookie::login(self.cookie, id.expose()), record })
    }
}

impl NewSession {
    /// The value of a `Set-Cookie` header: the one place where the id stands.
    #[must_use]
    pub fn set_cookie(&self) -> &SecretText {
        &self.cookie
    }

    /// What the server keeps.
    #[must_use]
    pub fn record(&self) -> &SessionRecord {
        &self.record
    }
}

/// Each method once, at its last time.
fn merged(factors: impl IntoIterator<Item = Factor>) -> Vec<Factor> {
    let mut once: Vec<Factor> = Vec::new();
    for factor in factors {
        match once.iter_mut().find(|known| known.method() == factor.method()) {
            Some(known) if known.at() < factor.at() => *known = factor,
            Some(_) => {}
            None => once.push(factor),
        }
    }
    once
}
