//! Every answer of the gate, as a caller sees it: RFC 6750, 7617, 9110 and 9457 line by line.

use std::{collections::BTreeSet, convert::Infallible, net::IpAddr};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt, Empty, Full};
use portcullis::{
    AuthnError, AuthnErrorKind, Challenge, Credential, Document, Facts, Gate, Now, PolicySet,
    Principal, Quota, Reason, Refusal, Routes, Source, Verifier, clock,
    http::Refused,
    testing::{Issuer, RequestBuilder, assert_refused, request},
    tower::GateLayer,
};
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn};

use crate::kit::{Word, block_on};

/// RFC 7617 section 2: `Aladdin` with `open sesame`.
#[derive(Debug)]
struct Aladdin;

impl Verifier for Aladdin {
    fn realm(&self) -> &str {
        "cave"
    }

    fn challenge(&self) -> Option<Challenge> {
        Some(Challenge::new("Basic", "cave").with("charset", "UTF-8"))
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::ApiKeyHeader("x-lamp")]
    }

    fn verify(
        &self,
        credential: &Credential<'_>,
        _: &Facts<'_>,
        _: Now,
    ) -> Option<Result<Principal, AuthnError>> {
        let Credential::Basic(value) = credential else { return None };
        let aladdin = *value == "QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        let wrong = AuthnError::new(AuthnErrorKind::Invalid, "not the password");
        let principal = || Principal::assertion("cave", "Aladdin").finish().unwrap();
        Some(aladdin.then(principal).ok_or(wrong))
    }
}

const POLICY: &str = r#"
    [resources.Order]
    actions = ["order:read"]
    [roles]
    manager = { may = ["order:read"] }
"#;

fn issuer() -> Issuer {
    Issuer::new("https://id.example")
}

fn gate() -> Gate {
    let routes = Routes::new()
        .public("GET", "/health")
        .authenticated("*", "/me")
        .authenticated("GET", "/bare")
        .scope("GET", "/reports", "reports.read")
        .role("GET", "/admin", "manager")
        .action("GET", "/orders", "order:read");
    Gate::builder()
        .authenticate(issuer().verifier("staff"))
        .authenticate(Aladdin)
        .authenticate(Word)
        .policies(PolicySet::from_document(Document::from_toml(POLICY).unwrap()).unwrap())
        .routes(routes)
        .limit_clients(Quota::per_minute(2).burst(1_000))
        .build()
        .unwrap()
}

/// `/bare` refuses by itself, and forgets the challenges.
async fn handler(request: Request<Empty<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() != "/bare" {
        return Ok(Response::default());
    }
    Ok(Refused::from(Reason::CredentialMissing).map(|_| Full::default()))
}

/// An answer without its correlation id.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

fn ask(gate: &Gate, request: RequestBuilder) -> (Response<()>, Answer) {
    let layer = GateLayer::new(gate.clone()).peer(|ext| ext.get::<IpAddr>().copied());
    let here: IpAddr = [127, 0, 0, 1].into();
    let request = request.extension(here).build();
    let response = block_on(layer.layer(service_fn(handler)).oneshot(request)).unwrap();
    let (parts, body) = response.into_parts();
    let body = block_on(body.collect()).unwrap().to_bytes();
    let mut body = String::from_utf8(body.to_vec()).unwrap();
    if let Some(id) = parts.extensions.get().and_then(Refusal::correlation_id) {
        body = body.replace(&id.to_string(), "ID");
    }
    let answer = Answer { status: parts.status.as_u16(), headers: parts.headers.clone(), body };
    (Response::from_parts(parts, ()), answer)
}

fn values(answer: &Answer, name: header::HeaderName) -> Vec<&str> {
    answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

const BARE: [&str; 3] = [
    r#"Bearer realm="staff""#,
    r#"Basic realm="cave", charset="UTF-8""#,
    r#"Word realm="wizards""#,
];

/// The challenges with what `extra` adds to that of `Bearer`.
fn challenges(extra: &str) -> Vec<String> {
    vec![format!("{}{extra}", BARE[0]), BARE[1].to_owned(), BARE[2].to_owned()]
}

#[test]
fn the_table() {
    let gate = gate();
    let now = clock::now().wall;
    let token = |subject| issuer().token(subject);
    let with = |path, value: &str| request("GET", path).header("authorization", value);
    let bearer = |path, token: &str| with(path, &format!("Bearer {token}"));
    let alice = token("alice").sign(now);
    let bare = Some(challenges(""));
    let invalid_token = Some(challenges(r#", error="invalid_token""#));
    let invalid_request = Some(challenges(r#", error="invalid_request""#));
    let scope = Some(challenges(r#", error="insufficient_scope", scope="reports.read""#));
    let check = |request: RequestBuilder, status, reason, expected: &Option<Vec<String>>| {
        let (response, answer) = ask(&gate, request);
        assert_refused(&response, status, reason);
        let found = values(&answer, header::WWW_AUTHENTICATE);
        assert_eq!(&found, expected.as_deref().unwrap_or_default(), "{reason}");
        assert_problem(&response, &answer);
    };

    // RFC 6750 section 3.1: no credential, no error; RFC 9110 section 15.5.2: but challenges.
    check(request("GET", "/me"), 401, "credential_missing", &bare);
    check(request("GET", "/bare").bearer(&alice), 401, "credential_missing", &bare);
    // A token that proves nothing, or that nobody takes.
    check(bearer("/me", &token("a").expired().sign(now)), 401, "expired", &invalid_token);
    check(bearer("/health", &token("a").expired().sign(now)), 401, "expired", &invalid_token);
    check(bearer("/me", "a.b.c"), 401, "malformed", &invalid_token);
    check(bearer("/me", "opaque"), 401, "credential_unsupported", &invalid_token);
    // Other schemes: what is wrong with them is not for Bearer's challenge to tell.
    check(with("/me", "Basic QTpi"), 401, "invalid", &bare);
    check(with("/me", "Digest username=a"), 401, "credential_unsupported", &bare);
    check(with("/me", "Word please"), 401, "invalid", &bare);
    // No credential at all, or two of them.
    check(with("/me", "Bearer"), 400, "credential_malformed", &invalid_request);
    check(with("/me", "Bearer a b"), 400, "credential_malformed", &invalid_request);
    check(with("/me", "Basic a:b"), 400, "credential_malformed", &invalid_request);
    let twice = bearer("/me", &alice).bearer(&alice);
    check(twice, 400, "credential_ambiguous", &invalid_request);
    let elsewhere = bearer("/me", &alice).header("x-lamp", "genie");
    check(elsewhere, 400, "credential_ambiguous", &invalid_request);
    check(request("GET", "/a/../me"), 400, "path_ambiguous", &None);
    // A token that is good, and not for this.
    check(bearer("/reports", &alice), 403, "scope_missing", &scope);
    check(bearer("/admin", &alice), 403, "role_missing", &None);
    check(bearer("/orders", &alice), 403, "no_rule", &None);
    check(request("GET", "/nowhere"), 404, "route_unlisted", &None);
    check(request("POST", "/health"), 404, "route_unlisted", &None);
    check(
        with("/me", &format!("Bearer {}", "a".repeat(20_000))),
        431,
        "credential_too_large",
        &None,
    );
    // Told to come back with another credential, a client would throw away a good one.
    check(with("/me", "Word down"), 503, "unavailable", &None);
    check(with("/me", "Word impostor"), 500, "realm_foreign", &None);

    let (_, served) = ask(&gate, with("/me", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_eq!(served.status, 200);
    assert!(served.headers.is_empty(), "{:?}", served.headers);
}

/// RFC 9457: the members of the document, its type, and that nobody keeps it.
#[track_caller]
fn assert_problem(response: &Response<()>, answer: &Answer) {
    assert_eq!(values(answer, header::CONTENT_TYPE), ["application/problem+json"]);
    assert_eq!(values(answer, header::CACHE_CONTROL), ["no-store"]);
    assert_eq!(values(answer, header::RETRY_AFTER), [""; 0]);
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let status = response.status();
    let class = response.extensions().get::<Refusal>().unwrap().class();
    let expected = json!({
        // RFC 9457 section 4.2.1: with no `type`, the title is the status's own phrase.
        "title": status.canonical_reason().unwrap(),
        "status": status.as_u16(),
        "class": class.as_str(),
        "correlation_id": "ID",
    });
    assert_eq!(problem, expected);
}

#[test]
fn whoever_is_throttled_is_told_for_how_long() {
    let gate = gate();
    let throttled = (0..).map(|_| ask(&gate, request("GET", "/health")).1);
    let answer = throttled.take(1_100).find(|answer| answer.status == 429).unwrap();
    // RFC 6585 section 4, RFC 9110 section 10.2.3.
    let seconds: u64 = values(&answer, header::RETRY_AFTER)[0].parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    assert_eq!(values(&answer, header::CACHE_CONTROL), ["no-store"]);
    assert_eq!(values(&answer, header::WWW_AUTHENTICATE), [""; 0]);
}

#[test]
fn attack_telling_one_wrong_token_from_another() {
    let gate = gate();
    let now = clock::now().wall;
    let token = || issuer().token("alice");
    let mut wrong = vec![
        token().expired().sign(now),
        token().signed_by_stranger().sign(now),
        token().for_audience("billing").sign(now),
        token().issued_by("https://evil.example").sign(now),
        token().without_claim("exp").sign(now),
        token().without_claim("sub").sign(now),
        token().not_before(portcullis::UnixTime::from_secs(now.as_secs() + 3_600)).sign(now),
        token().header("kid", "unknown").sign(now),
        token().header("alg", "none").sign(now),
        token().header("crit", json!(["x"])).sign(now),
        "a.b.c".to_owned(),
        "opaque".to_owned(),
    ];
    let good = token().sign(now);
    let (signed, _) = good.rsplit_once('.').unwrap();
    wrong.extend([format!("{signed}."), format!("{signed}.AAAA"), format!("{good}A")]);
    let mut reasons = BTreeSet::new();
    let (_, first) = ask(&gate, request("GET", "/me").bearer(&wrong[0]));
    for token in &wrong {
        let (response, answer) = ask(&gate, request("GET", "/me").bearer(token));
        assert_eq!(answer, first, "{token}");
        reasons.insert(response.extensions().get::<Refusal>().unwrap().reason().as_str());
    }
    assert_eq!(first.status, 401);
    assert!(reasons.len() >= 6, "the record tells them apart: {reasons:?}");

    // Unknown user and wrong password, too.
    let basic = |value: &str| {
        ask(&gate, request("GET", "/me").header("authorization", &format!("Basic {value}"))).1
    };
    assert_eq!(basic("QWxhZGRpbjp3cm9uZw=="), basic("bm9ib2R5OndoYXRldmVy"));
}
