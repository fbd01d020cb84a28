//! Sessions at the gate: where the cookie counts, and what a wrong one is worth.

use std::time::Duration;

use portcullis::{
    Admission, Caller, Claim, Facts, Gate, Mono, Now, Principal, Refusal, Routes, StepUp, UnixTime,
    audit::EventName,
    authn::session::{Factor, MemorySessions, NewSession, SessionKey, Sessions},
    testing::Recorder,
};

use crate::kit::{Word, block_on, only, reason};

fn noon() -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
}

fn sessions() -> Sessions {
    Sessions::new("staff", MemorySessions::new(100))
}

fn gate(sessions: &Sessions, log: &Recorder) -> Gate {
    let routes = Routes::new().public("GET", "/login").authenticated("GET", "/me");
    let builder = Gate::builder().authenticate(Word).authenticate(sessions.clone());
    builder.routes(routes).audit(log.clone()).build().unwrap()
}

/// A request with these `Cookie` headers.
fn ask(gate: &Gate, path: &str, cookies: &[&str]) -> Result<Caller, Refusal> {
    let mut facts = Facts::default();
    facts.method = Some("GET");
    facts.path = Some(path);
    facts.secure = true;
    let values = cookies.iter().map(|value| value.as_bytes());
    let claim = Claim::from_cookies(values, "__Host-session");
    let Admission::Done(result) = gate.admit(claim, &facts, noon()) else { panic!("it waits") };
    result
}

fn refused(gate: &Gate, log: &Recorder, path: &str, cookies: &[&str]) -> (u16, &'static str) {
    let refusal = ask(gate, path, cookies).unwrap_err();
    assert_eq!(reason(&only(log)), Some(refusal.reason().as_str()));
    (refusal.status(), refusal.reason().as_str())
}

/// `name=value` for the `Cookie` header of a new session of alice's.
fn log_in(sessions: &Sessions) -> String {
    let alice = Principal::assertion("staff", "alice").finish().unwrap();
    let opened = block_on(sessions.open(&alice, [Factor::new("pwd", noon().wall)], noon().wall));
    cookie_of(&opened.unwrap())
}

fn cookie_of(opened: &NewSession) -> String {
    opened.set_cookie().expose().split(';').next().unwrap().to_owned()
}

#[test]
fn the_cookie_of_a_session_proves_its_user_until_they_sign_out() {
    let (log, sessions) = (Recorder::default(), sessions());
    let gate = gate(&sessions, &log);
    let cookie = log_in(&sessions);
    let caller = ask(&gate, "/me", &["theme=dark", &cookie]).unwrap();
    let alice = caller.principal().unwrap();
    assert_eq!(alice.id(), "staff/alice");
    let own = SessionKey::of(alice).unwrap();
    assert_eq!(block_on(sessions.end(alice.id(), &own)), Ok(true));
    drop(caller);
    assert_eq!(only(&log).event().name, EventName::AuthzAllow);
    assert_eq!(refused(&gate, &log, "/me", &[&cookie]), (401, "session_over"));
}

#[test]
fn attack_two_cookies_of_one_name() {
    let (log, sessions) = (Recorder::default(), sessions());
    let gate = gate(&sessions, &log);
    let cookie = log_in(&sessions);
    let joined = format!("{cookie}; __Host-session=x");
    assert_eq!(refused(&gate, &log, "/me", &[&joined]), (400, "credential_ambiguous"));
    assert_eq!(refused(&gate, &log, "/me", &[&cookie, &cookie]), (400, "credential_ambiguous"));
}

#[test]
fn what_was_never_an_id_is_no_session() {
    let (log, sessions) = (Recorder::default(), sessions());
    let gate = gate(&sessions, &log);
    let stranger = format!("__Host-session={}", "A".repeat(43));
    for cookie in ["__Host-session=x", &stranger] {
        assert_eq!(refused(&gate, &log, "/me", &[cookie]), (401, "session_over"), "{cookie}");
    }
    assert_eq!(refused(&gate, &log, "/me", &["session=x"]), (401, "credential_missing"));
}

#[test]
fn the_log_in_can_be_reached_with_the_cookie_of_a_session_that_is_over() {
    let (log, sessions) = (Recorder::default(), sessions());
    let gate = gate(&sessions, &log);
    let cookie = log_in(&sessions);
    assert!(ask(&gate, "/login", &[&cookie]).unwrap().principal().is_some());
    assert_eq!(block_on(sessions.end_all("staff/alice")), Ok(1));
    assert!(ask(&gate, "/login", &[&cookie]).unwrap().principal().is_none());
    assert!(ask(&gate, "/login", &["__Host-session=x"]).unwrap().principal().is_none());
    assert_eq!(log.take().len(), 3);
    let joined = format!("{cookie}; {cookie}");
    assert_eq!(refused(&gate, &log, "/login", &[&joined]), (400, "credential_ambiguous"));
    assert_eq!(refused(&gate, &log, "/me", &[&cookie]), (401, "session_over"));
}

#[test]
fn a_route_asks_for_a_fresh_second_factor_and_names_it() {
    let (log, sessions) = (Recorder::default(), sessions());
    let five_minutes = Duration::from_secs(300);
    let routes = Routes::new()
        .authenticated("GET", "/me")
        .authenticated("GET", "/keys")
        .step_up(StepUp::within(five_minutes).method("otp"))
        .scope("GET", "/reports", "reports.read")
        .step_up(StepUp::within(five_minutes));
    let builder = Gate::builder().authenticate(Word).authenticate(sessions.clone());
    let gate = builder.routes(routes).audit(log.clone()).build().unwrap();

    let cookie = log_in(&sessions);
    let alice = ask(&gate, "/me", &[&cookie]).unwrap().principal().unwrap().clone();
    assert_eq!(only(&log).event().name, EventName::AuthzAllow);
    let refusal = ask(&gate, "/keys", &[&cookie]).unwrap_err();
    let event = only(&log);
    assert_eq!(event.event().principal, Some(&alice));
    assert_eq!(reason(&event), Some("step_up_needed"));
    let challenges: Vec<_> = refusal.challenges().iter().map(ToString::to_string).collect();
    assert_eq!(refusal.status(), 401);
    assert_eq!(
        challenges,
        [
            "Word realm=\"wizards\"",
            "Cookie realm=\"staff\", cookie-name=\"__Host-session\", \
             error=\"insufficient_user_authentication\", amr_values=\"otp\", max_age=\"300\"",
        ]
    );
    assert_eq!(refused(&gate, &log, "/reports", &[&cookie]), (403, "scope_missing"));
    assert_eq!(refused(&gate, &log, "/keys", &[]), (401, "credential_missing"));

    let otp = Factor::new("otp", noon().wall);
    let key = SessionKey::of(&alice).unwrap();
    let renewed = block_on(sessions.renew(&key, &alice, [otp], noon().wall)).unwrap();
    let stepped_up = cookie_of(&renewed);
    assert!(ask(&gate, "/keys", &[&stepped_up]).is_ok());
    assert_eq!(only(&log).event().name, EventName::AuthzAllow);
    assert_eq!(refused(&gate, &log, "/keys", &[&cookie]), (401, "session_over"));
}

#[test]
fn step_ups_that_cannot_stand_are_listed() {
    let otp = || StepUp::default().method("otp");
    let routes = Routes::new()
        .step_up(otp())
        .public("GET", "/a")
        .step_up(otp())
        .authenticated("GET", "/b")
        .step_up(StepUp::default())
        .step_up(otp())
        .authenticated("GET", "/c/{id}")
        .authenticated("GET", "/c/{other}")
        .step_up(otp());
    let errors = Gate::builder().authenticate(Word).routes(routes).build().unwrap_err();
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "`.step_up(…)`: it stands before the first route",
            "route `GET /b`: a route has one step-up",
            "route `GET /a`: a step-up needs a route with a caller",
            "route `GET /b`: a step-up that asks for nothing",
            "route `GET /c/{other}`: it stands twice, with and without that step-up",
        ]
    );
}

#[test]
fn attack_a_session_over_plain_http() {
    let (log, sessions) = (Recorder::default(), sessions());
    let gate = gate(&sessions, &log);
    let cookie = log_in(&sessions);
    let mut facts = Facts::default();
    facts.method = Some("GET");
    facts.path = Some("/me");
    let claim = Claim::from_cookies([cookie.as_bytes()].into_iter(), "__Host-session");
    let Admission::Done(result) = gate.admit(claim, &facts, noon()) else { panic!("it waits") };
    assert_eq!(result.unwrap_err().reason().as_str(), "cleartext");
}

#[test]
fn a_wrong_cookie_name_does_not_build() {
    let sloppy = sessions().cookie("session");
    let routes = Routes::new().authenticated("GET", "/me");
    let errors = Gate::builder().authenticate(sloppy).routes(routes).build().unwrap_err();
    assert!(errors.to_string().contains("the cookie's name starts with `__Host-`"), "{errors}");
}
