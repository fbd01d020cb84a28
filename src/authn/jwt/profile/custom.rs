//! Tokens of your own kind.

use std::time::Duration;

use crate::{
    JwtVerifier,
    authn::jwt::{
        Keys,
        envelope::Envelope,
        header::{Types, is_media},
        rules::{ClaimRules, Demand, Need},
    },
};

/// What is demanded of tokens of your own kind, such as invitations or download links.
///
/// It cannot be made without a type of its own, an issuer, an audience and a longest lifetime; and
/// every token must have `exp` and `sub`, as all do. That type is what keeps such a token from
/// being taken for one of another kind, and others from being taken for it (RFC 8725 section
/// 3.11).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use std::time::Duration;
/// use portcullis::{UnixTime, authn::jwt::profile::CustomTokens, testing::Issuer};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let issuer = Issuer::new("https://id.example");
/// let day = Duration::from_secs(24 * 60 * 60);
/// let invitations = CustomTokens::new("invitation+jwt", "https://id.example", "orders", day)?
///     .require("team")
///     .equal("stage", "live")
///     .verifier("guests", issuer.keys());
///
/// let invitation = issuer.token("eve").header("typ", "invitation+jwt").claim("team", "red");
/// let live = invitation.clone().claim("stage", "live").sign(now);
/// assert_eq!(invitations.verify_token(&live, now)?.id(), "guests/eve");
/// let trial = invitation.claim("stage", "trial").sign(now);
/// assert!(invitations.verify_token(&trial, now).is_err());
///
/// assert!(CustomTokens::new("at+jwt", "https://id.example", "orders", day).is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "rules refuse nothing until a verifier has them"]
pub struct CustomTokens {
    typ: String,
    rules: ClaimRules,
}

/// Why tokens cannot have such a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// It is empty, or holds what no `typ` holds.
    #[error("a `typ` is up to 127 ASCII letters, digits and `!#$&-^_.+`, such as `invitation+jwt`")]
    TypeUnfit,
    /// It is that of a kind of token that has rules already.
    #[error("this `typ` is that of another kind of token; choose one of your own")]
    TypeTaken,
}

/// Types that say of a token that it is something else, or nothing at all.
const TAKEN: [&str; 9] = [
    "JWT",
    "JOSE",
    "JOSE+JSON",
    "at+jwt",
    "dpop+jwt",
    "logout+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
    "oauth-authz-req+jwt",
];

impl CustomTokens {
    /// Tokens whose `typ` is `typ`, from `issuer`, for `audience`, with at most `max_lifetime`
    /// from `iat`, which they must have, to `exp`.
    ///
    /// # Errors
    /// When `typ` is none (RFC 6838 section 4.2), or that of another kind of token.
    pub fn new(
        typ: impl Into<String>,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        max_lifetime: Duration,
    ) -> Result<Self, ProfileError> {
        let typ = typ.into();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        if typ.is_empty() || typ.len() > 127 || !typ.bytes().all(fits) {
            return Err(ProfileError::TypeUnfit);
        }
        if TAKEN.iter().any(|taken| is_media(&typ, taken)) {
            return Err(ProfileError::TypeTaken);
        }
        let mut rules = ClaimRules::new(issuer.into(), audience.into());
        rules.max_lifetime = Some(max_lifetime);
        Ok(Self { typ, rules })
    }

    /// Refuses tokens without this top-level claim, or with `null` for it.
    pub fn require(self, claim: impl Into<String>) -> Self {
        self.demand(claim.into(), Need::Present, "a claim that is required is not there")
    }

    /// Refuses tokens with this top-level claim, whatever its value.
    pub fn forbid(self, claim: impl Into<String>) -> Self {
        self.demand(claim.into(), Need::Absent, "a claim is there that is forbidden")
    }

    /// Refuses tokens in which this top-level claim is not the text `is`.
    pub fn equal(self, claim: impl Into<String>, is: impl Into<String>) -> Self {
        self.demand(claim.into(), Need::Text(is.into()), "a claim is not what it has to be")
    }

    /// The verifier of these tokens, for a gate; it vouches in `realm`.
    pub fn verifier(self, realm: impl Into<String>, keys: impl Into<Keys>) -> JwtVerifier {
        let types = Types { named: vec![self.typ], untyped: false };
        JwtVerifier::of(realm.into(), Envelope::new(types, keys.into()), self.rules)
    }

    fn demand(mut self, claim: String, need: Need, otherwise: &'static str) -> Self {
        self.rules.demands.push(Demand { claim: claim.into(), need, otherwise });
        self
    }
}
