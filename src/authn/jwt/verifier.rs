//! The verifier: every check in one place and one order.

use std::time::Duration;

use super::{
    claims::{self, ClaimRules, Claims, Times},
    compact::{Buffer, Compact},
    header::{self, Header},
    json::Document,
    key_set::KeySet,
    mapping::Mapping,
    roles::RoleMap,
};
use crate::{
    Facts, Kind, Now, Principal, Snapshot, UnixTime,
    authn::{AuthnError, AuthnErrorKind, Challenge, Credential, Verifier},
    is_realm,
};

/// A token longer than this is not looked at, unless said otherwise.
const DEFAULT_MAX_BYTES: usize = 8 * 1024;

/// The most that an issuer's clock may be off.
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Verifies the tokens of one issuer that are meant for this service.
///
/// What it takes and refuses is listed in the [module's documentation](super). It is for access
/// tokens: an ID token names the client in `aud`, not the service, and so is refused.
///
/// A gate may have one verifier for each of several issuers. A token that is refused here for its
/// `typ`, key, signature or issuer, and whose `iss` is another issuer, is not this verifier's kind
/// of credential: the gate asks the next one. That `iss` is not verified, and need not be:
/// nothing is accepted because of it. It can only pass the token on to a verifier that checks
/// everything from the start, or to none, and then it is refused as well. Where `iss` cannot be
/// read, and for any other fault, such as being longer than [`max_bytes`](Self::max_bytes), the
/// token is refused here. [`verify_token`](Self::verify_token) always has an answer.
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
    rules: ClaimRules,
    mapping: Mapping,
    pub(super) keys: Snapshot<KeySet>,
    max_bytes: usize,
    /// Whether there is no problem; see [`Verifier::problems`].
    sound: bool,
}

/// What a token has proven for good.
struct Proven {
    principal: Principal,
    times: Times,
}

impl JwtVerifier {
    /// Vouches in `realm` for whoever `issuer` names in tokens for `audience`, signed by one of
    /// `keys`. `issuer` and `audience` are compared byte by byte with `iss` and `aud`.
    ///
    /// Hand over a [`Snapshot`] and keep a clone of it to replace the keys later.
    pub fn new(
        realm: impl Into<String>,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: impl Into<Snapshot<KeySet>>,
    ) -> Self {
        let rules = ClaimRules {
            issuer: issuer.into(),
            audiences: vec![audience.into()],
            leeway: Duration::ZERO,
        };
        let mapping = Mapping {
            realm: realm.into(),
            kind: Kind::default(),
            roles: None,
            attributes: Vec::new(),
        };
        let (keys, max_bytes) = (keys.into(), DEFAULT_MAX_BYTES);
        Self { rules, mapping, keys, max_bytes, sound: false }.settle()
    }

    /// One more name that this service is meant by in `aud`.
    pub fn also_for(mut self, audience: impl Into<String>) -> Self {
        self.rules.audiences.push(audience.into());
        self.settle()
    }

    /// Grants roles by this map. Without one, a token grants none.
    pub fn roles(mut self, roles: RoleMap) -> Self {
        self.mapping.roles = Some(roles);
        self.settle()
    }

    /// Makes these top-level claims the principal's attributes, where the token has them.
    ///
    /// Each is a boolean, a string, an array of strings, or a whole number of 64 bits written
    /// without fraction and exponent. A token with one of them in another form, `null` among
    /// these, is refused as [`Invalid`](AuthnErrorKind::Invalid): left out in silence, it could
    /// switch off a policy that forbids.
    pub fn attributes(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.mapping.attributes = claims.into_iter().map(Into::into).collect();
        self.settle()
    }

    /// What the callers are; [`Kind::User`] unless said otherwise.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.mapping.kind = kind;
        self
    }

    /// How far the issuer's clock may be off: 0 unless said otherwise, at most 300 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self.settle()
    }

    /// The longest token that is looked at, in bytes: 8 KiB unless said otherwise.
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self.settle()
    }

    /// Who `token` proves.
    ///
    /// # Errors
    /// The first rule the token does not meet, in the order of the [module](super)'s list.
    pub fn verify_token(&self, token: &str, now: UnixTime) -> Result<Principal, AuthnError> {
        self.judge(&self.open(token, &mut Buffer::default())?, now)
    }

    fn open<'t>(&self, token: &'t str, buffer: &'t mut Buffer) -> Result<Compact<'t>, AuthnError> {
        if !self.sound {
            let detail = "the verifier is not set up: see its problems";
            return Err(AuthnError::new(AuthnErrorKind::Unavailable, detail));
        }
        Compact::parse(token, self.max_bytes, buffer)
    }

    fn judge(&self, token: &Compact<'_>, now: UnixTime) -> Result<Principal, AuthnError> {
        let proven = self.prove(token)?;
        self.admit(&proven, now)?;
        Ok(proven.principal)
    }

    /// What follows from the token's bytes and its key, whenever it is presented.
    fn prove(&self, token: &Compact<'_>) -> Result<Proven, AuthnError> {
        let keys = self.keys.load();
        let mut document;
        let (key, typ, known) = match keys.known(token.header_sent) {
            Some((key, typ)) => (key, typ, true),
            None => {
                document = Document::default();
                let header = Header::read(token.header, &mut document)?;
                (keys.find(header.kid, header.alg)?, header.typ, false)
            }
        };
        header::check_typ(typ)?;
        key.verify(token.signed, token.signature).map_err(|_| {
            AuthnError::new(AuthnErrorKind::Invalid, "the signature is not the key's")
        })?;
        if !known {
            keys.learn(key, token.header_sent, typ);
        }

        let mut document = Document::default();
        let claims = Claims::read(token.payload, &mut document)?;
        let times = self.rules.check(&claims)?;
        let principal = self.mapping.principal(&claims, &self.rules.issuer, &times)?;
        Ok(Proven { principal, times })
    }

    /// What may change from one presentation of a token to the next.
    fn admit(&self, proven: &Proven, now: UnixTime) -> Result<(), AuthnError> {
        proven.times.check(now, self.rules.leeway)
    }

    fn is_anothers(&self, token: &Compact<'_>, error: AuthnError) -> bool {
        matches!(error.kind(), AuthnErrorKind::Invalid | AuthnErrorKind::WrongIssuer)
            && claims::unverified_issuer(token.payload).is_some_and(|iss| iss != self.rules.issuer)
    }

    fn settle(mut self) -> Self {
        self.sound = self.problems().is_empty();
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
        let Self { rules, mapping, .. } = self;
        let realm = &mapping.realm;
        let mut problems = Vec::new();
        let mut demand = |met: bool, otherwise: &str| {
            if !met {
                problems.push(otherwise.to_owned());
            }
        };
        demand(is_realm(realm), "a realm is a letter and up to 31 of a-z, 0-9 and `-`");
        demand(!rules.issuer.is_empty(), "the issuer is empty");
        demand(!rules.audiences.iter().any(String::is_empty), "an audience is empty");
        demand(rules.leeway <= MAX_LEEWAY, "a leeway of more than 300 s is an open door");
        demand(self.max_bytes > 0, "with `max_bytes` 0 no token is taken");
        demand(!mapping.attributes.iter().any(String::is_empty), "an attribute's name is empty");
        if let Some(problem) = mapping.roles.as_ref().and_then(RoleMap::problem) {
            demand(false, &problem);
        }
        problems
    }

    /// Takes every `Bearer` with a dot in it: others are keys or opaque tokens, for other verifiers.
    /// A token that is refused here and names another issuer is left to the verifiers after this
    /// one; see [`JwtVerifier`].
    fn verify(
        &self,
        credential: &Credential<'_>,
        _: &Facts<'_>,
        now: Now,
    ) -> Option<Result<Principal, AuthnError>> {
        let Credential::Bearer(token) = credential else { return None };
        if !token.contains('.') {
            return None;
        }
        let mut buffer = Buffer::default();
        let token = match self.open(token, &mut buffer) {
            Ok(token) => token,
            Err(error) => return Some(Err(error)),
        };
        let verdict = self.judge(&token, now.wall);
        let anothers = verdict.as_ref().is_err_and(|error| self.is_anothers(&token, *error));
        (!anothers).then_some(verdict)
    }
}
