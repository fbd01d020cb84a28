//! What a payload says before anybody has vouched for it: enough to pick the verifier that will.

use std::borrow::Cow;

use serde::Deserialize;

/// Whom a payload names, whether or not that is true. Whichever verifier is picked by it checks
/// everything from the start.
#[derive(Default, Deserialize)]
pub(super) struct Unverified<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) iss: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) sub: Option<Cow<'a, str>>,
}

impl<'a> Unverified<'a> {
    /// Reads in one pass without building anything. Of a payload that is not an object, or that
    /// names one of the two twice or in another form than text, nothing is read.
    pub(super) fn read(payload: &'a [u8]) -> Self {
        // An array would be read as the struct's fields in their order.
        let object = payload.trim_ascii_start().starts_with(b"{");
        let unverified = serde_json::from_slice(payload).ok().filter(|_| object);
        unverified.unwrap_or_default()
    }
}

fn text<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    Text::deserialize(value).map(|text| Some(text.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unverified_issuer_is_read_or_not_there() {
        let check = |payload: &str, expected: Option<&str>| {
            let found = Unverified::read(payload.as_bytes()).iss;
            assert_eq!(found.as_deref(), expected, "{payload}");
        };
        check(
            r#"{"iss":"https://a.example","exp":1e400,"x":[{"iss":7}]}"#,
            Some("https://a.example"),
        );
        check(r#" {"x":{"iss":"b"},"\u0069ss":"\u0061"} "#, Some("a"));
        check(r#"{"iss":""}"#, Some(""));
        check(r#"{"iss":"a","iss":"b"}"#, None);
        check(r#"{"iss":"a","\u0069ss":"a"}"#, None);
        check(r#"{"iss":"a"} {}"#, None);
        check(r#"{"iss":"a""#, None);
        check(r#"["a"]"#, None);
        check(r#"{"x":{"iss":"a"}}"#, None);
        for iss in ["7", "null", "{}", "true", r#"["a"]"#] {
            check(&format!("{{\"iss\":{iss}}}"), None);
        }
        check("", None);
        check(&format!("{{\"iss\":\"a\",\"b\":{}", "[".repeat(1_000_000)), None);
        assert_eq!(Unverified::read(b"{\"iss\":\"\xff\"}").iss, None);
    }
}
