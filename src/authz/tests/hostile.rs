//! Values that lie, hide or disguise themselves.

use super::{
    super::{AccessRequest, Context, Document, PolicySet, TypeName, Value},
    semantics::{alice, could, decide, decide_in, order, policies, rule, words},
    world::{Data, Thing},
};
use crate::{Attribute, Principal, UnixTime};

#[test]
fn a_value_that_contradicts_its_declared_type_switches_no_forbid_off() {
    let permit = rule("p", "permit", "");
    let check = |when: &str, resource: Thing, expected: &str| {
        let set =
            policies(&format!("{permit}{}", rule("f", "forbid", &format!("when = {when:?}"))));
        assert_eq!(decide(&set, &alice(), &resource), expected, "{when}");
        // A permit does not apply.
        let set = policies(&rule("q", "permit", &format!("when = {when:?}")));
        let failed = expected.starts_with("failed");
        let answer = decide(&set, &alice(), &resource);
        assert_eq!(answer == "NoRule { permit_errors: 1 }", failed, "{when} {answer}");
    };
    let wrong = "failed f: a value is of the wrong type";
    let text = || Data::Str("true".into());
    check("resource.paid == true", order().with("paid", text()), wrong);
    check("resource.paid != true", order().with("paid", text()), wrong);
    check("resource has paid", order().with("paid", text()), wrong);
    // An entity of another type, by name or itself, at any depth.
    let service = || Data::Name("Service", "staff/alice".into());
    check("resource.owner == User::\"staff/alice\"", order().with("owner", service()), wrong);
    let invoice = Data::Thing(Thing::new("Invoice", "1"));
    check("resource.shop == Shop::\"1\"", order().with("shop", invoice), wrong);
    let shop = |keeper| Data::Thing(Thing::new("Shop", "1").with("keeper", keeper));
    let kept = "resource.shop.keeper == principal";
    check(kept, order().with("shop", shop(service())), wrong);
    check(kept, order().with("shop", shop(Data::Long(1))), wrong);
    let alice = Data::Name("User", "staff/alice".into());
    check(kept, order().with("shop", shop(alice)), "forbid f");
    // Lists of texts and other sets are both sets; a record is nothing that can be declared.
    check("resource has tags", order().with("tags", Data::Strings(Vec::new())), "forbid f");
    check("resource has tags", order().with("tags", text()), wrong);
}

#[test]
fn a_declared_type_holds_its_own_values_and_no_others() {
    let ip = "10.0.0.7".parse().unwrap();
    let values = [
        ("bool", Value::Bool(true)),
        ("long", Value::Long(1)),
        ("string", Value::Str("1")),
        ("strings", Value::Strings(&[])),
        ("ip", Value::Ip(ip)),
        ("decimal", Value::Decimal(1)),
        ("datetime", Value::Datetime(1)),
        ("duration", Value::Duration(1)),
    ];
    for (declared, _) in values {
        let forbid = rule("f", "forbid", "when = 'context has own'");
        let permit = rule("p", "permit", "");
        let set = policies(&format!("own = \"{declared}?\"\n{permit}{forbid}"));
        for (given, value) in values {
            let own = [("own", value)];
            let context = Context::new(UnixTime::from_secs(0)).members(&own);
            let wrong = "failed f: a value is of the wrong type";
            let expected = if given == declared { "forbid f" } else { wrong };
            let decision = decide_in(&set, &alice(), &order(), &context);
            assert_eq!(decision, expected, "{declared} {given}");
        }
    }
}

#[test]
fn what_is_unknown_of_an_entity_known_by_name_switches_no_forbid_off() {
    let check = |when: &str, shop: Data, expected: &str| {
        let forbid = rule("f", "forbid", &format!("when = '{when}'"));
        let set = policies(&[rule("p", "permit", ""), forbid].concat());
        assert_eq!(decide(&set, &alice(), &order().with("shop", shop)), expected, "{when}");
    };
    let name = || Data::Name("Shop", "1".into());
    let failed = "failed f: an entity is known by name only";
    check("resource.shop has closed && resource.shop.closed", name(), failed);
    check("resource.shop.keeper == principal", name(), failed);
    let open = || Data::Thing(Thing::new("Shop", "1"));
    check("resource.shop has closed && resource.shop.closed", open(), "allow p");

    check(r#"resource.shop in Shop::"chain""#, name(), failed);
    check(r#"resource.shop in Shop::"1""#, name(), "forbid f");
    // That it is one of several is asked first: it needs no more than the name.
    check(r#"resource.shop in [Shop::"chain", Shop::"1"]"#, name(), "forbid f");
    check(r#"resource.shop in [Shop::"chain", Shop::"2"]"#, name(), failed);
    check(r#"resource.shop in Shop::"chain""#, open(), "allow p");
    let mut chained = Thing::new("Shop", "1");
    chained.parents.push(("Shop", "chain".into()));
    check(r#"resource.shop in Shop::"chain""#, Data::Thing(chained), "forbid f");
    // The owner is the principal, who can be asked.
    check(r#"resource.owner in Shop::"1""#, open(), "allow p");
}

#[test]
fn a_principal_of_no_such_type_gains_nothing_by_what_the_types_left_out() {
    let check = |text: &str, expected: &str| {
        let set = policies(text);
        let decision = set.decide(&AccessRequest {
            subject: &set.subject(&alice()),
            principal: &Thing::new("Shop", "1"),
            action: set.action("order:read").unwrap(),
            resource: &order(),
            context: &Context::new(UnixTime::from_secs(0)),
        });
        assert_eq!(words(&set, decision), expected, "{text}");
    };
    // No principal is a shop: what stands behind that is neither checked nor compiled.
    let permit = |when: &str| rule("p", "permit", &format!("when = '{when}'"));
    check(
        &permit(r#"principal is Shop && principal in Shop::"chain""#),
        "NoRule { permit_errors: 0 }",
    );
    check(&permit("principal is Shop && resource.total > 99"), "NoRule { permit_errors: 0 }");
    check(&permit("!(!(principal is Shop) || resource.paid)"), "NoRule { permit_errors: 0 }");
    let unless = rule("p", "permit", "unless = '!(principal is Shop) || resource.paid'");
    check(&unless, "NoRule { permit_errors: 0 }");
    let forbid = rule("f", "forbid", "when = '!(principal is Shop) || resource.paid'");
    check(&[permit("true"), forbid].concat(), "forbid f");
}

#[test]
fn a_name_may_be_the_resource_that_is_not_there_yet() {
    let set = policies(
        &[
            rule("p", "permit", ""),
            rule("f", "forbid", "unless = 'context has about && context.about in Shop::\"1\"'"),
        ]
        .concat(),
    );
    let own = [("about", Value::Ref(TypeName::new("Order"), "7"))];
    let context = Context::new(UnixTime::from_secs(0)).members(&own);
    assert_eq!(could(&set, &alice(), &context), "resource");
    let mut order = order();
    order.parents.push(("Shop", "1".into()));
    assert_eq!(decide_in(&set, &alice(), &order, &context), "allow p");
    // So may one that is written down.
    let written = "unless = 'Order::\"7\" in Shop::\"1\"'";
    let named = policies(&[rule("p", "permit", ""), rule("f", "forbid", written)].concat());
    assert_eq!(could(&named, &alice(), &context), "resource");
    assert_eq!(decide(&named, &alice(), &order), "allow p");
    order.id = "8".into();
    let failed = "failed f: an entity is known by name only";
    assert_eq!(decide_in(&set, &alice(), &order, &context), failed);
}

#[test]
fn what_a_principal_or_the_context_says_wrongly_switches_no_forbid_off() {
    let suspended = "when = 'principal has suspended && principal.suspended == true'";
    let frozen = "when = 'context has frozen && context.frozen != false'";
    let set = policies(
        &[rule("p", "permit", ""), rule("s", "forbid", suspended), rule("t", "forbid", frozen)]
            .concat(),
    );
    let check = |suspended: Attribute<'_>, frozen: Value<'_>, expected: &str| {
        let principal = Principal::assertion("staff", "alice");
        let principal = principal.attributes([("suspended", suspended)]).finish().unwrap();
        let own = [("frozen", frozen)];
        let context = Context::new(UnixTime::from_secs(0)).members(&own);
        let decision = decide_in(&set, &principal, &order(), &context);
        assert_eq!(decision, expected, "{suspended:?} {frozen:?}");
    };
    let (not, yes) = (Attribute::Bool(false), Value::Bool(true));
    check(not, Value::Bool(false), "allow p");
    check(not, yes, "forbid t");
    check(not, Value::Missing, "allow p");
    check(not, Value::Str("false"), "failed t: a value is of the wrong type");
    check(not, Value::Record(&[("x", Value::Missing)]), "failed t: a value is of the wrong type");
    check(Attribute::Bool(true), Value::Missing, "forbid s");
    for wrong in [Attribute::Str("true"), Attribute::Long(1), Attribute::Strings(&[])] {
        check(wrong, Value::Missing, "failed s: a value is of the wrong type");
    }
}

#[test]
fn an_attribute_has_the_type_that_its_own_resource_declares() {
    let text = r#"
        [resources.Order]
        attributes = { size = "long" }
        actions = ["order:read"]
        [resources.Shirt]
        attributes = { size = "string" }
        actions = ["shirt:read"]
        [[rule]]
        id = "any"
        effect = "permit"
        actions = ["*"]
        when = "resource.size == resource.size"
    "#;
    let set = PolicySet::from_document(Document::from_toml(text).unwrap()).unwrap();
    let check = |action: &str, kind, size: Data, expected: bool| {
        let decision = set.decide(&AccessRequest {
            subject: &set.subject(&alice()),
            principal: &alice(),
            action: set.action(action).unwrap(),
            resource: &Thing::new(kind, "7").with("size", size.clone()),
            context: &Context::new(UnixTime::from_secs(0)),
        });
        assert_eq!(decision.is_allow(), expected, "{kind} {size:?}");
    };
    check("order:read", "Order", Data::Long(40), true);
    check("order:read", "Order", Data::Str("M".into()), false);
    check("shirt:read", "Shirt", Data::Long(40), false);
    check("shirt:read", "Shirt", Data::Str("M".into()), true);
}

#[test]
fn a_mapped_address_slips_past_no_range() {
    let check = |when: &str, seen: &str, expected: &str| {
        let forbid = rule("f", "forbid", &format!("when = 'context has via && {when}'"));
        let set = policies(&[rule("p", "permit", ""), forbid].concat());
        // As an application may hand it over, without the conversion.
        let own = [("via", Value::Ip(seen.parse().unwrap()))];
        let context = Context::new(UnixTime::from_secs(0)).members(&own);
        assert_eq!(decide_in(&set, &alice(), &order(), &context), expected, "{seen} {when}");
    };
    for range in ["10.0.0.0/8", "::ffff:10.0.0.0/104"] {
        let inside = format!("context.via.isInRange(ip(\"{range}\"))");
        check(&inside, "10.0.0.7", "forbid f");
        check(&inside, "::ffff:10.0.0.7", "forbid f");
        check(&inside, "::ffff:10.1.0.0/112", "forbid f");
        check(&inside, "::ffff:11.0.0.7", "allow p");
        check(&inside, "::10.0.0.7", "allow p");
    }
    for same in ["10.0.0.7", "::ffff:10.0.0.7"] {
        let equal = format!("context.via == ip(\"{same}\")");
        check(&equal, "10.0.0.7", "forbid f");
        check(&equal, "::ffff:10.0.0.7", "forbid f");
        check(&equal, "::ffff:10.0.0.8", "allow p");
    }
}
