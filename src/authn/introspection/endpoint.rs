//! Where an issuer answers what a token is, and as whom it is asked.

use std::{fmt, sync::Arc, time::Duration};

use base64_simd::STANDARD;
use zeroize::Zeroizing;

use super::{
    form,
    request::{Request, Transport},
};
use crate::{Secret, authn::Outbound};

/// An introspection endpoint (RFC 7662 section 2), and who carries questions there.
///
/// ```
/// use portcullis::{Secret, authn::introspection::{Endpoint, Request, RequestError}};
///
/// // With any HTTP client; `fetch::Introspector` (feature `fetch`) brings one.
/// let transport = |request: Request| async move {
///     assert_eq!(request.authorization(), Some("Basic b3JkZXJzOnMlM0FjcmV0"));
///     Err(RequestError::Unreachable)
/// };
/// let endpoint = Endpoint::new("https://id.example/introspect", transport)
///     .client("orders", &Secret::new(*b"s:cret"));
/// assert_eq!(format!("{endpoint:?}"), r#"Endpoint("https://id.example/introspect")"#);
/// ```
#[derive(Clone)]
#[must_use = "an endpoint is asked by an `Introspection` alone"]
pub struct Endpoint {
    address: Arc<Address>,
    transport: Arc<dyn Transport>,
}

/// All that a request is made of but the token.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) url: String,
    pub(super) authorization: Option<Zeroizing<String>>,
    pub(super) timeout: Duration,
    pub(super) outbound: Outbound,
}

/// Nobody waits longer for one answer.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

impl Endpoint {
    /// The endpoint at `url`, which is `https` unless [`outbound`](Self::outbound) says more:
    /// what is sent there is a credential.
    pub fn new(url: impl Into<String>, transport: impl Transport) -> Self {
        let address = Address {
            url: url.into(),
            authorization: None,
            timeout: Duration::from_secs(5),
            outbound: Outbound::default(),
        };
        Self { address: Arc::new(address), transport: Arc::new(transport) }
    }

    /// Asks as this client, by HTTP Basic. As RFC 6749 section 2.3.1 has it, both parts are
    /// form-encoded first, which changes letters, digits and `*-._` in no way.
    ///
    /// Without it the transport has to say who asks: an endpoint that answers anybody lets
    /// anybody search for tokens (RFC 7662 section 4).
    pub fn client(self, id: &str, secret: &Secret) -> Self {
        let mut pair = form::room(&[":"], &[id.as_bytes(), secret.expose()]);
        form::encode(id.as_bytes(), &mut pair);
        pair.push(':');
        form::encode(secret.expose(), &mut pair);
        let encoded = Zeroizing::new(STANDARD.encode_to_string(pair.as_bytes()));
        let mut value = form::room(&["Basic ", &encoded], &[]);
        value.push_str("Basic ");
        value.push_str(&encoded);
        self.with(|address| address.authorization = Some(value))
    }

    /// How long one answer may take in all: 5 s unless said otherwise, at most 60 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|address| address.timeout = timeout)
    }

    /// Where requests may lead.
    pub fn outbound(self, outbound: Outbound) -> Self {
        self.with(|address| address.outbound = outbound)
    }

    fn with(mut self, change: impl FnOnce(&mut Address)) -> Self {
        change(Arc::make_mut(&mut self.address));
        self
    }

    pub(super) fn request(&self, token: &str) -> Request {
        Request::new(Arc::clone(&self.address), token)
    }

    pub(super) fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport)
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let Address { url, timeout, outbound, .. } = &*self.address;
        let mut problems = Vec::new();
        if !outbound.permits_url(url) {
            problems.push(format!(
                "`{url}` may not be asked: it is no `https` URL of a public host; for tests on \
                 this machine use `Outbound::allow_loopback`"
            ));
        }
        if timeout.is_zero() || *timeout > LONGEST_TIMEOUT {
            problems.push("the time-out of an introspection is more than 0, at most 60 s".into());
        }
        problems
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.address.url).finish()
    }
}
