//! SPIFFE IDs (SPIFFE-ID section 2).

/// A longer one names nobody.
const MAX_BYTES: usize = 2048;

/// Whether `text` can name a trust domain.
pub(super) fn is_trust_domain(text: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
    (1..=255).contains(&text.len()) && text.bytes().all(fits)
}

/// Whether `id` says that it is of `trust_domain`, whatever its path is like.
pub(super) fn names(trust_domain: &str, id: &str) -> bool {
    let path = id.strip_prefix("spiffe://").and_then(|id| id.strip_prefix(trust_domain));
    path.is_some_and(|path| path.is_empty() || path.starts_with('/'))
}

/// Whether `id` names a workload of `trust_domain`: one path at least, of segments that no two
/// readers read differently.
pub(super) fn is_workload_of(trust_domain: &str, id: &str) -> bool {
    let path = id.strip_prefix("spiffe://").and_then(|id| id.strip_prefix(trust_domain));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let segment = |text: &str| !matches!(text, "" | "." | "..") && text.bytes().all(fits);
    id.len() <= MAX_BYTES
        && path
            .and_then(|path| path.strip_prefix('/'))
            .is_some_and(|path| path.split('/').all(segment))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn workloads_and_others() {
        let check = |id: &str, expected: bool| {
            assert_eq!(is_workload_of("prod.example", id), expected, "{id}");
        };
        check("spiffe://prod.example/billing/api", true);
        check("spiffe://prod.example/a.b-C_9", true);
        for id in [
            "",
            "spiffe://prod.example",
            "spiffe://prod.example/",
            "spiffe://prod.example//a",
            "spiffe://prod.example/a/",
            "spiffe://prod.example/a/../b",
            "spiffe://prod.example/.",
            "spiffe://prod.example/%61",
            "spiffe://prod.example/a?b",
            "spiffe://prod.example/a#b",
            "spiffe://prod.example.evil/a",
            "spiffe://prod.example@evil/a",
            "spiffe://prod.example:443/a",
            "spiffe://evil/prod.example/a",
            "SPIFFE://prod.example/a",
            "spiffe://PROD.example/a",
            "https://prod.example/a",
        ] {
            check(id, false);
        }
        check(&format!("spiffe://prod.example/{}", "a".repeat(2048)), false);
    }

    #[test]
    fn ids_of_one_trust_domain() {
        for (id, expected) in [
            ("spiffe://prod.example/billing", true),
            ("spiffe://prod.example//%61?", true),
            ("spiffe://prod.example", true),
            ("spiffe://prod.example.evil/a", false),
            ("spiffe://prod.exampl/a", false),
            ("spiffe://prod.example:443/a", false),
            ("SPIFFE://prod.example/a", false),
            ("https://prod.example/a", false),
        ] {
            assert_eq!(names("prod.example", id), expected, "{id}");
        }
    }

    #[test]
    fn trust_domains() {
        for text in ["prod.example", "a", "a-b_c.9"] {
            assert!(is_trust_domain(text), "{text}");
        }
        for text in ["", "Prod", "a/b", "a:1", "a b", "é"] {
            assert!(!is_trust_domain(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_a_workload_is_a_plain_path(id in "spiffe://(t|u)?(/[a-z.%/?#@:A-Z]{0,4}){0,4}") {
            if is_workload_of("t", &id) {
                let path = id.strip_prefix("spiffe://t/").unwrap();
                prop_assert!(!path.contains(['%', '?', '#', '@', ':']));
                prop_assert!(path.split('/').all(|part| !part.is_empty() && part != "." && part != ".."));
            }
        }
    }
}
