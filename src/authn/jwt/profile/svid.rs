//! JWT-SVIDs: tokens that name a workload.

use std::{sync::Arc, time::Duration};

use super::{
    absent, optional,
    spiffe_id::{is_trust_domain, is_workload_of, names},
};
use crate::{
    Algorithm, Facts, Kind, Now, Principal, UnixTime,
    authn::{
        AuthnError, AuthnErrorKind, Challenge, Credential, Verifier,
        jwt::{
            EVERY_TOKEN, Keys,
            claims::Claims,
            compact::{Buffer, Compact},
            envelope::Envelope,
            header::Types,
            invalid,
            json::{Document, Value},
            malformed,
            rules::{ClaimRules, Times},
            unverified::Unverified,
        },
        revocation::{Presented, Revocations},
    },
    is_realm,
};

/// Verifies the JWT-SVIDs of one trust domain (SPIFFE JWT-SVID): tokens of workloads, which name
/// themselves by a SPIFFE ID in `sub`. The trust domain takes the place of the issuer. Its keys
/// are those of a [`SpiffeBundle`](super::SpiffeBundle).
///
/// The principal is a [`Kind::Service`], and its subject the whole SPIFFE ID. Tokens that name no
/// workload of the trust domain are not its kind of credential. So a gate can have one of these
/// for each trust domain, and behind them a [`JwtVerifier`](crate::JwtVerifier), which takes every
/// token; in front of them it would leave nothing, and the gate is not built.
///
/// A header has `alg`, `kid` and `typ`, and nothing else (JWT-SVID section 2).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use portcullis::{UnixTime, authn::jwt::profile::JwtSvids, testing::Issuer};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let authority = Issuer::new("https://spire.example");
/// let workloads = JwtSvids::new("workloads", "prod.example", "orders", authority.keys());
///
/// let svid = |id| authority.token(id).header("typ", "JWT").sign(now);
/// let billing = workloads.verify_token(&svid("spiffe://prod.example/billing"), now)?;
/// assert_eq!(billing.id(), "workloads/spiffe://prod.example/billing");
///
/// let refused = workloads.verify_token(&svid("spiffe://test.example/billing"), now).unwrap_err();
/// assert_eq!(refused.detail(), "`sub` is no workload of the trust domain");
/// # }
/// # Ok::<(), portcullis::AuthnError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a verifier checks nothing until a gate asks it"]
pub struct JwtSvids {
    realm: String,
    trust_domain: String,
    envelope: Envelope,
    rules: ClaimRules,
    revocations: Option<Arc<dyn Revocations>>,
}

const STRANGER: &str = "`sub` is no workload of the trust domain";

impl JwtSvids {
    /// Vouches in `realm` for the workloads of `trust_domain`, such as `prod.example`, in tokens
    /// for `audience`, signed by one of `keys`.
    pub fn new(
        realm: impl Into<String>,
        trust_domain: impl Into<String>,
        audience: impl Into<String>,
        keys: impl Into<Keys>,
    ) -> Self {
        let trust_domain = trust_domain.into();
        let mut rules = ClaimRules::new(trust_domain.clone(), audience.into());
        rules.demands = vec![
            absent("nonce", "`nonce` is of ID tokens"),
            absent("events", "`events` is of security events"),
        ];
        let envelope = Envelope::new(Types::new(["JWT", "JOSE"], true), keys.into());
        Self { realm: realm.into(), trust_domain, envelope, rules, revocations: None }
    }

    /// How far the authority's clock may be off: 0 unless said otherwise, at most 300 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// The longest time from `iat` to `exp`; a token without `iat` is refused then.
    pub fn max_lifetime(mut self, most: Duration) -> Self {
        self.rules.max_lifetime = Some(most);
        self
    }

    /// Asks `list` about every token, as [`JwtVerifier::revocations`] does; the issuer of what it
    /// is asked about is the trust domain. None unless said.
    ///
    /// [`JwtVerifier::revocations`]: crate::JwtVerifier::revocations
    pub fn revocations(mut self, list: Arc<impl Revocations>) -> Self {
        self.revocations = Some(list);
        self
    }

    /// Which workload `token` proves.
    ///
    /// # Errors
    /// The first rule the token does not meet.
    pub fn verify_token(&self, token: &str, now: UnixTime) -> Result<Principal, AuthnError> {
        if !Verifier::problems(self).is_empty() {
            let detail = "the verifier is not set up: see its problems";
            return Err(AuthnError::new(AuthnErrorKind::Unavailable, detail));
        }
        let mut buffer = Buffer::default();
        let token = self.envelope.open(token, &mut buffer)?;
        check_header(token.header)?;
        let said = Unverified::read(token.payload);
        if !said.sub.is_some_and(|id| is_workload_of(&self.trust_domain, &id)) {
            return Err(invalid(STRANGER));
        }
        // Whoever it says has issued it: it is for this trust domain that keys may be missing.
        let issuer = said.iss.unwrap_or_default();
        let algorithm = self.envelope.verify(&token, &issuer, now)?;
        // JWT-SVID section 2.1: RS, ES and PS.
        if algorithm.is_symmetric() || algorithm == Algorithm::EdDsa {
            return Err(invalid("`alg` is none of those of JWT-SVIDs"));
        }
        let mut document = Document::default();
        let claims = Claims::read(token.payload, &mut document)?;
        let times = self.rules.check_meant(&claims)?;
        times.check(now, &self.rules)?;
        self.workload(&claims, &times, now)
    }

    fn workload(
        &self,
        claims: &Claims<'_>,
        times: &Times,
        now: UnixTime,
    ) -> Result<Principal, AuthnError> {
        let id = claims.sub.and_then(Value::text).unwrap_or_default();
        if !is_workload_of(&self.trust_domain, id) {
            return Err(invalid(STRANGER));
        }
        let token = optional(claims.jti, "`jti` is not a string")?;
        if let Some(list) = &self.revocations {
            let mut presented = Presented::new(&self.trust_domain);
            (presented.token, presented.subject) = (token.as_deref(), Some(id));
            presented.issued_at = times.iat;
            list.check(&presented, now)?;
        }
        let mut workload =
            Principal::assertion(&self.realm, id).kind(Kind::Service).expires_at(times.exp);
        if let Some(token) = &token {
            workload = workload.credential_id(token);
        }
        workload.issuer(&self.trust_domain).finish().map_err(AuthnError::from)
    }

    /// Whether `token` says that it names a workload of the trust domain. Nothing is believed
    /// because of it.
    fn is_svid(&self, token: &str) -> bool {
        let mut buffer = Buffer::default();
        let token = Compact::parse(token, self.envelope.max_bytes, &mut buffer);
        let named = |payload| Unverified::read(payload).sub;
        token.is_ok_and(|token| {
            named(token.payload).is_some_and(|id| names(&self.trust_domain, &id))
        })
    }
}

/// That nothing stands in the header but what JWT-SVID section 2 describes.
fn check_header(text: &[u8]) -> Result<(), AuthnError> {
    let mut document = Document::default();
    let header = document.read(text, 64).map_err(malformed)?;
    let mut members = header.members().ok_or(malformed("the header is not an object"))?;
    let known = members.all(|(name, _)| matches!(name, "alg" | "kid" | "typ"));
    let other = malformed("the header of a JWT-SVID has `alg`, `kid` and `typ`, and nothing else");
    known.then_some(()).ok_or(other)
}

impl Verifier for JwtSvids {
    fn realm(&self) -> &str {
        &self.realm
    }

    fn challenge(&self) -> Option<Challenge> {
        Some(Challenge::new("Bearer", self.realm()))
    }

    fn problems(&self) -> Vec<String> {
        let wrong = [
            (!is_realm(&self.realm), "a realm is a letter and up to 31 of a-z, 0-9 and `-`"),
            (
                !is_trust_domain(&self.trust_domain),
                "a trust domain is 1 to 255 of a-z, 0-9, `.`, `-` and `_`, without `spiffe://`",
            ),
        ];
        let own = wrong.into_iter().filter_map(|(wrong, why)| wrong.then_some(why));
        self.rules.problems().into_iter().chain(own).map(str::to_owned).collect()
    }

    fn takes_every(&self) -> Option<String> {
        Some(format!("JWT-SVID of `{}`", self.trust_domain))
    }

    fn takes_some_of(&self) -> Option<String> {
        Some(EVERY_TOKEN.to_owned())
    }

    /// Takes every `Bearer` that says it is a SPIFFE ID's of the trust domain.
    fn verify(
        &self,
        credential: &Credential<'_>,
        _: &Facts<'_>,
        now: Now,
    ) -> Option<Result<Principal, AuthnError>> {
        let Credential::Bearer(token) = credential else { return None };
        self.is_svid(token).then(|| self.verify_token(token, now.wall))
    }
}
