//! Where a service may be sent to by an issuer's documents: decided before anything is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{IpNet, net::canonical};

/// A longer address is not looked at.
const MAX_URL: usize = 2048;

/// Which addresses may be fetched from: `https` at public addresses, unless more is allowed.
///
/// Discovery documents and redirects name addresses that nobody at this service has written. An
/// attacker who controls one would reach what only this machine reaches (server-side request
/// forgery), so each is held against these rules: the address as text before anything is sent,
/// and every address that its name resolves to before a connection is made.
///
/// ```
/// use portcullis::authn::Outbound;
///
/// let strict = Outbound::default();
/// assert!(strict.permits_url("https://id.example/jwks.json"));
/// assert!(!strict.permits_url("http://id.example/jwks.json"));
/// assert!(!strict.permits_address("https://id.example/", "169.254.169.254".parse()?));
///
/// let inside = Outbound::default().allow("10.20.0.0/16".parse()?);
/// assert!(inside.permits_address("https://id.internal/", "10.20.0.9".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "rules hold nothing back until something is fetched by them"]
pub struct Outbound {
    loopback: bool,
    allowed: Vec<IpNet>,
}

impl Outbound {
    /// Allows this machine itself, and `http` to it: for development and tests.
    pub fn allow_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// Allows the addresses of `net` though they are not public; by `https` alone.
    pub fn allow(mut self, net: IpNet) -> Self {
        self.allowed.push(net);
        self
    }

    /// Whether `url` may be asked at all: `https`, a host, no user information and no fragment,
    /// in at most 2,048 characters that every parser reads alike.
    #[must_use]
    pub fn permits_url(&self, url: &str) -> bool {
        Target::parse(url).is_some_and(|target| {
            let address = target.host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
            let itself = target.host == "localhost" || address.is_some_and(is_loopback);
            (target.secure || (self.loopback && itself))
                && address.is_none_or(|address| self.permits_address(url, address))
        })
    }

    /// Whether a connection may be made to `address`, to which the host of `url` resolved.
    #[must_use]
    pub fn permits_address(&self, url: &str, address: IpAddr) -> bool {
        let Some(target) = Target::parse(url) else { return false };
        let address = canonical(address);
        if is_loopback(address) {
            return self.loopback;
        }
        target.secure
            && (is_public(address) || self.allowed.iter().any(|net| net.contains(address)))
    }

    /// Where the answer to `url` leads that redirects to `location`; `None` where nobody may
    /// follow: to another scheme, or to what [`permits_url`](Self::permits_url) refuses.
    #[must_use]
    pub fn redirect(&self, url: &str, location: &str) -> Option<String> {
        let from = Target::parse(url)?;
        let to = if location.starts_with('/') && !location.starts_with("//") {
            format!("{}{location}", from.origin())
        } else {
            location.to_owned()
        };
        let same_scheme = Target::parse(&to)?.secure == from.secure;
        (same_scheme && self.permits_url(&to)).then_some(to)
    }
}

/// The parts of an `http` or `https` URL that is written so that no two parsers differ over it.
pub(super) struct Target<'a> {
    secure: bool,
    host: &'a str,
    authority: &'a str,
    /// From the first `/` on; empty where there is none.
    pub(super) path: &'a str,
}

impl<'a> Target<'a> {
    pub(super) fn parse(url: &'a str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>@\\^`{|}".contains(&byte);
        if url.len() > MAX_URL || !url.bytes().all(plain) {
            return None;
        }
        let (secure, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://")?),
        };
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at_checked(at)?,
            None => (rest, ""),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let named = |host: &str| {
            let label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            !host.is_empty() && host.bytes().all(label)
        };
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let hosted = literal.map_or(named(host), |six| six.parse::<Ipv6Addr>().is_ok());
        let ported = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        (hosted && ported && !path.starts_with('?')).then_some(Self {
            secure,
            host,
            authority,
            path,
        })
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> String {
        format!("http{}://{}", if self.secure { "s" } else { "" }, self.authority)
    }
}

fn is_loopback(address: IpAddr) -> bool {
    canonical(address).is_loopback()
}

/// Whether anybody on the internet could be reached there (IANA's special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => !SPECIAL_4.iter().any(|(net, prefix)| within_4(four, *net, *prefix)),
        // Only 2000::/3 is given out; of it, Teredo, documentation and 6to4 carry other addresses.
        IpAddr::V6(six) => {
            let [first, second, ..] = six.segments();
            let carries = (first == 0x2001 && (second < 0x200 || second == 0xdb8))
                || first == 0x2002
                || (first == 0x3fff && second < 0x1000);
            first & 0xe000 == 0x2000 && !carries
        }
    }
}

const SPECIAL_4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

fn within_4(address: Ipv4Addr, net: [u8; 4], prefix: u32) -> bool {
    let differ = address.to_bits() ^ Ipv4Addr::from(net).to_bits();
    differ.leading_zeros() >= prefix
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn attack_url_that_parsers_read_differently() {
        let strict = Outbound::default();
        for good in ["https://id.example", "https://id.example:8443/a?b=c", "https://[2606::1]/a"] {
            assert!(strict.permits_url(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "https:///a",
            "http://id.example/",
            "HTTPS://id.example/",
            "file:///etc/passwd",
            "https://id.example@evil.example/",
            "https://id.example\\@evil.example/",
            "https://id.example/#a",
            "https://id.example/a b",
            "https://id.example?x",
            "https://id.example:0/",
            "https://id.example:65536/",
            "https://id.example:/",
            "https://[::1/",
            "https://[fe80::1%25eth0]/",
            "https://id\u{e9}.example/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::ffff:10.0.0.1]/",
            "https://127.0.0.1/",
        ] {
            assert!(!strict.permits_url(bad), "{bad}");
        }
        assert!(!strict.permits_url(&format!("https://a/{}", "a".repeat(MAX_URL))));
    }

    #[test]
    fn attack_name_that_resolves_inside() {
        let url = "https://id.example/";
        let inside = Outbound::default().allow("10.20.0.0/16".parse().unwrap());
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:192.168.0.1",
            "64:ff9b::a00:1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
        ] {
            assert!(!inside.permits_address(url, ip(text)), "{text}");
        }
        for text in ["1.1.1.1", "172.32.0.1", "2606:4700::1", "10.20.3.4", "::ffff:10.20.3.4"] {
            assert!(inside.permits_address(url, ip(text)), "{text}");
        }
        assert!(!inside.permits_address("http://id.example/", ip("1.1.1.1")), "in the clear");
    }

    #[test]
    fn loopback_is_for_who_asks_and_for_nothing_else() {
        let open = Outbound::default().allow_loopback();
        assert!(open.permits_url("http://localhost:8080/a"));
        assert!(open.permits_url("http://127.0.0.1:8080/a") && open.permits_url("http://[::1]/"));
        assert!(!open.permits_url("http://id.example/"));
        assert!(open.permits_address("http://localhost/", ip("127.0.0.1")));
        assert!(!open.permits_address("http://localhost/", ip("1.1.1.1")));
        assert!(!open.permits_address("https://id.example/", ip("10.0.0.1")));
    }

    #[test]
    fn attack_redirect_to_the_clear_or_inside() {
        let check = |location: &str, expected: Option<&str>| {
            let rules = Outbound::default().allow_loopback();
            let found = rules.redirect("https://id.example:8443/old", location);
            assert_eq!(found.as_deref(), expected, "{location}");
        };
        check("/new", Some("https://id.example:8443/new"));
        check("https://keys.example/", Some("https://keys.example/"));
        check("http://id.example/", None);
        check("http://localhost/", None);
        check("//evil.example/", None);
        check("new", None);
        check("https://10.0.0.1/", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn only_what_is_public_or_allowed_is_permitted(bits: u32, net: u32, prefix in 1..=32_u8) {
            let (four, net) = (Ipv4Addr::from_bits(bits), Ipv4Addr::from_bits(net));
            let net = IpNet::new(net.into(), prefix).unwrap();
            let permits = Outbound::default().allow(net).permits_address("https://a/", four.into());
            let special = four.is_private() || four.is_link_local() || four.is_loopback()
                || four.is_multicast() || four.is_unspecified() || four.is_documentation();
            if four.is_loopback() {
                prop_assert!(!permits);
            } else if special {
                prop_assert_eq!(permits, net.contains(four.into()));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(url in "(https?://)?[ -~]{0,40}", location in "[ -~]{0,40}") {
            let rules = Outbound::default().allow_loopback();
            let _ = rules.permits_url(&url);
            if let Some(to) = rules.redirect(&url, &location) {
                prop_assert!(rules.permits_url(&to));
            }
        }
    }
}
