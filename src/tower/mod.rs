//! The whole gate as one tower layer.
//!
//! Put [`GateLayer`] on the router after its last route (axum's `Router::layer` covers what was
//! added before it), and tell it where the router leaves its template. A CORS layer goes outside:
//! preflight requests carry no credentials, and refusals need CORS headers too. A layer that
//! changes paths goes outside as well, or router and gate read different ones.
//!
//! The layer's error type is the inner service's: a refusal is a response. It leaves a
//! [`Caller`](crate::Caller) in the request's extensions, and the [`Refusal`](crate::Refusal) in
//! those of a refused response. Services that serve gRPC say so ([`GateLayer::grpc`]), and their
//! calls are refused with a gRPC status.
//!
//! [`RateLimitLayer`], [`AuthenticateLayer`] and [`AuthorizeLayer`] are the same service with one
//! stage each, for stacks that have something of their own in between, or need no more.

mod body;
mod edge;
mod exchange;
mod future;
mod layer;
mod service;
mod stages;

pub use body::GateBody;
pub use future::ResponseFuture;
pub use layer::GateLayer;
pub use service::Gated;
pub use stages::{AuthenticateLayer, AuthorizeLayer, RateLimitLayer};
