//! Ours: one layer and a table of routes. A line that asks for a role alone lets nobody in who is
//! limited by scopes, as the token's caller is, so the route asks the policies for an action, which
//! takes the role and a scope that covers it.

use std::{error::Error, net::SocketAddr};

use axum::{
    Router,
    extract::{ConnectInfo, MatchedPath},
};
use portcullis::{
    Document, Gate, JwtVerifier, KeySet, PolicySet, Quota, RoleMap, Routes, tower::GateLayer,
};

use super::ROLE;
use crate::access_token::{AUDIENCE, Algorithm, ISSUER, Keys};

const POLICY: &str = r#"
    [resources.Order]
    attributes = {}
    actions = ["order:read"]
    [roles]
    editor = { may = ["order:read"] }
    [scopes]
    "orders:read" = ["order:read"]
"#;

pub(super) fn guard(
    router: Router,
    algorithm: Algorithm,
    keys: &Keys,
    entries: usize,
) -> Result<Router, Box<dyn Error>> {
    let keys = KeySet::from_jwks(keys.jwks(algorithm))?;
    let tokens = JwtVerifier::new("staff", ISSUER, AUDIENCE, keys).cache(entries);
    let gate = Gate::builder()
        .authenticate(tokens.roles(RoleMap::claim("roles").only([ROLE])))
        .policies(PolicySet::from_document(Document::from_toml(POLICY)?)?)
        .routes(Routes::new().action("GET", "/api/orders/{id}", "order:read"))
        // One address sends everything, so this must never be used up.
        .limit_clients(Quota::per_second(1_000_000_000))
        .build()?;
    let layer = GateLayer::new(gate)
        .peer(|ext| ext.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()))
        .template(|ext| ext.get::<MatchedPath>().map(MatchedPath::as_str));
    Ok(router.layer(layer))
}
