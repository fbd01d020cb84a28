//! jwt-authorizer, tower_governor, and a role check by hand.

use std::error::Error;

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use jsonwebtoken_9::TokenData;
use jwt_authorizer::{AuthError, IntoLayer as _, JwtAuthorizer, Validation};
use tokio::runtime::Builder;
use tower::ServiceBuilder;
use tower_governor::{GovernorLayer, governor::GovernorConfigBuilder};

use super::ROLE;
use crate::access_token::{AUDIENCE, Algorithm, Claims, ISSUER, Keys};

pub(super) fn guard(
    router: Router,
    algorithm: Algorithm,
    keys: &Keys,
) -> Result<Router, Box<dyn Error>> {
    let authorizer: JwtAuthorizer<Claims> = match algorithm {
        Algorithm::Hs256 => JwtAuthorizer::from_secret(str::from_utf8(&keys.public(algorithm))?),
        Algorithm::Rs256 => JwtAuthorizer::from_rsa_pem_text(&keys.pem(algorithm)),
        Algorithm::Es256 | Algorithm::EdDsa => return Err("not measured here".into()),
    };
    let authorizer = authorizer.validation(Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]));
    let authorizer = Builder::new_current_thread().build()?.block_on(authorizer.build())?;
    let tokens = ServiceBuilder::new().layer(authorizer.into_layer()).map_response(Bridged);
    // One address sends everything, so this must never be used up.
    let limit = GovernorConfigBuilder::default().per_nanosecond(1).burst_size(u32::MAX).finish();
    let limit = GovernorLayer::new(limit.ok_or("the quota is none")?);
    Ok(router.layer(from_fn(check_role)).layer(tokens).layer(limit))
}

async fn check_role(request: Request, next: Next) -> Response {
    let token = request.extensions().get::<TokenData<Claims>>();
    if token.is_some_and(|token| token.claims.roles.iter().any(|role| role == ROLE)) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

/// jwt-authorizer answers with axum 0.7's body; this stands in with that of the axum in use.
struct Bridged(Response);

impl From<AuthError> for Bridged {
    fn from(_: AuthError) -> Self {
        Self(StatusCode::UNAUTHORIZED.into_response())
    }
}

impl IntoResponse for Bridged {
    fn into_response(self) -> Response {
        self.0
    }
}
