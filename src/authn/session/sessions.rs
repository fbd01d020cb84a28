//! The settings of sessions, and taking their cookies.

mod manage;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

pub use manage::NewSession;

use super::{SessionKey, SessionRecord, SessionStore, cookie};
use crate::{
    Facts, Now, Principal, UnixTime,
    authn::{
        Authenticator, AuthnError, AuthnErrorKind, Challenge, Credential, Source, Step, StoreError,
    },
    is_realm,
};

/// Opens sessions for principals that were proven otherwise, and takes their cookies.
///
/// Give it the realm of the users it serves, and say so on the gate with `share_realm` where
/// their passwords or tokens have an authenticator too. Clones share everything.
///
/// ```
/// use portcullis::{Authenticator, Credential, Facts, Mono, Now, Principal, Step, UnixTime};
/// use portcullis::authn::session::{Factor, MemorySessions, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::new("staff", MemorySessions::new(10_000));
/// let now = Now::new(UnixTime::from_secs(1_700_000_000), Mono::from_nanos(0));
///
/// // The log-in handler, after the password was right:
/// let alice = Principal::assertion("staff", "alice").roles(["clerk"]).finish()?;
/// let opened = sessions.open(&alice, [Factor::new("pwd", now.wall)], now.wall).await?;
/// let header = opened.set_cookie().expose();
/// assert!(header.starts_with("__Host-session=") && header.ends_with("; SameSite=Lax"));
///
/// // Every request after it, which the gate does:
/// let id = header.split(['=', ';']).nth(1).unwrap();
/// let take = |id, now| sessions.authenticate(&Credential::Session(id), &Facts::default(), now);
/// let Step::Done(Ok(caller)) = take(id, now) else { panic!() };
/// assert!(caller.id() == "staff/alice" && caller.roles().eq(["clerk"]));
///
/// // Half an hour without a request ends it.
/// let later = now.later(std::time::Duration::from_secs(1800));
/// assert!(matches!(take(id, later), Step::Done(Err(_))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "sessions count for nothing until a gate asks them"]
pub struct Sessions {
    realm: String,
    store: Arc<dyn SessionStore>,
    cookie: &'static str,
    idle: Duration,
    absolute: Duration,
    most: usize,
}

impl Sessions {
    /// Sessions of the users of `realm`, kept in `store`: the cookie `__Host-session`, 30 min
    /// idle, 12 h in all, at most 16 of one user.
    pub fn new(realm: impl Into<String>, store: impl SessionStore) -> Self {
        Self {
            realm: realm.into(),
            store: Arc::new(store),
            cookie: "__Host-session",
            idle: Duration::from_secs(30 * 60),
            absolute: Duration::from_secs(12 * 60 * 60),
            most: 16,
        }
    }

    /// Another name for the cookie; it starts with `__Host-`.
    pub fn cookie(mut self, name: &'static str) -> Self {
        self.cookie = name;
        self
    }

    /// A session without a request for so long is over.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// A session is over so long after its log-in, whatever happens.
    pub fn absolute(mut self, absolute: Duration) -> Self {
        self.absolute = absolute;
        self
    }

    /// At most so many sessions of one user: the oldest ends when one more is opened.
    pub fn most_per_user(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// The value of a `Set-Cookie` header that makes the browser forget its id. It ends nothing
    /// on the server.
    #[must_use]
    pub fn removal_cookie(&self) -> String {
        cookie::removal(self.cookie)
    }

    /// Who came with the id of `key`.
    async fn resume(self, key: SessionKey, now: UnixTime) -> Result<Principal, AuthnError> {
        let record = self.living(&key, now).await?;
        if now >= record.seen_at().saturating_add(self.coalesced()) {
            // Another request may have been quicker to say the same; then nothing is lost.
            let touched = record.touched(now, self.idle);
            self.store.update(record.version(), touched).await.map_err(unavailable)?;
        }
        Ok(record.principal().clone())
    }

    async fn living(&self, key: &SessionKey, now: UnixTime) -> Result<SessionRecord, AuthnError> {
        let record = self.store.find(key).await.map_err(unavailable)?.ok_or(OVER)?;
        if record.key() != key || record.principal().realm() != self.realm {
            return Err(OVER);
        }
        if self.is_over(&record, now) {
            // Seen to be over it must not come back, should the clock be set back.
            self.store.remove(key).await.map_err(unavailable)?;
            return Err(OVER);
        }
        Ok(record)
    }

    /// By what the record says, and by today's timeouts where they are shorter.
    fn is_over(&self, record: &SessionRecord, now: UnixTime) -> bool {
        let idle = record.seen_at().saturating_add(self.idle);
        let absolute = record.created_at().saturating_add(self.absolute);
        now >= record.over_at().min(idle).min(absolute)
    }

    /// How long the store is not told of further requests.
    fn coalesced(&self) -> Duration {
        Duration::from_secs(60).min(self.idle / 10)
    }
}

impl Authenticator for Sessions {
    fn realm(&self) -> &str {
        &self.realm
    }

    /// `Cookie`, with the cookie's name: a 401 has a challenge (RFC 9110 section 15.5.2), and
    /// browsers, which do not know this one, show the page.
    fn challenge(&self) -> Option<Challenge> {
        Some(Challenge::new("Cookie", &self.realm).with("cookie-name", self.cookie))
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::SessionCookie(self.cookie)]
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut demand = |met: bool, otherwise: &str| {
            if !met {
                problems.push(format!("sessions of `{}`: {otherwise}", self.realm));
            }
        };
        demand(is_realm(&self.realm), "a realm is a letter and up to 31 of a-z, 0-9 and `-`");
        demand(
            cookie::is_host_bound(self.cookie),
            "the cookie's name starts with `__Host-` and goes on with up to 57 of a token's \
             characters",
        );
        demand(self.idle >= Duration::from_secs(60), "an idle time below a minute ends sessions");
        demand(self.idle <= self.absolute, "the idle time is longer than the whole session");
        demand(self.absolute <= MAX_ABSOLUTE, "a session of more than 90 days");
        demand(self.most > 0, "with `most_per_user` 0 nobody can log in");
        problems
    }

    fn authenticate(&self, credential: &Credential<'_>, _: &Facts<'_>, now: Now) -> Step {
        let Credential::Session(id) = credential else { return Step::NotMine };
        let Some(key) = SessionKey::of_id(id) else { return Step::Done(Err(OVER)) };
        let mut lookup: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(self.clone().resume(key, now.wall));
        // A store in memory never waits, and then neither does the gate.
        match lookup.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Step::Done(result),
            Poll::Pending => Step::Wait(lookup),
        }
    }
}

fn unavailable(_: StoreError) -> AuthnError {
    AuthnError::new(AuthnErrorKind::Unavailable, "the store of sessions cannot answer")
}

const MAX_ABSOLUTE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

const OVER: AuthnError = AuthnError::new(AuthnErrorKind::SessionOver, "no such session goes on");

const FOREIGN: AuthnError =
    AuthnError::new(AuthnErrorKind::Invalid, "the session would be for somebody else");

const EXPIRED: AuthnError =
    AuthnError::new(AuthnErrorKind::Expired, "the session would be for somebody who has expired");

const CROWDED: AuthnError =
    AuthnError::new(AuthnErrorKind::Invalid, "the session would have more than 16 methods");

const NO_RANDOM: AuthnError =
    AuthnError::new(AuthnErrorKind::Unavailable, "the system has no random bytes");

const NOT_SET_UP: AuthnError =
    AuthnError::new(AuthnErrorKind::Unavailable, "sessions are not set up: see their problems");

#[cfg(test)]
mod tests;
