use super::{Entities, EntitiesError};
use crate::{
    UnixTime,
    authz::{AccessRequest, Context, Decision, Entity, PolicySet, TypeName, Uid, Value, Why},
};

fn entity(kind: &str, id: &str, parents: &[(&str, &str)]) -> String {
    let parents = parents.iter().map(|(kind, id)| format!(r#"{{"type":"{kind}","id":"{id}"}}"#));
    let parents = parents.collect::<Vec<_>>().join(",");
    format!(r#"{{"uid":{{"type":"{kind}","id":"{id}"}},"attrs":{{}},"parents":[{parents}]}}"#)
}

fn read(all: &[String]) -> Result<Entities, EntitiesError> {
    Entities::from_json(&format!("[{}]", all.join(",")))
}

/// Two names of types that have one number.
const COLLIDING: (&str, &str) = ("costarring", "liquid");

#[test]
fn attack_a_type_that_has_the_number_of_another_is_refused() {
    let (one, other) = COLLIDING;
    assert_eq!(TypeName::new(one), TypeName::new(other));
    // Within the entities, and beside those of the policies.
    let twice = read(&[entity(one, "1", &[]), entity(other, "1", &[])]);
    assert!(matches!(twice, Err(EntitiesError::SameNumber(..))));
    let text = format!("permit (principal is {one}, action == Action::\"read\", resource);");
    let policies = PolicySet::from_cedar(&text).unwrap();
    let entities = read(&[entity(other, "1", &[])]).unwrap();
    assert!(matches!(policies.know(&entities), Err(EntitiesError::SameNumber(..))));
    let none = Entities::default();
    let known = policies.know(&none).unwrap();
    assert!(matches!(known.entity(other, "1"), Err(EntitiesError::SameNumber(..))));
    let named = format!(r#"{{"who":{{"__entity":{{"type":"{other}","id":"1"}}}}}}"#);
    assert!(matches!(known.members(&named), Err(EntitiesError::SameNumber(..))));
    let both = format!("{text}permit (principal is {other}, action, resource);");
    assert!(PolicySet::from_cedar(&both).is_err());
}

#[test]
fn an_entity_lies_in_what_its_parents_lie_in() {
    let all = [entity("U", "a", &[("G", "b")]), entity("G", "b", &[("G", "c")])];
    let entities = read(&all).unwrap();
    let a = entities.find(Uid { type_name: TypeName::new("U"), id: "a" }).unwrap();
    let lies_in = |id| a.is_in(Uid { type_name: TypeName::new("G"), id });
    assert_eq!((lies_in("b"), lies_in("c"), lies_in("a")), (true, true, false));
    let circle = read(&[entity("G", "b", &[("G", "c")]), entity("G", "c", &[("G", "b")])]);
    assert!(matches!(circle, Err(EntitiesError::Cycle(_))));
}

#[test]
fn the_same_entity_twice_must_be_the_same() {
    let one = entity("U", "a", &[("G", "b")]);
    assert_eq!(read(&[one.clone(), one.clone()]).map(|all| all.len()), Ok(1));
    let differs = read(&[one, entity("U", "a", &[])]);
    assert_eq!(differs.map(|all| all.len()), Err(EntitiesError::Duplicate("a".into())));
}

#[test]
fn what_is_no_value_of_cedars_is_refused() {
    for value in [
        "null",
        "1.0",
        "9223372036854775808",
        r#"{"a":1,"a":1}"#,
        r#"{"__expr":"1"}"#,
        r#"{"__extn":{"fn":"ip","arg":"10.0.0.0/33"}}"#,
        r#"{"__extn":{"fn":"nothing","arg":"1"}}"#,
        r#"{"__entity":{"type":"A B","id":"1"}}"#,
        r#"{"__entity":{"type":"__cedar::A","id":"1"}}"#,
    ] {
        let json =
            format!(r#"[{{"uid":{{"type":"U","id":"a"}},"attrs":{{"v":{value}}},"parents":[]}}]"#);
        assert!(Entities::from_json(&json).is_err(), "{value}");
    }
    let deep = "[".repeat(100_000);
    assert!(Entities::from_json(&deep).is_err());
}

#[test]
fn entities_of_other_policies_decide_nothing() {
    let policies =
        || PolicySet::from_cedar("permit (principal, action == Action::\"a\", resource);").unwrap();
    let (one, other, entities) = (policies(), policies(), Entities::default());
    let known = other.know(&entities).unwrap();
    let members = known.members("{}").unwrap();
    let decision = one.decide(&AccessRequest {
        subject: &one.without_roles(),
        principal: &known.entity("U", "a").unwrap(),
        action: one.action("a").unwrap(),
        resource: &known.entity("U", "a").unwrap(),
        context: &Context::plain(UnixTime::from_secs(0), &members).entities(known),
    });
    assert_eq!(decision, Decision::Deny(Why::Stale));
}

/// What a policy says of alice, who is in the group a, and of a list of hers with these members.
fn ask(when: &str, members: &[&str]) -> Decision {
    let members = members.iter().map(|id| match id.split_once('/') {
        Some((kind, id)) => format!(r#"{{"__entity":{{"type":"{kind}","id":"{id}"}}}}"#),
        None => (*id).to_owned(),
    });
    let members = members.collect::<Vec<_>>().join(",");
    let list = format!(
        r#"{{"uid":{{"type":"List","id":"1"}},"attrs":{{"members":[{members}]}},"parents":[]}}"#
    );
    let entities = read(&[entity("User", "alice", &[("Group", "a")]), list]).unwrap();
    let text =
        format!("permit (principal, action == Action::\"read\", resource) when {{ {when} }};");
    let policies = PolicySet::from_cedar(&text).unwrap();
    let known = policies.know(&entities).unwrap();
    let request = AccessRequest {
        subject: &policies.without_roles(),
        principal: &known.entity("User", "alice").unwrap(),
        action: policies.action("read").unwrap(),
        resource: &known.entity("List", "1").unwrap(),
        context: &Context::plain(UnixTime::from_secs(0), &[("", Value::Bool(true))])
            .entities(known),
    };
    let mut decision = None;
    let counted = allocation_counter::measure(|| decision = Some(policies.decide(&request)));
    assert_eq!(counted.count_total, 0, "{when}");
    decision.unwrap()
}

#[test]
fn a_decision_over_stored_sets_asks_all_elements_and_allocates_nothing() {
    let check = |when, members: &[&str], expected: Result<bool, u16>| {
        let decision = ask(when, members);
        let failed = expected.err().unwrap_or(0);
        let denied = matches!(
            decision, Decision::Deny(Why::NoRule { permit_errors }) if permit_errors == failed
        );
        assert_eq!((decision.is_allow(), denied), (expected == Ok(true), expected != Ok(true)));
    };
    let is_in = "principal in resource.members";
    check(is_in, &[], Ok(false));
    check(is_in, &["Group/b", "User/bob", "Group/alice"], Ok(false));
    check(is_in, &["Group/b", "Group/a"], Ok(true));
    check(is_in, &["User/alice", "Group/b"], Ok(true));
    check(is_in, &["Group/b", "User/alice"], Ok(true));
    // What is no entity is an error, whatever the others are.
    check(is_in, &["Group/a", "7"], Err(1));
    check(is_in, &["7"], Err(1));
    let contains = "resource.members.contains(principal)";
    check(contains, &["Group/alice", "User/bob", "7"], Ok(false));
    check(contains, &["Group/alice", "User/alice", "User/bob", "7"], Ok(true));
}
