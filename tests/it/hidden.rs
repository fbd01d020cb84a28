//! Where denials are hidden, nobody can tell what is forbidden from what is not there.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt, Empty, Full};
use portcullis::{
    Caller, Document, Gate, PolicySet, Reason, Refusal, Routes,
    audit::{EventName, JsonLines, Sink},
    entity,
    http::{Refused, Respond},
    testing::{Recorder, RequestBuilder, request},
    tower::GateLayer,
};
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    kit::{Word, block_on, only, reason},
    page::Page,
};

const POLICY: &str = r#"
    [resources.Order]
    attributes = { owner = "User" }
    actions = ["order:read", "order:count"]
    [roles]
    manager = {}
    [[rule]]
    id = "owner-reads-own"
    effect = "permit"
    actions = ["order:read"]
    when = "resource.owner == principal"
"#;

struct Order {
    id: String,
    owner: String,
}

entity! {
    Order as "Order" by id { owner: "User" }
}

fn gate(sink: impl Sink) -> Gate {
    let routes = Routes::new()
        .action("*", "/orders/{id}", "order:read")
        .hidden()
        .public("GET", "/shared/{id}")
        .hidden()
        .action("GET", "/count", "order:count")
        .hidden()
        .role("GET", "/admin", "manager")
        .hidden()
        .scope("GET", "/reports", "reports.read")
        .hidden()
        .authenticated("GET", "/own")
        .hidden()
        .role("GET", "/open", "manager");
    Gate::builder()
        .authenticate(Word)
        .policies(PolicySet::from_document(Document::from_toml(POLICY).unwrap()).unwrap())
        .routes(routes)
        .audit(sink)
        .insecure_allow_cleartext()
        .build()
        .unwrap()
}

/// Order 1 is merlin's, order 2 is not, order 3 there is none.
fn show(request: &Request<Empty<Bytes>>) -> Result<(), Refused> {
    let caller: &Caller = request.extensions().get().unwrap();
    let (_, id) = request.uri().path().rsplit_once('/').unwrap();
    if id == "own" {
        return Err(Reason::RoleMissing.into());
    }
    let owner = match id {
        "1" => "wizards/merlin",
        "2" => "wizards/morgana",
        _ => return Err(Reason::ResourceUnknown.into()),
    };
    Ok(caller.may("order:read", &Order { id: id.to_owned(), owner: owner.to_owned() })?)
}

async fn handler(request: Request<Empty<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match show(&request) {
        Ok(()) => Response::default(),
        Err(refused) => refused.map(|_| Full::default()),
    })
}

/// Tells the class in a header and in the body.
#[derive(Debug)]
struct Talkative;

impl Respond for Talkative {
    fn body(&self, refusal: &Refusal, headers: &mut HeaderMap) -> Bytes {
        headers.insert("x-class", refusal.class().as_str().parse().unwrap());
        format!("{} {}", refusal.status(), refusal.class()).into()
    }
}

/// All that a caller sees, without the correlation id.
fn seen(layer: &GateLayer, request: RequestBuilder) -> (u16, HeaderMap, String) {
    let response = block_on(layer.layer(service_fn(handler)).oneshot(request.build())).unwrap();
    let id = response.extensions().get().and_then(Refusal::correlation_id);
    let id = id.map(|id| id.to_string()).unwrap_or_else(|| "none".to_owned());
    let (parts, body) = response.into_parts();
    let body = block_on(body.collect()).unwrap().to_bytes();
    let mut headers = parts.headers;
    if headers.get("correlation-id").is_some_and(|value| *value == *id) {
        headers.remove("correlation-id");
    }
    let body = String::from_utf8(body.to_vec()).unwrap().replace(&id, "ID");
    (parts.status.as_u16(), headers, body)
}

fn merlin(path: &str) -> RequestBuilder {
    request("GET", path).header("authorization", "Word xyzzy")
}

#[test]
fn attack_telling_the_forbidden_from_the_missing() {
    let log = Recorder::default();
    let layer = GateLayer::new(gate(log.clone())).grpc();
    let grpc = |request: RequestBuilder| request.header("content-type", "application/grpc");
    let plain = |request: RequestBuilder| request;
    let denied = [
        ("/orders/2", "no_rule"),
        ("/shared/2", "no_rule"),
        ("/count", "no_rule"),
        ("/admin", "role_missing"),
        ("/reports", "scope_missing"),
        ("/own", "role_missing"),
    ];
    let check = |layer: &GateLayer, of: &dyn Fn(RequestBuilder) -> RequestBuilder| {
        let missing = seen(layer, of(merlin("/orders/3")));
        assert_eq!(reason(&only(&log)), Some("resource_unknown"));
        for (path, why) in denied {
            assert_eq!(seen(layer, of(merlin(path))), missing, "{path}");
            let event = only(&log);
            assert_eq!(reason(&event), Some(why), "{path}");
            assert_eq!(event.event().name, EventName::AuthzFail, "{path}");
        }
        // Nobody at all, where anybody may come.
        assert_eq!(seen(layer, of(request("GET", "/shared/2"))), missing);
        let event = only(&log);
        assert_eq!(reason(&event), Some("credential_missing"));
        assert_eq!(event.event().name, EventName::AuthnLoginFail);
        missing
    };
    assert_eq!(check(&layer, &plain).0, 404);
    let (_, headers, _) = check(&layer, &grpc);
    assert_eq!(headers["grpc-status"], "5");
    assert_eq!(headers["grpc-message"], "not_found");
    let (_, headers, body) = check(&layer.clone().respond(Talkative), &plain);
    assert_eq!(body, "404 not_found");
    assert_eq!(headers["x-class"], "not_found");
}

#[test]
fn what_is_not_hidden_stays_in_sight() {
    let layer = GateLayer::new(gate(Recorder::default())).grpc();
    let status = |request| seen(&layer, request).0;
    assert_eq!(status(merlin("/orders/1")), 200);
    assert_eq!(status(merlin("/open")), 403);
    assert_eq!(status(request("GET", "/admin").header("authorization", "Word wrong")), 401);
    // Whoever brings nothing is asked for it, whether there is anything or not.
    let (code, headers, _) = seen(&layer, request("GET", "/orders/2"));
    assert_eq!(code, 401);
    assert_eq!(headers[header::WWW_AUTHENTICATE], r#"Word realm="wizards""#);
    assert_eq!(status(request("GET", "/orders/3")), 401);
}

#[test]
fn the_record_keeps_class_and_reason() {
    let page = Page::default();
    let lines = JsonLines::new(page.clone(), 16).unwrap();
    let layer = GateLayer::new(gate(lines)).grpc();
    assert_eq!(seen(&layer, merlin("/admin")).0, 404);
    drop(layer);
    let text = page.text();
    let event: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&event["class"], &event["reason"]), (&"forbidden".into(), &"role_missing".into()));
}

#[test]
fn hiding_needs_a_line_and_is_not_lost_with_a_line_that_stands_twice() {
    let stray = Routes::new().hidden().public("GET", "/");
    let errors = Gate::builder().routes(stray).build().unwrap_err();
    assert!(errors.to_string().contains("before the first route"), "{errors}");

    let routes = Routes::new()
        .scope("GET", "/a", "s")
        .scope("GET", "/a", "s")
        .hidden()
        .scope("GET", "/b", "s");
    let gate = Gate::builder()
        .authenticate(Word)
        .routes(routes)
        .insecure_allow_cleartext()
        .build()
        .unwrap();
    let layer = GateLayer::new(gate).grpc();
    assert_eq!(seen(&layer, merlin("/a")).0, 404);
    assert_eq!(seen(&layer, merlin("/b")).0, 403);
}
