//! One stage of the gate as a layer. Each is a [`GateLayer`] around a gate that has no other.
//!
//! Outermost first: [`RateLimitLayer`] by address, [`AuthenticateLayer`], [`RateLimitLayer`] by
//! principal, [`AuthorizeLayer`]. Layers further in take time, id and caller from those further
//! out, and the outermost writes every refusal. Give the sink for events to one of them: the
//! outermost sees every outcome; the authorizing one also knows which rule decided.

use std::net::IpAddr;

use http::Extensions;
use tower_layer::Layer;

use super::{GateLayer, Gated, edge::Proof};
use crate::{
    Access, Gate, GateBuilder, GateErrors,
    http::{RateLimitFields, Respond},
};

/// Who is calling? Leaves a [`Caller`](crate::Caller) for layers and handlers further in.
///
/// ```
/// use portcullis::{Gate, testing::{Issuer, assert_refused, request}, tower::AuthenticateLayer};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// let staff = Issuer::new("https://id.example").verifier("staff");
/// let layer = AuthenticateLayer::new(Gate::builder().authenticate(staff))?;
/// let service = layer.layer(service_fn(async |_: http::Request<String>| {
///     Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Empty::new()))
/// }));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// let response = runtime.block_on(service.oneshot(request("GET", "/").build())).unwrap();
/// assert_refused(&response, 401, "credential_missing");
/// # Ok::<(), portcullis::GateErrors>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthenticateLayer(GateLayer);

/// May they? Asks routes and policies about the caller whom a layer further out has proven: the
/// principal of a [`Caller`](crate::Caller) in the request's extensions, or a
/// [`Principal`](crate::Principal) there. No credential is looked at.
///
/// ```
/// use portcullis::{
///     Gate, Principal, Routes,
///     testing::{assert_refused, request},
///     tower::AuthorizeLayer,
/// };
/// use tower::{Layer, ServiceExt, service_fn};
///
/// let routes = Routes::new().authenticated("GET", "/me");
/// let layer = AuthorizeLayer::new(Gate::builder().routes(routes))?;
/// let service = layer.layer(service_fn(async |_: http::Request<String>| {
///     Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Empty::new()))
/// }));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let ask = |request| runtime.block_on(service.clone().oneshot(request)).unwrap();
/// let alice = Principal::assertion("staff", "alice").finish()?;
/// assert_eq!(ask(request("GET", "/me").extension(alice).build()).status(), 200);
/// assert_refused(&ask(request("GET", "/me").build()), 401, "credential_missing");
/// assert_refused(&ask(request("GET", "/you").build()), 404, "route_unlisted");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthorizeLayer(GateLayer);

/// How often? Limits by client address, by principal where a layer further out has proven one,
/// or by both.
///
/// ```
/// use portcullis::{Gate, Quota, testing::{assert_refused, request}, tower::RateLimitLayer};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// let layer = RateLimitLayer::new(Gate::builder().limit_clients(Quota::per_minute(1)))?
///     .peer(|_| Some([127, 0, 0, 1].into()));
/// let service = layer.layer(service_fn(async |_: http::Request<String>| {
///     Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Empty::new()))
/// }));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let ask = || runtime.block_on(service.clone().oneshot(request("GET", "/").build())).unwrap();
/// assert_eq!(ask().status(), 200);
/// assert_refused(&ask(), 429, "client_throttled");
/// # Ok::<(), portcullis::GateErrors>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RateLimitLayer(GateLayer);

impl AuthenticateLayer {
    /// Refuses whoever is not proven by one of the builder's authenticators. Its routes are not
    /// asked for, so there must be none.
    ///
    /// # Errors
    /// Everything that is wrong with the builder.
    pub fn new(builder: GateBuilder) -> Result<Self, GateErrors> {
        let gate = builder.build_everywhere(Access::Authenticated)?;
        Ok(Self(GateLayer::new(gate).everywhere()))
    }

    /// Lets requests without a credential pass, as nobody's. A wrong one is refused all the same.
    ///
    /// # Errors
    /// Everything that is wrong with the builder.
    pub fn optional(builder: GateBuilder) -> Result<Self, GateErrors> {
        let gate = builder.build_everywhere(Access::Public)?;
        Ok(Self(GateLayer::new(gate).everywhere()))
    }

    /// Takes credentials out of a request; see [`GateLayer::strip_credentials`].
    pub fn strip_credentials(self) -> Self {
        Self(self.0.strip_credentials())
    }
}

impl AuthorizeLayer {
    /// Asks the builder's routes and policies. Authenticators are only named in challenges.
    ///
    /// # Errors
    /// Everything that is wrong with the builder.
    pub fn new(builder: GateBuilder) -> Result<Self, GateErrors> {
        let gate: Gate = builder.proven_elsewhere().build()?;
        Ok(Self(GateLayer::new(gate).proven_by(Proof::Extensions)))
    }

    /// Where the router leaves the template it matched; see [`GateLayer::template`].
    pub fn template(
        self,
        template: impl for<'a> Fn(&'a Extensions) -> Option<&'a str> + Send + Sync + 'static,
    ) -> Self {
        Self(self.0.template(template))
    }
}

impl RateLimitLayer {
    /// Counts by the builder's limits. A caller from further out stays the handler's.
    ///
    /// # Errors
    /// Everything that is wrong with the builder.
    pub fn new(builder: GateBuilder) -> Result<Self, GateErrors> {
        let gate = builder.build_everywhere(Access::Public)?;
        Ok(Self(GateLayer::new(gate).everywhere().proven_by(Proof::ExtensionsInPassing)))
    }
}

/// What every layer is told of the server.
macro_rules! surroundings {
    ($($layer:ident)*) => {$(
        impl $layer {
            /// Where the address at the other end of the connection is.
            pub fn peer(
                self,
                peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
            ) -> Self {
                Self(self.0.peer(peer))
            }

            /// Whether the connection is encrypted.
            pub fn secure(
                self,
                secure: impl Fn(&Extensions) -> bool + Send + Sync + 'static,
            ) -> Self {
                Self(self.0.secure(secure))
            }

            /// Who writes the bodies of refusals.
            pub fn respond(self, respond: impl Respond) -> Self {
                Self(self.0.respond(respond))
            }

            /// Which fields tell a caller about its limits; see
            /// [`GateLayer::rate_limit_fields`]. Whoever writes the refusals of layers further in
            /// has to be told as well.
            pub fn rate_limit_fields(self, fields: RateLimitFields) -> Self {
                Self(self.0.rate_limit_fields(fields))
            }
        }

        impl<S> Layer<S> for $layer {
            type Service = Gated<S>;

            fn layer(&self, inner: S) -> Gated<S> {
                self.0.layer(inner)
            }
        }
    )*};
}

surroundings!(AuthenticateLayer AuthorizeLayer RateLimitLayer);
