//! Access tokens that say what they are.

use super::present;
use crate::{
    JwtVerifier,
    authn::jwt::{Keys, envelope::Envelope, header::Types, rules::ClaimRules},
};

impl JwtVerifier {
    /// Like [`new`](Self::new), for an issuer whose access tokens are those of RFC 9068: `typ` is
    /// `at+jwt`, and `client_id`, `iat` and `jti` are there. Prefer it where the issuer can.
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// use portcullis::{JwtVerifier, UnixTime, testing::Issuer};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let issuer = Issuer::new("https://id.example");
    /// let verifier =
    ///     JwtVerifier::access_token("staff", "https://id.example", "orders", issuer.keys());
    ///
    /// let token = issuer.token("alice").claim("client_id", "shop").sign(now);
    /// assert_eq!(verifier.verify_token(&token, now)?.client(), Some("shop"));
    ///
    /// let untold = issuer.token("alice").claim("client_id", "shop").header("typ", "JWT").sign(now);
    /// let refused = verifier.verify_token(&untold, now).unwrap_err();
    /// assert_eq!(refused.detail(), "`typ` is that of another kind of token");
    /// # }
    /// # Ok::<(), portcullis::AuthnError>(())
    /// ```
    pub fn access_token(
        realm: impl Into<String>,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: impl Into<Keys>,
    ) -> Self {
        let mut rules = ClaimRules::new(issuer.into(), audience.into());
        rules.access_only = true;
        // RFC 9068 section 2.2; `sub` is mandatory for every verifier.
        rules.demands = vec![
            present("client_id", "the token has no `client_id`"),
            present("iat", "the token has no `iat`"),
            present("jti", "the token has no `jti`"),
        ];
        let types = Types::new(["at+jwt"], false);
        Self::of(realm.into(), Envelope::new(types, keys.into()), rules)
    }
}
