//! The grammars of both headers, as pure functions over bytes.

use std::{iter, net::IpAddr};

use crate::net::canonical;

/// A node of `X-Forwarded-For`, or what `for` holds: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`,
/// `[2001:db8::1]`, `[2001:db8::1]:80`. The port may be an obfuscated one (RFC 7239 section 6.3).
pub(super) fn address(node: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(node).ok()?;
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let port = port.strip_prefix(':').map_or(port.is_empty(), is_port);
        return address.parse().ok().filter(|_| port).map(IpAddr::V6).map(canonical);
    }
    if let Ok(address) = text.parse() {
        return Some(canonical(address));
    }
    let (address, port) = text.split_once(':')?;
    address.parse().ok().filter(|_| is_port(port)).map(IpAddr::V4)
}

/// The elements of one line of `Forwarded`, each with the address of its `for`, if it has a plain
/// one; `None` for the rest of a line that breaks the grammar (RFC 7239 section 4).
///
/// A line is read from its left and stands or falls as a whole: a quote that a client leaves open
/// cannot swallow what a proxy wrote behind it.
pub(super) fn elements(line: &[u8]) -> impl Iterator<Item = Option<Option<IpAddr>>> + '_ {
    let mut rest = Some(line);
    iter::from_fn(move || {
        loop {
            let text = rest.take()?.trim_ascii_start();
            match text.split_first() {
                None => return None,
                // RFC 9110 section 5.6.1.2: empty elements of a list do not count.
                Some((b',', after)) => rest = Some(after),
                Some(_) => match element(text) {
                    Some((node, after)) => {
                        rest = Some(after);
                        return Some(Some(node));
                    }
                    None => return Some(None),
                },
            }
        }
    })
}

/// `[ pair ] *( ";" [ pair ] )`, and what follows its comma.
fn element(mut text: &[u8]) -> Option<(Option<IpAddr>, &[u8])> {
    let mut node = None;
    loop {
        text = text.trim_ascii_start();
        if !matches!(text.first(), None | Some(b',' | b';')) {
            let (name, value, after) = pair(text)?;
            if name.eq_ignore_ascii_case(b"for") && node.replace(address(value)).is_some() {
                // Section 4: each parameter at most once.
                return None;
            }
            text = after.trim_ascii_start();
        }
        match text.split_first() {
            None => return Some((node.flatten(), text)),
            Some((b',', after)) => return Some((node.flatten(), after)),
            Some((b';', after)) => text = after,
            Some(_) => return None,
        }
    }
}

/// `token "=" ( token / quoted-string )`, and what follows. A quoted value is handed over with
/// its escapes, as no address has any.
fn pair(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, after) = token(text)?;
    let after = after.strip_prefix(b"=")?;
    let Some(quoted) = after.strip_prefix(b"\"") else {
        let (value, after) = token(after)?;
        return Some((name, value, after));
    };
    let mut bytes = quoted.iter().enumerate();
    loop {
        match bytes.next()? {
            (end, b'"') => return Some((name, quoted.get(..end)?, quoted.get(end + 1..)?)),
            (_, b'\\') => {
                bytes.next().filter(|(_, byte)| is_text(**byte))?;
            }
            (_, byte) if is_text(*byte) => {}
            _ => return None,
        }
    }
}

/// RFC 9110 section 5.6.2.
fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let end = text.iter().position(|byte| !is_token(byte)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}

/// RFC 9110 section 5.6.4: no control characters.
const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// RFC 7239 section 6: `1*5DIGIT`, or `_` and letters, digits, `.`, `_`, `-`.
fn is_port(text: &str) -> bool {
    if let Some(hidden) = text.strip_prefix('_') {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        return !hidden.is_empty() && hidden.bytes().all(plain);
    }
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
