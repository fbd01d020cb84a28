//! What a caller may: roles, scopes, realms, the handler's debt, and policies that change.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis::{
    Admission, AuthnError, Caller, Challenge, Credential, Facts, Gate, GateBuilder, Mono, Now,
    Outcome, Principal, Refusal, RoleMap, Routes, Unchecked, UnixTime, Verifier,
    audit::{Event, EventName, Sink},
    authz::{Attr, Decision, Document, PolicySet, Record, Value},
    entity,
    limit::Quota,
    testing::{Issuer, Recorder},
};

use crate::kit::{only, reason};

const POLICY: &str = r#"
    [resources.Order]
    attributes = { owner = "User", total = "long" }
    actions = ["order:read", "order:refund", "order:count"]

    [context]
    tenant = "string?"

    [roles]
    clerk = { may = ["order:read", "order:count"] }
    manager = { inherits = ["clerk"], may = ["order:refund"] }

    [scopes]
    "orders.read" = ["order:read"]

    [[rule]]
    id = "owner-reads-own"
    effect = "permit"
    actions = ["order:read"]
    when = "resource.owner == principal"

    [[rule]]
    id = "guests-of-acme-read"
    effect = "permit"
    actions = ["order:read"]
    when = 'context has tenant && context.tenant == "acme"'

    [[rule]]
    id = "no-large-refunds"
    effect = "forbid"
    actions = ["order:refund"]
    when = "resource.total > 1000"
"#;

struct Order {
    id: String,
    owner: String,
    total: i64,
}

entity! {
    Order as "Order" by id { owner: "User", total: long }
}

fn order(owner: &str, total: i64) -> Order {
    Order { id: "7".into(), owner: owner.into(), total }
}

fn policies(text: &str) -> PolicySet {
    let policies = PolicySet::from_document(Document::from_toml(text).unwrap()).unwrap();
    policies.check::<Order>().unwrap();
    policies
}

fn noon() -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
}

fn issuer() -> Issuer {
    Issuer::new("https://id.example")
}

/// Takes a partner's word for who is calling.
#[derive(Debug)]
struct Partners;

impl Verifier for Partners {
    fn realm(&self) -> &str {
        "partners"
    }

    fn challenge(&self) -> Option<Challenge> {
        None
    }

    fn verify(
        &self,
        credential: &Credential<'_>,
        _: &Facts<'_>,
        _: Now,
    ) -> Option<Result<Principal, AuthnError>> {
        let Credential::Other { scheme: "Partner", value } = credential else { return None };
        Some(Ok(Principal::assertion("partners", value).finish().unwrap()))
    }
}

fn builder() -> GateBuilder {
    let roles = RoleMap::claim("roles").only(["clerk", "manager"]);
    let routes = Routes::new()
        .public("GET", "/")
        .action("GET", "/orders/{id}", "order:read")
        .action("GET", "/count", "order:count")
        .action("POST", "/orders/{id}/refund", "order:refund")
        .role("*", "/admin/{*rest}", "manager")
        .scope("GET", "/reports", "reports.read");
    Gate::builder()
        .authenticate(issuer().verifier("staff").roles(roles))
        .authenticate(Partners)
        .policies(policies(POLICY))
        .routes(routes)
        .insecure_allow_cleartext()
}

fn ask(gate: &Gate, token: Option<&str>, line: &str) -> Result<Caller, Refusal> {
    present(gate, token.map(Credential::Bearer), line)
}

fn present(gate: &Gate, claim: Option<Credential<'_>>, line: &str) -> Result<Caller, Refusal> {
    let (method, path) = line.split_once(' ').unwrap();
    let mut facts = Facts::default();
    facts.method = Some(method);
    facts.path = Some(path);
    let Admission::Done(result) = gate.admit(claim, &facts, noon()) else {
        panic!("nothing to wait for")
    };
    result
}

fn token(subject: &str, roles: &[&str]) -> String {
    issuer().token(subject).roles(roles.iter().copied()).sign(noon().wall)
}

fn told(refusal: &Refusal) -> (u16, &'static str) {
    (refusal.status(), refusal.reason().as_str())
}

#[test]
fn roles_are_those_the_mapping_names_and_what_they_inherit() {
    let gate = builder().build().unwrap();
    let refused = |roles: &[&str]| {
        ask(&gate, Some(&token("mara", roles)), "GET /admin/books").err().as_ref().map(told)
    };
    assert_eq!(refused(&["manager"]), None);
    assert_eq!(refused(&["clerk"]), Some((403, "role_missing")));
    assert_eq!(refused(&["root", "admin"]), Some((403, "role_missing")));
    assert_eq!(refused(&[]), Some((403, "role_missing")));
    // A manager may what a clerk may.
    let mara = ask(&gate, Some(&token("mara", &["manager"])), "GET /orders/7").unwrap();
    assert!(mara.may("order:read", &order("staff/bob", 1)).is_ok());
}

#[test]
fn one_subject_in_two_realms_is_two_principals() {
    let log = Recorder::default();
    let gate = builder().audit(log.clone()).limit_principals(Quota::per_minute(2)).build().unwrap();
    let token = token("alice", &[]);
    let own = Credential::Bearer(&token);
    let stranger = Credential::Other { scheme: "Partner", value: "alice" };
    let read = |credential| {
        let caller = present(&gate, Some(credential), "GET /orders/7")?;
        caller.may("order:read", &order("staff/alice", 1))
    };
    assert!(read(own).is_ok());
    assert_eq!(told(&read(stranger).unwrap_err()), (403, "no_rule"));
    let events = log.take();
    let ids = events.iter().map(|event| event.event().principal.unwrap().id());
    assert!(ids.eq(["staff/alice", "partners/alice"]));
    // Each has a limit of its own.
    assert!(read(own).is_ok());
    assert_eq!(told(&read(own).unwrap_err()), (429, "principal_throttled"));
    assert_eq!(told(&read(stranger).unwrap_err()), (403, "no_rule"));
}

#[test]
fn scopes_limit_and_never_grant() {
    let gate = builder().build().unwrap();
    let signed = |subject: &str, roles: &[&str], scope: &str| {
        issuer().token(subject).roles(roles.iter().copied()).scope(scope).sign(noon().wall)
    };
    let read = |token: &str| {
        ask(&gate, Some(token), "GET /orders/7")?.may("order:read", &order("staff/bob", 1))
    };
    assert!(read(&signed("clara", &["clerk"], "orders.read other")).is_ok());
    let refusal = read(&signed("clara", &["clerk"], "other")).unwrap_err();
    assert_eq!(told(&refusal), (403, "insufficient_scope"));
    let challenge = refusal.challenges()[0].to_string();
    assert_eq!(challenge, r#"Bearer realm="staff", error="insufficient_scope""#);
    assert_eq!(told(&read(&signed("alice", &[], "orders.read")).unwrap_err()), (403, "no_rule"));

    let reports = |token: &str| ask(&gate, Some(token), "GET /reports").map(drop);
    assert!(reports(&signed("clara", &[], "reports.read")).is_ok());
    for token in [token("clara", &["manager"]), signed("clara", &[], "reports.readall")] {
        let refusal = reports(&token).unwrap_err();
        assert_eq!(told(&refusal), (403, "scope_missing"));
        let challenge = refusal.challenges()[0].to_string();
        assert!(challenge.ends_with(r#"error="insufficient_scope", scope="reports.read""#));
    }
}

#[test]
fn the_gate_settles_what_needs_no_resource() {
    let log = Recorder::default();
    let gate = builder().audit(log.clone()).build().unwrap();
    let guest = token("gus", &[]);
    let refusal = ask(&gate, Some(&guest), "POST /orders/7/refund").unwrap_err();
    assert_eq!(told(&refusal), (403, "no_rule"));
    let event = only(&log);
    assert_eq!(event.event().action, Some("order:refund"));
    assert_eq!(event.event().principal.unwrap().id(), "staff/gus");

    // A clerk may count all orders: nothing is owed.
    let clerk = token("clara", &["clerk"]);
    ask(&gate, Some(&clerk), "GET /count").unwrap().finish().unwrap();
    let event = only(&log);
    assert_eq!(
        (event.event().action, event.event().rule),
        (Some("order:count"), Some("role:clerk"))
    );
}

/// Keeps names and reasons, and unlike the recorder lets an omitted check pass.
#[derive(Clone, Debug, Default)]
struct Notes(Arc<Mutex<Vec<Note>>>);

type Note = (EventName, Option<&'static str>, Option<String>);

impl Sink for Notes {
    fn record(&self, event: &Event<'_>) {
        let reason = event.refusal.map(|refusal| refusal.reason().as_str());
        self.0.lock().unwrap().push((event.name, reason, event.template.map(str::to_owned)));
    }
}

#[test]
fn a_handler_that_owes_a_question_cannot_answer() {
    let notes = Notes::default();
    let gate = builder().audit(notes.clone()).build().unwrap();
    let token = token("alice", &[]);
    let ask = || ask(&gate, Some(&token), "GET /orders/7").unwrap();
    let omitted = || {
        let template = Some("/orders/{id}".to_owned());
        vec![(EventName::SysMisconfigured, Some("check_omitted"), template)]
    };
    let noted = || std::mem::take(&mut *notes.0.lock().unwrap());

    assert_eq!(told(&ask().finish().unwrap_err()), (500, "check_omitted"));
    assert_eq!(noted(), omitted());
    drop(ask());
    assert_eq!(noted(), omitted());

    // Another action than the route's does not pay.
    let caller = ask();
    let _ = caller.decide("order:count", &order("staff/alice", 1));
    assert_eq!(told(&caller.finish().unwrap_err()), (500, "check_omitted"));
    noted();

    let caller = ask();
    caller.may("order:read", &order("staff/alice", 1)).unwrap();
    caller.finish().unwrap();
    assert_eq!(noted()[0].0, EventName::AuthzAllow);

    // Closing the request early, or as failed, pays nothing either.
    for outcome in [Outcome::Served, Outcome::Failed] {
        let caller = ask();
        let _ = caller.conclude(&outcome);
        assert_eq!(told(&caller.finish().unwrap_err()), (500, "check_omitted"));
        noted();
    }

    let lax = builder().audit(notes.clone()).unchecked(Unchecked::Report).build().unwrap();
    super::callers::ask(&lax, Some(&token), "GET /orders/7").unwrap().finish().unwrap();
    assert_eq!(noted(), omitted());
}

#[test]
#[should_panic(expected = "the handler of `/orders/{id}` answered without asking")]
fn the_recorder_fails_the_test_of_such_a_handler() {
    let gate = builder().audit(Recorder::default()).unchecked(Unchecked::Report).build().unwrap();
    let _ = ask(&gate, Some(&token("alice", &[])), "GET /orders/7").unwrap().finish();
}

#[test]
fn a_denial_is_recorded_whatever_the_handler_answers() {
    let log = Recorder::default();
    let gate = builder().audit(log.clone()).build().unwrap();
    let caller = ask(&gate, Some(&token("mara", &["manager"])), "POST /orders/7/refund").unwrap();
    let decision = caller.decide("order:refund", &order("staff/bob", 5000)).unwrap();
    assert!(matches!(decision, Decision::Deny(_)));
    caller.finish().unwrap();
    let event = only(&log);
    assert_eq!(event.event().name, EventName::AuthzFail);
    assert_eq!(reason(&event), Some("forbidden_by_rule"));
    assert_eq!(event.event().rule, Some("no-large-refunds"));
}

#[test]
fn a_denial_cannot_be_ignored() {
    let log = Recorder::default();
    let gate = builder().audit(log.clone()).build().unwrap();
    let token = token("alice", &[]);
    let caller = || ask(&gate, Some(&token), "GET /orders/7").unwrap();

    // The handler was told no and answers 200: the gate answers for it.
    let ignoring = caller();
    let _ = ignoring.may("order:read", &order("staff/bob", 1));
    assert_eq!(told(&ignoring.finish().unwrap_err()), (403, "no_rule"));
    drop(ignoring);
    assert_eq!(reason(&only(&log)), Some("no_rule"));

    // Nobody waits for the answer any more: the denial is recorded all the same.
    let abandoned = caller();
    let _ = abandoned.may("order:read", &order("staff/bob", 1));
    abandoned.conclude(&Outcome::Abandoned).unwrap();
    assert_eq!(reason(&only(&log)), Some("no_rule"));

    // One of several was denied and left out; the record names no rule that permitted another.
    let sorting = caller();
    let _ = sorting.may("order:read", &order("staff/bob", 1));
    sorting.may("order:read", &order("staff/alice", 1)).unwrap();
    sorting.finish().unwrap();
    let event = only(&log);
    assert_eq!((reason(&event), event.event().rule), (Some("no_rule"), None));
}

#[test]
fn whoever_is_limited_by_scopes_passes_no_role() {
    let gate = builder().build().unwrap();
    let scoped = |scope: &str| {
        let token = issuer().token("mara").roles(["manager"]).scope(scope).sign(noon().wall);
        told(&ask(&gate, Some(&token), "DELETE /admin/users").unwrap_err())
    };
    assert_eq!(scoped("orders.read"), (403, "scope_missing"));
    assert_eq!(scoped("manager"), (403, "scope_missing"));
}

#[test]
fn why_is_told_to_whoever_asks_from_within() {
    let gate = builder().build().unwrap();
    let alice = ask(&gate, Some(&token("alice", &[])), "GET /").unwrap();
    let why = alice.explain("order:read", &order("staff/bob", 1)).unwrap().to_string();
    assert!(why.contains("owner-reads-own"), "{why}");
    assert_eq!(alice.require().unwrap().id(), "staff/alice");
    assert!(ask(&gate, None, "GET /").unwrap().require().is_err());
}

#[test]
fn nobody_may_nothing_and_unknown_actions_are_a_mistake() {
    let log = Recorder::default();
    let gate = builder().audit(log.clone()).build().unwrap();
    let nobody = ask(&gate, None, "GET /").unwrap();
    let refusal = nobody.may("order:read", &order("staff/alice", 1)).unwrap_err();
    assert_eq!(told(&refusal), (401, "credential_missing"));
    assert_eq!(refusal.correlation_id(), Some(nobody.correlation_id()));
    drop(nobody);
    assert_eq!(reason(&only(&log)), Some("credential_missing"));

    let alice = ask(&gate, Some(&token("alice", &[])), "GET /").unwrap();
    let refusal = alice.may("order:reed", &order("staff/alice", 1)).unwrap_err();
    assert_eq!(told(&refusal), (500, "action_unknown"));
}

struct Tenant(&'static str);

impl Record for Tenant {
    fn field(&self, attr: &Attr<'_>) -> Value<'_> {
        match attr.name() {
            "tenant" => Value::from(self.0),
            _ => Value::Missing,
        }
    }
}

#[test]
fn the_application_adds_context_of_its_own() {
    let gate = builder().build().unwrap();
    let caller = ask(&gate, Some(&token("gus", &[])), "GET /orders/7").unwrap();
    let order = order("staff/alice", 1);
    assert!(caller.may_in("order:read", &order, &Tenant("acme")).is_ok());
    assert!(caller.may_in("order:read", &order, &Tenant("other")).is_err());
    assert!(caller.may("order:read", &order).is_err());
}

#[test]
fn names_that_no_policy_can_mean_do_not_build() {
    let roles = RoleMap::claim("roles").only(["clerk", "manger"]);
    let verifier = issuer().verifier("staff").roles(roles).attributes(["sspended"]);
    let text = POLICY
        .replace("[context]", "[principal]\nattributes = { suspended = \"bool?\" }\n[context]");
    let errors = Gate::builder()
        .authenticate(verifier)
        .policies(policies(&text))
        .routes(Routes::new().authenticated("GET", "/"))
        .build()
        .unwrap_err();
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "authenticator of realm `staff`: no role `manger` in the policies; \
             did you mean `manager`?",
            "authenticator of realm `staff`: no attribute of principals `sspended` in the \
             policies; did you mean `suspended`?",
        ]
    );
}

#[test]
fn policies_are_replaced_whole_or_not_at_all() {
    let gate = builder().build().unwrap();
    let token = token("alice", &[]);
    let before = ask(&gate, Some(&token), "GET /orders/7").unwrap();
    let errors = gate
        .policies()
        .replace(policies(&POLICY.replace("manager", "boss")), noon().wall)
        .unwrap_err();
    assert!(errors.to_string().contains("no role `manager`"), "{errors}");

    let closed = POLICY.replace(r#"effect = "permit""#, r#"effect = "forbid""#);
    gate.policies().replace(policies(&closed), noon().wall).unwrap();
    let own = order("staff/alice", 1);
    // A request under way keeps the policies it came in under.
    assert!(before.may("order:read", &own).is_ok());
    let after = ask(&gate, Some(&token), "GET /orders/7");
    assert_eq!(told(&after.unwrap_err()), (403, "no_rule"));
}

#[test]
fn tokens_expire_by_the_time_passed_in() {
    let gate = builder().build().unwrap();
    let token = issuer().token("alice").lifetime(Duration::from_secs(60)).sign(noon().wall);
    let at = |secs| {
        let mut facts = Facts::default();
        facts.method = Some("GET");
        facts.path = Some("/");
        let now = noon().later(Duration::from_secs(secs));
        match gate.admit(Credential::Bearer(&token), &facts, now) {
            Admission::Done(result) => result.err().as_ref().map(told),
            Admission::Wait(_) => panic!("nothing to wait for"),
        }
    };
    assert_eq!(at(59), None);
    assert_eq!(at(60), Some((401, "expired")));
}
