//! What a request carried to prove who calls, once nobody else needs it.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, COOKIE},
};

use crate::Source;

/// Marks every header that holds a credential as sensitive: `Authorization`, and those that
/// `sources` names. `Debug` then hides the value, and HTTP/2 keeps it out of its tables.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
/// use portcullis::http::{mark_sensitive, strip_credentials};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer s3cret"));
/// mark_sensitive(&mut headers, &[]);
/// assert!(!format!("{headers:?}").contains("s3cret"));
///
/// strip_credentials(&mut headers, &[]);
/// assert!(headers.is_empty());
/// ```
pub fn mark_sensitive(headers: &mut HeaderMap, sources: &[Source]) {
    let cookies = sources.iter().any(|source| matches!(source, Source::SessionCookie(_)));
    for (name, value) in headers {
        if is_credential(name, sources) || (cookies && name == COOKIE) {
            value.set_sensitive(true);
        }
    }
}

/// Takes every credential out: `Authorization`, the headers of API keys that `sources` names,
/// and of the cookies only those of sessions.
pub fn strip_credentials(headers: &mut HeaderMap, sources: &[Source]) {
    headers.remove(AUTHORIZATION);
    for source in sources {
        match source {
            Source::ApiKeyHeader(name) => drop(headers.remove(*name)),
            Source::Certificate => {}
            Source::SessionCookie(name) => strip_cookie(headers, name),
        }
    }
}

fn is_credential(name: &HeaderName, sources: &[Source]) -> bool {
    let keys = |source: &Source| matches!(source, Source::ApiKeyHeader(key) if name.as_str().eq_ignore_ascii_case(key));
    name == AUTHORIZATION || sources.iter().any(keys)
}

/// Finds the cookie as [`Claim::from_cookies`](crate::Claim::from_cookies) does, so that none is
/// left that was read.
fn strip_cookie(headers: &mut HeaderMap, name: &str) {
    let is_session = |pair: &&[u8]| {
        let rest = pair.trim_ascii().strip_prefix(name.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b"="))
    };
    let others = |value: &HeaderValue| {
        let pairs = value.as_bytes().split(|byte| *byte == b';');
        let kept: Vec<_> = pairs.filter(|pair| !is_session(pair)).collect();
        let mut kept = HeaderValue::from_bytes(kept.join(&b';').trim_ascii()).ok()?;
        kept.set_sensitive(value.is_sensitive());
        (!kept.is_empty()).then_some(kept)
    };
    let kept: Vec<_> = headers.get_all(COOKIE).iter().filter_map(others).collect();
    headers.remove(COOKIE);
    for value in kept {
        headers.append(COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{Claim, http::claim};

    const SOURCES: [Source; 3] =
        [Source::ApiKeyHeader("X-API-Key"), Source::SessionCookie("id"), Source::Certificate];

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn only_credentials_are_marked() {
        let lines = [
            ("authorization", "Bearer s3cret"),
            ("x-api-key", "s3cret"),
            ("cookie", "id=s3cret"),
            ("accept", "*/*"),
        ];
        let mut marked = headers(&lines);
        mark_sensitive(&mut marked, &SOURCES);
        let sensitive: Vec<_> = marked.values().map(HeaderValue::is_sensitive).collect();
        assert_eq!(sensitive, [true, true, true, false]);
        assert!(!format!("{marked:?}").contains("s3cret"));
        let mut marked = headers(&lines);
        mark_sensitive(&mut marked, &[]);
        let sensitive: Vec<_> = marked.values().map(HeaderValue::is_sensitive).collect();
        assert_eq!(sensitive, [true, false, false, false]);
    }

    #[test]
    fn only_credentials_are_taken_out() {
        let mut stripped = headers(&[
            ("authorization", "Bearer a"),
            ("authorization", "Bearer b"),
            ("x-api-key", "k"),
            ("accept", "*/*"),
        ]);
        strip_credentials(&mut stripped, &[]);
        assert_eq!(stripped, headers(&[("x-api-key", "k"), ("accept", "*/*")]));
        strip_credentials(&mut stripped, &SOURCES);
        assert_eq!(stripped, headers(&[("accept", "*/*")]));
    }

    #[test]
    fn other_cookies_stay() {
        let check = |cookies: &[&str], expected: &[&str]| {
            let lines = |values: &[&str]| -> HeaderMap {
                headers(&values.iter().map(|value| ("cookie", *value)).collect::<Vec<_>>())
            };
            let mut stripped = lines(cookies);
            strip_credentials(&mut stripped, &SOURCES);
            assert_eq!(stripped, lines(expected), "{cookies:?}");
        };
        check(&["a=1; id=x; b=2"], &["a=1; b=2"]);
        check(&["id=x; b=2"], &["b=2"]);
        check(&["a=1;id=x"], &["a=1"]);
        check(&["id=x", "a=1", "id=y"], &["a=1"]);
        check(&["id=x"], &[]);
        check(&["idx=1; ID=2; aid=3; id"], &["idx=1; ID=2; aid=3; id"]);
        check(&[], &[]);
    }

    proptest! {
        /// Whatever a request carries, nothing is left for a second gate to read.
        #[test]
        fn attack_a_credential_that_outlives_its_check(
            cookies in vec("[id=x; ,\"]{0,12}", 0..4),
            authorization in vec("(Bearer|Basic) [a-z]{1,4}", 0..3),
        ) {
            let mut all = HeaderMap::new();
            for (name, values) in [(COOKIE, cookies), (AUTHORIZATION, authorization)] {
                for value in values {
                    all.append(&name, HeaderValue::from_str(&value).unwrap());
                }
            }
            strip_credentials(&mut all, &SOURCES);
            prop_assert!(matches!(claim(&all, &SOURCES), Claim::Absent), "{all:?}");
        }
    }
}
