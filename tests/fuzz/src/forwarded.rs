//! Who the client is behind proxies. Each line of the input is a value of the header; both
//! headers are tried with it, for a trusted peer and for a stranger.

use std::net::IpAddr;

use portcullis::{Facts, Headers, TrustedProxies};

use super::plain;

const TRUSTED: [&str; 3] = ["10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.1"];
const PEERS: [(&str, &str); 2] = [("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1")];
const STRANGER: &str = "203.0.113.5";
const MAX_BYTES: usize = 8 * 1024;

/// The values of the one header there is.
#[derive(Debug)]
struct Only<'a>(&'static str, Vec<&'a [u8]>);

impl Headers for Only<'_> {
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        if name == self.0 {
            self.1.iter().for_each(|value| each(value));
        }
    }
}

/// The client's address, or that the header cannot be read.
type Answer = Result<IpAddr, ()>;

/// The target.
pub fn run(input: &[u8]) -> bool {
    let nets = || TRUSTED.map(|net| net.parse().expect("a range"));
    let lines: Vec<&[u8]> = plain::lines(input).collect();
    let mut named = false;
    for (proxies, name, last) in [
        (TrustedProxies::forwarded(nets()), "forwarded", "for=198.51.100.9"),
        (TrustedProxies::x_forwarded_for(nets()), "x-forwarded-for", "198.51.100.9"),
    ] {
        let ask = |peer: &str, lines: &[&[u8]]| ask(&proxies, name, peer, lines);
        for (peer, canonical) in PEERS {
            let found = ask(peer, &lines);
            assert_eq!(found, expected(name, address(canonical), &lines), "{name}");
            named |= found.is_ok_and(|found| found != address(canonical));

            // What the nearest proxy saw cannot be written over by what stands before it.
            let appended: Vec<&[u8]> = lines.iter().copied().chain([last.as_bytes()]).collect();
            let joined = appended.join(&b","[..]);
            for lines in [&appended[..], &[&joined]] {
                let found = ask(peer, lines);
                assert!(found.is_err() || found == Ok(address("198.51.100.9")), "{found:?}");
            }
        }
        assert_eq!(ask(STRANGER, &lines), Ok(address(STRANGER)), "a stranger is not believed");
    }
    named
}

fn ask(proxies: &TrustedProxies, name: &'static str, peer: &str, lines: &[&[u8]]) -> Answer {
    let headers = Only(name, lines.to_vec());
    let mut facts = Facts::default();
    facts.peer = Some(address(peer));
    facts.headers = Some(&headers);
    proxies.client(&facts).map(|found| found.expect("there is a peer")).map_err(drop)
}

/// A plain walk from the right over all nodes.
fn expected(name: &str, peer: IpAddr, lines: &[&[u8]]) -> Answer {
    let fits = lines.iter().map(|line| line.len()).sum::<usize>() <= MAX_BYTES;
    let nodes = fits.then(|| match name {
        "forwarded" => lines.iter().map(|line| nodes(line)).collect::<Option<Vec<_>>>(),
        _ => Some(lines.iter().map(|line| listed(line)).collect()),
    });
    let nodes = nodes.flatten().ok_or(())?.concat();
    let trusts = |node: &Option<IpAddr>| {
        let nets = TRUSTED.iter().map(|net| net.parse::<portcullis::IpNet>().expect("a range"));
        node.is_some_and(|address| nets.into_iter().any(|net| net.contains(address)))
    };
    let client = nodes.iter().rev().find(|node| !trusts(node)).or(nodes.first());
    client.map_or(Ok(peer), |node| node.ok_or(()))
}

/// The nodes of a line of `X-Forwarded-For`; `None` for those that name no address.
fn listed(line: &[u8]) -> Vec<Option<IpAddr>> {
    let nodes = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    nodes.filter(|node| !node.is_empty()).map(node).collect()
}

/// The nodes of a line of `Forwarded`; `None` when it breaks the grammar (RFC 7239 section 4).
fn nodes(line: &[u8]) -> Option<Vec<Option<IpAddr>>> {
    let mut found = Vec::new();
    for element in split(line, b',')? {
        if element.trim_ascii().is_empty() {
            continue;
        }
        let mut of_client = None;
        for pair in split(element, b';')? {
            let pair = pair.trim_ascii();
            if pair.is_empty() {
                continue;
            }
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (&pair[..at], &pair[at + 1..]);
            let quoted = value.first() == Some(&b'"');
            let value = if quoted { inside(value)? } else { value };
            if !is_token(name) || !(quoted || is_token(value)) {
                return None;
            }
            if name.eq_ignore_ascii_case(b"for") && of_client.replace(node(value)).is_some() {
                return None;
            }
        }
        found.push(of_client.flatten());
    }
    Some(found)
}

/// The parts between separators that stand in no quotes; `None` for a quote left open.
fn split(text: &[u8], separator: u8) -> Option<Vec<&[u8]>> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if *byte == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
}

/// What one pair of quotes holds, and nothing behind them.
fn inside(value: &[u8]) -> Option<&[u8]> {
    let (_, rest) = value.split_first()?;
    let (last, inner) = rest.split_last()?;
    let mut escaped = false;
    for byte in inner {
        match byte {
            0..=8 | 10..=31 | 127 => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return None,
            _ => {}
        }
    }
    (*last == b'"' && !escaped).then_some(inner)
}

fn is_token(text: &[u8]) -> bool {
    let tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(tchar)
}

/// RFC 7239 section 6, and IPv6 without brackets as `X-Forwarded-For` has it.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = match text.strip_suffix(']') {
        Some(_) => (text, None),
        None => text.rsplit_once(':').map(|(address, port)| (address, Some(port)))?,
    };
    let digits = |port: &str| port.len() <= 5 && port.chars().all(|c| c.is_ascii_digit());
    let hidden = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_port = |port: &str| match port.strip_prefix('_') {
        Some(name) => !name.is_empty() && name.chars().all(hidden),
        None => !port.is_empty() && digits(port),
    };
    if !port.is_none_or(is_port) {
        return None;
    }
    match address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse().ok().map(IpAddr::V6).map(|address| address.to_canonical()),
        None => address.parse().ok().map(IpAddr::V4),
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
