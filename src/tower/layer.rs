//! The layer and how it reads a request's surroundings.

use std::{fmt, net::IpAddr, sync::Arc};

use http::Extensions;
use tower_layer::Layer;

use super::{
    edge::{Afterwards, Dialects, Edge, Proof},
    service::Gated,
};
use crate::{
    Gate, Now, Routes,
    http::{RateLimitFields, Respond},
};

/// Puts a [`Gate`] around a service.
///
/// What a connection is like stands in a request's extensions under the server's own types, so
/// the layer is told where: without [`peer`](Self::peer) no address is known, and without
/// [`secure`](Self::secure) no request counts as encrypted.
///
/// ```
/// use std::net::SocketAddr;
///
/// use axum::{Router, body::Body, extract::{ConnectInfo, MatchedPath}, http::Request, routing::get};
/// use portcullis::{Gate, Routes, tower::GateLayer};
/// use tower::ServiceExt;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let gate = Gate::builder().routes(Routes::new().public("GET", "/health")).build()?;
/// let layer = GateLayer::new(gate)
///     .peer(|ext| ext.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()))
///     .template(|ext| ext.get::<MatchedPath>().map(MatchedPath::as_str));
/// let app = Router::new()
///     .route("/health", get(|| async { "ok" }))
///     .route("/forgotten", get(|| async { "not in the table" }))
///     .layer(layer);
///
/// let get = |path| app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
/// assert_eq!(get("/health").await?.status(), 200);
/// assert_eq!(get("/forgotten").await?.status(), 404);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct GateLayer {
    gate: Gate,
    edge: Arc<Edge>,
}

impl GateLayer {
    /// A layer that knows nothing of peers, encryption or the router.
    pub fn new(gate: Gate) -> Self {
        Self { gate, edge: Arc::default() }
    }

    /// Where the address at the other end of the connection is.
    pub fn peer(
        mut self,
        peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.edge).peer = Some(Arc::new(peer));
        self
    }

    /// Whether the connection is encrypted.
    pub fn secure(mut self, secure: impl Fn(&Extensions) -> bool + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.edge).secure = Some(Arc::new(secure));
        self
    }

    /// Where a reading of the clocks for this request stands, if another layer or a test took
    /// one; the layer takes its own where there is none.
    pub fn now(mut self, now: impl Fn(&Extensions) -> Option<Now> + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.edge).now = Some(Arc::new(now));
        self
    }

    /// Where the router leaves the template it matched, such as axum's `MatchedPath`. Router and
    /// gate then cannot disagree; a request for which the router matched none is refused.
    pub fn template(
        mut self,
        template: impl for<'a> Fn(&'a Extensions) -> Option<&'a str> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.edge).template = Some(Arc::new(template));
        self
    }

    /// Takes credentials out of a request before its handler sees it: the `Authorization` header,
    /// headers of API keys, and of the cookies the session's only. Without it, they are marked
    /// sensitive.
    pub fn strip_credentials(mut self) -> Self {
        Arc::make_mut(&mut self.edge).afterwards = Afterwards::Stripped;
        self
    }

    /// Refuses gRPC calls, known by their content type, with a gRPC status in an HTTP 200. Only
    /// for services that serve gRPC: otherwise a caller could choose to be told 200, where a
    /// proxy or a counter in front goes by the HTTP status.
    pub fn grpc(mut self) -> Self {
        Arc::make_mut(&mut self.edge).dialects = Dialects::Grpc;
        self
    }

    /// Who writes the bodies of refusals.
    pub fn respond(mut self, respond: impl Respond) -> Self {
        Arc::make_mut(&mut self.edge).respond = Arc::new(respond);
        self
    }

    /// Which fields tell a caller about its limits: on the answers of handlers, and where a limit
    /// refused (429). Other refusals have none, nor do answers to gRPC calls. None unless said.
    pub fn rate_limit_fields(mut self, fields: RateLimitFields) -> Self {
        Arc::make_mut(&mut self.edge).rate_limit_fields = fields;
        self
    }
}

impl GateLayer {
    pub(super) fn proven_by(mut self, proof: Proof) -> Self {
        Arc::make_mut(&mut self.edge).proof = proof;
        self
    }

    /// For a gate that takes every request alike.
    pub(super) fn everywhere(self) -> Self {
        self.template(|_| Some(Routes::EVERYWHERE))
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated::new(inner, self.gate.clone(), Arc::clone(&self.edge))
    }
}

impl fmt::Debug for GateLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateLayer").field("gate", &self.gate).finish_non_exhaustive()
    }
}
