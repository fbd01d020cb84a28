//! A gate's limits as their owners set them: windows, plans, costs, and what counts.

use std::time::Duration;

use portcullis::{
    Admission, Caller, Claim, Credential, Facts, Gate, GateBuilder, Mono, Now, Outcomes, Quota,
    Refusal, Routes, UnixTime,
    gate::{Limit, Outcome},
    testing::{Issuer, Recorder},
};

const MINUTE: Duration = Duration::from_secs(60);

fn noon() -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
}

fn issuer() -> Issuer {
    Issuer::new("https://id.example")
}

fn builder() -> GateBuilder {
    let routes = Routes::new()
        .public("GET", "/health")
        .authenticated("GET", "/me")
        .authenticated("POST", "/reports")
        .scope("GET", "/secret", "secret.read");
    let log = Recorder::default();
    Gate::builder().authenticate(issuer().verifier("staff")).routes(routes).audit(log)
}

/// Asks as `who`, by a token of their own, or as nobody.
fn ask(gate: &Gate, who: &str, line: &str, peer: &str, now: Now) -> Result<Caller, Refusal> {
    let (method, path) = line.split_once(' ').unwrap();
    let token = issuer().token(who).sign(now.wall);
    let mut facts = Facts::default();
    facts.method = Some(method);
    facts.path = Some(path);
    facts.peer = peer.parse().ok();
    facts.secure = true;
    let claim = match who {
        "" => Claim::Absent,
        "forger" => Credential::Bearer("e30.e30.e30").into(),
        _ => Credential::Bearer(&token).into(),
    };
    let Admission::Done(result) = gate.admit(claim, &facts, now) else { panic!("a wait") };
    result
}

fn told(result: Result<Caller, Refusal>) -> &'static str {
    match result {
        Ok(caller) => {
            caller.finish().unwrap();
            "ok"
        }
        Err(refusal) => refusal.reason().as_str(),
    }
}

const HERE: &str = "192.0.2.1";
const THERE: &str = "192.0.2.2";

#[test]
fn all_windows_hold_and_the_answer_names_the_longest_wait() {
    let quotas = [Quota::per_second(2), Quota::per_minute(3)];
    for gate in [
        builder().limit_clients(quotas).build().unwrap(),
        builder().limit_clients(quotas[0]).limit_clients(quotas[1]).build().unwrap(),
        builder().limit_principals(quotas).build().unwrap(),
    ] {
        let ask =
            |secs| ask(&gate, "alice", "GET /me", HERE, noon().later(Duration::from_secs(secs)));
        assert!(ask(0).is_ok() && ask(0).is_ok());
        assert_eq!(ask(0).unwrap_err().retry_after_secs(), Some(1));
        assert!(ask(1).is_ok());
        assert_eq!(ask(1).unwrap_err().retry_after_secs(), Some(19));
        assert!(ask(20).is_ok());
    }
}

#[test]
fn a_principal_over_its_limit_burns_nothing_of_its_address() {
    let gate = builder()
        .limit_clients(Quota::per_hour(4))
        .limit_principals([Quota::per_minute(2), Quota::per_day(9)])
        .build()
        .unwrap();
    let ask = |who| told(ask(&gate, who, "GET /me", HERE, noon()));
    assert_eq!([ask("alice"), ask("alice")], ["ok", "ok"]);
    for _ in 0..50 {
        assert_eq!(ask("alice"), "principal_throttled");
    }
    assert_eq!([ask("bob"), ask("bob"), ask("bob")], ["ok", "ok", "client_throttled"]);
}

#[test]
fn plans_have_quotas_of_their_own() {
    let limit = Limit::by_principal(Quota::per_minute(1))
        .plan("paying", [Quota::per_minute(3), Quota::per_day(100)])
        .plan_by(|principal| match principal.subject() {
            "alice" => Some("paying"),
            "mallory" => Some("none"),
            _ => None,
        });
    let gate = builder().limit(limit).build().unwrap();
    let ask = |who, peer| told(ask(&gate, who, "GET /me", peer, noon()));
    assert_eq!([ask("bob", HERE), ask("bob", THERE)], ["ok", "principal_throttled"]);
    assert_eq!([ask("alice", HERE), ask("alice", HERE), ask("alice", THERE)], ["ok"; 3]);
    assert_eq!(ask("alice", HERE), "principal_throttled");
    assert_eq!(ask("carol", HERE), "ok");
    assert_eq!(ask("mallory", HERE), "plan_unknown");
}

#[test]
fn a_route_costs_what_its_line_says() {
    let gate = builder()
        .limit_principals(Quota::per_minute(10))
        .limit_clients(Quota::per_minute(20))
        .cost("POST", "/reports", 8)
        .cost("GET", "/health", 0)
        .build()
        .unwrap();
    let ask = |who, line| told(ask(&gate, who, line, HERE, noon()));
    assert_eq!(ask("alice", "POST /reports"), "ok");
    assert_eq!(ask("alice", "POST /reports"), "principal_throttled");
    assert_eq!([ask("alice", "GET /me"), ask("alice", "GET /me")], ["ok", "ok"]);
    assert_eq!(ask("alice", "GET /me"), "principal_throttled");
    // Of the client's 20, 10 are spent.
    assert_eq!(ask("bob", "POST /reports"), "ok");
    assert_eq!(ask("carol", "POST /reports"), "client_throttled");
    for _ in 0..50 {
        assert_eq!(ask("", "GET /health"), "ok");
    }
}

#[test]
fn only_what_is_refused_counts_if_so_said() {
    let gate = builder()
        .limit_clients(Quota::per_hour(3))
        .count_clients(Outcomes::Refused)
        .build()
        .unwrap();
    let now = |minute: u32| noon().later(MINUTE * minute);
    for _ in 0..50 {
        assert_eq!(told(ask(&gate, "alice", "GET /me", HERE, noon())), "ok");
        let caller = ask(&gate, "alice", "GET /me", HERE, noon()).unwrap();
        caller.conclude(&Outcome::Failed).unwrap();
    }
    assert_eq!(told(ask(&gate, "forger", "GET /me", HERE, noon())), "malformed");
    assert_eq!(told(ask(&gate, "alice", "GET /secret", HERE, noon())), "scope_missing");
    // Whoever hangs up before the answer hides it.
    let caller = ask(&gate, "alice", "GET /me", HERE, noon()).unwrap();
    caller.conclude(&Outcome::Abandoned).unwrap();
    drop(caller);
    assert_eq!(told(ask(&gate, "alice", "GET /me", HERE, noon())), "client_throttled");
    assert_eq!(told(ask(&gate, "alice", "GET /me", HERE, now(20))), "ok");
}

#[test]
fn only_what_fails_counts_if_so_said() {
    let gate = builder()
        .limit_principals([Quota::per_hour(2), Quota::per_day(5)])
        .count_principals(Outcomes::Failed)
        .build()
        .unwrap();
    let ask = || ask(&gate, "alice", "GET /me", HERE, noon());
    for _ in 0..50 {
        assert_eq!(told(ask()), "ok");
    }
    for _ in 0..2 {
        ask().unwrap().conclude(&Outcome::Failed).unwrap();
    }
    assert_eq!(told(ask()), "principal_throttled");
}

#[test]
fn attack_parallel_requests_do_not_slip_through_before_their_answers() {
    let gate = builder()
        .limit_clients(Quota::per_hour(5))
        .count_clients(Outcomes::Failed)
        .build()
        .unwrap();
    let ask = || ask(&gate, "alice", "GET /me", HERE, noon());
    let open: Vec<_> = (0..100).filter_map(|_| ask().ok()).collect();
    assert_eq!(open.len(), 5);
    for caller in &open {
        caller.finish().unwrap();
        // Once is enough.
        caller.finish().unwrap();
    }
    assert_eq!((0..100).filter_map(|_| ask().ok()).collect::<Vec<_>>().len(), 5);
}

#[test]
fn limits_that_cannot_be_are_named() {
    let error = |builder: GateBuilder| builder.build().unwrap_err().to_string();
    let check = |builder: GateBuilder, expected: &str| {
        let error = error(builder);
        assert!(error.contains(expected), "{error}");
    };
    check(
        builder().limit_principals(Quota::per_minute(5)).cost("POST", "/reports", 6),
        "limit by principal: a route costs 6, which `5 per minute` never holds",
    );
    check(builder().cost("POST", "/report", 6), "cost of `POST /report`: no line");
    check(builder().limit_clients([Quota::per_day(1); 5]), "limit by client: `5` quotas");
    let check = |limit: Limit, expected: &str| check(builder().limit(limit), expected);
    let free = || Limit::by_principal([]).plan("free", Quota::per_minute(1));
    check(free(), "plans of the limit by principal: nothing chooses among them: say `.plan_by");
    check(free().plan("free", Quota::per_day(1)).plan_by(|_| None), "two have one name");
    check(Limit::by_principal([]).plan_by(|_| None), "`.plan_by(…)` chooses among none");
    check(free().plan("dear", []).plan_by(|_| None), "limit by principal: `0` quotas");
    let by_client = Limit::by_client([]).plan("free", Quota::per_minute(1)).plan_by(|_| None);
    check(by_client, "a client is counted before its plan is known");
}
