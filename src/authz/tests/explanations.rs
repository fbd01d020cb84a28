//! Decisions in words.

use super::{
    super::{AccessRequest, Context},
    semantics::{alice, order, policies, rule, with_roles},
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
