//! Okta.

use crate::{
    JwtVerifier, RoleMap,
    authn::jwt::{Keys, profile::present},
};

impl JwtVerifier {
    /// The access tokens of a custom authorization server of Okta; `issuer` is
    /// `https://<domain>/oauth2/<server>`. Those of the org authorization server are for Okta
    /// itself, and nobody else is to verify them (Okta, "Validate access tokens").
    ///
    /// The client is `cid`, which access tokens have and ID tokens have not; scopes are the array
    /// `scp`. `sub` is the user's login, which may change hands: where Okta's own id of the user
    /// is wanted, say [`okta_user_id`](Self::okta_user_id).
    pub fn okta(
        realm: impl Into<String>,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: impl Into<Keys>,
    ) -> Self {
        let client = present("cid", "the token has no `cid`");
        Self::new(realm, issuer, audience, keys).demanding([client]).client_in("cid")
    }

    /// Names callers by `uid` instead of by `sub`. The token of a program that acts for itself has
    /// none, and is refused then.
    pub fn okta_user_id(self) -> Self {
        self.subject_in("uid")
    }
}

impl RoleMap {
    /// The groups claim of an Okta authorization server, by its usual name: `groups`.
    pub fn okta_groups() -> Self {
        Self::path(["groups"])
    }
}
