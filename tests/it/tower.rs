//! The layer keeps tower's contract: readiness, errors, dropped requests, one event each.

use std::{
    convert::Infallible,
    future::{Ready, pending, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt, Empty, Full};
use portcullis::{
    Caller, Class, Gate, Reason, Refusal, Routes,
    audit::EventName,
    http::{RefusalBody, Refused, Respond},
    testing::Recorder,
    tower::{GateBody, GateLayer},
};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::kit::{Word, block_on, only, reason};

fn gate(log: &Recorder) -> Gate {
    let routes = Routes::new().public("GET", "/health").authenticated("*", "/{*rest}");
    Gate::builder()
        .authenticate(Word)
        .routes(routes)
        .audit(log.clone())
        .insecure_allow_cleartext()
        .build()
        .unwrap()
}

pub(crate) fn request(path: &str, word: &str) -> Request<Empty<Bytes>> {
    let request = Request::get(path).header(header::AUTHORIZATION, format!("Word {word}"));
    request.body(Empty::new()).unwrap()
}

/// Panics when called without having been polled ready; its clones start un-ready.
#[derive(Debug, Default)]
pub(crate) struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request<Empty<Bytes>>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Empty<Bytes>>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called un-ready");
        let caller: &Caller = request.extensions().get().expect("the gate leaves a caller");
        let id = caller.principal().map(|principal| principal.id().to_owned());
        ready(Ok(Response::new(Full::from(id.unwrap_or_default()))))
    }
}

pub(crate) async fn text<B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>>(
    response: Response<B>,
) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_service_called_is_the_one_that_was_ready() {
    let log = Recorder::default();
    let mut service = GateLayer::new(gate(&log)).layer(Strict::default());
    block_on(async {
        for word in ["xyzzy", "slow", "slow", "wrong", "xyzzy"] {
            let response = service.ready().await.unwrap().call(request("/a", word)).await.unwrap();
            match word {
                "wrong" => assert_eq!(response.status(), 401),
                _ => assert_eq!(text(response).await, "wizards/merlin"),
            }
        }
    });
    assert_eq!(log.take().len(), 5);
}

#[test]
fn an_error_of_the_service_stays_its_own() {
    let log = Recorder::default();
    let failing = service_fn(|_| async { Err::<Response<Full<Bytes>>, _>("broken pipe") });
    let service = GateLayer::new(gate(&log)).layer(failing);
    let error = block_on(service.oneshot(request("/a", "xyzzy"))).unwrap_err();
    assert_eq!(error, "broken pipe");
    assert_eq!(only(&log).event().name, EventName::AuthzAllow);
}

#[test]
fn whoever_goes_away_leaves_one_event() {
    let abandoned = |word: &str| {
        let log = Recorder::default();
        let silent = service_fn(|_| pending::<Result<Response<Full<Bytes>>, Infallible>>());
        let service = GateLayer::new(gate(&log)).layer(silent);
        block_on(async {
            let response = service.oneshot(request("/a", word));
            let nothing = tokio::time::timeout(std::time::Duration::ZERO, response).await;
            assert!(nothing.is_err());
        });
        only(&log)
    };
    let in_the_handler = abandoned("xyzzy");
    assert_eq!(in_the_handler.event().name, EventName::RequestAbandoned);
    assert_eq!(in_the_handler.event().principal.unwrap().id(), "wizards/merlin");
    let in_the_lookup = abandoned("never");
    assert_eq!(in_the_lookup.event().name, EventName::RequestAbandoned);
    assert_eq!(in_the_lookup.event().principal, None);
}

#[derive(Debug)]
struct Terse;

impl Respond for Terse {
    fn body(&self, refusal: &Refusal, headers: &mut HeaderMap) -> Bytes {
        headers.insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
        format!("no: {}", refusal.class()).into()
    }
}

/// A handler that refuses with `?`.
async fn refusing(_: Request<Empty<Bytes>>) -> Result<Response<RefusalBody>, Infallible> {
    fn handler() -> Result<Response<RefusalBody>, Refused> {
        Err(Refusal::new(Reason::RoleMissing))?
    }
    Ok(handler().unwrap_or_else(|refused| refused))
}

#[test]
fn one_responder_writes_every_refusal() {
    let log = Recorder::default();
    let layer = GateLayer::new(gate(&log)).respond(Terse);
    let answer = |word: &str, path: &str| -> Response<GateBody<RefusalBody>> {
        block_on(layer.layer(service_fn(refusing)).oneshot(request(path, word))).unwrap()
    };
    let by_handler = answer("xyzzy", "/a");
    assert_eq!(by_handler.status(), 403);
    assert_eq!(by_handler.extensions().get::<Refusal>().unwrap().class(), Class::Forbidden);
    assert_eq!(block_on(text(by_handler)), "no: forbidden");
    assert_eq!(reason(&only(&log)), Some("role_missing"));
    let by_gate = answer("wrong", "/a");
    assert_eq!(by_gate.status(), 401);
    assert_eq!(by_gate.headers()[header::WWW_AUTHENTICATE], r#"Word realm="wizards""#);
    assert_eq!(block_on(text(by_gate)), "no: unauthenticated");
    assert_eq!(reason(&only(&log)), Some("invalid"));
}

#[test]
fn answer_and_event_share_an_id() {
    let log = Recorder::default();
    let service = GateLayer::new(gate(&log)).layer(Strict::default());
    let response = block_on(service.oneshot(request("/a", "wrong"))).unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&block_on(text(response))).unwrap();
    let event = only(&log);
    assert_eq!(problem["correlation_id"], event.event().correlation.to_string());
}

#[test]
fn handlers_see_credentials_marked_or_not_at_all() {
    let seen = |layer: GateLayer, word: &str| {
        let echo = service_fn(|request: Request<Empty<Bytes>>| async move {
            let authorization = request.headers().get(header::AUTHORIZATION);
            let told = match authorization {
                None => "none",
                Some(value) if value.is_sensitive() => "sensitive",
                Some(_) => "plain",
            };
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(told)))
        });
        let request = request("/a", word);
        block_on(async { text(layer.layer(echo).oneshot(request).await.unwrap()).await })
    };
    let layer = GateLayer::new(gate(&Recorder::default()));
    for word in ["xyzzy", "slow"] {
        assert_eq!(seen(layer.clone(), word), "sensitive");
        assert_eq!(seen(layer.clone().strip_credentials(), word), "none");
    }
}
