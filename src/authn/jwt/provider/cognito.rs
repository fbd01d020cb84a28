//! Amazon Cognito.

use crate::{
    JwtVerifier, RoleMap,
    authn::jwt::{Keys, profile::text, rules::AudienceClaim},
};

impl JwtVerifier {
    /// The access tokens of a user pool of Amazon Cognito for the app client `client_id`; more
    /// clients are named with [`also_for`](Self::also_for).
    ///
    /// These tokens have no `aud` ("Understanding the access token" and "Verifying JSON web
    /// tokens" of the Amazon Cognito Developer Guide). In its place `client_id` must be one of the
    /// named clients, and a token that has an `aud` all the same, since it is bound to a resource,
    /// is refused. `token_use` must be `access`, which tells it from ID tokens.
    ///
    /// The issuer is `https://cognito-idp.<region>.amazonaws.com/<pool>`.
    pub fn cognito(
        realm: impl Into<String>,
        region: &str,
        pool: &str,
        client_id: impl Into<String>,
        keys: impl Into<Keys>,
    ) -> Self {
        let issuer = format!("https://cognito-idp.{region}.amazonaws.com/{pool}");
        let access = text("token_use", "access", "`token_use` is not `access`");
        let mut verifier = Self::new(realm, issuer, client_id, keys).demanding([access]);
        verifier.rules.audience_claim = AudienceClaim::ClientId;
        verifier
    }
}

impl RoleMap {
    /// The groups of a user pool of Amazon Cognito: `cognito:groups`.
    pub fn cognito_groups() -> Self {
        Self::path(["cognito:groups"])
    }
}
