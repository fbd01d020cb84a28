//! Limits by whatever a request can be counted by; in shadow, with warnings, and with costs that
//! are known late.

use std::time::Duration;

use portcullis::{
    Admission, Caller, Claim, Credential, Facts, Gate, GateBuilder, Mono, Now, Outcomes, Principal,
    Quota, Refusal, Routes, Step, UnixTime,
    gate::{Limit, Outcome},
    testing::{Recorded, Recorder},
};

use crate::kit::only;

/// Proves `tenant:who:key`.
#[derive(Debug)]
struct Tenants;

impl portcullis::Authenticator for Tenants {
    fn realm(&self) -> &str {
        "staff"
    }

    fn challenge(&self) -> Option<portcullis::Challenge> {
        None
    }

    fn authenticate(&self, credential: &Credential<'_>, _: &Facts<'_>, _: Now) -> Step {
        let Credential::Other { value, .. } = credential else { return Step::NotMine };
        let parts: Vec<&str> = value.split(':').collect();
        let mut it = Principal::assertion("staff", parts[1]);
        if !parts[0].is_empty() {
            let tenant = parts[0].to_owned();
            it = it.attributes([("tenant", portcullis::Attribute::Str(&tenant))]);
        }
        if !parts[2].is_empty() {
            it = it.credential_id(parts[2]);
        }
        Step::Done(Ok(it.finish().unwrap()))
    }
}

pub(crate) fn noon() -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
}

pub(crate) fn builder(log: &Recorder) -> GateBuilder {
    let routes = Routes::new()
        .public("GET", "/health")
        .authenticated("GET", "/me")
        .authenticated("GET", "/orders/{id}");
    Gate::builder().authenticate(Tenants).routes(routes).audit(log.clone())
}

pub(crate) fn gate(limits: impl IntoIterator<Item = Limit>) -> (Gate, Recorder) {
    let log = Recorder::default();
    let gate = limits.into_iter().fold(builder(&log), GateBuilder::limit).build().unwrap();
    (gate, log)
}

pub(crate) fn admit(gate: &Gate, who: &str, path: &str, now: Now) -> Result<Caller, Refusal> {
    let mut facts = Facts::default();
    facts.method = Some("GET");
    facts.path = Some(path);
    facts.peer = "192.0.2.1".parse().ok();
    facts.secure = true;
    let claim = match who {
        "" => Claim::Absent,
        _ => Credential::Other { scheme: "Tenant", value: who }.into(),
    };
    let Admission::Done(result) = gate.admit(claim, &facts, now) else { panic!("a wait") };
    result
}

pub(crate) fn told(gate: &Gate, who: &str, path: &str) -> &'static str {
    match admit(gate, who, path, noon()) {
        Ok(caller) => {
            caller.finish().unwrap();
            "ok"
        }
        Err(refusal) => refusal.reason().as_str(),
    }
}

pub(crate) const REFUSED: &str = "principal_throttled";

#[test]
fn a_tenant_is_counted_together_and_so_are_those_without_one() {
    let (gate, log) = gate([Limit::by_attribute("tenant", Quota::per_minute(2))]);
    let ask = |who| told(&gate, who, "/me");
    assert_eq!([ask("acme:alice:"), ask("acme:bob:"), ask("acme:carol:")], ["ok", "ok", REFUSED]);
    let recorded = log.take();
    assert_eq!(recorded[2].event().limit, Some("tenant"));
    assert_eq!([ask("corp:dave:"), ask(":eve:"), ask(":mallory:")], ["ok"; 3]);
    assert_eq!(ask(":trent:"), REFUSED);
    // Whom nobody knows has no tenant to be counted with.
    assert_eq!(["ok"; 9], [(); 9].map(|()| told(&gate, "", "/health")));
}

#[test]
fn two_credentials_of_one_caller_have_a_quota_each() {
    let (gate, _) = gate([Limit::by_credential(Quota::per_minute(1))]);
    let ask = |who| told(&gate, who, "/me");
    assert_eq!([ask(":alice:k1"), ask(":alice:k2"), ask(":alice:k1")], ["ok", "ok", REFUSED]);
    // Without an id, the caller is.
    assert_eq!([ask(":bob:"), ask(":carol:"), ask(":bob:")], ["ok", "ok", REFUSED]);
}

#[test]
fn a_route_is_counted_by_its_template_whoever_calls() {
    let (gate, _) = gate([Limit::by_route(Quota::per_minute(2))]);
    let ask = |who, path| told(&gate, who, path);
    assert_eq!([ask(":alice:", "/orders/1"), ask(":bob:", "/orders/2")], ["ok"; 2]);
    assert_eq!(ask(":carol:", "/orders/3"), "route_throttled");
    assert_eq!(ask(":carol:", "/me"), "ok");
    // A credential that proves nobody uses nothing up.
    for _ in 0..9 {
        assert_eq!(ask("", "/me"), "credential_missing");
    }
}

#[test]
fn a_limit_may_count_each_route_by_itself() {
    let (gate, _) = gate([Limit::by_principal(Quota::per_minute(1)).each_route()]);
    let ask = |path| told(&gate, ":alice:", path);
    assert_eq!([ask("/me"), ask("/orders/1"), ask("/orders/2")], ["ok", "ok", REFUSED]);
}

#[test]
fn attack_what_one_limit_refuses_burns_nothing_of_the_others() {
    let log = Recorder::default();
    let gate = builder(&log)
        .limit_clients(Quota::per_hour(5))
        .limit_principals(Quota::per_hour(4))
        .limit(Limit::by_client(Quota::per_hour(6)))
        .limit(Limit::by_attribute("tenant", Quota::per_hour(3)))
        .limit(Limit::by_credential(Quota::per_hour(1)))
        .build()
        .unwrap();
    let ask = |who| told(&gate, who, "/me");
    assert_eq!(ask("acme:alice:k1"), "ok");
    for _ in 0..20 {
        assert_eq!(ask("acme:alice:k1"), REFUSED);
    }
    assert_eq!([ask("acme:alice:k2"), ask("acme:alice:k3")], ["ok"; 2]);
    assert_eq!(ask("acme:alice:k4"), REFUSED);
    assert_eq!([ask("corp:bob:k5"), ask("corp:bob:k6")], ["ok"; 2]);
    assert_eq!(ask("corp:bob:k7"), "client_throttled");
}

#[test]
fn a_limit_in_shadow_refuses_nobody_and_says_whom_it_would_have() {
    let quota = Quota::per_minute(1);
    let limits = [
        Limit::by_client(Quota::per_minute(2)).named("clients-next-year").shadow(),
        Limit::by_principal(quota).shadow(),
    ];
    let (gate, log) = gate(limits);
    let events = |who| {
        assert_eq!(told(&gate, who, "/me"), "ok");
        let recorded = only(&log);
        let event = recorded.event();
        assert_eq!((event.limit, event.refusal.is_none()), (None, true));
        event.shadowed.map(str::to_owned)
    };
    assert_eq!(events(":alice:"), None);
    assert_eq!(events(":alice:").as_deref(), Some("principal"));
    assert_eq!(events(":bob:").as_deref(), Some("clients-next-year"));
    let counted = gate.limits().map(|(it, refused)| (it.name().to_owned(), refused));
    let expected = [("clients-next-year", 1), ("principal", 1)].map(|(it, n)| (it.to_owned(), n));
    assert_eq!(counted.collect::<Vec<_>>(), expected);
    // What a limit only watches leaves nothing to tell a caller.
    assert_eq!(admit(&gate, ":carol:", "/me", noon()).unwrap().allowance(), None);
}

#[test]
fn the_event_warns_once_a_share_of_a_quota_is_used() {
    let quotas = [Quota::per_second(100), Quota::per_day(5)];
    let (gate, log) = gate([Limit::by_attribute("tenant", quotas).warn_at(80)]);
    let near = |recorded: Recorded| recorded.event().nearing.map(str::to_owned);
    let mut told_of = Vec::new();
    for _ in 0..5 {
        assert_eq!(told(&gate, "acme:alice:", "/me"), "ok");
        told_of.push(near(only(&log)).is_some());
    }
    assert_eq!(told_of, [false, false, false, true, true]);
    assert_eq!(told(&gate, "acme:alice:", "/me"), REFUSED);
    assert_eq!(near(only(&log)), None);
}

#[test]
fn a_cost_that_is_known_late_is_owed_by_all_limits_that_counted() {
    let log = Recorder::default();
    let gate = builder(&log)
        .limit_principals(Quota::per_minute(10))
        .limit(Limit::by_attribute("tenant", Quota::per_minute(30)))
        .limit_debt(6)
        .build()
        .unwrap();
    let caller = admit(&gate, "acme:alice:", "/me", noon()).unwrap();
    caller.conclude(&Outcome::Served).unwrap();
    // The body is longer than its head: nine more are left, six may be owed.
    assert_eq!(caller.owe(12, noon()), 0);
    let no = admit(&gate, "acme:alice:", "/me", noon()).unwrap_err();
    assert_eq!(no.retry_after_secs(), Some(24));
    assert_eq!(caller.owe(12, noon()), 9);
    // The tenant has paid for both bills: 1, 12 and 12 of 30.
    let rest = (0..9).filter(|it| told(&gate, &format!("acme:{it}:"), "/me") == "ok").count();
    assert_eq!(rest, 5);
    // Time heals, by the reading that is told and not by that of the request.
    let later = noon().later(Duration::from_secs(600));
    assert_eq!(caller.owe(16, later), 0);
    assert!(admit(&gate, "acme:alice:", "/me", later).is_err());
}

#[test]
fn so_many_requests_are_under_way_at_once() {
    let limit = Limit::by_principal([]).at_once(2);
    let (gate, log) = gate([limit, Limit::by_route(Quota::per_day(7))]);
    let begin = |who| admit(&gate, who, "/me", noon());
    let (one, two) = (begin(":alice:").unwrap(), begin(":alice:").unwrap());
    for _ in 0..9 {
        let no = begin(":alice:").unwrap_err();
        assert_eq!((no.reason().as_str(), no.retry_after_secs()), (REFUSED, Some(1)));
    }
    assert!(log.take().iter().all(|it| it.event().limit == Some("principal")));
    assert_eq!(told(&gate, ":bob:", "/me"), "ok");
    one.conclude(&Outcome::Failed).unwrap();
    // Its clones may live on.
    let three = begin(":alice:").unwrap();
    assert_eq!(told(&gate, ":alice:", "/me"), REFUSED);
    drop((one, two, three));
    assert_eq!([(); 3].map(|()| told(&gate, ":alice:", "/me")), ["ok"; 3]);
    // Whom the route refuses is not under way.
    for _ in 0..9 {
        assert_eq!(told(&gate, ":alice:", "/me"), "route_throttled");
    }
}

#[test]
fn requests_that_do_not_count_are_given_back() {
    let (gate, _) =
        gate([Limit::by_attribute("tenant", Quota::per_hour(1)).count(Outcomes::Failed)]);
    for _ in 0..9 {
        assert_eq!(told(&gate, "acme:alice:", "/me"), "ok");
    }
    let caller = admit(&gate, "acme:alice:", "/me", noon()).unwrap();
    caller.conclude(&Outcome::Failed).unwrap();
    assert_eq!(told(&gate, "acme:alice:", "/me"), REFUSED);
}

#[test]
fn a_limit_that_cannot_be_kept_is_named() {
    let log = Recorder::default();
    let limits = [
        Limit::by_route(Quota::per_day(0)),
        Limit::by_attribute("tenant", []),
        Limit::by_client([]).at_once(0),
    ];
    let errors = limits.into_iter().fold(builder(&log), GateBuilder::limit).build().unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "limit by route: the quota `0 per day` admits nobody",
            "limit by attribute: `0` quotas: a set takes 1 to 4",
            "limit by client: `0` at once admits nobody"
        ]
    );
}
