//! Policies of a gate that serves: a shadow set beside them, promoted and rolled back, and hits.

use std::thread;

use portcullis::{
    Caller, Facts, Gate, Mono, Now, Principal, Refusal, Routes, UnixTime,
    audit::Disagreement,
    authz::{Document, PolicySet},
    entity,
    testing::Recorder,
};
use proptest::prelude::*;

use crate::kit::only;

const HEAD: &str = r#"
    [resources.Order]
    attributes = { owner = "User", total = "long" }
    actions = ["order:read", "order:refund"]
"#;

const OWNERS: &str = r#"
    [roles]
    clerk = { may = ["order:refund"] }
    [[rule]]
    id = "owner-reads-own"
    effect = "permit"
    actions = ["order:read"]
    when = "resource.owner == principal"
"#;

/// As `OWNERS`, but without large orders, and refunds are for bosses.
const STRICT: &str = r#"
    [roles]
    clerk = {}
    boss = { inherits = ["clerk"], may = ["order:refund"] }
    [[rule]]
    id = "owner-reads-own"
    effect = "permit"
    actions = ["order:read"]
    when = "resource.owner == principal"
    [[rule]]
    id = "nobody-reads-large"
    effect = "forbid"
    actions = ["order:read"]
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

fn load(text: &str) -> PolicySet {
    PolicySet::from_document(Document::from_toml(&[HEAD, text].concat()).unwrap()).unwrap()
}

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(secs)
}

/// One that counts hits, and the record of its requests.
fn gate(text: &str) -> (Gate, Recorder) {
    let log = Recorder::default();
    let routes = Routes::new()
        .action("GET", "/orders/{id}", "order:read")
        .action("POST", "/refunds", "order:refund")
        .authenticated("GET", "/any")
        .role("GET", "/desk", "clerk");
    let builder = Gate::builder().policies(load(text)).routes(routes).proven_elsewhere();
    (builder.audit(log.clone()).count_hits(at(100)).build().unwrap(), log)
}

fn ask(gate: &Gate, roles: &[&str], path: &str) -> Result<Caller, Refusal> {
    let alice = Principal::assertion("staff", "alice").roles(roles.iter().copied());
    let mut facts = Facts::default();
    let (method, path) = path.split_once(' ').unwrap();
    (facts.method, facts.path) = (Some(method), Some(path));
    let now = Now::new(at(1_000), Mono::from_nanos(1));
    gate.admit_proven(Some(alice.finish().unwrap()), &facts, now)
}

/// Compared, would allow, would deny, undecided.
fn counts(gate: &Gate) -> (u64, u64, u64, u64) {
    let counts = gate.policies().shadow_counts().unwrap();
    (counts.compared, counts.would_allow, counts.would_deny, counts.undecided)
}

/// What the event of the last request tells of the shadow: action, answer, rule.
fn told(log: &Recorder) -> Option<(Option<String>, &'static str, Option<String>)> {
    only(log).event().shadow.map(|Disagreement { action, answer, rule, .. }| {
        (action.map(str::to_owned), answer, rule.map(str::to_owned))
    })
}

#[test]
fn a_shadow_is_compared_and_told_and_decides_nothing() {
    let (gate, log) = gate(OWNERS);
    let read = |total: i64| {
        let caller = ask(&gate, &[], "GET /orders/7").unwrap();
        caller.may("order:read", &order("staff/alice", total)).unwrap();
        caller.finish().unwrap();
    };
    read(5_000);
    assert_eq!(told(&log), None);
    gate.policies().shadow(load(STRICT), 1).unwrap();
    read(5);
    assert_eq!((told(&log), counts(&gate)), (None, (1, 0, 0, 0)));
    read(5_000);
    let denied = Some((
        Some("order:read".into()),
        "forbidden_by_rule",
        Some("nobody-reads-large".to_owned()),
    ));
    assert_eq!((told(&log), counts(&gate)), (denied, (2, 0, 1, 0)));
    gate.policies().end_shadow();
    read(5_000);
    assert_eq!((told(&log), gate.policies().shadow_counts()), (None, None));
}

#[test]
fn what_the_gate_settles_by_itself_is_compared_there() {
    let (gate, log) = gate(OWNERS);
    gate.policies().shadow(load(STRICT), 1).unwrap();
    ask(&gate, &["clerk"], "POST /refunds").unwrap().finish().unwrap();
    let no_rule = Some((Some("order:refund".to_owned()), "no_rule", None));
    assert_eq!((told(&log), counts(&gate)), (no_rule, (1, 0, 1, 0)));
    assert!(ask(&gate, &["boss"], "POST /refunds").is_err());
    let allow = Some((Some("order:refund".into()), "allow", Some("role:boss".to_owned())));
    assert_eq!((told(&log), counts(&gate)), (allow, (2, 1, 1, 0)));
    // The role of a route is compared too: bosses are clerks in the shadow alone.
    assert!(ask(&gate, &["boss"], "GET /desk").is_err());
    assert_eq!((told(&log), counts(&gate)), (Some((None, "allow", None)), (3, 2, 1, 0)));
    ask(&gate, &["clerk"], "GET /desk").unwrap().finish().unwrap();
    assert_eq!((told(&log), counts(&gate)), (None, (4, 2, 1, 0)));
    assert!(ask(&gate, &[], "GET /desk").is_err());
    assert_eq!((told(&log), counts(&gate)), (None, (5, 2, 1, 0)));
}

#[test]
fn what_depends_on_a_resource_that_nobody_has_is_counted_apart() {
    let (gate, log) = gate(OWNERS);
    let by_total = "[roles]\nclerk = {}\n[[rule]]\nid = 'small'\neffect = 'permit'\n\
                    actions = ['order:refund']\nwhen = 'resource.total < 10'\n";
    gate.policies().shadow(load(by_total), 1).unwrap();
    assert!(ask(&gate, &[], "POST /refunds").is_err());
    assert_eq!((told(&log), counts(&gate)), (None, (0, 0, 0, 1)));
}

#[test]
fn an_action_that_the_shadow_does_not_declare_is_a_disagreement() {
    let (gate, log) = gate(OWNERS);
    // No route names it, so nothing is wrong with the set that lacks it.
    let more = HEAD.replace("\"order:refund\"", "\"order:refund\", \"order:count\"") + OWNERS;
    let more = more.replace("[\"order:read\"]", "[\"order:read\", \"order:count\"]");
    let more = PolicySet::from_document(Document::from_toml(&more).unwrap()).unwrap();
    gate.policies().replace(more, at(200)).unwrap();
    gate.policies().shadow(load(OWNERS), 1).unwrap();
    let caller = ask(&gate, &[], "GET /any").unwrap();
    assert!(caller.decide("order:count", &order("staff/alice", 1)).unwrap().is_allow());
    caller.finish().unwrap();
    let unknown = Some((Some("order:count".to_owned()), "action_unknown", None));
    assert_eq!((told(&log), counts(&gate)), (unknown, (1, 0, 1, 0)));
}

#[test]
fn attack_a_shadow_that_fails_or_forbids_all_changes_no_answer() {
    let (gate, log) = gate(OWNERS);
    let failing = "[roles]\nclerk = {}\n[[rule]]\nid = 'broken'\neffect = 'forbid'\n\
                   actions = ['order:read']\nwhen = 'resource.total * 9223372036854775807 > 1'\n";
    gate.policies().shadow(load(failing), 1).unwrap();
    let caller = ask(&gate, &[], "GET /orders/7").unwrap();
    assert!(caller.may("order:read", &order("staff/alice", 7)).is_ok());
    caller.finish().unwrap();
    let failed = Some((Some("order:read".into()), "error_in_forbid", Some("broken".to_owned())));
    assert_eq!(told(&log), failed);
    // Nor does one that allows what is denied.
    let open = OWNERS.replace("resource.owner == principal", "true");
    gate.policies().shadow(load(&open), 1).unwrap();
    let caller = ask(&gate, &[], "GET /orders/7").unwrap();
    assert_eq!(caller.may("order:read", &order("staff/bob", 7)).unwrap_err().status(), 403);
    drop(caller);
    assert_eq!(told(&log).unwrap().1, "allow");
}

#[test]
fn of_many_disagreements_a_share_is_told() {
    let (gate, log) = gate(OWNERS);
    for (one_in, expected) in [(0, 0), (1, 12), (5, 3), (u32::MAX, 1)] {
        gate.policies().shadow(load(STRICT), one_in).unwrap();
        let told = (0..12).filter(|_| {
            let caller = ask(&gate, &[], "GET /orders/7").unwrap();
            caller.may("order:read", &order("staff/alice", 5_000)).unwrap();
            caller.finish().unwrap();
            told(&log).is_some()
        });
        assert_eq!(told.count(), expected, "{one_in}");
        assert_eq!(counts(&gate), (12, 0, 12, 0));
    }
    // However many a request has, its one event tells one.
    gate.policies().shadow(load(STRICT), 1).unwrap();
    let caller = ask(&gate, &[], "GET /orders/7").unwrap();
    for _ in 0..3 {
        caller.may("order:read", &order("staff/alice", 5_000)).unwrap();
    }
    drop(caller);
    assert!(told(&log).is_some());
    assert_eq!(counts(&gate), (3, 0, 3, 0));
}

#[test]
fn what_the_routes_do_not_fit_is_neither_tried_nor_put_in_force() {
    let (gate, _) = gate(OWNERS);
    let wrong = || load(&OWNERS.replace("clerk", "clark"));
    let expected = "the gate cannot be built, 1 error\n\
                    - route `GET /desk`: no role `clerk` in the policies; did you mean `clark`?";
    assert_eq!(gate.policies().shadow(wrong(), 1).unwrap_err().to_string(), expected);
    assert_eq!(gate.policies().replace(wrong(), at(1)).unwrap_err().to_string(), expected);
    assert_eq!(gate.policies().shadow_counts(), None);
    assert!(!gate.policies().promote(at(1)) && !gate.policies().roll_back(at(1)));
    assert!(ask(&gate, &["clerk"], "GET /desk").is_ok());
}

#[test]
fn a_shadow_is_promoted_and_rolled_back_by_one_call() {
    let (gate, _) = gate(OWNERS);
    let refunds = || ask(&gate, &["clerk"], "POST /refunds").is_ok();
    gate.policies().shadow(load(STRICT), 1).unwrap();
    let before = ask(&gate, &[], "GET /orders/7").unwrap();
    assert!(refunds());
    assert!(gate.policies().promote(at(200)));
    assert!(!refunds());
    // Promoted, it is no shadow any more; and a request under way keeps what it came in under.
    assert!(gate.policies().shadow_counts().is_none() && !gate.policies().promote(at(200)));
    assert!(before.may("order:read", &order("staff/alice", 5_000)).is_ok());
    for expected in [true, false, true] {
        assert!(gate.policies().roll_back(at(300)));
        assert_eq!(refunds(), expected);
    }
}

#[test]
fn hits_are_counted_over_every_change_and_never_used_grants_are_told() {
    let (gate, _) = gate(OWNERS);
    let used = || {
        let usage = gate.policies().usage().unwrap();
        let row =
            |one: &portcullis::authz::Used| (one.name.to_string(), one.hits, one.since.as_secs());
        usage.iter().map(row).collect::<Vec<_>>()
    };
    let row = |name: &str, hits, since| (name.to_owned(), hits, since);
    ask(&gate, &["clerk"], "POST /refunds").unwrap();
    let caller = ask(&gate, &[], "GET /orders/7").unwrap();
    caller.may("order:read", &order("staff/alice", 5_000)).unwrap();
    caller.may("order:read", &order("staff/bob", 5_000)).unwrap_err();
    // To explain is not to decide.
    let _ = caller.explain("order:read", &order("staff/alice", 1)).unwrap();
    assert_eq!(used(), [row("owner-reads-own", 1, 100), row("clerk", 1, 100)]);
    gate.policies().shadow(load(STRICT), 1).unwrap();
    assert_eq!(used(), [row("owner-reads-own", 1, 100), row("clerk", 1, 100)]);
    assert!(gate.policies().promote(at(200)));
    let after =
        [row("nobody-reads-large", 0, 200), row("owner-reads-own", 1, 100), row("boss", 0, 200)];
    assert_eq!(used(), after);
    assert_eq!(
        gate.policies().usage().unwrap().to_string(),
        "rule `nobody-reads-large` never decided since 200\n\
         role `boss` never used `order:refund` since 200"
    );
    assert!(gate.policies().roll_back(at(300)));
    assert_eq!(used(), [row("owner-reads-own", 1, 100), row("clerk", 0, 300)]);

    let (routes, policies) = (Routes::new().public("GET", "/"), load(OWNERS));
    let silent = Gate::builder().policies(policies).routes(routes).build().unwrap();
    assert!(silent.policies().usage().is_none());
}

/// A shadow adds no allocation to a decision, and no caller sees two sets in one request.
#[test]
fn a_decision_with_a_shadow_allocates_no_more_than_one_without() {
    let (gate, _) = gate(OWNERS);
    let resource = order("staff/alice", 5_000);
    let allocations = || {
        let caller = ask(&gate, &["clerk"], "GET /orders/7").unwrap();
        let decide = || caller.decide("order:read", &resource).unwrap().is_allow();
        assert!(decide());
        allocation_counter::measure(|| assert!(decide())).count_total
    };
    let alone = allocations();
    gate.policies().shadow(load(STRICT), 1).unwrap();
    assert_eq!((allocations(), alone), (0, 0));
    assert_eq!(counts(&gate), (2, 0, 2, 0));
}

#[test]
fn attack_a_swap_in_the_middle_shows_no_request_two_sets() {
    let (gate, _) = gate(OWNERS);
    gate.policies().shadow(load(STRICT), 0).unwrap();
    assert!(gate.policies().promote(at(1)));
    thread::scope(|scope| {
        let swaps = scope.spawn(|| (0..2_000).filter(|_| gate.policies().roll_back(at(2))).count());
        for _ in 0..2 {
            scope.spawn(|| {
                while !swaps_done(&gate) {
                    // Of the two sets, one allows refunds and large orders, one neither.
                    let Ok(caller) = ask(&gate, &["clerk"], "GET /orders/7") else {
                        panic!("both let clerks ask");
                    };
                    let refund = caller.decide("order:refund", &order("x", 1)).unwrap();
                    let large = caller.decide("order:read", &order("staff/alice", 5_000)).unwrap();
                    assert_eq!(refund.is_allow(), large.is_allow());
                }
            });
        }
        assert_eq!(swaps.join().unwrap(), 2_000);
        gate.policies().shadow(load(OWNERS), 0).unwrap();
    });
}

/// The test's own mark that the swaps are over.
fn swaps_done(gate: &Gate) -> bool {
    gate.policies().shadow_counts().is_some()
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Replace(usize),
    Shadow(usize),
    EndShadow,
    Promote,
    RollBack,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_usize..3).prop_map(Step::Replace),
        (0_usize..3).prop_map(Step::Shadow),
        Just(Step::EndShadow),
        Just(Step::Promote),
        Just(Step::RollBack),
    ];
    prop::collection::vec(step, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_row_of_changes_leaves_in_force_what_it_says(steps in steps()) {
        // Each lets another role refund.
        let set = |which: usize| {
            let role = ["clerk", "boss", "chief"][which];
            let others = "clerk = {}\nboss = {}\nchief = {}\n".replace(
                &format!("{role} = {{}}"),
                &format!("{role} = {{ may = ['order:refund'] }}"),
            );
            load(&format!("[roles]\n{others}"))
        };
        let in_force = |gate: &Gate| {
            ["clerk", "boss", "chief"].iter().position(|role| ask(gate, &[role], "POST /refunds").is_ok())
        };
        let routes = Routes::new().action("POST", "/refunds", "order:refund");
        let gate = Gate::builder().policies(set(0)).routes(routes).proven_elsewhere().build().unwrap();
        let policies = gate.policies();
        let (mut now, mut shadow, mut displaced) = (0, None, None);
        for step in steps {
            match step {
                Step::Replace(which) => {
                    policies.replace(set(which), at(1)).unwrap();
                    (displaced, now) = (Some(now), which);
                }
                Step::Shadow(which) => {
                    policies.shadow(set(which), 1).unwrap();
                    shadow = Some(which);
                }
                Step::EndShadow => {
                    policies.end_shadow();
                    shadow = None;
                }
                Step::Promote => {
                    prop_assert_eq!(policies.promote(at(1)), shadow.is_some());
                    if let Some(which) = shadow.take() {
                        (displaced, now) = (Some(now), which);
                    }
                }
                Step::RollBack => {
                    prop_assert_eq!(policies.roll_back(at(1)), displaced.is_some());
                    if let Some(which) = displaced {
                        (displaced, now) = (Some(now), which);
                    }
                }
            }
            prop_assert_eq!(in_force(&gate), Some(now));
            prop_assert_eq!(policies.shadow_counts().is_some(), shadow.is_some());
        }
    }
}
