//! The service: decide, then call the inner one.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{GateBody, ResponseFuture, edge::Edge, exchange::Exchange, future::Pending};
use crate::{Admission, Gate};

/// A service behind a [`Gate`]; made by [`GateLayer`](super::GateLayer).
#[derive(Clone)]
pub struct Gated<S> {
    inner: S,
    gate: Gate,
    edge: Arc<Edge>,
}

impl<S> Gated<S> {
    pub(super) fn new(inner: S, gate: Gate, edge: Arc<Edge>) -> Self {
        Self { inner, gate, edge }
    }
}

impl<S, B, R> Service<Request<B>> for Gated<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
{
    type Response = Response<GateBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> ResponseFuture<S, B> {
        let exchange = Exchange::new(&self.edge, &request);
        let admission = self.edge.admit(&self.gate, &request);
        self.edge.put_away(&self.gate, &mut request);
        match admission {
            Admission::Done(Ok(caller)) => {
                self.edge.introduce(&caller, &mut request);
                let pending = Pending::new(caller);
                ResponseFuture::inner(exchange, self.inner.call(request), pending)
            }
            Admission::Done(Err(refusal)) => ResponseFuture::refused(exchange, refusal),
            Admission::Wait(lookup) => {
                // The service that was polled ready is the one to call; its clone was not.
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                ResponseFuture::waiting(exchange, lookup, ready, request)
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Gated<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gated")
            .field("inner", &self.inner)
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
