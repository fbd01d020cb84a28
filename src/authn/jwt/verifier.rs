//! The verifier: every check in one place and one order.

use std::sync::Arc;

use super::{
    cache::{Cache, CacheStats},
    claims::Claims,
    compact::{Buffer, Compact},
    envelope::Envelope,
    header::Types,
    json::Document,
    mapping::Mapping,
    roles::RoleMap,
    rules::{ClaimRules, Times},
    source::Keys,
};
use crate::{
    Facts, Now, Principal, UnixTime,
    authn::{AuthnError, AuthnErrorKind, Challenge, Credential, Verifier},
};

/// Verifies the tokens of one issuer that are meant for this service.
///
/// What it takes and refuses is listed in the [module's documentation](super). It is for access
/// tokens, of RFC 9068 or of an issuer that does not say what its tokens are; where the issuer
/// does, [`access_token`](Self::access_token) asks for it. ID tokens, logout tokens and proofs
/// are refused: [`profile`](super::profile) has the verifiers for them.
///
/// A gate takes one of these. For several issuers give it [`JwtIssuers`](super::JwtIssuers).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use portcullis::{AuthnErrorKind, testing::Issuer, UnixTime};
/// use portcullis::authn::jwt::{JwtVerifier, RoleMap};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let issuer = Issuer::new("https://id.example");
/// let verifier = JwtVerifier::new("staff", "https://id.example", "orders", issuer.keys())
///     .roles(RoleMap::claim("roles").only(["clerk", "manager"]));
///
/// let token = issuer.token("alice").roles(["clerk", "root"]).sign(now);
/// let alice = verifier.verify_token(&token, now)?;
/// assert_eq!(alice.id(), "staff/alice");
/// assert!(alice.roles().eq(["clerk"]));
///
/// let expired = issuer.token("alice").expired().sign(now);
/// let refused = verifier.verify_token(&expired, now).unwrap_err();
/// assert_eq!(refused.kind(), AuthnErrorKind::Expired);
/// # }
/// # Ok::<(), portcullis::AuthnError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a verifier checks nothing until a gate asks it"]
pub struct JwtVerifier {
    pub(super) envelope: Envelope,
    pub(super) rules: ClaimRules,
    pub(super) mapping: Mapping,
    cache: Option<Arc<Cache<Proven>>>,
    /// Whether there is no problem; see [`Verifier::problems`].
    sound: bool,
}

/// What a token has proven for good.
#[derive(Clone)]
pub(super) struct Proven {
    principal: Principal,
    times: Times,
}

impl JwtVerifier {
    /// Vouches in `realm` for whoever `issuer` names in tokens for `audience`, signed by one of
    /// `keys`. `issuer` and `audience` are compared byte by byte with `iss` and `aud`.
    ///
    /// Hand over a [`Snapshot`](crate::Snapshot) and keep a clone of it to replace the keys later,
    /// or [`RemoteKeys`](super::RemoteKeys) that are fetched.
    pub fn new(
        realm: impl Into<String>,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: impl Into<Keys>,
    ) -> Self {
        let types = Types::new(["JWT", "at+jwt"], true);
        let mut rules = ClaimRules::new(issuer.into(), audience.into());
        rules.access_only = true;
        Self::of(realm.into(), Envelope::new(types, keys.into()), rules)
    }

    /// The same machinery under rules of another profile.
    pub(super) fn of(realm: String, envelope: Envelope, rules: ClaimRules) -> Self {
        let mapping = Mapping { realm, ..Mapping::default() };
        Self { envelope, rules, mapping, cache: None, sound: false }.settle()
    }

    /// Grants roles by this map. Without one, a token grants none.
    pub fn roles(mut self, roles: RoleMap) -> Self {
        self.mapping.roles = Some(roles);
        self.settle()
    }

    /// Remembers up to `entries` tokens that were verified, so that the signature of each is checked
    /// once and not with every request; off unless said. At most 2^24 entries, rounded up to eights.
    ///
    /// What the token says of time is asked again with every request, and replacing the keys ends
    /// all entries at once. A token is found by all its bytes, for this verifier alone: clones share
    /// the cache, and whatever is set after a clone was made starts that one with an empty cache.
    /// Tokens that come once, however many, do not drive out those that come often. Tokens are wiped
    /// from memory when they are displaced.
    ///
    /// An entry takes the token's length, what the principal takes, and 200 bytes or less; for every
    /// entry that there is room for, 100 bytes are taken at once.
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// use portcullis::{UnixTime, testing::Issuer};
    ///
    /// let issuer = Issuer::new("https://id.example");
    /// let verifier = issuer.verifier("staff").cache(10_000);
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let token = issuer.token("alice").sign(now);
    /// assert!(verifier.verify_token(&token, now).is_ok());
    /// assert!(verifier.verify_token(&token, now).is_ok());
    ///
    /// let stats = verifier.cache_stats().ok_or("there is a cache")?;
    /// assert_eq!((stats.hits, stats.misses, stats.entries), (1, 1, 1));
    /// // Whatever is cached, a token that is over is refused.
    /// let later = UnixTime::from_secs(1_700_100_000);
    /// assert!(verifier.verify_token(&token, later).is_err());
    /// # }
    /// # Ok::<(), &str>(())
    /// ```
    pub fn cache(mut self, entries: usize) -> Self {
        self.cache = (entries > 0).then(|| Arc::new(Cache::new(entries)));
        self
    }

    /// How the cache fares; nothing where there is none.
    #[must_use]
    pub fn cache_stats(&self) -> Option<CacheStats> {
        self.cache.as_ref().map(|cache| cache.stats())
    }

    /// Who `token` proves.
    ///
    /// # Errors
    /// The first rule the token does not meet, in the order of the [module](super)'s list.
    pub fn verify_token(&self, token: &str, now: UnixTime) -> Result<Principal, AuthnError> {
        let Some(cache) = &self.cache else { return Ok(self.judge(token, now)?.principal) };
        // Before the token is proven: if they are replaced meanwhile, the entry is of no use.
        let keys = self.envelope.keys.load(now)?;
        if let Some(proven) = cache.get(token.as_bytes(), &keys) {
            self.admit(&proven, now)?;
            return Ok(proven.principal);
        }
        let proven = self.judge(token, now)?;
        cache.put(token.as_bytes(), &keys, &proven, proven.times.exp, now);
        Ok(proven.principal)
    }

    fn judge(&self, token: &str, now: UnixTime) -> Result<Proven, AuthnError> {
        if !self.sound {
            let detail = "the verifier is not set up: see its problems";
            return Err(AuthnError::new(AuthnErrorKind::Unavailable, detail));
        }
        let mut buffer = Buffer::default();
        let proven = self.prove(&self.envelope.open(token, &mut buffer)?, now)?;
        self.admit(&proven, now)?;
        Ok(proven)
    }

    /// What follows from the token's bytes and its key, whenever it is presented.
    fn prove(&self, token: &Compact<'_>, now: UnixTime) -> Result<Proven, AuthnError> {
        self.envelope.verify(token, &self.rules.issuer, now)?;
        let mut document = Document::default();
        let claims = Claims::read(token.payload, &mut document)?;
        let times = self.rules.check(&claims)?;
        let principal = self.mapping.principal(&claims, &self.rules.issuer, &times)?;
        Ok(Proven { principal, times })
    }

    /// What may change from one presentation of a token to the next.
    fn admit(&self, proven: &Proven, now: UnixTime) -> Result<(), AuthnError> {
        proven.times.check(now, &self.rules)
    }

    pub(super) fn settle(mut self) -> Self {
        self.sound = self.problems().is_empty();
        // What was proven under other rules is not proven under these.
        let capacity = self.cache.map(|cache| cache.capacity());
        self.cache = capacity.map(|capacity| Arc::new(Cache::new(capacity)));
        self
    }
}

impl Verifier for JwtVerifier {
    fn realm(&self) -> &str {
        &self.mapping.realm
    }

    fn challenge(&self) -> Option<Challenge> {
        Some(Challenge::new("Bearer", self.realm()))
    }

    fn roles(&self) -> Vec<String> {
        let names = self.mapping.roles.as_ref().map(RoleMap::names);
        names.into_iter().flatten().map(str::to_owned).collect()
    }

    fn attributes(&self) -> Vec<String> {
        self.mapping.attributes.clone()
    }

    fn problems(&self) -> Vec<String> {
        self.faults()
    }

    /// Takes every `Bearer` with a dot in it: others are keys or opaque tokens, for other verifiers.
    fn verify(
        &self,
        credential: &Credential<'_>,
        _: &Facts<'_>,
        now: Now,
    ) -> Option<Result<Principal, AuthnError>> {
        let Credential::Bearer(token) = credential else { return None };
        token.contains('.').then(|| self.verify_token(token, now.wall))
    }
}
