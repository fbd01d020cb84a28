//! From a user's name and password to a principal.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use super::{
    Hasher, Match, PasswordRecord, PasswordStore,
    basic::{Said, is_stored_as, said},
    cache::Cache,
    hasher::TOO_LONG,
};
use crate::{
    Facts, Now, Principal, Secret, UnixTime,
    authn::{Authenticator, AuthnError, AuthnErrorKind, Challenge, Credential, Step},
    is_realm,
};

/// Verifies passwords: of HTTP Basic (RFC 7617) in a gate, and of login forms by a call.
///
/// A password that was found right is remembered for five minutes, so that Basic costs a hash
/// only now and then: as a code under a key of this process, for at most 1,024 users at a time
/// ([`cache`](Self::cache), [`without_cache`](Self::without_cache)). The store is asked every
/// time, and a changed or removed password counts at once.
///
/// User names are told to the store in lower case and without white space around them, and a
/// record of another name counts for none: see [`PasswordStore`]. Clones share everything.
///
/// ```
/// use portcullis::{AuthnErrorKind, Mono, Now, Secret, UnixTime};
/// use portcullis::authn::password::{
///     Attempt, Hasher, MemoryPasswords, PasswordRecord, Passwords,
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let hasher = Hasher::with_threads(2).start()?;
/// let users = MemoryPasswords::default();
/// let stored = hasher.hash(&Secret::new(*b"correct horse battery staple")).await?;
/// users.insert(PasswordRecord::new("alice", "u-1", stored).roles(["clerk"]))?;
///
/// // One clone goes to `Gate::builder().authenticate(…)`, where it takes Basic.
/// let passwords = Passwords::new("staff", users, hasher);
///
/// // In the handler of a login form:
/// let now = Now::new(UnixTime::from_secs(1_700_000_000), Mono::from_nanos(0));
/// let right = Secret::new(*b"correct horse battery staple");
/// let alice = passwords.verify_password(&Attempt::new("Alice", &right), now).await?;
/// assert_eq!(alice.id(), "staff/u-1");
///
/// let wrong = Secret::new(*b"Tr0ub4dor&3");
/// let refused = passwords.verify_password(&Attempt::new("Alice", &wrong), now).await;
/// let refused = refused.unwrap_err();
/// assert_eq!(refused.kind(), AuthnErrorKind::Invalid);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "it verifies nothing until it is asked"]
pub struct Passwords {
    realm: Arc<str>,
    store: Arc<dyn PasswordStore>,
    hasher: Hasher,
    /// The roles that its records may grant; all of them without a list.
    roles: Option<Arc<[String]>>,
    cache: Option<Arc<Cache>>,
    /// What is wrong with the cache that was asked for.
    problem: Option<&'static str>,
}

/// What a login form sends.
///
/// ```
/// use portcullis::{Secret, authn::password::Attempt};
///
/// let password = Secret::new(*b"correct horse battery staple");
/// let attempt = Attempt::new("alice", &password);
/// assert_eq!(format!("{attempt:?}"), "Attempt { user: \"alice\", .. }");
/// ```
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    user: &'a str,
    password: &'a Secret,
    pub(crate) client: Option<IpAddr>,
    pub(crate) device: Option<&'a str>,
    pub(crate) solution: Option<&'a str>,
}

const CACHED: usize = 1_024;
const MOST_CACHED: usize = 1 << 20;
const KEEP: Duration = Duration::from_secs(300);
const LONGEST_KEEP: Duration = Duration::from_secs(3_600);

impl Passwords {
    /// Vouches in `realm` for the users of `store`, whose passwords `hasher` checks.
    pub fn new(realm: impl Into<String>, store: impl PasswordStore, hasher: Hasher) -> Self {
        let (realm, store) = (Arc::from(realm.into()), Arc::new(store));
        Self { realm, store, hasher, roles: None, cache: None, problem: None }.cache(CACHED, KEEP)
    }

    /// Lets records grant these roles and no others: what else a record names grants nothing. The
    /// gate holds the list against its policies; without one, a record grants all it names, and
    /// nothing finds a misspelt one.
    pub fn roles(mut self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.roles = Some(roles.into_iter().map(Into::into).collect());
        self
    }

    /// Remembers `users` right passwords (at most 1,048,576, about 100 bytes each), each for
    /// `keep`, at most an hour.
    pub fn cache(mut self, users: usize, keep: Duration) -> Self {
        (self.cache, self.problem) = match Cache::new(users, keep).map(Arc::new) {
            _ if !(1..=MOST_CACHED).contains(&users) => {
                (None, Some("a cache is for 1 to 1,048,576 users"))
            }
            _ if keep > LONGEST_KEEP => (None, Some("a cache keeps passwords for an hour at most")),
            Some(cache) => (Some(cache), None),
            None => (None, Some("the system has no random bytes for a cache's key")),
        };
        self
    }

    /// Hashes every password that is presented, however often.
    pub fn without_cache(mut self) -> Self {
        (self.cache, self.problem) = (None, None);
        self
    }

    /// Who the attempt's user is, if the password is theirs: for handlers of login forms.
    ///
    /// # Errors
    /// *Invalid* for a wrong password and an unknown user alike, *malformed* or *password too long*
    /// for what nobody could have, *unavailable* when the store or the hasher is.
    pub fn verify_password(
        &self,
        attempt: &Attempt<'_>,
        now: Now,
    ) -> impl Future<Output = Result<Principal, AuthnError>> + Send + use<> {
        let claimed = attempt.said().map(|said| self.look_up(said));
        async move { claimed?.await?.check(Some(now.wall), now).await }
    }

    /// Asks the store about the user. The password is not looked at.
    pub(crate) fn look_up(
        &self,
        said: Said,
    ) -> impl Future<Output = Result<Claimed, AuthnError>> + Send + use<> {
        let passwords = self.clone();
        async move {
            let found = passwords.store.find(&said.user).await;
            let found = found.map_err(|_| unavailable("the password store cannot be reached"))?;
            Ok(Claimed { passwords, said, found })
        }
    }

    /// For a user whose password was right.
    fn vouch(
        &self,
        user: &PasswordRecord,
        auth_time: Option<UnixTime>,
    ) -> Result<Principal, AuthnError> {
        let listed = |role: &&str| {
            self.roles.as_ref().is_none_or(|listed| listed.iter().any(|one| one == role))
        };
        // RFC 8176 section 2: `pwd`.
        let mut assertion = Principal::assertion(&self.realm, user.subject())
            .roles(user.granted().filter(listed))
            .amr(["pwd"]);
        if let Some(at) = auth_time {
            assertion = assertion.auth_time(at);
        }
        assertion.finish().map_err(|_| unavailable("the record's subject can name nobody"))
    }
}

/// What a caller says, and what the store has under that name. Nothing has been compared yet.
pub(crate) struct Claimed {
    passwords: Passwords,
    said: Said,
    found: Option<PasswordRecord>,
}

impl Claimed {
    /// Compares them. When it is awaited first, the hasher takes the password before anything is
    /// waited for. `auth_time` is when the user was there in person, where that is known.
    pub(crate) async fn check(
        self,
        auth_time: Option<UnixTime>,
        now: Now,
    ) -> Result<Principal, AuthnError> {
        let Self { passwords, said: Said { user, password }, found } = self;
        let (user, password) = (user.as_str(), &password);
        // A store that takes several spellings for one finds another user than the one asked for.
        let other = found.as_ref().is_some_and(|record| !is_stored_as(user, record.user()));
        let record = found.filter(|_| !other);
        // An unknown user goes the same way, over nothing.
        let stored = record.as_ref().map(PasswordRecord::hash);
        let code = passwords
            .cache
            .as_ref()
            .map(|cache| (cache, cache.code(user, password, stored.unwrap_or_default())));
        let known = code.as_ref().is_some_and(|(cache, code)| cache.holds(code, now.mono));
        if !known {
            let checked = passwords.hasher.verify(password, stored).await.map_err(|error| {
                let wrong = error.kind() == AuthnErrorKind::Invalid;
                let detail = "the store found another name's user";
                if other && wrong { AuthnError::new(error.kind(), detail) } else { error }
            });
            if let Match::Renewed(new) = checked? {
                // A hash that is not stored today is renewed another day.
                let _ = passwords.store.renew(user, stored.unwrap_or_default(), &new).await;
            }
            // Under the old hash: of one that no store renews, not every request costs two.
            if let Some((cache, code)) = code {
                cache.remember(code, now.mono);
            }
        }
        let known = record.ok_or(AuthnError::new(AuthnErrorKind::Invalid, "there is no such user"));
        passwords.vouch(&known?, auth_time)
    }
}

impl<'a> Attempt<'a> {
    /// A user's name and password, as typed.
    #[must_use]
    pub const fn new(user: &'a str, password: &'a Secret) -> Self {
        Self { user, password, client: None, device: None, solution: None }
    }

    /// From this address; what a [guard](crate::gate::GuardedPasswords) counts by. Without one
    /// all who have none are one network to the account, and slow each other down.
    #[must_use]
    pub const fn client(mut self, address: IpAddr) -> Self {
        self.client = Some(address);
        self
    }

    /// With the cookie of a device that logged in before, which the
    /// [guard](crate::gate::GuardedPasswords::device_cookie) made.
    #[must_use]
    pub const fn device(mut self, cookie: &'a str) -> Self {
        self.device = Some(cookie);
        self
    }

    /// With the solution of a challenge that a [guard](crate::gate::GuardedPasswords) asked for.
    #[must_use]
    pub const fn solution(mut self, solution: &'a str) -> Self {
        self.solution = Some(solution);
        self
    }
}

impl Attempt<'_> {
    pub(crate) fn said(&self) -> Result<Said, AuthnError> {
        Said::new(self.user, self.password.expose(), TOO_LONG)
    }
}

impl fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Authenticator for Passwords {
    fn realm(&self) -> &str {
        &self.realm
    }

    /// RFC 7617 section 2.1: clients are told to encode in UTF-8.
    fn challenge(&self) -> Option<Challenge> {
        Some(Challenge::new("Basic", &self.realm).with("charset", "UTF-8"))
    }

    fn roles(&self) -> Vec<String> {
        self.roles.as_deref().unwrap_or_default().to_vec()
    }

    fn problems(&self) -> Vec<String> {
        let realm = (!is_realm(&self.realm))
            .then_some("a realm is a letter and up to 31 of a-z, 0-9 and `-`");
        realm
            .into_iter()
            .chain(self.problem)
            .map(|problem| format!("passwords: {problem}"))
            .collect()
    }

    fn takes_every(&self) -> Option<String> {
        Some("`Basic` credential".to_owned())
    }

    fn authenticate(&self, credential: &Credential<'_>, _: &Facts<'_>, now: Now) -> Step {
        let claimed = match said(credential) {
            None => return Step::NotMine,
            Some(Ok(said)) => self.look_up(said),
            Some(Err(error)) => return Step::Done(Err(error)),
        };
        // A program repeats Basic by itself: nobody need be there in person.
        Step::Wait(Box::pin(async move { claimed.await?.check(None, now).await }))
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("realm", &self.realm)
            .field("store", &self.store)
            .field("hasher", &self.hasher)
            .finish_non_exhaustive()
    }
}

const fn unavailable(detail: &'static str) -> AuthnError {
    AuthnError::new(AuthnErrorKind::Unavailable, detail)
}

#[cfg(test)]
mod tests;
