//! Tokens for tests, one word per property.

use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::issuer::{self, Signer};
use crate::{UnixTime, authn::jwt::Algorithm};

/// A token to be signed; made by [`Issuer::token`](super::Issuer::token).
///
/// ```
/// use portcullis::{UnixTime, testing::Issuer};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let issuer = Issuer::new("https://id.example");
/// let token = issuer.token("robot").scope("orders.read").claim("department", "it").sign(now);
///
/// let verifier = issuer.verifier("services").attributes(["department"]);
/// assert!(verifier.verify_token(&token, now)?.scopes().unwrap().eq(["orders.read"]));
///
/// let other = issuer.token("robot").for_audience("shipping").sign(now);
/// assert!(verifier.verify_token(&other, now).is_err());
/// # Ok::<(), portcullis::AuthnError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a token is made when it is signed"]
pub struct TokenBuilder {
    algorithm: Algorithm,
    signer: Signer,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    without: Vec<String>,
    lifetime: Duration,
    expired: bool,
}

impl TokenBuilder {
    pub(super) fn new(algorithm: Algorithm, issuer: &str, audience: &str, subject: &str) -> Self {
        Self {
            algorithm,
            signer: Signer::Issuer,
            header: Map::new(),
            claims: Map::new(),
            without: Vec::new(),
            lifetime: Duration::from_secs(300),
            expired: false,
        }
        .header("alg", algorithm.name())
        .header("typ", "at+jwt")
        .header("kid", issuer::kid(algorithm))
        .claim("iss", issuer)
        .claim("aud", audience)
        .claim("sub", subject)
    }

    /// With the roles in the claim `roles`.
    pub fn roles<'a>(self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        self.claim("roles", roles.into_iter().collect::<Vec<_>>())
    }

    /// Limited to these scopes, with spaces between them.
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// For another audience.
    pub fn for_audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// From another issuer, with this issuer's signature all the same.
    pub fn issued_by(self, issuer: &str) -> Self {
        self.claim("iss", issuer)
    }

    /// Good from then on.
    pub fn not_before(self, at: UnixTime) -> Self {
        self.claim("nbf", at.as_secs())
    }

    /// Good for so long; five minutes unless said.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Expired in the second in which it is presented.
    pub fn expired(mut self) -> Self {
        self.expired = true;
        self
    }

    /// Signed with a key that is not the issuer's, though it bears the name of the issuer's.
    pub fn signed_by_stranger(mut self) -> Self {
        self.signer = Signer::Stranger;
        self
    }

    /// With this claim instead of what it would have been.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Without a claim that it would have had.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.without.push(name.to_owned());
        self
    }

    /// With this header member instead of what it would have been.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Without a header member that it would have had.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// The token, issued at `now`.
    #[must_use]
    pub fn sign(self, now: UnixTime) -> String {
        let lived = if self.expired { self.lifetime } else { Duration::ZERO };
        let issued = now.saturating_sub(lived);
        let mut claims = self.claims;
        let mut default = |name: &str, value: Value| {
            claims.entry(name).or_insert(value);
        };
        default("iat", issued.as_secs().into());
        default("exp", issued.saturating_add(self.lifetime).as_secs().into());
        default("jti", format!("test-{}", issued.as_millis()).into());
        for name in &self.without {
            claims.remove(name);
        }
        let encode = |part: Map<String, Value>| {
            URL_SAFE_NO_PAD.encode_to_string(Value::Object(part).to_string())
        };
        let message = format!("{}.{}", encode(self.header), encode(claims));
        let signature = issuer::sign(self.signer, self.algorithm, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode_to_string(signature))
    }
}
