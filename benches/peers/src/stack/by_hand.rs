//! The bound: one layer that counts, verifies, and looks for the role.

use std::{
    collections::HashMap,
    convert::Infallible,
    error::Error,
    future::{Ready, ready},
    net::SocketAddr,
    sync::{Arc, RwLock},
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    response::{IntoResponse as _, Response},
};
use foldhash::fast::RandomState;
use futures_util::future::Either;
use http::{StatusCode, header::AUTHORIZATION};
use portcullis::clock;
use tower::{Layer, Service};

use super::ROLE;
use crate::{
    access_token::{Algorithm, Keys, Verifier},
    buckets::Buckets,
};

pub(super) fn guard(
    router: Router,
    algorithm: Algorithm,
    keys: &Keys,
    keep: bool,
) -> Result<Router, Box<dyn Error>> {
    let checks = Checks {
        verifier: Verifier::new(algorithm, keys)?,
        known: keep.then(RwLock::default),
        buckets: Buckets::new(1, u64::MAX / 4, 1 << 16),
    };
    Ok(router.layer(Guard(Arc::new(checks))))
}

struct Checks {
    verifier: Verifier,
    /// Tokens that were found good, and until when they are; never more than are asked about here.
    known: Option<RwLock<HashMap<String, (Subject, u64), RandomState>>>,
    buckets: Buckets,
}

/// Who is calling, for the handler.
#[derive(Clone)]
struct Subject {
    _name: Arc<str>,
}

impl Checks {
    fn admit(&self, request: &Request) -> Result<Subject, StatusCode> {
        let now = clock::now();
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let ConnectInfo(peer) = peer.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        if !self.buckets.check(&peer.ip(), now.mono.as_nanos()) {
            return Err(StatusCode::TOO_MANY_REQUESTS);
        }
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
        let secs = now.wall.as_secs();
        if let Some(subject) = self.recall(token, secs) {
            return Ok(subject);
        }
        let verified = self.verifier.verify(token, secs, |claims| {
            let has_role = claims.roles.iter().any(|role| role == ROLE);
            has_role.then(|| (Subject { _name: Arc::from(&*claims.sub) }, claims.exp))
        });
        let good = verified.ok_or(StatusCode::UNAUTHORIZED)?.ok_or(StatusCode::FORBIDDEN)?;
        if let Some(Ok(mut known)) = self.known.as_ref().map(RwLock::write) {
            known.insert(token.to_owned(), good.clone());
        }
        Ok(good.0)
    }

    fn recall(&self, token: &str, secs: u64) -> Option<Subject> {
        let known = self.known.as_ref()?.read().ok()?;
        known.get(token).filter(|(_, exp)| *exp > secs).map(|(subject, _)| subject.clone())
    }
}

#[derive(Clone)]
struct Guard(Arc<Checks>);

#[derive(Clone)]
struct Guarded<S> {
    inner: S,
    checks: Arc<Checks>,
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, checks: Arc::clone(&self.0) }
    }
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        match self.checks.admit(&request) {
            Ok(subject) => {
                request.extensions_mut().insert(subject);
                Either::Left(self.inner.call(request))
            }
            Err(status) => Either::Right(ready(Ok(status.into_response()))),
        }
    }
}
