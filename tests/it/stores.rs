//! A store of entities behind the gate: whom it puts in which group decides, until it is replaced.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use axum::{Extension, Router, body::Body, extract::Path, http::Request, routing::get};
use portcullis::{
    Authenticator, Caller, Challenge, Credential, Document, Facts, Gate, GateErrors, Now,
    PolicySet, Principal, Routes, Step, UnixTime,
    authz::{Decision, Entities, EntitiesError},
    clock, entity,
    gate::GateError,
    http::Refused,
    tower::GateLayer,
};
use tower::ServiceExt;

use crate::kit::block_on;

const POLICY: &str = r#"
    [resources]
    Folder = { attributes = {} }
    Group = { attributes = {} }
    [resources.Order]
    attributes = { folder = "Folder", region = "string?", owner = "User" }
    actions = ["order:read", "order:list"]
    [principal]
    attributes = { region = "string?", away = "bool?" }
    [[rule]]
    id = "support-lists"
    effect = "permit"
    actions = ["order:list"]
    when = 'principal in Group::"support"'
    [[rule]]
    id = "support-reads-what-is-open"
    effect = "permit"
    actions = ["order:read"]
    when = 'principal in Group::"support" && resource.folder in Folder::"open"'
    [[rule]]
    id = "not-while-away"
    effect = "forbid"
    actions = ["order:read", "order:list"]
    when = 'principal has away && principal.away'
    [[rule]]
    id = "not-of-those-away"
    effect = "forbid"
    actions = ["order:read"]
    when = 'resource.owner has away && resource.owner.away'
"#;

struct Order {
    id: String,
    folder: String,
    owner: String,
    region: Option<String>,
}

entity! {
    Order as "Order" by id { folder: "Folder", owner: "User", region: string? }
}

fn order(id: &str) -> Order {
    let (folder, owner) = ("1".to_owned(), "staff/owner".to_owned());
    Order { id: id.to_owned(), folder, owner, region: None }
}

/// `Authorization: Name …` is that user of the staff.
#[derive(Debug)]
struct Name;

impl Authenticator for Name {
    fn realm(&self) -> &str {
        "staff"
    }

    fn challenge(&self) -> Option<Challenge> {
        None
    }

    fn authenticate(&self, credential: &Credential<'_>, _: &Facts<'_>, _: Now) -> Step {
        let Credential::Other { scheme: "Name", value } = credential else { return Step::NotMine };
        Step::Done(Ok(Principal::assertion("staff", value).finish().unwrap()))
    }
}

fn document(text: &str) -> PolicySet {
    PolicySet::from_document(Document::from_toml(text).unwrap()).unwrap()
}

/// Names as `Type::id`; each line an entity, its attributes, and what it lies in.
fn entities(lines: &[(&str, &str, &[&str])]) -> Entities {
    let uid = |name: &str| {
        let (kind, id) = name.split_once("::").unwrap();
        format!(r#"{{ "type": "{kind}", "id": "{id}" }}"#)
    };
    let lines = lines.iter().map(|(name, attributes, parents)| {
        let parents: Vec<_> = parents.iter().map(|name| uid(name)).collect();
        let (uid, parents) = (uid(name), parents.join(","));
        format!(r#"{{ "uid": {uid}, "attrs": {{{attributes}}}, "parents": [{parents}] }}"#)
    });
    Entities::from_json(&format!("[{}]", lines.collect::<Vec<_>>().join(","))).unwrap()
}

/// Alice and bob are on shifts of which the first is of the support; the folder is an open one.
fn shifts(alice: &str, bob: &str) -> Entities {
    entities(&[
        ("User::staff/alice", "", &[alice]),
        ("User::staff/bob", "", &[bob]),
        // Of another realm, and so somebody else; and no caller is called so.
        ("User::guests/carol", "", &["Group::support"]),
        ("User::carol", "", &["Group::support"]),
        ("Group::day", "", &["Group::support"]),
        ("Folder::1", "", &["Folder::open"]),
    ])
}

fn build(policies: PolicySet, entities: Entities) -> Result<Gate, GateErrors> {
    let routes = Routes::new().action("GET", "/orders", "order:list").action(
        "GET",
        "/orders/{id}",
        "order:read",
    );
    let gate = Gate::builder().authenticate(Name).policies(policies).entities(entities);
    gate.routes(routes).insecure_allow_cleartext().build()
}

async fn show(
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<String, Refused> {
    caller.may("order:read", &order(&id))?;
    Ok(id)
}

/// The answers to a list and to one order.
fn answers(gate: &Gate, name: &str) -> (u16, u16) {
    let router = Router::new()
        .route("/orders", get(|| async { "none" }))
        .route("/orders/{id}", get(show))
        .layer(GateLayer::new(gate.clone()));
    let status = |path: &str| {
        let request = Request::get(path).header("authorization", format!("Name {name}"));
        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap());
        block_on(answer).unwrap().status().as_u16()
    };
    (status("/orders"), status("/orders/7"))
}

fn caller(gate: &Gate, name: &str) -> Caller {
    let mut facts = Facts::default();
    (facts.method, facts.path) = (Some("GET"), Some("/orders/7"));
    let principal = Principal::assertion("staff", name).finish().unwrap();
    gate.admit_proven(Some(principal), &facts, clock::now()).unwrap()
}

fn now() -> UnixTime {
    UnixTime::from_secs(1)
}

#[test]
fn the_groups_of_a_stored_user_are_the_callers_until_the_store_is_replaced() {
    let gate = build(document(POLICY), shifts("Group::day", "Group::night")).unwrap();
    let all = || ["alice", "bob", "carol"].map(|name| answers(&gate, name));
    assert_eq!(all(), [(200, 200), (403, 403), (403, 403)]);
    gate.policies().replace_entities(shifts("Group::night", "Group::day")).unwrap();
    assert_eq!(all(), [(403, 403), (200, 200), (403, 403)]);
    // Where the store says nothing of the order's folder, nothing lies in it.
    let shifts = entities(&[("User::staff/alice", "", &["Group::support"])]);
    gate.policies().replace_entities(shifts).unwrap();
    assert_eq!(all(), [(200, 403), (403, 403), (403, 403)]);
    gate.policies().replace_entities(Entities::default()).unwrap();
    assert_eq!(all(), [(403, 403); 3]);
}

#[test]
fn a_gate_that_was_built_without_entities_is_given_some() {
    let routes = Routes::new().action("GET", "/orders", "order:list").public("GET", "/orders/{id}");
    let gate = Gate::builder().authenticate(Name).policies(document(POLICY)).routes(routes);
    let gate = gate.insecure_allow_cleartext().build().unwrap();
    assert_eq!(answers(&gate, "alice").0, 403);
    let error = || caller(&gate, "alice").decide("order:read", &order("7")).unwrap();
    // Nobody knows then what is behind the names of owners and folders.
    assert!(matches!(error(), Decision::Deny(why) if why.as_str() == "error_in_forbid"));
    gate.policies().replace_entities(shifts("Group::day", "Group::day")).unwrap();
    assert_eq!(answers(&gate, "alice").0, 200);
    assert!(error().is_allow());
}

#[test]
fn a_request_under_way_goes_by_the_entities_it_came_in_under() {
    let gate = build(document(POLICY), shifts("Group::day", "Group::night")).unwrap();
    let before = caller(&gate, "alice");
    gate.policies().replace_entities(shifts("Group::night", "Group::day")).unwrap();
    assert!(before.may("order:read", &order("7")).is_ok());
    assert!(caller(&gate, "bob").may("order:read", &order("7")).is_ok());
}

#[test]
fn what_is_stored_adds_to_caller_and_resource_and_takes_nothing_away() {
    let text = POLICY.replace(
        r#"when = 'principal in Group::"support" && resource.folder in Folder::"open"'"#,
        r#"when = '''principal has region && resource has region
            && principal.region == resource.region && resource in Folder::"open"'''"#,
    );
    let stored = |region: &str, parent: &str| {
        entities(&[
            ("User::staff/alice", r#""region": "north""#, &[]),
            ("Order::7", &format!(r#""region": "{region}", "owner": "nobody""#), &[parent]),
        ])
    };
    let gate = build(document(&text), stored("north", "Folder::open")).unwrap();
    let may = |order: &Order| caller(&gate, "alice").may("order:read", order).is_ok();
    assert!(may(&order("7")));
    assert!(!may(&order("8")));
    assert!(!may(&Order { region: Some("south".into()), ..order("7") }));
    gate.policies().replace_entities(stored("south", "Folder::open")).unwrap();
    assert!(!may(&order("7")));
    assert!(may(&Order { region: Some("north".into()), ..order("7") }));
    gate.policies().replace_entities(stored("north", "Folder::closed")).unwrap();
    assert!(!may(&order("7")));
    let explained = caller(&gate, "alice").explain("order:read", &order("7")).unwrap();
    assert!(explained.to_string().contains("Folder"), "{explained}");
}

#[test]
fn nobody_is_sent_away_early_for_what_is_known_only_later() {
    let text = r#"
        permit (principal, action == Action::"order:read", resource);
        permit (principal, action == Action::"order:list", resource);
        forbid (principal, action == Action::"order:read", resource)
        when { User::"staff/boss" has away && User::"staff/boss".away };
        forbid (principal, action == Action::"order:list", resource)
        when { principal.hasTag("lists") && principal.getTag("lists") == "never" };
    "#;
    let boss = |away: &str| entities(&[("User::staff/boss", away, &[])]);
    let gate = build(PolicySet::from_cedar(text).unwrap(), boss("")).unwrap();
    assert_eq!(answers(&gate, "alice"), (200, 200));
    gate.policies().replace_entities(boss(r#""away": true"#)).unwrap();
    assert_eq!(answers(&gate, "alice"), (200, 403));
    let tagged = r#"[{ "uid": { "type": "User", "id": "staff/alice" }, "attrs": {}, "parents": [],
        "tags": { "lists": "never" } }]"#;
    gate.policies().replace_entities(Entities::from_json(tagged).unwrap()).unwrap();
    assert_eq!(answers(&gate, "alice"), (403, 200));
}

/// Two names of types that have one number.
const COLLIDING: (&str, &str) = ("costarring", "liquid");

fn mentions(kind: &str) -> Entities {
    entities(&[(&format!("{kind}::1"), "", &[]), ("User::staff/alice", "", &["Group::support"])])
}

fn declares(kind: &str) -> PolicySet {
    document(&format!("{POLICY}[resources.{kind}]\nattributes = {{}}"))
}

/// That entities and policies are refused for two types of one number.
fn clashes(result: Result<(), GateErrors>) -> bool {
    result.err().is_some_and(|errors| {
        errors.iter().all(|error| {
            matches!(error, GateError::Entities { error: EntitiesError::SameNumber(..) })
        })
    })
}

#[test]
fn attack_entities_that_clash_with_policies_are_refused_and_the_old_stay() {
    let (one, other) = COLLIDING;
    let gate = build(declares(one), mentions(one)).unwrap();
    let lists = || answers(&gate, "alice").0 == 200;
    assert!(clashes(build(declares(one), mentions(other)).map(|_| ())));
    assert!(clashes(gate.policies().replace_entities(mentions(other))));
    assert!(clashes(gate.policies().replace(declares(other), now())));
    assert!(clashes(gate.policies().shadow(declares(other), 1)));
    assert!(lists() && gate.policies().shadow_counts().is_none());
    assert!(!gate.policies().roll_back(now()));

    // A shadow, and what was displaced, may come into force; so they are asked as well.
    gate.policies().replace_entities(mentions("Group")).unwrap();
    gate.policies().shadow(declares(other), 1).unwrap();
    assert!(clashes(gate.policies().replace_entities(mentions(one))));
    gate.policies().end_shadow();
    gate.policies().replace(declares("Other"), now()).unwrap();
    assert!(clashes(gate.policies().replace_entities(mentions(other))));
    assert!(gate.policies().roll_back(now()));
    assert!(lists());
}

#[test]
fn attack_a_store_gives_nobody_a_role() {
    let with = |name| entities(&[("User::staff/alice", "", &[name])]);
    let expected = "the gate cannot be built, 1 error\n- entities: the type `Role` is there, and \
                    roles come with credentials alone; call groups otherwise";
    let told = build(document(POLICY), with("Role::clerk")).unwrap_err().to_string();
    assert_eq!(told, expected);
    let gate = build(document(POLICY), with("Group::support")).unwrap();
    let told = gate.policies().replace_entities(with("Role::clerk")).unwrap_err().to_string();
    assert_eq!(told, expected);
    assert_eq!(answers(&gate, "alice").0, 200);
}

#[test]
fn a_shadow_knows_the_entities_and_counts_on_when_they_are_replaced() {
    let gate = build(document(POLICY), shifts("Group::day", "Group::night")).unwrap();
    let strict = POLICY.replace(r#"Group::"support""#, r#"Group::"day""#);
    gate.policies().shadow(document(&strict), 1).unwrap();
    let counts = || {
        let counts = gate.policies().shadow_counts().unwrap();
        (counts.compared, counts.would_allow, counts.would_deny)
    };
    assert_eq!(answers(&gate, "alice"), (200, 200));
    assert_eq!(counts(), (2, 0, 0));
    gate.policies().replace_entities(shifts("Group::support", "Group::night")).unwrap();
    assert_eq!(answers(&gate, "alice"), (200, 200));
    assert_eq!(counts(), (4, 0, 2));
    assert!(gate.policies().promote(now()));
    assert_eq!(answers(&gate, "alice"), (403, 403));
    gate.policies().replace_entities(shifts("Group::day", "Group::night")).unwrap();
    assert_eq!(answers(&gate, "alice"), (200, 200));
    // What was displaced knows what is in force now.
    gate.policies().replace_entities(shifts("Group::support", "Group::night")).unwrap();
    assert!(gate.policies().roll_back(now()));
    assert_eq!(answers(&gate, "alice"), (200, 200));
}

#[test]
fn attack_a_swap_in_the_middle_shows_no_request_two_stores() {
    let gate = build(document(POLICY), shifts("Group::day", "Group::night")).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    let Ok(alice) = may_ask(&gate) else { continue };
                    // Of the two stores, one lets her list and read, one neither.
                    let allows = |action| alice.decide(action, &order("7")).unwrap().is_allow();
                    assert_eq!(allows("order:list"), allows("order:read"));
                    assert!(allows("order:read"), "the gate had let her in");
                }
            });
        }
        for swap in 0..500 {
            let alice = if swap % 2 == 0 { "Group::night" } else { "Group::day" };
            gate.policies().replace_entities(shifts(alice, "Group::night")).unwrap();
            gate.policies().replace(document(POLICY), now()).unwrap();
        }
        done.store(true, Relaxed);
    });
}

fn may_ask(gate: &Gate) -> Result<Caller, portcullis::Refusal> {
    let mut facts = Facts::default();
    (facts.method, facts.path) = (Some("GET"), Some("/orders"));
    let principal = Principal::assertion("staff", "alice").finish().unwrap();
    gate.admit_proven(Some(principal), &facts, clock::now())
}

#[test]
fn a_decision_over_a_store_allocates_nothing() {
    let gate = build(document(POLICY), shifts("Group::day", "Group::night")).unwrap();
    let (alice, resource) = (caller(&gate, "alice"), order("7"));
    let decide = || assert!(alice.decide("order:read", &resource).unwrap().is_allow());
    decide();
    assert_eq!(allocation_counter::measure(decide).count_total, 0);
}
