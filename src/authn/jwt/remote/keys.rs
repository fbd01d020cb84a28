//! The handle that verifiers read, and that whoever fetches works for.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};

use super::{
    FetchError, FetchOutcome, FetchRequest, RemoteSet, RemoteSetError,
    machine::{Machine, Missed, since},
    request::secrets,
};
use crate::{
    KeySet, Now, Snapshot, UnixTime,
    authn::{AuthnError, AuthnErrorKind, jwt::SkippedKey},
    crypto::random,
};

/// A key set that is fetched, and fetched again as its issuer changes it. Clones share it.
///
/// It fetches nothing itself. [`fetch::Refresher`](crate::fetch::Refresher) (feature `fetch`)
/// keeps it fresh on a thread of its own; with a client of one's own, make the fetch that
/// [`need_fetch`](Self::need_fetch) asks for, hand the outcome to [`apply`](Self::apply), and
/// [`sleep`](Self::sleep) in between.
///
/// Verifiers never wait for it. Until the first set is there, and once the last one is older than
/// [`RemoteSet::max_stale`], tokens of this issuer are refused as
/// [`Unavailable`](AuthnErrorKind::Unavailable), which is 503 with `Retry-After`. So is a token
/// with a `kid` that the set lacks and that no fetch has looked for yet: its issuer may have
/// rotated, and a 401 would make a browser throw a good token away. Once a fetch has looked in
/// vain, it is 401. Only a token whose `iss` is this issuer's brings a fetch forward. One without
/// `kid` never does, and is 401: it names no key that could be missing, so a forged one could not
/// be told from one of a new key. For an issuer that writes no `kid`, choose
/// [`RemoteSet::every`] as short as its rotation may take.
///
/// ```
/// use portcullis::authn::jwt::{FetchOutcome, RemoteKeys, RemoteSet};
/// use portcullis::{JwtVerifier, Mono, Now, UnixTime};
///
/// let now = Now::new(UnixTime::from_secs(1_700_000_000), Mono::from_nanos(0));
/// let keys = RemoteKeys::new(RemoteSet::at("https://id.example/jwks.json"))?;
/// let verifier = JwtVerifier::new("staff", "https://id.example", "orders", keys.clone());
///
/// let request = keys.need_fetch(now).expect("there is no set yet");
/// assert_eq!(request.url(), "https://id.example/jwks.json");
/// assert!(keys.need_fetch(now).is_none(), "one fetch at a time");
///
/// let body = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "a",
///     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#.to_vec();
/// keys.apply(now, &request, FetchOutcome::Document { body, etag: None, max_age: None });
/// assert_eq!(keys.health(now).keys, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RemoteKeys(Arc<Shared>);

struct Shared {
    published: Snapshot<Published>,
    machine: Mutex<Machine>,
    /// A set has come, or a `kid` that is to be looked for.
    changed: Condvar,
    retry_after: Duration,
}

/// What verifiers read.
#[derive(Default)]
struct Published {
    /// The keys, and the moment from which they count no more.
    keys: Option<(Arc<KeySet>, UnixTime)>,
}

/// How a remote set is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeysHealth {
    /// How many keys there are to verify with; 0 also when they have become too old.
    pub keys: usize,
    /// How many keys of the set are not used: [`RemoteKeys::skipped`] says why.
    pub skipped: usize,
    /// How many of these are shared secrets: whoever can fetch the set has them now. Somebody is to
    /// be told.
    pub secrets: usize,
    /// How long ago the server was asked that answered with them; `None` before the first set.
    pub age: Option<Duration>,
    /// How many fetches in a row have failed.
    pub failures: u32,
    /// Why the last one did.
    pub error: Option<FetchError>,
}

/// No key set came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key set in time: {}", .0.map_or("nobody has answered", |_| "the last fetch failed"))]
pub struct NotReady(pub Option<FetchError>);

impl RemoteKeys {
    /// Keys of this set; there are none yet.
    ///
    /// # Errors
    /// When the address is not permitted, or the times contradict each other.
    pub fn new(set: RemoteSet) -> Result<Self, RemoteSetError> {
        let seed = random::<8>().map(u64::from_ne_bytes).ok_or(RemoteSetError::Random)?;
        let retry_after = set.retry;
        Ok(Self(Arc::new(Shared {
            published: Snapshot::new(Published::default()),
            machine: Mutex::new(Machine::new(set, seed)?),
            changed: Condvar::new(),
            retry_after,
        })))
    }

    /// The fetch to make now: `None` while one is under way, and while none is due.
    #[must_use]
    pub fn need_fetch(&self, now: Now) -> Option<FetchRequest> {
        self.machine().need_fetch(now)
    }

    /// Takes what came of `request`. An answer to a request that was given up is not heard.
    pub fn apply(&self, now: Now, request: &FetchRequest, outcome: FetchOutcome) {
        // Signature keys are prepared here, before verifiers could meet the lock.
        let reading = request.read(outcome);
        let mut machine = self.machine();
        machine.apply(now, request.number, reading);
        // A failure may be the moment at which an old set ends.
        self.0.published.replace(Published { keys: machine.valid(now.mono) });
        drop(machine);
        self.0.changed.notify_all();
    }

    /// Blocks the thread until a fetch may be due, at most `longest`.
    pub fn sleep(&self, now: Now, longest: Duration) {
        let machine = self.machine();
        let wait = machine.wait(now.mono).min(longest);
        // Whatever wakes it, the caller asks again whether a fetch is due.
        drop(self.0.changed.wait_timeout(machine, wait));
    }

    /// Blocks the thread until there is a set, at most for `within`: for `main`, before it serves.
    ///
    /// # Errors
    /// When none came; a service may go on all the same, and its tokens are refused with 503.
    pub fn ready(&self, within: Duration) -> Result<(), NotReady> {
        let machine = self.machine();
        let waiting = |machine: &mut Machine| machine.held().is_none();
        let waited = self.0.changed.wait_timeout_while(machine, within, waiting);
        let (machine, _) = waited.unwrap_or_else(PoisonError::into_inner);
        machine.held().map(drop).ok_or(NotReady(machine.error))
    }

    /// How old the set is, and what became of the last fetches.
    #[must_use]
    pub fn health(&self, now: Now) -> KeysHealth {
        let keys = self.keys(now.wall).map_or(0, |keys| keys.keys().len());
        let machine = self.machine();
        let age = machine.held().map(|held| since(now.mono, held.asked.mono));
        let skipped = machine.held().map_or(&[][..], |held| held.keys.skipped());
        let (skipped, secrets) = (skipped.len(), secrets(skipped));
        let (failures, error) = (machine.failures, machine.error);
        KeysHealth { keys, skipped, secrets, age, failures, error }
    }

    /// The keys of the last set that are not used. Worth a line in the log when
    /// [`KeysHealth::skipped`] changes.
    #[must_use]
    pub fn skipped(&self) -> Vec<SkippedKey> {
        self.machine().held().map_or_else(Vec::new, |held| held.keys.skipped().to_vec())
    }

    /// The keys to verify with at `now`.
    pub(in crate::authn::jwt) fn keys(&self, now: UnixTime) -> Result<Arc<KeySet>, AuthnError> {
        let refused = |detail| {
            let error = AuthnError::new(AuthnErrorKind::Unavailable, detail);
            error.with_retry_after(self.0.retry_after)
        };
        match &self.0.published.peek().keys {
            Some((keys, until)) if now < *until => Ok(Arc::clone(keys)),
            Some(_) => Err(refused("the issuer's keys are too old, and it does not answer")),
            None => Err(refused("the issuer's keys have not come yet")),
        }
    }

    /// Shows the keys to verify with at `now` to `look`, if there are any.
    pub(in crate::authn::jwt) fn show<R>(
        &self,
        now: UnixTime,
        look: impl FnOnce(&Arc<KeySet>) -> R,
    ) -> Option<R> {
        let published = self.0.published.peek();
        let (keys, until) = published.keys.as_ref()?;
        (now < *until).then(|| look(keys))
    }

    /// What to say of a token of this issuer whose `kid` the set lacks, instead of `otherwise`.
    /// Never waits.
    pub(in crate::authn::jwt) fn missed(
        &self,
        kid: &str,
        now: UnixTime,
        otherwise: AuthnError,
    ) -> AuthnError {
        let missed = match self.0.machine.try_lock() {
            Ok(mut machine) => machine.miss(kid, now),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().miss(kid, now),
            Err(TryLockError::WouldBlock) => Missed::Pending(Duration::ZERO),
        };
        let Missed::Pending(wait) = missed else { return otherwise };
        self.0.changed.notify_all();
        AuthnError::new(AuthnErrorKind::Unavailable, "the token's `kid` is looked for")
            .with_retry_after(wait)
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        // A machine that panicked has a flight at worst, which counts as lost in time.
        self.0.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteKeys(..)")
    }
}
