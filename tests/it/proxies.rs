//! Behind trusted proxies limits, verifiers and events go by the client that they name, and by
//! nobody else's word.

use std::{convert::Infallible, net::IpAddr};

use bytes::Bytes;
use http::Response;
use http_body_util::{Empty, Full};
use portcullis::{
    Authenticator, Caller, Challenge, Credential, Facts, Gate, GateBuilder, Mono, Now, Principal,
    Quota, Routes, Step, TrustedProxies, UnixTime,
    testing::{Recorder, assert_refused, request},
    tower::{GateBody, GateLayer},
};
use tower::{Layer, ServiceExt, service_fn};

use crate::kit::{block_on, only};

/// Vouches for the client's address, whatever the word.
#[derive(Debug)]
struct Addresses;

impl Authenticator for Addresses {
    fn realm(&self) -> &str {
        "addresses"
    }

    fn challenge(&self) -> Option<Challenge> {
        None
    }

    fn authenticate(&self, _: &Credential<'_>, facts: &Facts<'_>, _: Now) -> Step {
        let address = facts.client_address().unwrap().to_string();
        Step::Done(Ok(Principal::assertion("addresses", &address).finish().unwrap()))
    }
}

fn builder(log: &Recorder) -> GateBuilder {
    Gate::builder()
        .authenticate(Addresses)
        .routes(Routes::new().public("GET", "/a"))
        .trusted_proxies(TrustedProxies::x_forwarded_for(["10.0.0.0/8".parse().unwrap()]))
        .limit_clients(Quota::per_minute(1))
        .insecure_allow_cleartext()
        .audit(log.clone())
}

fn ask(gate: &Gate, peer: &str, lines: &[&str]) -> Response<GateBody<Full<Bytes>>> {
    let echo = |request: http::Request<Empty<Bytes>>| async move {
        let caller: &Caller = request.extensions().get().unwrap();
        let subject = caller.principal().unwrap().subject().to_owned();
        Ok::<_, Infallible>(
            Response::builder().header("who", subject).body(Full::default()).unwrap(),
        )
    };
    let layer = GateLayer::new(gate.clone()).peer(|ext| ext.get::<IpAddr>().copied());
    let now = Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40));
    let start = request("GET", "/a").bearer("x").at(now).extension(peer.parse::<IpAddr>().unwrap());
    let request = lines.iter().fold(start, |it, line| it.header("x-forwarded-for", line)).build();
    block_on(layer.layer(service_fn(echo)).oneshot(request)).unwrap()
}

#[test]
fn limit_verifier_and_event_go_by_the_same_client() {
    let log = Recorder::default();
    let gate = builder(&log).build().unwrap();
    let response = ask(&gate, "10.0.0.1", &["8.8.8.8", "192.0.2.7, 10.0.0.2"]);
    assert_eq!(response.headers()["who"], "192.0.2.7");
    assert_eq!(only(&log).event().client, "192.0.2.7".parse().ok());
    // Another proxy and another made-up hop, but the same client.
    let response = ask(&gate, "10.0.0.9", &["8.8.4.4, 192.0.2.7"]);
    assert_refused(&response, 429, "client_throttled");
    let response = ask(&gate, "10.0.0.1", &["192.0.2.8"]);
    assert_eq!(response.headers()["who"], "192.0.2.8");
}

#[test]
fn attack_a_stranger_rotates_forwarded_addresses() {
    let gate = builder(&Recorder::default()).build().unwrap();
    assert_eq!(ask(&gate, "203.0.113.5", &["10.0.0.1"]).headers()["who"], "203.0.113.5");
    for host in 0..20 {
        let response = ask(&gate, "203.0.113.5", &[&format!("192.0.2.{host}")]);
        assert_refused(&response, 429, "client_throttled");
    }
}

#[test]
fn a_header_that_cannot_be_read_is_refused_and_recorded() {
    let log = Recorder::default();
    let gate = builder(&log).build().unwrap();
    let response = ask(&gate, "10.0.0.1", &["192.0.2.7, nonsense"]);
    assert_refused(&response, 400, "forwarded_malformed");
    let event = only(&log);
    assert_eq!(event.event().client, "10.0.0.1".parse().ok());
    // It counts against the proxy that passed it on, and nobody else.
    assert_eq!(ask(&gate, "10.0.0.1", &["192.0.2.7"]).status(), 200);
    assert_refused(&ask(&gate, "10.0.0.1", &["for sale"]), 429, "client_throttled");
}

#[test]
fn proxies_that_are_nobody_or_everybody_build_no_gate() {
    for nets in [&[][..], &["10.0.0.0/8", "0.0.0.0/0"]] {
        let nets = nets.iter().map(|net| net.parse().unwrap());
        let error = builder(&Recorder::default())
            .trusted_proxies(TrustedProxies::forwarded(nets))
            .build()
            .unwrap_err();
        assert!(error.to_string().contains("trusted proxies: "), "{error}");
    }
}
