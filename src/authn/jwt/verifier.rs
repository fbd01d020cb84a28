//! The verifier: every check in one place and one order.

use std::sync::Arc;

use super::{
    EVERY_TOKEN,
    cache::Cache,
    claims::Claims,
    compact::{Buffer, Compact},
    envelope::Envelope,
    header::Types,
    json::Document,
    mapping::Mapping,
    revocable::Handles,
    roles::RoleMap,
    rules::{ClaimRules, Times},
    source::Keys,
};
use crate::{
    Facts, Now, Principal, UnixTime,
    authn::{AuthnError, AuthnErrorKind, Challenge, Credential, Verifier, revocation::Revocations},
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
    pub(super) revocations: Option<Arc<dyn Revocations>>,
    pub(super) cache: Option<Arc<Cache<Proven>>>,
    /// Whether there is no problem; see [`Verifier::problems`].
    sound: bool,
}

/// What a token has proven for good.
pub(in crate::authn) struct Proven {
    pub(super) principal: Principal,
    pub(super) times: Times,
    pub(super) handles: Handles,
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
        Self { envelope, rules, mapping, revocations: None, cache: None, sound: false }.settle()
    }

    /// Grants roles by this map. Without one, a token grants none.
    pub fn roles(mut self, roles: RoleMap) -> Self {
        self.mapping.roles = Some(roles);
        self.settle()
    }

    /// Who `token` proves.
    ///
    /// # Errors
    /// The first rule the token does not meet, in the order of the [module](super)'s list.
    pub fn verify_token(&self, token: &str, now: UnixTime) -> Result<Principal, AuthnError> {
        self.recall(token, now).unwrap_or_else(|| self.verify_anew(token, now))
    }

    /// Who `token` proves, whatever was verified before.
    pub(super) fn judge(&self, token: &str, now: UnixTime) -> Result<Proven, AuthnError> {
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
        Ok(Proven { principal, times, handles: self.handles(&claims)? })
    }

    /// What may change from one presentation of a token to the next.
    pub(super) fn admit(&self, proven: &Proven, now: UnixTime) -> Result<(), AuthnError> {
        proven.times.check(now, &self.rules)?;
        self.unrevoked(proven, now)
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

    fn takes_every(&self) -> Option<String> {
        Some(EVERY_TOKEN.to_owned())
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
