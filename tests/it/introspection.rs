//! Opaque tokens, asked about at real servers on this machine.

mod server;

use std::{net::TcpListener, time::Duration};

use portcullis::{
    Admission, AuthnError, AuthnErrorKind, Caller, Credential, Facts, Gate, Refusal, Routes,
    Secret,
    authn::{
        Outbound,
        introspection::{Endpoint, Introspection},
    },
    clock,
    fetch::Introspector,
    testing::{Issuer, Recorder},
};
use server::{Behaviour, Server};

use crate::kit::{block_on, only};

const ISSUER: &str = "https://id.example";

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn endpoint(url: &str, threads: usize) -> Endpoint {
    Endpoint::new(url, Introspector::start(threads).unwrap())
        .client("orders", &Secret::new(*b"s:cret"))
        .outbound(Outbound::default().allow_loopback())
        .timeout(millis(2_000))
}

fn verifier(endpoint: Endpoint) -> Introspection {
    Introspection::new("staff", ISSUER, "orders", endpoint)
}

fn judge(verifier: &Introspection, token: &str) -> Result<(), AuthnError> {
    block_on(verifier.verify_token(token, clock::now())).map(drop)
}

fn why(verifier: &Introspection, token: &str) -> (AuthnErrorKind, &'static str) {
    let error = judge(verifier, token).unwrap_err();
    (error.kind(), error.detail())
}

#[test]
fn opaque_tokens_beside_signed_ones_at_one_gate() {
    let server = Server::start(Behaviour::Honest);
    let (issuer, log) = (Issuer::new(ISSUER), Recorder::default());
    let gate = Gate::builder()
        .authenticate(issuer.verifier("staff"))
        .authenticate(verifier(endpoint(&server.url(), 2)))
        .share_realm("staff")
        .routes(Routes::new().authenticated("GET", "/me"))
        .audit(log.clone())
        .build()
        .unwrap();
    let ask = |token: &str| -> Result<Caller, Refusal> {
        let mut facts = Facts::default();
        (facts.method, facts.path, facts.secure) = (Some("GET"), Some("/me"), true);
        match gate.admit(Credential::Bearer(token), &facts, clock::now()) {
            Admission::Done(result) => result,
            Admission::Wait(future) => block_on(future),
        }
    };
    let signed = issuer.token("bob").sign(clock::now().wall);
    for (token, id) in [("good", "staff/alice"), (&signed, "staff/bob"), ("good", "staff/alice")] {
        let caller = ask(token).unwrap();
        assert_eq!(caller.principal().map(|who| who.id()), Some(id));
    }
    assert_eq!(ask("withdrawn").unwrap_err().status(), 401);
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "one for each opaque token");
    let (head, body) = &requests[0];
    assert!(head.starts_with("post /introspect http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded\r\n"), "{head}");
    assert_eq!(body, "token=good&token_type_hint=access_token");

    server.behave(Behaviour::Status(500));
    drop(log.take());
    let refused = ask("other").unwrap_err();
    assert_eq!((refused.status(), refused.retry_after_secs()), (503, Some(1)));
    drop(refused);
    let event = only(&log);
    let detail = event.event().refusal.and_then(|refusal| refusal.reason().detail());
    let expected = "the introspection endpoint answered with another status than 200";
    assert_eq!(detail, Some(expected));
    assert!(ask("good").is_ok(), "what is known goes on");
}

#[test]
fn attack_endpoint_that_misbehaves_is_never_a_no() {
    let server = Server::start(Behaviour::Honest);
    let verifier = verifier(endpoint(&server.url(), 1));
    let elsewhere = Server::start(Behaviour::Honest);
    for (behaviour, expected) in [
        (Behaviour::Status(500), "answered with another status than 200"),
        (Behaviour::Status(204), "answered with another status than 200"),
        (Behaviour::Status(404), "answered with another status than 200"),
        (Behaviour::Status(401), "does not take this service's credentials"),
        (Behaviour::Status(403), "does not take this service's credentials"),
        (Behaviour::Slow(5_000), "did not answer in time"),
        (Behaviour::Giant, "answer is too large"),
        (Behaviour::Body("<html>"), "answer is no JSON object"),
        (Behaviour::Body(r#"{"active":"true"}"#), "no boolean `active`"),
        (Behaviour::Redirect(elsewhere.url()), "answered with another status than 200"),
    ] {
        server.behave(behaviour.clone());
        let (kind, detail) = why(&verifier, "good");
        assert_eq!(kind, AuthnErrorKind::Unavailable, "{behaviour:?}");
        assert!(detail.contains(expected), "{behaviour:?}: {detail}");
    }
    assert!(elsewhere.requests().is_empty(), "no redirect takes the token elsewhere");
    server.behave(Behaviour::Honest);
    assert_eq!(judge(&verifier, "good"), Ok(()));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = self::verifier(endpoint(&format!("http://{nobody}/"), 1));
    assert_eq!(why(&gone, "good").1, "the introspection endpoint cannot be reached");
}

#[test]
fn our_own_credentials_are_wrong() {
    let server = Server::start(Behaviour::Honest);
    let wrong = endpoint(&server.url(), 1).client("orders", &Secret::new(*b"guess"));
    let (kind, detail) = why(&verifier(wrong), "good");
    assert_eq!(kind, AuthnErrorKind::Unavailable);
    assert_eq!(detail, "the introspection endpoint does not take this service's credentials");
}

#[test]
fn attack_slow_server_is_asked_once_for_one_token() {
    let server = Server::start(Behaviour::Slow(100));
    let verifier = verifier(endpoint(&server.url(), 4));
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| assert_eq!(judge(&verifier, "good"), Ok(())));
        }
    });
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn attack_more_questions_than_threads_and_places() {
    let server = Server::start(Behaviour::Slow(200));
    let verifier = verifier(endpoint(&server.url(), 1).timeout(millis(300)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let kinds = runtime.block_on(async {
        let ask = |n: u32| tokio::spawn(verifier.verify_token(&n.to_string(), clock::now()));
        let mut details = Vec::new();
        for asked in (0..40).map(ask).collect::<Vec<_>>() {
            details.push(asked.await.unwrap().unwrap_err().detail());
        }
        details
    });
    let count = |part: &str| kinds.iter().filter(|detail| detail.contains(part)).count();
    let (busy, late) = (count("too many questions wait"), count("in time"));
    // One under way, 16 that wait, and of those only few are answered in 300 ms.
    assert!((20..=24).contains(&busy) && late >= 12, "{kinds:?}");
    assert!(server.requests().len() <= 3, "who waited too long is not asked about");
}

#[test]
fn a_question_that_nobody_waits_for_is_not_asked() {
    let server = Server::start(Behaviour::Slow(500));
    let verifier = verifier(endpoint(&server.url(), 1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let first = tokio::spawn(verifier.verify_token("good", clock::now()));
        let given_up: Vec<_> = (0..8)
            .map(|n| tokio::spawn(verifier.verify_token(&n.to_string(), clock::now())))
            .collect();
        tokio::time::sleep(millis(30)).await;
        given_up.iter().for_each(tokio::task::JoinHandle::abort);
        assert!(first.await.unwrap().is_ok());
        assert!(verifier.verify_token("last", clock::now()).await.is_err());
    });
    let bodies: Vec<_> = server.requests().into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(bodies[1].contains("last"));
}

#[test]
fn attack_name_that_is_this_machine() {
    let server = Server::start(Behaviour::Honest);
    let url = server.url().replace("127.0.0.1", "localhost").replace("http:", "https:");
    let strict = endpoint(&url, 1).outbound(Outbound::default());
    let (kind, detail) = why(&verifier(strict), "good");
    assert_eq!(kind, AuthnErrorKind::Unavailable);
    assert_eq!(detail, "the introspection endpoint's address is not permitted");
    assert!(server.requests().is_empty(), "not even a connection");
}

#[test]
fn attack_rules_of_one_endpoint_open_the_way_of_another() {
    let server = Server::start(Behaviour::Honest);
    let threads = Introspector::start(1).unwrap();
    let of = |url: &str, outbound: Outbound| {
        let endpoint = Endpoint::new(url, threads.clone()).outbound(outbound);
        verifier(endpoint.client("orders", &Secret::new(*b"s:cret")).timeout(millis(300)))
    };
    let open = of(&server.url(), Outbound::default().allow_loopback());
    assert_eq!(judge(&open, "good"), Ok(()));
    let url = server.url().replace("127.0.0.1", "localhost").replace("http:", "https:");
    let strict = of(&url, Outbound::default());
    let detail = why(&strict, "good").1;
    assert_eq!(detail, "the introspection endpoint's address is not permitted");
}
