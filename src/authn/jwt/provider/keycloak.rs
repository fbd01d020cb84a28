//! Keycloak.

use crate::{
    JwtVerifier, RoleMap,
    authn::jwt::{Keys, profile::text},
};

impl JwtVerifier {
    /// The access tokens of a Keycloak realm; `issuer` is `https://<host>/realms/<realm>`.
    ///
    /// Keycloak signs ID, refresh and access tokens alike with `typ` `JWT` in the header, or
    /// access tokens with `at+jwt` where a client is set so; the payload's own `typ` tells them
    /// apart and must be `Bearer`. The client is `azp`. A token names a service in `aud` where the
    /// caller has one of the service's client roles (mapper *Audience Resolve*), or a mapper
    /// *Audience* of the client's scopes says so (Server Administration Guide, "Audience support");
    /// without either, all are refused here. The mapper that writes `nonce` into access tokens for
    /// old adapters must be off.
    pub fn keycloak(
        realm: impl Into<String>,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: impl Into<Keys>,
    ) -> Self {
        let bearer = text("typ", "Bearer", "`typ` of the payload is not `Bearer`");
        Self::new(realm, issuer, audience, keys).demanding([bearer])
    }
}

impl RoleMap {
    /// The roles of the Keycloak realm: `realm_access.roles`. [`and`](Self::and) adds those of
    /// clients.
    pub fn keycloak_realm() -> Self {
        Self::path(["realm_access", "roles"])
    }

    /// The roles of one client in Keycloak: `resource_access.<client>.roles`, whatever the
    /// client's id looks like.
    pub fn keycloak_client(client_id: impl Into<String>) -> Self {
        Self::path(["resource_access".to_owned(), client_id.into(), "roles".to_owned()])
    }
}
