//! RFC 6750 (bearer tokens) over RFC 9110, with RFC 9700 section 4.3: how a token travels.

use portcullis::{Mono, Now, testing::request};

use super::{Answer, CLAIMS, HEADER, NOW, ask, signed, verifier};

fn now() -> Now {
    Now::new(NOW, Mono::from_nanos(1 << 40))
}

fn with(values: &[&str]) -> Answer {
    let start = request("GET", "/me");
    let request =
        values.iter().fold(start, |request, value| request.header("authorization", value));
    ask(verifier(), request, now())
}

/// RFC 9110 section 11.1 and 11.4: the scheme in any case, then one space or more.
#[test]
fn the_scheme_is_read_in_any_case() {
    let token = signed(HEADER, CLAIMS);
    for scheme in ["Bearer ", "bearer ", "BEARER ", "bEaReR   "] {
        assert_eq!(with(&[&format!("{scheme}{token}")]).status, 200, "{scheme}");
    }
    for value in [
        format!("Bearer\t{token}"),
        format!("Bearer {token} "),
        format!("Bearer {token}\t"),
        format!("Bearer {token},"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token} x=y"),
        format!("Bearer \"{token}\""),
        format!("Bearer: {token}"),
        format!("Bearer{token}"),
        format!("Bearer {token}é"),
        "Bearer".to_owned(),
        "Bearer =".to_owned(),
        token.clone(),
    ] {
        let answer = with(&[&value]);
        assert!(matches!(answer.status, 400 | 401), "{value}: {answer:?}");
    }
}

/// RFC 6750 section 2: by one way, and RFC 9700 section 4.3.2: never in the URI. Whoever sends
/// it there has sent none.
#[test]
fn a_token_in_the_query_is_none() {
    let token = signed(HEADER, CLAIMS);
    let query = request("GET", &format!("/me?access_token={token}"));
    let bare = vec![r#"Bearer realm="staff""#.to_owned()];
    let missing = Answer { status: 401, challenges: bare, reason: Some("credential_missing") };
    assert_eq!(ask(verifier(), query, now()), missing);
    let form = request("POST", "/me").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(ask(verifier(), form, now()), missing);
    let cookie = request("GET", "/me").header("cookie", &format!("access_token={token}"));
    assert_eq!(ask(verifier(), cookie, now()), missing);
}

/// Section 3.1: which error is told with which status, and none where there was no token.
#[test]
fn errors_are_those_of_the_standard() {
    let token = signed(HEADER, CLAIMS);
    let expired = signed(HEADER, CLAIMS.replace("1700000300", "1700000000"));
    let challenge = |extra: &str| vec![format!(r#"Bearer realm="staff"{extra}"#)];
    let invalid = challenge(r#", error="invalid_token""#);
    assert_eq!(with(&[]).challenges, challenge(""));
    for token in [&expired, "a.b.c", "a.b.c.d.e", "opaque"] {
        let answer = with(&[&format!("Bearer {token}")]);
        assert_eq!((answer.status, &answer.challenges), (401, &invalid), "{token}");
    }
    let twice = with(&[&format!("Bearer {token}"), &format!("Bearer {token}")]);
    assert_eq!(twice.status, 400);
    assert_eq!(twice.challenges, challenge(r#", error="invalid_request""#));
    let reports = request("GET", "/reports").bearer(&token);
    let limited = signed(HEADER, CLAIMS.replace("\"sub\"", r#""scope":"x","sub""#));
    let unlimited = ask(verifier(), reports, now());
    let answer = ask(verifier(), request("GET", "/reports").bearer(&limited), now());
    let expected = challenge(r#", error="insufficient_scope", scope="reports.read""#);
    for answer in [unlimited, answer] {
        assert_eq!((answer.status, answer.challenges), (403, expected.clone()));
    }
}

/// Section 3: no answer repeats any of what was presented.
#[test]
fn nothing_presented_is_repeated() {
    for token in ["quite-a-word.b.c", "quite-a-word", &signed(r#"{"alg":"quite-a-word"}"#, CLAIMS)]
    {
        let answer = with(&[&format!("Bearer {token}")]);
        let text = format!("{answer:?}");
        assert!(!text.contains("quite-a-word") && !text.contains(token), "{text}");
    }
}
