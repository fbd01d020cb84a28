//! What a decision means, case by case.

use super::{
    super::{
        AccessRequest, Coarse, Context, Decision, Document, Entity, EvalError, PolicySet, Record,
        Value, Why, schema::BUILT_IN,
    },
    world::{Data, Thing},
};
use crate::{Facts, Kind, Principal, UnixTime};

const HEAD: &str = r#"
    [resources.Order]
    attributes = { owner = "User", total = "long", note = "string?", paid = "bool", tags = "strings", shop = "Shop" }
    actions = ["order:read", "order:refund"]
    [resources.Shop]
    attributes = { keeper = "User", closed = "bool?" }
    [principal]
    attributes = { suspended = "bool?" }
    [resources.Invoice]
    actions = ["invoice:read"]
    [context]
    client = "ip"
    tenant = "string?"
    frozen = "bool?"
    about = "Order?"
    via = "ip?"
"#;

pub(super) fn policies(text: &str) -> PolicySet {
    let document = Document::from_toml(&format!("{HEAD}{text}")).unwrap();
    PolicySet::from_document(document).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(super) fn rule(id: &str, effect: &str, rest: &str) -> String {
    format!("[[rule]]\nid = {id:?}\neffect = {effect:?}\nactions = [\"order:read\"]\n{rest}\n")
}

pub(super) fn alice() -> Principal {
    Principal::assertion("staff", "alice").finish().unwrap()
}

pub(super) fn with_roles<'a>(roles: impl IntoIterator<Item = &'a str>) -> Principal {
    Principal::assertion("staff", "alice").roles(roles).finish().unwrap()
}

pub(super) fn order() -> Thing {
    let owner = Data::Name("User", "staff/alice".into());
    let order = Thing::new("Order", "7").with("owner", owner);
    order.with("total", Data::Long(12)).with("paid", Data::Bool(true))
}

/// The decision in words, so that rules appear by name.
pub(super) fn decide(set: &PolicySet, principal: &Principal, resource: &dyn Entity) -> String {
    decide_in(set, principal, resource, &Context::new(UnixTime::from_secs(0)))
}

pub(super) fn decide_in(
    set: &PolicySet,
    principal: &Principal,
    resource: &dyn Entity,
    context: &Context<'_>,
) -> String {
    let subject = &set.subject(principal);
    let action = set.action("order:read").unwrap();
    words(set, set.decide(&AccessRequest { subject, principal, action, resource, context }))
}

pub(super) fn could(set: &PolicySet, principal: &Principal, context: &Context<'_>) -> String {
    let action = set.action("order:read").unwrap();
    match set.could(&set.subject(principal), principal, action, context) {
        Coarse::No(decision) => format!("no: {}", words(set, decision)),
        Coarse::Yes(decision) => format!("yes: {}", words(set, decision)),
        Coarse::Resource => "resource".to_owned(),
    }
}

pub(super) fn words(set: &PolicySet, decision: Decision) -> String {
    match decision {
        Decision::Allow { rule } => format!("allow {}", set.rule_name(rule).unwrap()),
        Decision::Deny(Why::Forbidden(rule)) => format!("forbid {}", set.rule_name(rule).unwrap()),
        Decision::Deny(Why::ErrorInForbid(rule, error)) => {
            format!("failed {}: {error}", set.rule_name(rule).unwrap())
        }
        Decision::Deny(why) => format!("{why:?}"),
    }
}

#[test]
fn rules_combine() {
    let check = |rules: &[String], expected: &str| {
        let mut rules = rules.to_vec();
        for _ in 0..2 {
            let set = policies(&rules.concat());
            assert_eq!(decide(&set, &alice(), &order()), expected, "{rules:?}");
            // The order of rules says nothing.
            rules.reverse();
        }
    };
    let permit = |id, when: &str| rule(id, "permit", &format!("when = {when:?}"));
    let forbid = |id, when: &str| rule(id, "forbid", &format!("when = {when:?}"));
    let missing = r#"context.client == ip("::1")"#;

    check(&[], "NoRule { permit_errors: 0 }");
    check(&[rule("p", "permit", "")], "allow p");
    check(&[permit("p", "resource.total > 11")], "allow p");
    check(&[permit("p", "resource.total > 12")], "NoRule { permit_errors: 0 }");
    check(&[permit("p", "true"), permit("o", "true")], "allow o");
    check(&[permit("p", "true"), forbid("f", "resource.paid")], "forbid f");
    check(&[permit("p", "true"), forbid("f", "!resource.paid")], "allow p");
    check(&[permit("p", "true"), rule("f", "forbid", "unless = 'resource.paid'")], "allow p");
    check(&[permit("p", missing)], "NoRule { permit_errors: 1 }");
    check(&[permit("o", missing), permit("p", "true")], "allow p");
    // An error in a forbid denies and is named, behind a part that is true ...
    check(&[permit("p", "true"), forbid("f", missing)], "failed f: a value is missing");
    let behind = format!("resource.paid && {missing}");
    check(&[permit("p", "true"), forbid("f", &behind)], "failed f: a value is missing");
    // ... but not behind one that is false, where it is not an error in Cedar either.
    let short = format!("!resource.paid && {missing}");
    check(&[permit("p", "true"), forbid("f", &short)], "allow p");
    // A forbid that applies is named before one that failed, whatever their order.
    check(&[forbid("e", missing), forbid("f", "true")], "forbid f");
}

#[test]
fn an_error_in_a_forbid_is_named_even_where_its_key_attribute_is_missing() {
    let set = policies(
        &[
            rule("p", "permit", ""),
            rule("f", "forbid", "when = 'resource.owner == User::\"staff/bob\" && resource.paid'"),
        ]
        .concat(),
    );
    assert_eq!(decide(&set, &alice(), &order()), "allow p");
    let ownerless = Thing::new("Order", "7").with("paid", Data::Bool(true));
    assert_eq!(decide(&set, &alice(), &ownerless), "failed f: a value is missing");
    let broken = order().with("owner", Data::Failed);
    assert_eq!(decide(&set, &alice(), &broken), "failed f: a value is unavailable");
}

#[test]
fn an_owner_is_the_same_subject_of_the_same_realm_and_kind() {
    let set = policies(&rule("own", "permit", "when = 'resource.owner == principal'"));
    let check = |realm, subject, kind, expected| {
        let principal = Principal::assertion(realm, subject).kind(kind).finish().unwrap();
        assert_eq!(decide(&set, &principal, &order()), expected, "{realm} {subject} {kind:?}");
    };
    let none = "NoRule { permit_errors: 0 }";
    check("staff", "alice", Kind::User, "allow own");
    check("staff", "bob", Kind::User, none);
    check("partners", "alice", Kind::User, none);
    check("staff", "alice", Kind::Service, none);
}

#[test]
fn roles_inherit_and_none_is_dropped() {
    let mut text = String::from("[roles]\nr0 = { may = [\"order:read\"] }\n");
    for role in 1..500 {
        text += &format!("r{role} = {{ inherits = [\"r{}\"] }}\n", role - 1);
    }
    text += "other = {}\n";
    text += &rule("old", "forbid", "roles = [\"r499\"]");
    let set = policies(&text);
    assert_eq!(decide(&set, &with_roles(["r0"]), &order()), "allow role:r0");
    assert_eq!(decide(&set, &with_roles(["r498"]), &order()), "allow role:r0");
    assert_eq!(decide(&set, &with_roles(["r499"]), &order()), "forbid old");
    let none = "NoRule { permit_errors: 0 }";
    assert_eq!(decide(&set, &with_roles(["other", "unknown", "R0", "r", "r500"]), &order()), none);
    let subject = set.subject(&with_roles(["r300"]));
    let holds = |role: &str| subject.holds(set.role(role).unwrap());
    assert!(holds("r0") && holds("r300") && !holds("r301") && !holds("other"));
    assert!(set.role("unknown").is_none());
    assert_eq!(set.nearest_role("othr"), Some("other"));
    assert_eq!(set.nearest_action("order:raed"), Some("order:read"));
    assert_eq!(set.nearest_action("nothing like it"), None);
}

#[test]
fn scopes_limit_and_never_grant() {
    let check = |scopes: &str, granted: Option<&[&str]>, rules: &str, expected: &str| {
        let set = policies(&format!("{scopes}\n{rules}"));
        let mut assertion = Principal::assertion("staff", "alice");
        if let Some(granted) = granted {
            assertion = assertion.scopes(granted.iter().copied());
        }
        let principal = assertion.finish().unwrap();
        assert_eq!(decide(&set, &principal, &order()), expected, "{scopes} {granted:?}");
        // The coarse question knows scopes in full: nothing here depends on the resource.
        let coarse = could(&set, &principal, &Context::new(UnixTime::from_secs(0)));
        let answer = if expected.starts_with("allow") { "yes" } else { "no" };
        assert_eq!(coarse, format!("{answer}: {expected}"));
    };
    let permit = rule("p", "permit", "");
    let table =
        "[scopes]\n\"orders.read\" = [\"order:read\"]\nall = [\"*\"]\nmoney = [\"order:refund\"]";
    check(table, None, &permit, "allow p");
    check(table, Some(&["orders.read"]), &permit, "allow p");
    check(table, Some(&["money", "all"]), &permit, "allow p");
    check(table, Some(&["money"]), &permit, "InsufficientScope");
    check(table, Some(&["order:read"]), &permit, "InsufficientScope");
    check(table, Some(&[]), &permit, "InsufficientScope");
    check("", Some(&["order:read"]), &permit, "allow p");
    check("", Some(&["order:refund", "order:*", "*"]), &permit, "InsufficientScope");
    check(table, Some(&["orders.read"]), "", "NoRule { permit_errors: 0 }");
    // What the policy denies anyway is not the scopes' doing.
    check(table, Some(&[]), "", "NoRule { permit_errors: 0 }");
    let forbid = rule("f", "forbid", "");
    check(table, Some(&[]), &format!("{permit}{forbid}"), "forbid f");
}

#[test]
fn handles_of_another_set_are_refused() {
    let (one, other) = (policies(&rule("p", "permit", "")), policies(&rule("p", "permit", "")));
    let (alice, order) = (alice(), order());
    let context = Context::new(UnixTime::from_secs(0));
    let check = |subject: &PolicySet, action: &PolicySet, expected: &str| {
        let subject = subject.subject(&alice);
        let action = action.action("order:read").unwrap();
        let request = AccessRequest {
            subject: &subject,
            principal: &alice,
            action,
            resource: &order,
            context: &context,
        };
        assert_eq!(words(&one, one.decide(&request)), expected);
        let explained = one.explain(&request).to_string();
        assert_eq!(explained.contains("another policy set"), expected == "Stale", "{explained}");
        let coarse = one.could(&subject, &alice, action, &context);
        let stale = coarse == Coarse::No(Decision::Deny(Why::Stale));
        assert_eq!(stale, expected == "Stale");
    };
    check(&one, &one, "allow p");
    check(&other, &one, "Stale");
    check(&one, &other, "Stale");
    check(&other, &other, "Stale");
    assert_eq!(one.resource_type_of(one.action("order:read").unwrap()), Some("Order"));
    assert_eq!(one.resource_type_of(other.action("order:read").unwrap()), None);
    assert_eq!(one.action_name(one.action("order:refund").unwrap()), Some("order:refund"));
    assert_eq!(one.action_name(other.action("order:refund").unwrap()), None);
    let roles = "[roles]\nclerk = {}";
    let (one, other) = (policies(roles), policies(roles));
    let subject = one.subject(&with_roles(["clerk"]));
    assert!(subject.holds(one.role("clerk").unwrap()));
    assert!(!subject.holds(other.role("clerk").unwrap()));
}

#[test]
fn a_resource_of_another_type_is_denied() {
    let set = policies(&rule("p", "permit", ""));
    assert_eq!(decide(&set, &alice(), &Thing::new("Order", "7")), "allow p");
    assert_eq!(decide(&set, &alice(), &Thing::new("Invoice", "7")), "WrongResource");
    assert_eq!(decide(&set, &alice(), &Thing::new("Unheard", "7")), "WrongResource");
}

#[test]
fn a_value_that_could_not_be_had_is_there_to_nobody_and_the_first_of_two_is_told() {
    let check = |resource: &dyn Entity, when: &str, error: &str| {
        let set = policies(&rule("p", "forbid", &format!("when = '{when}'")));
        assert_eq!(decide(&set, &alice(), resource), format!("failed p: {error}"), "{when}");
    };
    let (missing, failed) = ("a value is missing", "a value is unavailable");
    check(&order().with("note", Data::Failed), "resource has note", failed);
    // Of the shop nothing is known.
    let order = order().with("owner", Data::Failed);
    check(&order, "resource.owner == resource.shop.keeper", failed);
    check(&order, "resource.shop.keeper == resource.owner", missing);
    let order = order.with("total", Data::Failed);
    for relation in ["<", "<=", ">", ">="] {
        let when = format!("resource.total {relation} resource.total + 9223372036854775807");
        check(&order, &when, failed);
        let when = format!("1 + 9223372036854775807 {relation} resource.total");
        check(&order, &when, "a number is out of range");
    }
    // The owner is the caller, and yet a name alone.
    let name_only = "an entity is known by name only";
    check(&self::order(), "resource.owner has suspended", name_only);
    // The shop has the id of the order, and is another entity.
    let order = self::order().with("shop", Data::Name("Shop", "7".into()));
    check(&order, r#"resource.shop in Shop::"all""#, name_only);
}

#[test]
fn the_context_is_what_the_edge_knows() {
    let set = policies(
        &[
            rule("office", "permit", "when = 'context.client.isInRange(ip(\"10.0.0.0/8\"))'"),
            rule("open", "forbid", "unless = 'context.secure'"),
            rule("tenant", "forbid", "when = 'context has tenant && context.tenant == \"evil\"'"),
        ]
        .concat(),
    );
    let check = |client: Option<&str>, secure: bool, own: &dyn Record, expected: &str| {
        let client = client.map(|client| client.parse().unwrap());
        let facts = Facts { client, secure, ..Facts::default() };
        let context = Context::new(UnixTime::from_secs(0)).facts(&facts).members(own);
        assert_eq!(decide_in(&set, &alice(), &order(), &context), expected, "{client:?}");
    };
    let none = "NoRule { permit_errors: 0 }";
    check(Some("10.1.2.3"), true, &[], "allow office");
    check(Some("::ffff:10.1.2.3"), true, &[], "allow office");
    check(Some("11.1.2.3"), true, &[], none);
    check(None, true, &[], "NoRule { permit_errors: 1 }");
    check(Some("10.1.2.3"), false, &[], "forbid open");
    check(Some("10.1.2.3"), true, &[("tenant", "evil".into())], "forbid tenant");
    check(Some("10.1.2.3"), true, &[("tenant", "good".into())], "allow office");
    let wrong_type = [("tenant", Value::Error(EvalError::Unavailable))];
    check(Some("10.1.2.3"), true, &wrong_type, "failed tenant: a value is unavailable");
    // The application cannot say that a request was secure, or where it came from.
    check(Some("11.1.2.3"), false, &[("secure", true.into())], "forbid open");
    let office = "10.1.2.3".parse::<std::net::IpAddr>().unwrap();
    check(Some("11.1.2.3"), true, &[("client", office.into())], none);
}

#[test]
fn the_context_is_what_the_caller_proved() {
    let check = |amr: &[&str], auth_time: Option<u64>, when: &str, expected: bool| {
        let member = "since = \"datetime\"\n";
        let set = policies(&[member, &rule("p", "permit", &format!("when = '{when}'"))].concat());
        let mut assertion = Principal::assertion("staff", "alice").amr(amr.iter().copied());
        if let Some(seconds) = auth_time {
            assertion = assertion.auth_time(UnixTime::from_secs(seconds));
        }
        let principal = assertion.finish().unwrap();
        let own = [("since", UnixTime::from_secs(7).into()), ("auth_time", Value::Datetime(1))];
        let context = Context::new(UnixTime::from_secs(9)).principal(&principal).members(&own);
        let allowed = decide_in(&set, &principal, &order(), &context) == "allow p";
        assert_eq!(allowed, expected, "{amr:?} {auth_time:?} {when}");
    };
    for (amr, otp, few, empty) in [
        (&["pwd", "otp"][..], true, true, false),
        (&["pwd"], false, true, false),
        (&["otp", "fido"], true, false, false),
        (&[], false, true, true),
    ] {
        check(amr, None, "context.amr.contains(\"otp\")", otp);
        check(amr, None, "[\"otp\", \"pwd\"].containsAll(context.amr)", few);
        check(amr, None, "context.amr.isEmpty()", empty);
    }
    // The application cannot say when the caller authenticated.
    check(&[], None, "context has auth_time", false);
    check(&[], Some(8), "context has auth_time && context.auth_time > context.since", true);
    check(&[], Some(7), "context has auth_time && context.auth_time == context.since", true);
    check(&[], Some(6), "context has auth_time && context.auth_time >= context.since", false);
}

#[test]
fn debug_tells_what_is_asked() {
    let roles = "[roles]\nclerk = { may = [\"order:refund\"] }\n";
    let set = policies(&[roles, &rule("p", "permit", "")].concat());
    assert_eq!(
        format!("{set:?}"),
        "PolicySet { rules: 1, roles: 1, actions: 3, skips_errors: false, .. }"
    );
    let facts = Facts { client: "10.1.2.3".parse().ok(), secure: true, ..Facts::default() };
    let (alice, order) = (alice(), order());
    let request = AccessRequest {
        subject: &set.subject(&alice),
        principal: &alice,
        action: set.action("order:read").unwrap(),
        resource: &order,
        context: &Context::new(UnixTime::from_secs(0)).facts(&facts),
    };
    let (text, action) = (format!("{request:?}"), request.action);
    let who = format!("AccessRequest {{ principal: \"staff/alice\", action: {action:?}, ");
    let rest = "client: Some(10.1.2.3), secure: true, .. }, .. }";
    assert!(text.starts_with(&who) && text.ends_with(rest), "{text}");
    assert!(text.contains("resource: \"7\", context: Context { now: "), "{text}");
}

#[test]
fn the_coarse_question() {
    let check = |rules: &[String], expected: &str| {
        let set = policies(&rules.concat());
        let context = Context::new(UnixTime::from_secs(0));
        assert_eq!(could(&set, &with_roles(["clerk"]), &context), expected, "{rules:?}");
    };
    let permit = |id, when: &str| rule(id, "permit", &format!("when = {when:?}"));
    let forbid = |id, when: &str| rule(id, "forbid", &format!("when = {when:?}"));
    let roles = "[roles]\nclerk = { may = [\"order:read\"] }\nboss = {}\n".to_owned();
    let own = "resource.owner == principal";
    let missing = r#"context.client == ip("::1")"#;
    let none = "no: NoRule { permit_errors: 0 }";

    check(&[], none);
    check(std::slice::from_ref(&roles), "yes: allow role:clerk");
    check(&[permit("p", own)], "resource");
    check(&[permit("p", &format!("{own} && context.secure"))], "no: NoRule { permit_errors: 0 }");
    check(&[permit("p", &format!("{own} || !context.secure"))], "resource");
    check(&[permit("p", &format!("!context.secure || {own}"))], "yes: allow p");
    check(&[permit("p", missing)], "no: NoRule { permit_errors: 1 }");
    check(&[roles.clone(), forbid("f", own)], "resource");
    check(&[roles.clone(), forbid("f", "!context.secure")], "no: forbid f");
    check(&[roles.clone(), forbid("f", "context.secure")], "yes: allow role:clerk");
    check(&[roles.clone(), forbid("f", missing)], "no: failed f: a value is missing");
    check(&[roles.clone(), forbid("f", &format!("{own} && {missing}"))], "resource");
    check(&[roles.clone(), forbid("f", &format!("{own} || !context.secure"))], "no: forbid f");
    // The application's own members are no more known than the resource is.
    let frozen = "context has frozen && context.frozen";
    check(&[roles.clone(), forbid("f", frozen)], "resource");
    check(&[permit("p", "context has tenant && context.tenant == \"acme\"")], "resource");
    check(&[permit("p", "context has client && context.client == ip(\"::1\")")], none);
    check(&[roles.clone(), forbid("f", &format!("{frozen} || !context.secure"))], "no: forbid f");
    check(&[permit("p", &format!("{frozen} && context.secure"))], none);
    let boss = rule("p", "permit", "roles = [\"boss\"]");
    check(&[roles.clone(), boss.replace("order:read", "order:refund")], "yes: allow role:clerk");
    let only_boss = roles.replace("may = [\"order:read\"]", "");
    check(&[only_boss, boss], "no: NoRule { permit_errors: 0 }");
}

#[test]
fn the_coarse_question_where_errors_are_skipped() {
    let check = |forbid: &str, expected: &str| {
        let roles = "[roles]\nclerk = { may = [\"order:read\"] }\n";
        let forbid = rule("f", "forbid", &format!("when = {forbid:?}"));
        let set = policies(&[roles, &forbid].concat()).cedar_compat();
        let context = Context::new(UnixTime::from_secs(0));
        assert_eq!(could(&set, &with_roles(["clerk"]), &context), expected, "{forbid}");
    };
    let missing = r#"context.client == ip("::1")"#;
    check(missing, "yes: allow role:clerk");
    check(&format!("resource.paid && {missing}"), "yes: allow role:clerk");
    check(&format!("resource.paid || {missing}"), "resource");
    // Reading it may fail, and then the rule is skipped.
    check("resource.paid || !context.secure", "resource");
    check("!context.secure", "no: forbid f");
}

#[test]
fn own_members_known_early_are_not_believed_early() {
    let frozen = "when = 'context has frozen && context.frozen'";
    let set = policies(&[rule("p", "permit", ""), rule("f", "forbid", frozen)].concat());
    for own in [Value::Bool(false), Value::Bool(true), Value::Missing] {
        let own = [("frozen", own)];
        let context = Context::new(UnixTime::from_secs(0)).members(&own);
        assert_eq!(could(&set, &alice(), &context), "resource");
    }
    let context = Context::new(UnixTime::from_secs(0));
    assert!(BUILT_IN.into_iter().all(|(name, _)| context.supplies(name)));
    assert!(!context.supplies("frozen"));
}

#[test]
fn comparisons() {
    let check = |when: &str, total: Data, expected: &str| {
        let set = policies(&rule("p", "permit", &format!("when = 'resource.total {when}'")));
        let order = order().with("total", total.clone());
        let decision = decide(&set, &alice(), &order);
        let answer = match &*decision {
            "allow p" => "true",
            "NoRule { permit_errors: 0 }" => "false",
            _ => "error",
        };
        assert_eq!(answer, expected, "{total:?} {when}");
    };
    for (value, less, at_most, equal) in
        [(1, "true", "true", "false"), (2, "false", "true", "true"), (3, "false", "false", "false")]
    {
        let not = |answer: &str| if answer == "true" { "false" } else { "true" };
        check("< 2", Data::Long(value), less);
        check("<= 2", Data::Long(value), at_most);
        check("== 2", Data::Long(value), equal);
        check("!= 2", Data::Long(value), not(equal));
        check("> 2", Data::Long(value), not(at_most));
        check(">= 2", Data::Long(value), not(less));
    }
    check("<= 9223372036854775807", Data::Long(i64::MAX), "true");
    check("< -9223372036854775808", Data::Long(i64::MIN), "false");
    // A value that is not of its declared type cannot even be compared.
    check("== 2", Data::Str("2".into()), "error");
    check("!= 2", Data::Str("2".into()), "error");
    check("< 2", Data::Str("1".into()), "error");
    check("< 2", Data::Datetime(1), "error");
    check("== 2", Data::Failed, "error");
}
