//! Sessions at the gate: where the cookie counts, and what a wrong one is worth.

use portcullis::{
    Admission, Caller, Claim, Facts, Gate, Mono, Now, Principal, Refusal, Routes, UnixTime,
    audit::EventName,
    authn::session::{Factor, MemorySessions, SessionKey, Sessions},
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
    let header = opened.unwrap().set_cookie().expose().to_owned();
    header.split(';').next().unwrap().to_owned()
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
