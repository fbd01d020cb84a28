//! What `Set-Cookie` says (RFC 6265 section 4.1).

use crate::SecretText;

/// Hands the browser an id, until it is closed. No `Max-Age`: the server keeps the time.
pub(super) fn login(name: &str, id: &str) -> SecretText {
    let mut text = String::with_capacity(name.len() + id.len() + ATTRIBUTES.len() + 1);
    for part in [name, "=", id, ATTRIBUTES] {
        text.push_str(part);
    }
    SecretText::new(text)
}

/// Takes it back. A browser only removes a cookie of the same attributes.
pub(super) fn removal(name: &str) -> String {
    format!("{name}={ATTRIBUTES}; Max-Age=0")
}

/// Whether browsers hold a cookie of this name to TLS, this host and the root path.
pub(super) fn is_host_bound(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    name.len() <= 64
        && name.strip_prefix("__Host-").is_some_and(|own| !own.is_empty() && own.bytes().all(token))
}

/// What the prefix `__Host-` demands, and no `Domain` (RFC 6265bis section 4.1.3.2); hidden from
/// scripts; not sent with other sites' requests but for plain navigation.
const ATTRIBUTES: &str = "; Path=/; Secure; HttpOnly; SameSite=Lax";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!(
            login("__Host-session", "abc").expose(),
            "__Host-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            removal("__Host-session"),
            "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn names() {
        assert!(is_host_bound("__Host-session") && is_host_bound("__Host-a"));
        for name in ["", "session", "__Host-", "__host-a", "__Secure-a", "__Host-a b", "__Host-a=b"]
        {
            assert!(!is_host_bound(name), "{name}");
        }
        assert!(!is_host_bound(&format!("__Host-{}", "a".repeat(60))));
    }
}
