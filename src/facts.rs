//! What is known of a request besides its credential.

use std::{fmt, net::IpAddr};

/// What the edge knows of a request: borrowed, all optional, free of any framework's types.
///
/// What is absent counts as unknown, never as good: an unknown transport is not secure, and a
/// limit by address on a request without one is an error of set-up, not a free pass.
///
/// ```
/// use portcullis::Facts;
///
/// let mut facts = Facts::default();
/// facts.method = Some("GET");
/// facts.path = Some("/orders/7");
/// facts.peer = Some("127.0.0.1".parse()?);
/// assert!(!facts.secure);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub struct Facts<'a> {
    /// The address at the other end of the connection.
    pub peer: Option<IpAddr>,
    /// The address of the client: the peer, unless a trusted proxy named another.
    pub client: Option<IpAddr>,
    /// Whether the request is known to have travelled encrypted.
    pub secure: bool,
    /// The HTTP method, as written.
    pub method: Option<&'a str>,
    /// Host and port the request was sent to.
    pub authority: Option<&'a str>,
    /// The path as received, percent-encoding and all, without the query.
    pub path: Option<&'a str>,
    /// The router's own template for this path, where the edge can read it.
    pub template: Option<&'a str>,
    /// The client's TLS certificate, DER.
    pub certificate: Option<&'a [u8]>,
    /// The other headers, for schemes that sign them.
    pub headers: Option<&'a dyn Headers>,
}

impl Facts<'_> {
    /// The client's address in canonical form: IPv4-mapped IPv6 counts as IPv4.
    #[inline]
    #[must_use]
    pub fn client_address(&self) -> Option<IpAddr> {
        self.client.or(self.peer).map(crate::net::canonical)
    }
}

/// Read access to a request's headers.
pub trait Headers {
    /// Calls `each` with every value of the header `name` (any case), in order.
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8]));
}

/// Headers and certificate stay out: they hold credentials.
impl fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("peer", &self.peer)
            .field("client", &self.client)
            .field("secure", &self.secure)
            .field("method", &self.method)
            .field("authority", &self.authority)
            .field("path", &self.path)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}
