//! What counts as one client.

use std::net::IpAddr;

use crate::{IpNet, net};

/// The range an address is counted under: an IPv4 address alone, an IPv6 address with its /64.
///
/// A /64 is what one subscriber is given, so a new address within it is no new client. An
/// IPv4-mapped IPv6 address counts as the IPv4 address it carries.
///
/// ```
/// use portcullis::limit::client_key;
///
/// assert_eq!(client_key("2001:db8:1:2::7".parse()?), client_key("2001:db8:1:2:3::9".parse()?));
/// assert_ne!(client_key("192.0.2.1".parse()?), client_key("192.0.2.2".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn client_key(address: IpAddr) -> IpNet {
    // `around` shortens the prefix to the width of IPv4.
    IpNet::around(net::canonical(address), 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let check = |address: &str, expected: &str| {
            assert_eq!(client_key(address.parse().unwrap()).to_string(), expected, "{address}");
        };
        check("192.0.2.1", "192.0.2.1");
        check("::ffff:192.0.2.1", "192.0.2.1");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
        check("2001:db8:1:2::", "2001:db8:1:2::/64");
        check("2001:db8:1:3::", "2001:db8:1:3::/64");
        check("::1", "::/64");
    }
}
