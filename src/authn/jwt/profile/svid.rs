//! JWT-SVIDs: tokens that name a workload.

use super::{
    Profile, absent,
    spiffe_id::{is_trust_domain, is_workload_of},
};
use crate::{
    Algorithm, Facts, Kind, Now, Principal, UnixTime,
    authn::{
        AuthnError, AuthnErrorKind, Challenge, Credential, Verifier,
        jwt::{
            Keys,
            compact::{Buffer, Compact},
            envelope::Envelope,
            header::Types,
            invalid,
            json::Value,
            rules::ClaimRules,
            unverified::Unverified,
        },
    },
    is_realm,
};

/// Verifies the JWT-SVIDs of one trust domain (SPIFFE JWT-SVID): tokens of workloads, which name
/// themselves by a SPIFFE ID in `sub`. The trust domain takes the place of the issuer.
///
/// The principal is a [`Kind::Service`], and its subject the whole SPIFFE ID. Tokens without a
/// SPIFFE ID are not its kind of credential. Before a [`JwtVerifier`](crate::JwtVerifier), which
/// takes every token, a gate can therefore have one of these.
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
    profile: Profile,
}

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
        Self { realm: realm.into(), trust_domain, profile: Profile { envelope, rules } }
    }

    /// How far the authority's clock may be off: 0 unless said otherwise, at most 300 s.
    pub fn leeway(mut self, leeway: std::time::Duration) -> Self {
        self.profile.rules.leeway = leeway;
        self
    }

    /// The longest time from `iat` to `exp`; a token without `iat` is refused then.
    pub fn max_lifetime(mut self, most: std::time::Duration) -> Self {
        self.profile.rules.max_lifetime = Some(most);
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
        let rules = &self.profile.rules;
        self.profile.read(token, now, |claims, algorithm| {
            // JWT-SVID section 2.1: RS, ES and PS.
            if algorithm.is_symmetric() || algorithm == Algorithm::EdDsa {
                return Err(invalid("`alg` is none of those of JWT-SVIDs"));
            }
            let times = rules.check_meant(claims)?;
            times.check(now, rules)?;
            let id = claims.sub.and_then(Value::text).unwrap_or_default();
            if !is_workload_of(&self.trust_domain, id) {
                return Err(invalid("`sub` is no workload of the trust domain"));
            }
            let mut workload =
                Principal::assertion(&self.realm, id).kind(Kind::Service).expires_at(times.exp);
            if let Some(id) = claims.jti.and_then(Value::text) {
                workload = workload.credential_id(id);
            }
            workload.issuer(&self.trust_domain).finish().map_err(AuthnError::from)
        })
    }

    /// Whether `token` says that it names a workload. Nothing is believed because of it.
    fn is_svid(&self, token: &str) -> bool {
        let mut buffer = Buffer::default();
        let token = Compact::parse(token, self.profile.envelope.max_bytes, &mut buffer);
        let named = |payload| Unverified::read(payload).sub;
        token.is_ok_and(|token| named(token.payload).is_some_and(|id| id.starts_with("spiffe://")))
    }
}

impl Verifier for JwtSvids {
    fn realm(&self) -> &str {
        &self.realm
    }

    fn challenge(&self) -> Option<Challenge> {
        Some(Challenge::new("Bearer", self.realm()))
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = self.profile.problems();
        let mut demand = |met: bool, otherwise: &str| {
            if !met {
                problems.push(otherwise.to_owned());
            }
        };
        demand(is_realm(&self.realm), "a realm is a letter and up to 31 of a-z, 0-9 and `-`");
        let name = "a trust domain is 1 to 255 of a-z, 0-9, `.`, `-` and `_`, without `spiffe://`";
        demand(is_trust_domain(&self.trust_domain), name);
        problems
    }

    /// Takes every `Bearer` that says it is a SPIFFE ID's.
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
