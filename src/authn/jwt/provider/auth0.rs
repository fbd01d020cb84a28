//! Auth0.

use crate::{JwtVerifier, RoleMap, authn::jwt::Keys};

impl JwtVerifier {
    /// The access tokens of an Auth0 tenant for the API that is registered as `audience`, in the
    /// Auth0 profile or that of RFC 9068 ("Access Token Profiles" of the Auth0 documentation);
    /// with the latter, [`access_token`](Self::access_token) is stricter.
    ///
    /// The issuer is `https://<domain>/`, with the slash; `domain` may be a custom one. The client
    /// is `azp`, or `client_id` in the profile of RFC 9068.
    pub fn auth0(
        realm: impl Into<String>,
        domain: &str,
        audience: impl Into<String>,
        keys: impl Into<Keys>,
    ) -> Self {
        Self::new(realm, format!("https://{domain}/"), audience, keys)
    }
}

impl RoleMap {
    /// The permissions of an Auth0 API with "Add Permissions in the Access Token": `permissions`.
    pub fn auth0_permissions() -> Self {
        Self::path(["permissions"])
    }

    /// A claim that an action of Auth0 adds under a name of your own, such as
    /// `https://orders.example/roles`. Dots in it are part of the name.
    pub fn auth0_namespaced(name: impl Into<String>) -> Self {
        Self::path([name])
    }
}
