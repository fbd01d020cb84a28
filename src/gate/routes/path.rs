//! Paths that two programs could read as two different routes.

/// Longer paths, in bytes, are refused unread.
pub(in crate::gate) const MAX_PATH: usize = 8 * 1024;

/// Whether some router would read `path` as another one: empty and dot segments, backslashes,
/// `;` parameters, raw bytes outside ASCII, and escapes that normalising would change
/// (RFC 3986 section 6.2.2) or that hide a separator, a control character or a second escape.
pub(in crate::gate) fn is_ambiguous(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else { return true };
    let mut segments = segments.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        // One empty segment at the end is a trailing slash, which templates spell out.
        if (segment.is_empty() && !last) || is_ambiguous_segment(segment) {
            return true;
        }
    }
    false
}

fn is_ambiguous_segment(segment: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b';');
    matches!(segment, "." | "..")
        || !segment.as_bytes().iter().all(plain)
        || segment.split('%').skip(1).any(is_ambiguous_escape)
        || hides_second_escape(segment)
}

/// `after` is what follows a `%`.
fn is_ambiguous_escape(after: &str) -> bool {
    let Some(byte) = escaped(after) else { return true };
    let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    unreserved || byte.is_ascii_control() || matches!(byte, b'/' | b'\\')
}

/// `%2541` becomes `%41`, and decoded once more `A`.
fn hides_second_escape(segment: &str) -> bool {
    segment.split("%25").skip(1).any(|after| escaped(after).is_some())
}

fn escaped(after: &str) -> Option<u8> {
    let digits = after.get(..2).filter(|d| d.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

/// The segment with its escapes resolved; `None` when it has none or they are no UTF-8.
pub(super) fn decoded(segment: &str) -> Option<String> {
    let (head, rest) = segment.split_once('%')?;
    let mut bytes = head.as_bytes().to_vec();
    for piece in rest.split('%') {
        bytes.push(escaped(piece)?);
        bytes.extend_from_slice(piece.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ambiguous_paths() {
        let check = |path: &str, expected| assert_eq!(is_ambiguous(path), expected, "{path}");
        for path in [
            "/",
            "/orders",
            "/orders/",
            "/orders/7",
            "/a/%C3%A9",
            "/a/b@c:d",
            "/a/%40me",
            "/100%25",
        ] {
            check(path, false);
        }
        for path in ["", "*", "orders", "//", "/a//b", "/./a", "/a/..", "/a/%2e%2e/b", "/a%2Fb"] {
            check(path, true);
        }
        for path in
            ["/a%5cb", "/a\\b", "/a;x=1", "/%61dmin", "/a%", "/a%4", "/a%zz", "/a%00", "/a%0a"]
        {
            check(path, true);
        }
        for path in ["/caf\u{e9}", "/a b", "/a\tb", "/%252f", "/%25%36"] {
            check(path, path != "/%25%36" || is_ambiguous_escape("36"));
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_decodes_what_it_passes(path in "/[%a-c0-9A-F/.;@é]{0,24}") {
            if !is_ambiguous(&path) {
                for segment in path.split('/').filter(|segment| segment.contains('%')) {
                    // Decoding may leave text that is no UTF-8, but never a path of more segments.
                    prop_assert!(decoded(segment).is_none_or(|text| !text.contains('/')));
                }
            }
        }
    }
}
