//! The verifier: its set-up, what it takes, and the store it asks.

use std::sync::Arc;

use super::{KeyId, KeyStore, check::Attempt, record::Kept, text, unavailable};
use crate::{
    Authenticator, Challenge, Credential, Facts, Now, Source, Step, UnixTime, crypto::SecretHash,
    is_realm,
};

/// Takes the API keys of one service. Clones share the store.
///
/// What it takes and refuses is listed in the [module's documentation](super).
///
/// ```
/// use portcullis::{ApiKeys, Authenticator, Credential, Facts, KeyGrant, MemoryKeys, Mono, Now,
///     Step, UnixTime};
/// use std::time::Duration;
///
/// let now = Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(0));
/// let table = MemoryKeys::new(1_000);
/// let keys = ApiKeys::new("keys", "orders_live", table.clone());
///
/// let ninety_days = now.wall.saturating_add(Duration::from_secs(90 * 86_400));
/// let new = keys.issue(KeyGrant::until("acme", ninety_days).roles(["clerk"]), now.wall)?;
/// assert!(new.expose().starts_with("orders_live_"));
/// table.insert(new.record().clone())?;
///
/// let ask = || keys.authenticate(&Credential::Bearer(new.expose()), &Facts::default(), now);
/// let Step::Done(Ok(acme)) = ask() else { panic!() };
/// assert_eq!(acme.id(), "keys/acme");
///
/// table.revoke(new.record().id(), now.wall)?;
/// assert!(matches!(ask(), Step::Done(Err(_))));
/// let token = Credential::Bearer("eyJhbGciOiJFUzI1NiJ9.e30.c2ln");
/// assert!(matches!(keys.authenticate(&token, &Facts::default(), now), Step::NotMine));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a verifier checks nothing until a gate asks it"]
pub struct ApiKeys {
    realm: Arc<str>,
    prefix: Arc<str>,
    header: Option<&'static str>,
    /// The roles that its keys may grant; all of them without a list.
    pub(super) roles: Option<Vec<String>>,
    store: Arc<dyn KeyStore>,
    /// Whether there is no problem; see [`Authenticator::problems`].
    sound: bool,
}

impl ApiKeys {
    /// Vouches in `realm` for the owners of the keys in `store`, which all start with `prefix`
    /// and `_`: a name and an environment such as `orders_live`, each a lower-case letter and up
    /// to 15 letters and digits. Keys of another environment are left to other authenticators.
    pub fn new(realm: impl Into<String>, prefix: impl Into<String>, store: impl KeyStore) -> Self {
        let (realm, prefix) = (realm.into().into(), prefix.into().into());
        Self { realm, prefix, header: None, roles: None, store: Arc::new(store), sound: false }
            .settled()
    }

    /// Takes keys from the header `name` too, such as `x-api-key`. A request with a key there and
    /// another credential in `Authorization` is refused as ambiguous.
    pub fn header(mut self, name: &'static str) -> Self {
        self.header = Some(name);
        self.settled()
    }

    /// Lets keys grant these roles and no others: what else a record names grants nothing. The
    /// gate holds the list against its policies; without one, a record grants all it names, and
    /// nothing finds a misspelt one.
    pub fn roles(mut self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.roles = Some(roles.into_iter().map(Into::into).collect());
        self
    }

    /// A regular expression that finds the keys of this service, for scanners of source code and
    /// logs. It uses nothing that engines read differently.
    #[must_use]
    pub fn scanner_pattern(&self) -> String {
        text::pattern(&self.prefix)
    }

    /// The id of the key that `text` is, for a report of a leak; `None` where the checksum shows
    /// that it never was one. No store is asked.
    #[must_use]
    pub fn key_id(&self, text: &str) -> Option<KeyId> {
        text::parse(&self.prefix, text)?.ok().map(|key| key.id)
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn is_sound(&self) -> bool {
        self.sound
    }

    fn settled(mut self) -> Self {
        self.sound = self.problems().is_empty();
        self
    }

    /// The text of a credential that may be a key.
    fn text<'a>(&self, credential: &Credential<'a>) -> Option<&'a str> {
        match credential {
            Credential::Bearer(text) => Some(text),
            Credential::ApiKey(text) => self.header.map(|_| *text),
            Credential::Basic(_)
            | Credential::Certificate(_)
            | Credential::Session(_)
            | Credential::Other { .. } => None,
        }
    }

    /// Writes a use down, if it is one to write down.
    pub(super) fn used(&self, kept: &Kept, now: UnixTime) {
        if kept.last_used.note(now) {
            self.store.used(kept.id, now);
        }
    }
}

impl Authenticator for ApiKeys {
    fn realm(&self) -> &str {
        &self.realm
    }

    fn challenge(&self) -> Option<Challenge> {
        Some(Challenge::new("Bearer", &self.realm))
    }

    fn sources(&self) -> Vec<Source> {
        self.header.map(Source::ApiKeyHeader).into_iter().collect()
    }

    fn roles(&self) -> Vec<String> {
        self.roles.clone().unwrap_or_default()
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut demand = |met: bool, otherwise: &str| {
            if !met {
                problems.push(format!("API keys `{}`: {otherwise}", self.realm));
            }
        };
        demand(is_realm(&self.realm), "a realm is a letter and up to 31 of a-z, 0-9 and `-`");
        demand(
            text::is_prefix(&self.prefix),
            "a prefix is a name and an environment, such as `orders_live`",
        );
        demand(
            self.header.is_none_or(is_own_header),
            "keys need a header of their own, such as `x-api-key`",
        );
        problems
    }

    fn authenticate(&self, credential: &Credential<'_>, facts: &Facts<'_>, now: Now) -> Step {
        let key = self.text(credential).and_then(|text| text::parse(&self.prefix, text));
        let Some(key) = key else { return Step::NotMine };
        if !self.sound {
            return Step::Done(Err(unavailable("the verifier is not set up: see its problems")));
        }
        let key = match key {
            Ok(key) => key,
            Err(error) => return Step::Done(Err(error)),
        };
        let attempt = Attempt {
            id: key.id,
            hash: SecretHash::of(key.secret),
            client: facts.client_address(),
            now: now.wall,
        };
        match self.store.look_up(attempt.id).known() {
            Ok(found) => Step::Done(self.conclude(&attempt, found)),
            Err(lookup) => {
                let keys = self.clone();
                Step::Wait(Box::pin(async move { keys.conclude(&attempt, lookup.await) }))
            }
        }
    }
}

/// Whether a header of this name is free to hold keys and nothing else.
fn is_own_header(name: &str) -> bool {
    let taken = ["authorization", "cookie", "proxy-authorization"];
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !taken.iter().any(|taken| name.eq_ignore_ascii_case(taken))
}
