//! ID tokens: what an issuer tells a client about who has logged in.

mod expected;
mod token;

use std::time::Duration;

pub use self::{expected::Expected, token::IdToken};
use super::{Profile, absent, present, text};
use crate::{
    Algorithm, UnixTime,
    authn::{
        AuthnError, AuthnErrorKind,
        jwt::{
            Keys, claims::Claims, envelope::Envelope, header::Types, invalid, json::Value,
            rules::ClaimRules,
        },
    },
};

/// Verifies the ID tokens that an issuer hands to a client (OpenID Connect Core 1.0 section
/// 3.1.3.7), for an application that logs its users in with that issuer.
///
/// An ID token proves to the client who has logged in. It is no credential for a service, and this
/// is no [`Verifier`](crate::Verifier): a gate cannot be given one. Whoever logs users in by it
/// opens a [session](crate::authn::session) for them.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use portcullis::{Algorithm, UnixTime, testing::Issuer};
/// use portcullis::authn::jwt::profile::{Expected, IdTokens};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let issuer = Issuer::new("https://id.example").with_audience("shop");
/// let id_tokens = IdTokens::new("https://id.example", "shop", Algorithm::Es256, issuer.keys());
///
/// let token = issuer.token("alice").header("typ", "JWT").claim("nonce", "n-0S6_WzA2Mj").sign(now);
/// let alice = id_tokens.verify(&token, &Expected::nonce("n-0S6_WzA2Mj"), now)?;
/// assert_eq!(alice.subject(), "alice");
///
/// let replayed = id_tokens.verify(&token, &Expected::nonce("another"), now).unwrap_err();
/// assert_eq!(replayed.detail(), "`nonce` is not that of the request");
/// # }
/// # Ok::<(), portcullis::AuthnError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a verifier checks nothing until it is asked"]
pub struct IdTokens {
    profile: Profile,
    algorithm: Algorithm,
    /// A second spelling of the issuer's name.
    alias: Option<&'static str>,
    /// Clients besides this one that may have asked for the token.
    parties: Vec<String>,
}

impl IdTokens {
    /// Takes the ID tokens of `issuer` for the client `client_id`, signed by one of `keys` with
    /// the `algorithm` that the client is registered with (`id_token_signed_response_alg`, RS256
    /// unless registered otherwise).
    pub fn new(
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        algorithm: Algorithm,
        keys: impl Into<Keys>,
    ) -> Self {
        let mut rules = ClaimRules::new(issuer.into(), client_id.into());
        rules.demands = vec![
            present("iat", "the token has no `iat`"),
            present("sub", "the token has no `sub`"),
            absent("scope", "`scope` is of access tokens"),
            absent("scp", "`scp` is of access tokens"),
            absent("events", "`events` is of security events"),
        ];
        let envelope = Envelope::new(Types::new(["JWT"], true), keys.into());
        let profile = Profile { envelope, rules };
        Self { profile, algorithm, alias: None, parties: Vec::new() }
    }

    /// Takes Google's ID tokens for the client `client_id`: RS256, from an issuer that spells its
    /// name with and without `https://` ("Verify the Google ID token on your server side").
    pub fn google(client_id: impl Into<String>, keys: impl Into<Keys>) -> Self {
        let issuer = "https://accounts.google.com";
        let tokens = Self::new(issuer, client_id, Algorithm::Rs256, keys);
        Self { alias: Some("accounts.google.com"), ..tokens }
    }

    /// Refuses Google accounts outside this Workspace or Cloud organization, by the claim `hd`.
    /// The domain of an `email` says nothing about that.
    pub fn hosted_domain(mut self, domain: &str) -> Self {
        let otherwise = "`hd` is not the organization's domain";
        self.profile.rules.demands.push(text("hd", domain, otherwise));
        self
    }

    /// Trusts this other audience: a token may name it in `aud` besides the client, and in `azp`
    /// as who has asked for the token. One that names any other is refused.
    pub fn also_trusted(mut self, client_id: impl Into<String>) -> Self {
        self.parties.push(client_id.into());
        self
    }

    /// How far the issuer's clock may be off: 0 unless said otherwise, at most 300 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.profile.rules.leeway = leeway;
        self
    }

    /// The longest token that is looked at, in bytes: 8 KiB unless said otherwise.
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.profile.envelope.max_bytes = max_bytes;
        self
    }

    /// What is wrong with the set-up. While anything is, every token is refused as
    /// [`Unavailable`](AuthnErrorKind::Unavailable).
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.profile.problems()
    }

    /// Whom `token` names, if it is the answer to the request that `expected` speaks of.
    ///
    /// # Errors
    /// The first rule the token does not meet.
    pub fn verify(
        &self,
        token: &str,
        expected: &Expected<'_>,
        now: UnixTime,
    ) -> Result<IdToken, AuthnError> {
        let rules = &self.profile.rules;
        self.profile.read(token, now, |claims, algorithm| {
            if algorithm != self.algorithm {
                return Err(invalid("the token's `alg` is not the registered one"));
            }
            let aliased =
                claims.iss.and_then(Value::text).is_some_and(|iss| Some(iss) == self.alias);
            let times = if aliased { rules.check_meant(claims)? } else { rules.check(claims)? };
            self.check_parties(claims)?;
            times.check(now, rules)?;
            expected.check(claims, algorithm)?;
            expected.check_age(&times, now, rules.leeway)?;
            IdToken::of(claims, &times, &rules.issuer)
        })
    }

    /// OIDC Core section 3.1.3.7, points 3 to 5: everybody whom the token names is trusted, and
    /// where it is for several, it says who asked.
    fn check_parties(&self, claims: &Claims<'_>) -> Result<(), AuthnError> {
        let refuse = |detail| Err(AuthnError::new(AuthnErrorKind::WrongAudience, detail));
        let trusted = |name: &str| {
            self.profile.rules.audiences.iter().chain(&self.parties).any(|ours| ours == name)
        };
        let mut others = claims.aud.and_then(Value::texts).into_iter().flatten();
        if !others.clone().all(trusted) {
            return refuse("`aud` names somebody who is not trusted");
        }
        match claims.azp.map(Value::text) {
            None if others.nth(1).is_some() => refuse("`aud` names several, and `azp` nobody"),
            Some(None) => refuse("`azp` is not a string"),
            Some(Some(party)) if !trusted(party) => refuse("`azp` is not trusted"),
            None | Some(Some(_)) => Ok(()),
        }
    }
}
