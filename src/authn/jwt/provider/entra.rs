//! Microsoft Entra ID.

use crate::{
    JwtVerifier, RoleMap,
    authn::jwt::{
        Keys,
        profile::{absent, present, text, text_if_any},
    },
};

impl JwtVerifier {
    /// The access tokens, of version 2.0, of one tenant of Microsoft Entra ID ("Access token
    /// claims reference" of the Microsoft identity platform). `tenant` is its id, a GUID; for
    /// several tenants, give one verifier for each to [`JwtIssuers`](crate::JwtIssuers).
    /// `audience` is the client id of the service.
    ///
    /// The issuer is `https://login.microsoftonline.com/<tenant>/v2.0`; `ver` must be `2.0`, and
    /// `tid`, which clients have to ask for, the tenant where it is there. The client is `azp`, scopes are `scp`; the token of a program
    /// that acts for itself has no `scp`, and roles only. `sub` is another one for each service;
    /// where the directory's own id of the caller is wanted, say
    /// [`entra_object_id`](Self::entra_object_id).
    /// A token that leaves groups out since they are too many (`_claim_names`, `hasgroups`) is
    /// refused: one of them could be one that forbids.
    pub fn entra(
        realm: impl Into<String>,
        tenant: &str,
        audience: impl Into<String>,
        keys: impl Into<Keys>,
    ) -> Self {
        let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        Self::new(realm, issuer, audience, keys).of_tenant(tenant, "2.0")
    }

    /// Like [`entra`](Self::entra), for a service whose registration asks for tokens of version
    /// 1.0: the issuer is `https://sts.windows.net/<tenant>/`, `ver` is `1.0`, the client is
    /// `appid`, and `audience` may be the service's application ID URI.
    pub fn entra_v1(
        realm: impl Into<String>,
        tenant: &str,
        audience: impl Into<String>,
        keys: impl Into<Keys>,
    ) -> Self {
        let issuer = format!("https://sts.windows.net/{tenant}/");
        Self::new(realm, issuer, audience, keys).of_tenant(tenant, "1.0").client_in("appid")
    }

    /// Names callers by `oid`, the same for all services of the tenant, instead of by `sub`.
    pub fn entra_object_id(self) -> Self {
        self.subject_in("oid")
    }

    fn of_tenant(self, tenant: &str, version: &str) -> Self {
        let elsewhere = "the token's groups are elsewhere, since they are too many";
        let demands = [
            text_if_any("tid", tenant, "`tid` is not the tenant"),
            text("ver", version, "`ver` is not the version asked for"),
            present("sub", "the token has no `sub`"),
            absent("_claim_names", elsewhere),
            absent("hasgroups", elsewhere),
        ];
        self.demanding(demands)
    }
}

impl RoleMap {
    /// The app roles of Microsoft Entra ID: `roles`.
    pub fn entra_roles() -> Self {
        Self::path(["roles"])
    }

    /// The groups of Microsoft Entra ID: `groups`, by their object ids, which
    /// [`map`](Self::map) translates.
    pub fn entra_groups() -> Self {
        Self::path(["groups"])
    }
}
