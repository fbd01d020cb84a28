//! Addresses and the ranges they fall in.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// An address with a prefix length: one host (`10.0.0.7`) or a range (`10.0.0.0/8`).
///
/// The host part is kept as written; [`contains`](Self::contains) looks at the prefix alone.
///
/// ```
/// use portcullis::IpNet;
///
/// let office: IpNet = "10.0.0.0/8".parse()?;
/// assert!(office.contains("10.1.2.3".parse()?));
/// assert!("10.0.0.0/33".parse::<IpNet>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IpNet {
    address: IpAddr,
    prefix: u8,
}

/// Text or numbers that are no address or range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address or range such as `10.0.0.7` or `10.0.0.0/8`")]
pub struct IpNetError(String);

impl IpNet {
    /// A range of `prefix` leading bits (at most 32 for IPv4, 128 for IPv6).
    ///
    /// # Errors
    /// When the prefix is longer than the address.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, IpNetError> {
        if prefix > width(address) {
            return Err(IpNetError(format!("{address}/{prefix}")));
        }
        Ok(Self { address, prefix })
    }

    /// The address as written.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// How many leading bits count.
    #[must_use]
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether `address` lies in the range. Addresses of the other family never do; an
    /// IPv4-mapped IPv6 address counts as the IPv4 address it carries.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        self.contains_net(Self::from(canonical(address)))
    }

    /// Whether all of `other` lies in the range.
    #[must_use]
    pub fn contains_net(self, other: Self) -> bool {
        other.prefix >= self.prefix
            && match (self.address, other.address) {
                (IpAddr::V4(a), IpAddr::V4(b)) => mask4(a, self.prefix) == mask4(b, self.prefix),
                (IpAddr::V6(a), IpAddr::V6(b)) => mask6(a, self.prefix) == mask6(b, self.prefix),
                (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
            }
    }

    /// The range of `prefix` bits around `address`, host bits cleared: what a limit counts by.
    #[must_use]
    pub fn around(address: IpAddr, prefix: u8) -> Self {
        let prefix = prefix.min(width(address));
        let address = match address {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(mask4(v4, prefix))),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(mask6(v6, prefix))),
        };
        Self { address, prefix }
    }
}

/// An IPv4-mapped IPv6 address (`::ffff:10.0.0.7`) as the IPv4 address it carries.
#[inline]
#[must_use]
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

impl From<IpAddr> for IpNet {
    fn from(address: IpAddr) -> Self {
        Self { address, prefix: width(address) }
    }
}

impl FromStr for IpNet {
    type Err = IpNetError;

    fn from_str(text: &str) -> Result<Self, IpNetError> {
        let refuse = || IpNetError(text.chars().take(64).collect());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let Some(prefix) = prefix else { return Ok(address.into()) };
        let plain = prefix.bytes().all(|byte| byte.is_ascii_digit())
            && (prefix.len() == 1 || !prefix.starts_with('0'));
        let prefix = prefix.parse().ok().filter(|_| plain).ok_or_else(refuse)?;
        Self::new(address, prefix).map_err(|_| refuse())
    }
}

impl fmt::Display for IpNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == width(self.address) {
            return self.address.fmt(f);
        }
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Debug for IpNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn mask4(address: Ipv4Addr, prefix: u8) -> u32 {
    let host = 32 - u32::from(prefix.min(32));
    address.to_bits() & u32::MAX.checked_shl(host).unwrap_or(0)
}

fn mask6(address: Ipv6Addr, prefix: u8) -> u128 {
    let host = 128 - u32::from(prefix.min(128));
    address.to_bits() & u128::MAX.checked_shl(host).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges() {
        let check = |net: &str, address: &str, expected: bool| {
            let net: IpNet = net.parse().unwrap();
            assert_eq!(net.contains(address.parse().unwrap()), expected, "{address} in {net}");
        };
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("10.0.0.0/8", "::ffff:10.0.0.1", true);
        check("0.0.0.0/0", "1.2.3.4", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "2001:db8::1", true);
        check("2001:db8::/32", "2001:db9::", false);
        check("127.0.0.1", "127.0.0.1", true);
    }

    #[test]
    fn refused() {
        for text in ["", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8", "::/129"] {
            assert!(text.parse::<IpNet>().is_err(), "{text}");
        }
    }

    #[test]
    fn around_clears_the_host_part() {
        let net = IpNet::around("2001:db8:1:2:3::9".parse().unwrap(), 64);
        assert_eq!(net.to_string(), "2001:db8:1:2::/64");
        assert_eq!(IpNet::around("10.1.2.3".parse().unwrap(), 64).to_string(), "10.1.2.3");
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(address: IpAddr, prefix in 0..=128_u8) {
            if let Ok(net) = IpNet::new(address, prefix) {
                prop_assert_eq!(net.to_string().parse(), Ok(net));
                prop_assert!(net.contains_net(IpNet::around(address, prefix)));
                prop_assert!(IpNet::new(address, 0).unwrap().contains_net(net));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9a-f:./]{0,50}") {
            let _ = text.parse::<IpNet>();
        }

        #[test]
        fn a_range_holds_what_shares_its_prefix(a: u32, b: u32, prefix in 0..=32_u8) {
            let net = IpNet::new(Ipv4Addr::from_bits(a).into(), prefix).unwrap();
            let shared = (a ^ b).leading_zeros() >= u32::from(prefix);
            prop_assert_eq!(net.contains(Ipv4Addr::from_bits(b).into()), shared);
        }
    }
}
