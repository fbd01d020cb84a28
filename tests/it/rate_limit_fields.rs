//! What a gate's answers tell of its limits, and where they are silent.

use std::{convert::Infallible, net::IpAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use portcullis::{
    Caller, Gate, GateBuilder, Mono, Now, Outcomes, Quota, Reason, Routes, UnixTime,
    http::{RateLimitFields, Refused},
    testing::{RequestBuilder, request},
    tower::{AuthenticateLayer, GateLayer, RateLimitLayer},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::kit::{Word, block_on};

const MERLIN: (&str, &str) = ("authorization", "Word xyzzy");
const MINUTE: Duration = Duration::from_secs(60);

fn now() -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
}

fn here(_: &http::Extensions) -> Option<IpAddr> {
    Some([127, 0, 0, 1].into())
}

fn builder() -> GateBuilder {
    let routes = Routes::new()
        .authenticated("*", "/{*rest}")
        .public("GET", "/health")
        .scope("GET", "/secret", "secret.read")
        .authenticated("POST", "/reports");
    Gate::builder().authenticate(Word).routes(routes).insecure_allow_cleartext()
}

fn layer(builder: GateBuilder) -> GateLayer {
    GateLayer::new(builder.build().unwrap()).grpc().peer(here).now(|ext| ext.get().copied())
}

fn told(builder: GateBuilder) -> GateLayer {
    layer(builder).rate_limit_fields(RateLimitFields::Draft10)
}

/// Refuses `/missing` by a refusal of its own, fails at `/broken`, and has a field of its own at
/// `/own`.
async fn handler(request: Request<Empty<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    assert!(request.extensions().get::<Caller>().is_some());
    let response = Response::builder();
    let response = match request.uri().path() {
        "/missing" => return Ok(Refused::from(Reason::ResourceUnknown).map(|_| Full::default())),
        "/broken" => response.status(500),
        "/own" => response.header("ratelimit", "\"own\";r=1"),
        _ => response,
    };
    Ok(response.body(Full::default()).unwrap())
}

/// The status, then `RateLimit-Policy`, `RateLimit` and `Retry-After` where they stand.
fn ask<S, B>(service: &S, request: RequestBuilder, now: Now) -> String
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>, Error = Infallible> + Clone,
{
    let Ok(response) = block_on(service.clone().oneshot(request.at(now).build()));
    let mut told = vec![response.status().as_u16().to_string()];
    for name in ["ratelimit-policy", "ratelimit", "retry-after"] {
        let values = response.headers().get_all(name).iter();
        told.extend(values.map(|value| value.to_str().unwrap().to_owned()));
    }
    told.join(" ")
}

fn get(path: &str) -> RequestBuilder {
    request("GET", path).header(MERLIN.0, MERLIN.1)
}

#[test]
fn answers_count_down_and_a_429_says_when() {
    let service = told(builder().limit_clients(Quota::per_minute(3))).layer(service_fn(handler));
    let ask = |later: Duration| ask(&service, get("/a"), now().later(later));
    let policy = "\"client-3-per-minute\";q=3;w=60 \"client-3-per-minute\"";
    assert_eq!(ask(Duration::ZERO), format!("200 {policy};r=2;t=20"));
    assert_eq!(ask(Duration::ZERO), format!("200 {policy};r=1;t=20"));
    assert_eq!(ask(Duration::from_millis(500)), format!("200 {policy};r=0;t=20"));
    assert_eq!(ask(Duration::from_millis(500)), format!("429 {policy};r=0;t=20 20"));
    assert_eq!(ask(Duration::from_millis(19_999)), format!("429 {policy};r=0;t=1 1"));
    assert_eq!(ask(MINUTE / 3), format!("200 {policy};r=0;t=20"));
    assert_eq!(ask(MINUTE * 3), format!("200 {policy};r=2;t=20"));
}

#[test]
fn nothing_is_told_unless_said() {
    let service = layer(builder().limit_clients(Quota::per_minute(1))).layer(service_fn(handler));
    assert_eq!(ask(&service, get("/a"), now()), "200");
    assert_eq!(ask(&service, get("/a"), now()), "429 60");
    let unlimited = told(builder()).layer(service_fn(handler));
    assert_eq!(ask(&unlimited, get("/a"), now()), "200");
}

#[test]
fn the_quota_that_leaves_the_least_is_told() {
    let limits = builder()
        .limit_clients([Quota::per_second(5), Quota::per_hour(4)])
        .limit_principals([Quota::per_minute(6), Quota::per_day(3)])
        .cost("GET", "/health", 0);
    let service = told(limits).layer(service_fn(handler));
    let ask = |request| ask(&service, request, now());
    let client = "\"client-4-per-hour\";q=4;w=3600 \"client-4-per-hour\"";
    let principal = "\"principal-3-per-day\";q=3;w=86400 \"principal-3-per-day\"";
    assert_eq!(ask(request("GET", "/health")), "200");
    assert_eq!(ask(get("/a")), format!("200 {principal};r=2;t=28800"));
    // Charged to the client only, which is told nothing by a 401.
    assert_eq!(ask(request("GET", "/a")), "401");
    assert_eq!(ask(get("/a")), format!("200 {principal};r=1;t=28800"));
    assert_eq!(ask(get("/a")), format!("200 {principal};r=0;t=28800"));
    assert_eq!(ask(get("/a")), format!("429 {client};r=0;t=900 900"));
}

#[test]
fn retry_after_is_never_earlier_than_more_is_there() {
    let limits = builder().limit_principals(Quota::per_minute(10)).cost("POST", "/reports", 8);
    let service = told(limits).layer(service_fn(handler));
    let policy = "\"principal-10-per-minute\";q=10;w=60 \"principal-10-per-minute\"";
    let report = || request("POST", "/reports").header(MERLIN.0, MERLIN.1);
    let ask = |later, request| ask(&service, request, now().later(Duration::from_secs(later)));
    assert_eq!(ask(0, report()), format!("200 {policy};r=2;t=6"));
    // Two are left, and one more in 2 seconds; but a report costs 8.
    assert_eq!(ask(4, report()), format!("429 {policy};r=2;t=2 32"));
    assert_eq!(ask(36, report()), format!("200 {policy};r=0;t=6"));
}

#[test]
fn refusals_other_than_a_429_are_silent() {
    let service = told(builder().limit_clients(Quota::per_minute(60))).layer(service_fn(handler));
    for (path, status) in [("/secret", "403"), ("/missing", "404"), ("/a/../b", "400")] {
        assert_eq!(ask(&service, get(path), now()), status, "{path}");
    }
    let wrong = request("GET", "/a").header("authorization", "Word wrong");
    assert_eq!(ask(&service, wrong, now()), "401");
    assert!(ask(&service, get("/broken"), now()).starts_with("500 \"client-60-per-minute\";q=60"));
}

#[test]
fn a_limiter_that_cannot_count_tells_nothing() {
    let service = told(builder().limit_clients(Quota::per_minute(1))).layer(service_fn(handler));
    let beyond = Now::new(now().wall, Mono::from_nanos(u64::MAX));
    assert_eq!(ask(&service, get("/a"), beyond), "503 60");
}

#[test]
fn what_is_refunded_was_told_as_charged() {
    let limits = builder().limit_clients(Quota::per_minute(2)).count_clients(Outcomes::Failed);
    let service = told(limits).layer(service_fn(handler));
    for _ in 0..5 {
        let told = ask(&service, get("/a"), now());
        assert!(told.ends_with(";r=1;t=30"), "{told}");
    }
}

#[test]
fn a_handlers_own_field_stays() {
    let service = told(builder().limit_clients(Quota::per_minute(1))).layer(service_fn(handler));
    let told = ask(&service, get("/own"), now());
    assert!(told.ends_with(" \"own\";r=1 \"client-1-per-minute\";r=0;t=60"), "{told}");
}

#[test]
fn an_answer_that_may_be_all_trailers_has_none() {
    let service = told(builder().limit_clients(Quota::per_minute(1))).layer(service_fn(handler));
    let call = || get("/a").header("content-type", "application/grpc");
    assert_eq!(ask(&service, call(), now()), "200");
    // Refused, in gRPC's words.
    assert_eq!(ask(&service, call(), now()), "200 60");
}

#[test]
fn whoever_writes_the_refusals_of_inner_layers_tells_as_well() {
    let words = || Gate::builder().authenticate(Word).insecure_allow_cleartext();
    let stack = |outer: RateLimitFields| {
        let limit = Gate::builder().limit_principals(Quota::per_hour(1));
        ServiceBuilder::new()
            .layer(AuthenticateLayer::new(words()).unwrap().rate_limit_fields(outer))
            .layer(RateLimitLayer::new(limit).unwrap().rate_limit_fields(RateLimitFields::Draft10))
            .service(service_fn(handler))
    };
    let policy = "\"principal-1-per-hour\";q=1;w=3600 \"principal-1-per-hour\";r=0;t=3600";
    let service = stack(RateLimitFields::Draft10);
    assert_eq!(ask(&service, get("/a"), now()), format!("200 {policy}"));
    assert!(ask(&service, get("/a"), now()).starts_with(&format!("429 {policy} ")));
    let service = stack(RateLimitFields::Off);
    assert_eq!(ask(&service, get("/a"), now()), format!("200 {policy}"));
    assert_eq!(ask(&service, get("/a"), now()), "429 3600");
}
