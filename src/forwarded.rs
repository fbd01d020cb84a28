//! The client's address behind proxies: `Forwarded` (RFC 7239) and `X-Forwarded-For`.
//!
//! Proxies append: the last node is what the nearest proxy saw, and all that stands left of the
//! first proxy that can be trusted is the client's own writing. So the client is the **last node
//! that is no trusted proxy**. That is a walk from the right, done in one pass from the left.

mod grammar;

use std::net::IpAddr;

use self::grammar::elements;
use crate::{Facts, IpNet, net::canonical};

/// Which proxies are believed about the client's address, and in which header they write it.
///
/// One header only, the one that these proxies write: were others read too, a client could choose
/// the one that they leave alone. The header counts only where the peer itself is trusted. All
/// its lines are read as one list.
///
/// - A trusted peer that sends no such header is the client itself.
/// - If all nodes are trusted, the first one is the client.
/// - If the node that counts has no address that can be read (RFC 7239 section 6: `unknown`,
///   `_hidden`), or the header is malformed or longer than 8 KiB, the request is refused. A
///   proxy's address in place of the client's could open what is open to proxies.
///
/// ```
/// use portcullis::{Facts, TrustedProxies};
///
/// #[derive(Debug)]
/// struct Headers(&'static str);
/// impl portcullis::Headers for Headers {
///     fn values(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
///         if name == "x-forwarded-for" {
///             each(self.0.as_bytes());
///         }
///     }
/// }
///
/// let proxies = TrustedProxies::x_forwarded_for(["10.0.0.0/8".parse()?]);
/// let client = |peer: &str, header| {
///     let headers = Headers(header);
///     let mut facts = Facts::default();
///     facts.peer = peer.parse().ok();
///     facts.headers = Some(&headers);
///     proxies.client(&facts)
/// };
/// // The left one is what the client made up.
/// assert_eq!(client("10.0.0.1", "8.8.8.8, 192.0.2.7, 10.0.0.2"), Ok("192.0.2.7".parse().ok()));
/// // A stranger is not believed.
/// assert_eq!(client("203.0.113.5", "10.0.0.9"), Ok("203.0.113.5".parse().ok()));
/// assert!(client("10.0.0.1", "192.0.2.7, nonsense").is_err());
/// # Ok::<(), portcullis::IpNetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct TrustedProxies {
    header: Header,
    nets: Box<[IpNet]>,
}

/// A trusted peer's header that names the client in no way that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trusted proxy names the client in no way that can be read")]
#[non_exhaustive]
pub struct ForwardedError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    Forwarded,
    XForwardedFor,
}

impl TrustedProxies {
    /// Proxies in these ranges, which write `Forwarded` (RFC 7239).
    pub fn forwarded(nets: impl IntoIterator<Item = IpNet>) -> Self {
        Self { header: Header::Forwarded, nets: nets.into_iter().collect() }
    }

    /// Proxies in these ranges, which write `X-Forwarded-For`.
    pub fn x_forwarded_for(nets: impl IntoIterator<Item = IpNet>) -> Self {
        Self { header: Header::XForwardedFor, nets: nets.into_iter().collect() }
    }

    /// The client's address: what the facts say already, else what a trusted peer's header says,
    /// else the peer's. `None` when there is no peer either.
    ///
    /// # Errors
    /// When a trusted peer's header names the client in no way that can be read.
    pub fn client(&self, facts: &Facts<'_>) -> Result<Option<IpAddr>, ForwardedError> {
        let (None, Some(peer)) = (facts.client, facts.peer) else {
            return Ok(facts.client_address());
        };
        let Some(headers) = facts.headers.filter(|_| self.trusts(peer)) else {
            return Ok(Some(canonical(peer)));
        };
        let mut walk = Walk { proxies: self, client: Node::None, malformed: false, read: 0 };
        headers.values(self.header.name(), &mut |line| walk.line(line));
        match walk.client {
            _ if walk.malformed => Err(ForwardedError),
            Node::None => Ok(Some(canonical(peer))),
            Node::Address(address) => Ok(Some(address)),
            Node::Hidden => Err(ForwardedError),
        }
    }

    /// What is wrong with the set-up.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.nets.is_empty() {
            return Some("no proxy is trusted, so the header is never read");
        }
        let everybody = self.nets.iter().any(|net| net.prefix() == 0);
        everybody.then_some("a range of prefix 0 trusts everybody to name any client")
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.nets.iter().any(|net| net.contains(address))
    }
}

impl Header {
    const fn name(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::XForwardedFor => "x-forwarded-for",
        }
    }
}

/// What a proxy says it was called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    /// Nothing yet.
    None,
    /// This one.
    Address(IpAddr),
    /// One without a name that can be read.
    Hidden,
}

/// The lines read so far.
struct Walk<'a> {
    proxies: &'a TrustedProxies,
    /// The last node that is no trusted proxy, or the first of all.
    client: Node,
    malformed: bool,
    read: usize,
}

impl Walk<'_> {
    fn line(&mut self, line: &[u8]) {
        self.read = self.read.saturating_add(line.len());
        if self.malformed || self.read > MAX_BYTES {
            self.malformed = true;
            return;
        }
        match self.proxies.header {
            Header::XForwardedFor => {
                let nodes = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                // RFC 9110 section 5.6.1.2: empty elements of a list do not count.
                for node in nodes.filter(|node| !node.is_empty()) {
                    self.node(grammar::address(node).map_or(Node::Hidden, Node::Address));
                }
            }
            Header::Forwarded => {
                for element in elements(line) {
                    match element {
                        Some(node) => self.node(node.map_or(Node::Hidden, Node::Address)),
                        None => self.malformed = true,
                    }
                }
            }
        }
    }

    fn node(&mut self, node: Node) {
        let trusted = matches!(node, Node::Address(address) if self.proxies.trusts(address));
        if !trusted || self.client == Node::None {
            self.client = node;
        }
    }
}

/// Of all lines together; longer ones are refused unread.
const MAX_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests;
