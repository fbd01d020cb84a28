//! Requests ready for `oneshot`, and a check of what came back.

use std::fmt;

use http::{HeaderName, HeaderValue, Request, Response, header::AUTHORIZATION};

use crate::{Now, Refusal};

/// A request being put together.
///
/// ```
/// use portcullis::testing::request;
///
/// let request = request("GET", "/orders/7").bearer("a.b.c").build::<()>();
/// assert_eq!(request.headers()["authorization"], "Bearer a.b.c");
/// ```
#[must_use]
pub struct RequestBuilder(http::request::Builder);

/// Starts a request; a method or path that HTTP does not allow makes [`RequestBuilder::build`]
/// panic.
pub fn request(method: &str, path: &str) -> RequestBuilder {
    RequestBuilder(Request::builder().method(method).uri(path))
}

impl RequestBuilder {
    /// With `Authorization: Bearer …`.
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// With one more header, any bytes that HTTP allows.
    pub fn header(self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name);
        Self(match (name, HeaderValue::from_bytes(value.as_bytes())) {
            (Ok(name), Ok(value)) => self.0.header(name, value),
            // An impossible header fails in `build`, with the builder's own words.
            (_, _) => self.0.header("\0", ""),
        })
    }

    /// With a value in its extensions, such as axum's `ConnectInfo`.
    pub fn extension(self, value: impl Clone + Send + Sync + 'static) -> Self {
        Self(self.0.extension(value))
    }

    /// With a reading of the clocks in its extensions, for a layer that looks for one there:
    /// `GateLayer::now(|ext| ext.get::<Now>().copied())`.
    pub fn at(self, now: Now) -> Self {
        self.extension(now)
    }

    /// The request, with an empty body.
    ///
    /// # Panics
    /// When HTTP does not allow one of its parts.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "invariant: a test that asks for the impossible stops there")]
    pub fn build<B: Default>(self) -> Request<B> {
        match self.0.body(B::default()) {
            Ok(request) => request,
            Err(error) => panic!("no such request: {error}"),
        }
    }
}

/// Without headers and query, where credentials stand.
impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("method", &self.0.method_ref())
            .field("path", &self.0.uri_ref().map(http::Uri::path))
            .finish_non_exhaustive()
    }
}

/// Checks that `response` is a refusal with this status for this reason.
///
/// # Panics
/// When it is not, saying what it is.
#[track_caller]
#[expect(clippy::panic, reason = "invariant: a failed check of a test stops it")]
pub fn assert_refused<B>(response: &Response<B>, status: u16, reason: &str) {
    let found = response.extensions().get::<Refusal>().map(|refusal| refusal.reason().as_str());
    if (response.status().as_u16(), found) != (status, Some(reason)) {
        let found = found.unwrap_or("no refusal");
        panic!("expected {status} for {reason}, found {} for {found}", response.status().as_u16());
    }
}
