//! `in` where a request says what the other value is: an entity, a role, a set, or none of these.

use super::super::{AccessRequest, Context, Decision, Entities, PolicySet, Why};
use crate::{Attribute, Principal, UnixTime};

const POLICIES: &str = r#"
    permit (principal, action == Action::"caller", resource) when { principal in resource.there };
    permit (principal, action == Action::"owner", resource)
    when { resource.owner in resource.there };
    permit (principal in Role::"held", action == Action::"none", resource);
    permit (principal in Role::"other", action == Action::"none", resource);
"#;

/// Alice, who lies in one team, asks of a thing that says what is `there`: true, false, or an
/// error.
fn asked(action: &str, there: &str) -> Result<bool, &'static str> {
    let entities = Entities::from_json(&format!(
        r#"[
            {{ "uid": {{ "type": "User", "id": "staff/alice" }}, "attrs": {{}},
               "parents": [{{ "type": "Team", "id": "hers" }}] }},
            {{ "uid": {{ "type": "Thing", "id": "t" }}, "parents": [], "attrs": {{
               "owner": {{ "__entity": {{ "type": "User", "id": "staff/bob" }} }},
               "there": {there} }} }}
        ]"#
    ))
    .unwrap();
    let policies = PolicySet::from_cedar(POLICIES).unwrap();
    let known = policies.know(&entities).unwrap();
    let alice = Principal::assertion("staff", "alice").roles(["held"]).finish().unwrap();
    let decision = policies.decide(&AccessRequest {
        subject: &policies.subject(&alice),
        principal: &known.entity("User", "staff/alice").unwrap(),
        action: policies.action(action).unwrap(),
        resource: &known.entity("Thing", "t").unwrap(),
        context: &Context::new(UnixTime::from_secs(0)).entities(known),
    });
    match decision {
        Decision::Allow { .. } => Ok(true),
        Decision::Deny(Why::NoRule { permit_errors: 0 }) => Ok(false),
        Decision::Deny(_) => Err("failed"),
    }
}

fn entity(kind: &str, id: &str) -> String {
    format!(r#"{{ "__entity": {{ "type": "{kind}", "id": "{id}" }} }}"#)
}

#[test]
fn an_entity_lies_in_itself_in_what_is_above_it_and_in_one_of_a_set() {
    let alice = &entity("User", "staff/alice");
    let (hers, theirs) = (&entity("Team", "hers"), &entity("Team", "theirs"));
    let (held, other) = (&entity("Role", "held"), &entity("Role", "other"));
    let failed = Err("failed");
    let check = |action: &str, there: &[&str], expected| {
        assert_eq!(asked(action, &format!("[{}]", there.join(","))), expected, "{there:?}");
        if let [one] = there {
            // By itself as in a set.
            assert_eq!(asked(action, one), expected, "{one}");
        }
    };
    for (there, expected) in [
        (&[alice][..], Ok(true)),
        (&[hers], Ok(true)),
        (&[held], Ok(true)),
        (&[theirs], Ok(false)),
        (&[other], Ok(false)),
        (&[alice, theirs], Ok(true)),
        (&[theirs, alice], Ok(true)),
        (&[theirs, hers], Ok(true)),
        (&[hers, theirs], Ok(true)),
        (&[other, held, theirs], Ok(true)),
        (&[], Ok(false)),
    ] {
        let there: Vec<&str> = there.iter().map(|one| one.as_str()).collect();
        check("caller", &there, expected);
    }
    // What is no entity is an error, whatever else there is.
    for there in [&["1"][..], &["\"a\""], &[hers, "1"], &["1", hers], &[alice, "\"a\""]] {
        check("caller", there, failed);
    }
    // Roles are the caller's alone.
    check("owner", &[held], Ok(false));
    check("owner", &[theirs, &entity("User", "staff/bob")], Ok(true));
}

#[test]
fn nothing_lies_in_a_set_of_texts_and_only_the_empty_one_is_no_error() {
    let text = "permit (principal, action == Action::\"a\", resource) when { resource in principal.tags };";
    let policies = PolicySet::from_cedar(text).unwrap();
    let asked = |tags: &[String]| {
        let alice = Principal::assertion("staff", "alice");
        let alice = alice.attributes([("tags", Attribute::Strings(tags))]).finish().unwrap();
        policies.decide(&AccessRequest {
            subject: &policies.subject(&alice),
            principal: &alice,
            action: policies.action("a").unwrap(),
            resource: &alice,
            context: &Context::new(UnixTime::from_secs(0)),
        })
    };
    assert_eq!(asked(&[]), Decision::Deny(Why::NoRule { permit_errors: 0 }));
    assert_eq!(asked(&["a".into()]), Decision::Deny(Why::NoRule { permit_errors: 1 }));
}
