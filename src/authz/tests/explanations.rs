//! Decisions in words.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{
        AccessRequest, ClauseKind, Context, Decision, Explanation, PolicySet, Why,
        load::expr::parse,
    },
    indexes,
    oracle::answer,
    semantics::{alice, order, policies, rule, with_roles},
    sets::{Asked, principal, questions},
    world::{Data, Thing},
};
use crate::UnixTime;

#[test]
fn explanations() {
    let check = |rules: &[String], resource: Thing, expected: &str| {
        let set = policies(&rules.concat());
        let principal = with_roles(["clerk"]);
        let explanation = set.explain(&AccessRequest {
            subject: &set.subject(&principal),
            principal: &principal,
            action: set.action("order:read").unwrap(),
            resource: &resource,
            context: &Context::new(UnixTime::from_secs(0)),
        });
        assert_eq!(explanation.to_string(), expected);
    };
    let permit = |id, when: &str| rule(id, "permit", &format!("when = {when:?}"));
    let forbid = |id, when: &str| rule(id, "forbid", &format!("when = {when:?}"));
    let roles = "[roles]\nclerk = {}\nboss = { may = [\"order:read\"] }\n".to_owned();
    let missing = r#"context.client == ip("::1")"#;
    let boss = rule("boss-reads", "permit", "roles = ['boss']\nwhen = 'resource.paid'");
    let far = permit("far", "resource.total > 99 && resource.paid");
    let near = permit("near", "resource.paid && resource.total > 12");
    let denied = "`order:read` is denied";

    check(&[], order(), &format!("{denied}: nothing permits it"));
    check(
        &[roles.clone(), boss, far, near],
        order(),
        &format!(
            "{denied}: nothing permits it; nearest rule `near`: `resource.total > 12` is false \
             (`resource.total` is 12); roles that grant it: `boss`"
        ),
    );
    check(
        &[roles, rule("boss-reads", "permit", "roles = ['boss']")],
        order(),
        &format!(
            "{denied}: nothing permits it; nearest rule `boss-reads`: \
             the principal has no role of `boss`; roles that grant it: `boss`"
        ),
    );
    check(
        &[permit("p", missing)],
        order(),
        &format!(
            "{denied}: nothing permits it; nearest rule `p`: `{missing}` failed because \
             a value is missing (`context.client` is missing)"
        ),
    );
    check(
        &[rule("p", "permit", "during = 'Fri Europe/Berlin'")],
        order(),
        &format!(
            "{denied}: nothing permits it; nearest rule `p`: `during`, `Fri Europe/Berlin`, is false"
        ),
    );
    check(
        &[rule("p", "permit", "outside = 'Thu Europe/Berlin'")],
        order(),
        &format!(
            "{denied}: nothing permits it; nearest rule `p`: `outside`, `Thu Europe/Berlin`, is false"
        ),
    );
    check(
        &[rule("p", "permit", "unless = 'resource has note && resource.note == \"no\"'")],
        order().with("note", Data::Str("no".into())),
        &format!(
            "{denied}: nothing permits it; nearest rule `p`: its `unless`, \
             `resource has note && resource.note == \"no\"`, is true \
             (`resource` is Order::\"7\", `resource.note` is \"no\")"
        ),
    );
    let both = [permit("p", "true"), permit("q", "true"), forbid("f", "true"), forbid("g", "true")];
    check(&both[..2], order(), "`order:read` is allowed by `p`, `q`");
    check(&both, order(), "`order:read` is forbidden by `f`, `g`");
    check(
        &[permit("p", "true"), forbid("f", missing)],
        order(),
        &format!(
            "{denied}: forbid `f` failed: `{missing}` failed because a value is missing \
             (`context.client` is missing)"
        ),
    );
    check(
        &[permit("p", "true")],
        Thing::new("Invoice", "7"),
        &format!("{denied}: the resource is no `Order`"),
    );
}

#[test]
fn an_explanation_cannot_be_forged_by_a_value() {
    let set =
        policies(&rule("p", "permit", "when = 'resource has note && resource.note == \"x\"'"));
    let note = format!("\n\"evil\u{1b}[2J{}", "a".repeat(1000));
    let explanation = set.explain(&AccessRequest {
        subject: &set.subject(&alice()),
        principal: &alice(),
        action: set.action("order:read").unwrap(),
        resource: &order().with("note", Data::Str(note)),
        context: &Context::new(UnixTime::from_secs(0)),
    });
    let text = explanation.to_string();
    assert!(!text.contains(char::is_control) && text.len() < 300, "{text}");
    assert!(text.contains(r#"`resource.note` is "\n\"evil\u{1b}[2Jaaa"#), "{text}");
}

fn explained(set: &PolicySet, resource: &Thing) -> Explanation {
    let principal = with_roles(["clerk"]);
    set.explain(&AccessRequest {
        subject: &set.subject(&principal),
        principal: &principal,
        action: set.action("order:read").unwrap(),
        resource,
        context: &Context::new(UnixTime::from_secs(0)),
    })
}

#[test]
fn the_nearest_rules_come_first_and_are_at_most_three() {
    let permit = |id, when: &str| rule(id, "permit", &format!("when = {when:?}"));
    let set = policies(
        &[
            "[roles]\nclerk = {}\nboss = { may = [\"order:read\"] }\n".to_owned(),
            permit("a-two", "resource.total > 99 && !resource.paid && resource.total > 1"),
            permit("b-three", "resource.total > 99 && !resource.paid && resource.total > 12"),
            permit("c-one", "resource.total > 99 && resource.paid"),
            permit("d-one-later", "resource.paid && resource.total > 99"),
        ]
        .concat(),
    );
    let explanation = explained(&set, &order());
    let nearest: Vec<_> = explanation.nearest().map(|rule| rule.name()).collect();
    assert_eq!(nearest, ["d-one-later", "c-one", "a-two"]);
    assert_eq!(explanation.determining().count(), 0);
    assert_eq!(
        format!("{explanation:#}"),
        "`order:read` is denied: nothing permits it\
         \n  nearest rule `d-one-later`\
         \n    `resource.total > 99` is false\
         \n      `resource.total` is 12\
         \n  nearest rule `c-one`\
         \n    `resource.total > 99` is false\
         \n      `resource.total` is 12\
         \n  nearest rule `a-two`\
         \n    `resource.total > 99` is false\
         \n      `resource.total` is 12\
         \n  roles that grant it: `boss`"
    );
}

#[test]
fn rules_that_determine_show_the_clauses_that_held() {
    let when = "when = 'resource.paid && resource.total == 12'\nunless = 'resource.total > 99'";
    let set = policies(&rule("p", "permit", when));
    let explanation = explained(&set, &order());
    assert_eq!(
        format!("{explanation:#}"),
        "`order:read` is allowed by `p`\
         \n  rule `p`\
         \n    `resource.paid` is true\
         \n      `resource.paid` is true\
         \n    `resource.total == 12` is true\
         \n      `resource.total` is 12\
         \n    its `unless`, `resource.total > 99`, is false\
         \n      `resource.total` is 12"
    );
}

#[test]
fn rules_of_cedars_text_are_explained_too() {
    let set = PolicySet::from_cedar(
        r#"permit (principal, action == Action::"order:read", resource is Order)
           when { resource.total > 5 && resource.owner == User::"staff/bob" };"#,
    )
    .unwrap();
    let owned = order().with("owner", Data::Name("User", "staff/alice".into()));
    let explanation = explained(&set, &owned);
    assert_eq!(
        explanation.to_string(),
        "`order:read` is denied: nothing permits it; nearest rule `policy0`: \
         `resource.owner == User::\"staff/bob\"` is false (`resource.owner` is User::\"staff/alice\")"
    );
}

#[test]
fn attack_a_value_cannot_break_out_of_the_json() {
    let set = policies(
        &rule("p", "permit", "when = 'resource.note == \"x\"'")
            .replace("resource.note ==", "resource has note && resource.note =="),
    );
    let note = "\"}\n{\"decision\":\"allow\"}\u{2028}";
    let text = explained(&set, &order().with("note", Data::Str(note.into()))).to_json();
    assert!(!text.contains(char::is_control) && !text.contains('\u{2028}'), "{text}");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        value,
        json!({
            "decision": "deny",
            "why": "no_rule",
            "action": "order:read",
            "rules": [],
            "nearest": [{ "rule": "p", "clauses": [{
                "kind": "when",
                "text": "resource.note == \"x\"",
                "holds": false,
                "error": null,
                "values": [{
                    "path": "resource.note",
                    "value": "\"\\\"}\\n{\\\"decision\\\":\\\"allow\\\"}\\u{2028}\"",
                    "error": null,
                }],
            }] }],
            "granting_roles": [],
            "errors": [],
            "text": value["text"],
        })
    );
}

/// Whether a clause holds, told without the compiled form.
fn holds(kind: ClauseKind, text: &str, asked: &Asked) -> Option<bool> {
    let truth = || answer(&parse(text).unwrap(), &asked.scene);
    match kind {
        ClauseKind::Roles => {
            Some(asked.scene.roles.iter().any(|r| text.contains(&format!("`{r}`"))))
        }
        ClauseKind::When => truth().ok(),
        ClauseKind::Unless => truth().ok().map(|truth| !truth),
        ClauseKind::During | ClauseKind::Outside => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_explanation_says_what_the_decision_says(
        rules in prop::collection::vec(indexes::rule(), 1..12),
        asked in questions(),
    ) {
        let set = indexes::set(&rules, 2);
        let request = AccessRequest {
            subject: &set.subject(&principal(&asked)),
            principal: &asked.scene.principal,
            action: set.action("doc:read").unwrap(),
            resource: &asked.scene.resource,
            context: &Context::new(UnixTime::from_secs(asked.now)).members(&asked.scene.context),
        };
        let explanation = set.explain(&request);
        let decision = set.decide(&request);
        prop_assert_eq!(explanation.decision(), decision);
        let report = set.report(&request);
        prop_assert!(explanation.errors().eq(report.errors()));
        if decision != Decision::Deny(Why::InsufficientScope) {
            prop_assert!(explanation.rules().eq(report.rules()));
        }
        let failing = matches!(decision, Decision::Deny(Why::ErrorInForbid(..)));
        for clause in explanation.determining().flat_map(|rule| rule.clauses()) {
            let expected = (!failing).then_some(true);
            prop_assert_eq!(holds(clause.kind(), clause.text(), &asked), expected, "{:?}", clause);
            prop_assert_eq!(clause.answer().ok(), expected);
        }
        for rule in explanation.nearest() {
            prop_assert_eq!(rule.clauses().count(), 1);
            for clause in rule.clauses() {
                let alone = holds(clause.kind(), clause.text(), &asked);
                prop_assert_ne!(alone, Some(true), "{:?}", clause);
                prop_assert_eq!(alone, clause.answer().ok());
            }
        }
    }
}
