//! The gate without a web framework: every stage's answer, and the order of the stages.

use std::time::Duration;

use portcullis::{
    Admission, AuthnError, Caller, Challenge, Claim, Credential, Facts, Gate, GateBuilder, Mono,
    Now, Principal, Refusal, Routes, Source, UnixTime, Verifier, audit::EventName, limit::Quota,
    testing::Recorder,
};

use crate::kit::{Word, only, reason};

fn noon() -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
}

fn builder(log: &Recorder) -> GateBuilder {
    let routes = Routes::new().public("GET", "/health").authenticated("GET", "/me").scope(
        "GET",
        "/reports",
        "reports.read",
    );
    Gate::builder().authenticate(Word).routes(routes).audit(log.clone())
}

fn facts<'a>(path: &'a str, peer: Option<&str>) -> Facts<'a> {
    let mut facts = Facts::default();
    facts.method = Some("GET");
    facts.path = Some(path);
    facts.peer = peer.map(|peer| peer.parse().unwrap());
    facts
}

fn word(value: &str) -> Claim<'_> {
    Credential::Other { scheme: "Word", value }.into()
}

fn done(admission: Admission) -> Result<Caller, Refusal> {
    let Admission::Done(result) = admission else { panic!("{admission:?}") };
    result
}

/// Status and reason of a refusal, and the event's name and reason.
fn refused(
    gate: &Gate,
    log: &Recorder,
    claim: Claim<'_>,
    facts: &Facts<'_>,
) -> (u16, &'static str, EventName) {
    let refusal = done(gate.admit(claim, facts, noon())).unwrap_err();
    let event = only(log);
    assert_eq!(reason(&event), Some(refusal.reason().as_str()));
    assert_eq!(Some(event.event().correlation), refusal.correlation_id());
    (refusal.status(), refusal.reason().as_str(), event.event().name)
}

const HERE: Option<&str> = Some("127.0.0.1");

#[test]
fn every_stage_has_its_answer() {
    use EventName::{
        AuthnLoginFail, AuthzFail, InputValidationFail, SysMisconfigured, SysUnavailable,
    };
    let log = Recorder::default();
    let gate = builder(&log).build().unwrap();
    let check = |claim, path, expected| {
        assert_eq!(refused(&gate, &log, claim, &facts(path, HERE)), expected);
    };
    check(Claim::Absent, "/me/../me", (400, "path_ambiguous", InputValidationFail));
    check(Claim::Absent, "/nowhere", (404, "route_unlisted", AuthzFail));
    check(word("xyzzy"), "/nowhere", (404, "route_unlisted", AuthzFail));
    check(Claim::Malformed, "/me", (400, "credential_malformed", InputValidationFail));
    check(Claim::Ambiguous, "/me", (400, "credential_ambiguous", InputValidationFail));
    check(Claim::TooLarge, "/me", (431, "credential_too_large", InputValidationFail));
    check(Claim::Absent, "/me", (401, "credential_missing", AuthnLoginFail));
    check(
        Credential::Bearer("x.y.z").into(),
        "/me",
        (401, "credential_unsupported", AuthnLoginFail),
    );
    check(word("please"), "/me", (401, "invalid", AuthnLoginFail));
    check(word("please"), "/health", (401, "invalid", AuthnLoginFail));
    check(word("down"), "/me", (503, "unavailable", SysUnavailable));
    check(word("impostor"), "/me", (500, "realm_foreign", SysMisconfigured));
    check(word("xyzzy"), "/reports", (403, "scope_missing", AuthzFail));
}

#[test]
fn a_caller_is_recorded_once_when_the_last_clone_goes() {
    let log = Recorder::default();
    let gate = builder(&log).build().unwrap();
    let caller = done(gate.admit(word("xyzzy"), &facts("/me", HERE), noon())).unwrap();
    assert_eq!(caller.principal().unwrap().id(), "wizards/merlin");
    let clone = caller.clone();
    drop(caller);
    assert!(log.take().is_empty());
    drop(clone);
    let event = only(&log);
    let (name, template) = (event.event().name, event.event().template);
    assert_eq!((name, template), (EventName::AuthzAllow, Some("/me")));

    let caller = done(gate.admit(None, &facts("/health", HERE), noon())).unwrap();
    assert!(caller.principal().is_none());
    caller.finish().unwrap();
    drop(caller);
    assert_eq!(only(&log).event().principal, None);
}

#[test]
fn a_secret_in_the_clear_is_not_even_looked_at() {
    let log = Recorder::default();
    let gate = builder(&log).tls_terminated_by(["10.0.0.0/8".parse().unwrap()]).build().unwrap();
    let stranger = facts("/me", Some("192.0.2.1"));
    let cleartext = (400, "cleartext", EventName::InputValidationFail);
    assert_eq!(refused(&gate, &log, word("xyzzy"), &stranger), cleartext);
    assert_eq!(refused(&gate, &log, Claim::Malformed, &stranger), cleartext);
    assert_eq!(refused(&gate, &log, word("xyzzy"), &facts("/me", None)), cleartext);
    let missing = (401, "credential_missing", EventName::AuthnLoginFail);
    assert_eq!(refused(&gate, &log, Claim::Absent, &stranger), missing);
    let mut encrypted = stranger;
    encrypted.secure = true;
    for facts in [encrypted, facts("/me", Some("10.1.2.3")), facts("/me", Some("::1"))] {
        assert!(done(gate.admit(word("xyzzy"), &facts, noon())).is_ok(), "{facts:?}");
    }
    let lax = builder(&log).insecure_allow_cleartext().build().unwrap();
    assert!(done(lax.admit(word("xyzzy"), &stranger, noon())).is_ok());
}

#[test]
fn attack_a_local_proxy_makes_no_client_local() {
    let log = Recorder::default();
    let mut facts = facts("/me", HERE);
    facts.client = Some("203.0.113.9".parse().unwrap());
    let gate = builder(&log).build().unwrap();
    let cleartext = (400, "cleartext", EventName::InputValidationFail);
    assert_eq!(refused(&gate, &log, word("xyzzy"), &facts), cleartext);
}

#[test]
fn clients_are_limited_before_anything_is_looked_up() {
    let log = Recorder::default();
    let gate = builder(&log).limit_clients(Quota::per_second(1).burst(2)).build().unwrap();
    let ask =
        |peer: &str, now| done(gate.admit(None, &facts("/nowhere", Some(peer)), now)).unwrap_err();
    let reason = |peer: &str, now| ask(peer, now).reason().as_str();
    assert_eq!(reason("2001:db8::1", noon()), "route_unlisted");
    assert_eq!(reason("2001:db8::2", noon()), "route_unlisted");
    let refusal = ask("2001:db8::3", noon());
    assert_eq!((refusal.status(), refusal.retry_after_secs()), (429, Some(1)));
    assert_eq!(reason("2001:db8:0:1::1", noon()), "route_unlisted");
    assert_eq!(reason("2001:db8::4", noon().later(Duration::from_secs(1))), "route_unlisted");
    let unknown = done(gate.admit(None, &facts("/health", None), noon())).unwrap_err();
    assert_eq!((unknown.status(), unknown.reason().as_str()), (500, "address_unknown"));
}

#[test]
fn principals_are_limited_wherever_they_come_from() {
    let log = Recorder::default();
    let gate = builder(&log).limit_principals(Quota::per_minute(1)).build().unwrap();
    let ask = |claim, peer| done(gate.admit(claim, &facts("/me", Some(peer)), noon())).map(drop);
    assert!(ask(word("xyzzy"), "127.0.0.1").is_ok());
    let refusal = ask(word("xyzzy"), "127.0.0.2").unwrap_err();
    assert_eq!((refusal.status(), refusal.retry_after_secs()), (429, Some(60)));
    assert_eq!(refusal.reason().as_str(), "principal_throttled");
    // A wrong word burns nothing of merlin's.
    assert_eq!(ask(word("please"), "127.0.0.1").unwrap_err().status(), 401);
}

#[test]
fn whatever_is_wrong_is_listed_at_once() {
    let routes = Routes::new()
        .public("GET", "/a/{id}")
        .authenticated("GET", "/a/{other}")
        .role("*", "/admin/{*rest}", "manager")
        .action("POST", "/orders", "order:create");
    let errors = Gate::builder()
        .authenticate(Word)
        .authenticate(Word)
        .routes(routes)
        .limit_clients(Quota::per_second(0))
        .limit_principals([Quota::per_second(1); 4])
        .limit_principals(Quota::per_minute(1))
        .build()
        .unwrap_err();
    let found: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 6, "{errors}");
    assert!(found[0].contains("share_realm(\"wizards\")"), "{errors}");
    assert!(found[1].contains("stands twice: as public and as authenticated"), "{errors}");
    assert!(found[2].contains("`* /admin/{*rest}`: no role `manager`"), "{errors}");
    assert!(found[3].contains("no action `order:create`"), "{errors}");
    assert!(found[4].contains("limit by client"), "{errors}");
    assert!(found[5].contains("limit by principal: `5` quotas"), "{errors}");

    let errors = Gate::builder().build().unwrap_err();
    assert!(errors.to_string().contains("no routes"), "{errors}");
    let errors = Gate::builder().routes(Routes::new().authenticated("GET", "/me")).build();
    assert!(errors.unwrap_err().to_string().contains("add an authenticator"));
}

/// Takes the key `k1` from a header, the session `s1` from a cookie, or any certificate.
#[derive(Debug)]
struct Elsewhere;

impl Verifier for Elsewhere {
    fn realm(&self) -> &str {
        "elsewhere"
    }

    fn challenge(&self) -> Option<Challenge> {
        None
    }

    fn sources(&self) -> Vec<Source> {
        vec![
            Source::ApiKeyHeader("x-api-key"),
            Source::SessionCookie("__Host-session"),
            Source::Certificate,
        ]
    }

    fn verify(
        &self,
        credential: &Credential<'_>,
        _: &Facts<'_>,
        _: Now,
    ) -> Option<Result<Principal, AuthnError>> {
        let subject = match credential {
            Credential::ApiKey("k1") => "key",
            Credential::Session("s1") => "session",
            Credential::Certificate(_) => "certificate",
            _ => return None,
        };
        Some(Ok(Principal::assertion("elsewhere", subject).finish().unwrap()))
    }
}

#[test]
fn places_that_no_authenticator_names_are_not_looked_at() {
    let log = Recorder::default();
    let deaf = builder(&log).build().unwrap();
    let gate = builder(&log).authenticate(Elsewhere).build().unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("x-api-key", "k1".parse().unwrap());
    let who = |gate: &Gate, headers: &http::HeaderMap, certificate| {
        let mut facts = facts("/me", HERE);
        facts.certificate = certificate;
        let claim = portcullis::http::claim(headers, gate.sources());
        match done(gate.admit(claim, &facts, noon())) {
            Ok(caller) => caller.principal().unwrap().subject().to_owned(),
            Err(refusal) => refusal.reason().as_str().to_owned(),
        }
    };
    let der = Some(&b"der"[..]);
    assert_eq!(who(&deaf, &headers, der), "credential_missing");
    assert_eq!(who(&gate, &headers, None), "key");
    assert_eq!(who(&gate, &headers, der), "key");
    headers.insert("cookie", "a=1; __Host-session=s1".parse().unwrap());
    assert_eq!(who(&gate, &headers, None), "credential_ambiguous");
    headers.remove("x-api-key");
    assert_eq!(who(&gate, &headers, None), "session");
    headers.insert("authorization", "Word xyzzy".parse().unwrap());
    assert_eq!(who(&gate, &headers, None), "credential_ambiguous");
    assert_eq!(who(&deaf, &headers, der), "merlin");
    assert_eq!(who(&gate, &http::HeaderMap::new(), der), "certificate");
}
