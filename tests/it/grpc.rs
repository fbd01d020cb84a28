//! The same refusals, in gRPC's words.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body as _;
use http_body_util::{Empty, Full};
use portcullis::{
    Document, Gate, PolicySet, Reason, Refusal, Routes,
    http::{Dialect, Problem, Refused},
    testing::{Issuer, Recorder, RequestBuilder, request},
    tower::GateLayer,
};
use tower::{Layer, ServiceExt, service_fn};

use crate::kit::{Word, block_on, only, reason};

const POLICY: &str = r#"
    [resources.Order]
    attributes = { owner = "User" }
    actions = ["order:read"]
    [roles]
    manager = {}
    [[rule]]
    id = "owner-reads-own"
    effect = "permit"
    actions = ["order:read"]
    when = "resource.owner == principal"
"#;

fn gate(log: &Recorder) -> Gate {
    let routes = Routes::new()
        .authenticated("POST", "/shop.Orders/List")
        .action("POST", "/shop.Orders/Show", "order:read")
        .role("POST", "/shop.Orders/Drop", "manager")
        .scope("POST", "/shop.Orders/Sum", "orders.sum");
    Gate::builder()
        .authenticate(Issuer::new("https://id.example").verifier("staff"))
        .authenticate(Word)
        .policies(PolicySet::from_document(Document::from_toml(POLICY).unwrap()).unwrap())
        .routes(routes)
        .audit(log.clone())
        .insecure_allow_cleartext()
        .build()
        .unwrap()
}

/// Answers as gRPC handlers do: an order that is not there is a status in the headers.
async fn handler(request: Request<Empty<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/shop.Orders/Show" {
        let missing = Response::builder().header("grpc-status", "5").body(Full::default());
        return Ok(missing.unwrap());
    }
    // A handler that knows only HTTP's refusals.
    Ok(Refused::from(Reason::ResourceUnknown).map(|_| Full::default()))
}

fn call(method: &str) -> RequestBuilder {
    request("POST", &format!("/shop.Orders/{method}")).header("content-type", "application/grpc")
}

fn ask(gate: Gate, request: RequestBuilder) -> HeaderMap {
    let service = GateLayer::new(gate).grpc().layer(service_fn(handler));
    let response = block_on(service.oneshot(request.build())).unwrap();
    assert_eq!(response.status(), 200);
    if response.extensions().get::<Refusal>().is_some() {
        assert!(response.body().is_end_stream(), "not trailers-only");
        assert_eq!(response.headers()["content-type"], "application/grpc");
    }
    response.headers().clone()
}

#[test]
fn every_refusal_is_a_status() {
    let log = Recorder::default();
    let gate = gate(&log);
    let check = |request: RequestBuilder, code: &str, message: &str, why: &str| {
        let headers = ask(gate.clone(), request);
        let event = only(&log);
        assert_eq!(reason(&event), Some(why));
        assert_eq!(headers["grpc-status"], code, "{why}");
        assert_eq!(headers["grpc-message"], message, "{why}");
        assert_eq!(headers["correlation-id"], event.event().correlation.to_string());
        assert_eq!(headers["cache-control"], "no-store");
        headers
    };
    let word = |method, word| call(method).header("authorization", &format!("Word {word}"));

    let headers = check(call("List"), "16", "unauthenticated", "credential_missing");
    let challenges: Vec<_> = headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, [r#"Bearer realm="staff""#, r#"Word realm="wizards""#]);
    let headers = check(call("List").bearer("a.b.c"), "16", "unauthenticated", "malformed");
    assert_eq!(headers["www-authenticate"], r#"Bearer realm="staff", error="invalid_token""#);
    let headers = check(word("Sum", "xyzzy"), "7", "forbidden", "scope_missing");
    let insufficient = r#"Bearer realm="staff", error="insufficient_scope", scope="orders.sum""#;
    assert_eq!(headers["www-authenticate"], insufficient);
    check(word("Drop", "xyzzy"), "7", "forbidden", "role_missing");
    check(word("List", "slow"), "5", "not_found", "resource_unknown");
    check(word("Nothing", "xyzzy"), "5", "not_found", "route_unlisted");
    check(word("List", "down"), "14", "unavailable", "unavailable");
    check(word("List", "impostor"), "13", "misconfigured", "realm_foreign");
    check(call("List").header("authorization", "Word"), "3", "malformed", "credential_malformed");
    let giant = "x".repeat(20_000);
    check(word("List", &giant), "3", "too_large", "credential_too_large");
}

#[test]
fn a_status_of_the_handlers_own_is_no_success_that_owes_a_check() {
    let log = Recorder::default();
    let headers = ask(gate(&log), call("Show").header("authorization", "Word xyzzy"));
    assert_eq!(headers["grpc-status"], "5");
    assert!(headers.get("grpc-message").is_none());
    assert_eq!(reason(&only(&log)), None);
}

#[test]
fn a_call_that_says_nothing_of_grpc_gets_http() {
    let service = GateLayer::new(gate(&Recorder::default())).grpc().layer(service_fn(handler));
    let request = request("POST", "/shop.Orders/List").build();
    let response = block_on(service.oneshot(request)).unwrap();
    assert_eq!(response.status(), 401);
    assert!(response.headers().get("grpc-status").is_none());
    assert_eq!(Dialect::of(response.headers()), Dialect::Http);
    let problem = Dialect::Http.refuse(Reason::RoleMissing.into(), &Problem);
    assert_eq!(problem.status(), 403);
}

#[test]
fn attack_a_caller_who_says_grpc_where_none_is_served() {
    let service = GateLayer::new(gate(&Recorder::default())).layer(service_fn(handler));
    let response = block_on(service.oneshot(call("List").build())).unwrap();
    assert_eq!(response.status(), 401);
    assert!(response.headers().get("grpc-status").is_none());
}
