//! What each operator means, case by case.

use super::{
    super::{Policy, PolicySet},
    semantics::{alice, decide, order, policies, rule},
    world::{Data, Thing},
};

/// `true`, `false`, or the error, of a condition about an order.
fn answer(when: &str, order: &Thing) -> String {
    let set = policies(&rule("p", "forbid", &format!("when = '''{when}'''")));
    match &*decide(&set, &alice(), order) {
        "forbid p" => "true".to_owned(),
        "NoRule { permit_errors: 0 }" => "false".to_owned(),
        error => error.strip_prefix("failed p: ").unwrap_or(error).to_owned(),
    }
}

fn check(when: &str, expected: &str) {
    let tags = Data::Strings(vec!["a".into(), "b".into(), "a".into()]);
    let order = order().with("tags", tags).with("note", Data::Str("a*b".into()));
    assert_eq!(answer(when, &order), expected, "{when}");
}

const MISSING: &str = "a value is missing";
const OVERFLOW: &str = "a number is out of range";

#[test]
fn sets() {
    for (when, expected) in [
        ("resource.tags.contains(\"a\")", "true"),
        ("resource.tags.contains(\"c\")", "false"),
        ("resource.tags.contains(\"\")", "false"),
        ("resource.tags.containsAll([\"b\", \"a\"])", "true"),
        ("resource.tags.containsAll([\"b\", \"c\"])", "false"),
        ("resource.tags.containsAll([])", "true"),
        ("resource.tags.containsAny([\"c\", \"b\"])", "true"),
        ("resource.tags.containsAny([\"c\"])", "false"),
        ("resource.tags.containsAny([])", "false"),
        ("[].containsAll(resource.tags)", "false"),
        ("[].containsAll([])", "true"),
        ("[\"a\", \"b\", \"c\"].containsAll(resource.tags)", "true"),
        ("resource.tags.containsAll(resource.tags)", "true"),
        ("context.amr.containsAny(resource.tags)", "false"),
        ("context.amr.isEmpty() && !resource.tags.isEmpty() && [].isEmpty()", "true"),
        // Neither the order counts, nor how often an element is there.
        ("resource.tags == [\"b\", \"a\"]", "true"),
        ("resource.tags == [\"b\", \"a\", \"b\", \"c\"]", "false"),
        ("resource.tags == [\"a\"] || [\"a\"] == resource.tags", "false"),
        ("[1, 2, 1] == [2, 1]", "true"),
        ("[1, 2] != [1] && [] != [1] && [] == []", "true"),
        ("resource.tags == resource.tags && context.amr == []", "true"),
        ("[[1, 2], []] == [[], [2, 1, 1]]", "true"),
        ("[[1, 2], []] == [[], [2]]", "false"),
        ("[resource.tags, []].contains([\"b\", \"a\"])", "true"),
        ("[[\"a\"]].containsAny([resource.tags])", "false"),
        ("[1, resource.total].contains(12)", "true"),
        ("[resource.owner].contains(principal)", "true"),
        ("[resource.total > 1, false].contains(true)", "true"),
        ("[resource.total > 1].containsAll([false])", "false"),
    ] {
        check(when, expected);
    }
}

#[test]
fn every_element_is_evaluated() {
    for (when, expected) in [
        ("[1, 9223372036854775807 + 1].contains(1)", OVERFLOW),
        ("[1].containsAny([1, 9223372036854775807 + 1])", OVERFLOW),
        ("[9223372036854775807 + 1].containsAll([])", OVERFLOW),
        ("[9223372036854775807 + 1].isEmpty()", OVERFLOW),
        ("[[9223372036854775807 + 1]].containsAll([[]])", OVERFLOW),
        ("[9223372036854775807 + 1] == []", OVERFLOW),
        ("[[1], [9223372036854775807 + 1]].contains([1])", OVERFLOW),
        ("{a: 1, b: 9223372036854775807 + 1}.a == 1", OVERFLOW),
        ("{a: 1, b: 9223372036854775807 + 1} has a", OVERFLOW),
        ("{a: 1, b: 9223372036854775807 + 1} == {a: 2, b: 1}", OVERFLOW),
        ("principal in [resource.owner, resource.shop]", MISSING),
        ("resource.shop in []", MISSING),
        ("resource.shop is Shop", MISSING),
        ("resource.shop is User", MISSING),
        ("[].containsAny([resource.shop])", MISSING),
        ("(if resource.shop is Shop then 1 else 1) == 1", MISSING),
        // But not what is never reached.
        ("(if resource.paid then 1 else 9223372036854775807 + 1) == 1", "true"),
        ("resource.paid || resource.shop is Shop", "true"),
        ("resource.owner is Service in resource.shop", "false"),
        ("[resource.paid || resource.shop is Shop].contains(true)", "true"),
    ] {
        check(when, expected);
    }
}

#[test]
fn records() {
    for (when, expected) in [
        ("{a: resource.total, b: 1}.a == 12", "true"),
        ("{a: {b: [resource.total]}}.a.b.contains(12)", "true"),
        ("{a: 1} has a && !({a: 1} has b)", "true"),
        ("{a: 1, b: resource.tags} == {b: [\"b\", \"a\"], a: 1}", "true"),
        ("{a: 1, b: 2} == {a: 1, b: 3}", "false"),
        ("{} == {} && {a: {}} != {a: {}}", "false"),
        ("{a: resource.paid}.a", "true"),
        ("[{a: 1}, {a: 2}].contains({a: resource.total - 10})", "true"),
        ("(if resource.paid then {a: 1} else {a: 2}).a == 1", "true"),
        ("(if resource.paid then resource else resource).paid", "true"),
        ("{a: resource}.a.owner == principal", "true"),
        ("{a: if resource.paid then {b: 1} else {b: 2}}.a.b == 1", "true"),
    ] {
        check(when, expected);
    }
}

#[test]
fn numbers() {
    for (when, expected) in [
        ("1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 - 2 - 1 == 4", "true"),
        ("resource.total * -1 == -resource.total", "true"),
        ("- - 3 == 3 && -(-3) == 3", "true"),
        ("9223372036854775806 + 1 == 9223372036854775807", "true"),
        ("9223372036854775807 + 1 > 0", OVERFLOW),
        ("9223372036854775807 + 1 - 1 > 0", OVERFLOW),
        ("-9223372036854775808 - 1 < 0", OVERFLOW),
        ("-(-9223372036854775808) == 0", OVERFLOW),
        ("3037000500 * 3037000500 > 0", OVERFLOW),
        ("-9223372036854775808 * -1 > 0", OVERFLOW),
        ("-1 * -9223372036854775808 > 0", OVERFLOW),
        ("-9223372036854775808 * 1 + 0 < 0", "true"),
        ("false && 9223372036854775807 + 1 > 0", "false"),
        ("(if resource.total > 10 then resource.total else 0) - 2 == 10", "true"),
    ] {
        check(when, expected);
    }
}

#[test]
fn patterns() {
    let check = |text: &str, pattern: &str, expected: bool| {
        let order = order().with("note", Data::Str(text.into()));
        let when = format!("resource has note && resource.note like \"{pattern}\"");
        assert_eq!(answer(&when, &order), expected.to_string(), "{text} {pattern}");
    };
    for (text, pattern, expected) in [
        ("", "", true),
        ("", "*", true),
        ("", "**", true),
        ("a", "", false),
        ("a", "*", true),
        ("ab", "a", false),
        ("ab", "a*", true),
        ("ab", "*b", true),
        ("ab", "b*", false),
        ("aba", "a*a", true),
        // The two ends are not the same letter.
        ("a", "a*a", false),
        ("ab", "ab*ab", false),
        ("abab", "ab*ab", true),
        ("xaybz", "*a*b*", true),
        ("xbyaz", "*a*b*", false),
        ("aab", "*ab", true),
        ("abab", "*ab", true),
        ("mississippi", "m*issip*pi", true),
        ("a*b", r"a\*b", true),
        ("axb", r"a\*b", false),
        ("axxb", "a*b", true),
        ("*", r"\**", true),
        ("é\n", "é*", true),
        ("É", "é", false),
        ("a\"b", r#"a\"*"#, true),
    ] {
        check(text, pattern, expected);
    }
    // The worst of patterns takes no longer than its length times that of the text.
    let (text, pattern) = ("a".repeat(100_000), format!("{}b", "a*".repeat(500)));
    check(&text, &pattern, false);
    check(&text, &format!("*{}*", "*a".repeat(500)), true);
}

#[test]
fn types_and_hierarchies() {
    for (when, expected) in [
        ("principal is User", "true"),
        ("principal is Service", "false"),
        ("principal is Order", "false"),
        ("resource is Order && resource.owner is User", "true"),
        ("resource is Shop", "false"),
        ("resource is Order in Order::\"7\"", "true"),
        ("resource is Order in Shop::\"1\"", "false"),
        ("resource in [Shop::\"1\", Order::\"7\"]", "true"),
        ("resource in [Shop::\"1\", Shop::\"2\"] || resource in []", "false"),
        ("(if resource.paid then resource else resource) in [Order::\"7\"]", "true"),
        // The name of a stranger is enough to be one of several.
        ("User::\"staff/bob\" in [User::\"staff/bob\", Shop::\"1\"]", "true"),
        ("User::\"staff/bob\" in [Shop::\"2\", Shop::\"1\"]", "an entity is known by name only"),
    ] {
        check(when, expected);
    }
}

#[test]
fn a_rule_about_several_types_may_ask_which_one_it_is() {
    let own = "resource is Order && resource.owner == principal \
               || resource is Shop && resource.keeper == principal";
    let set = policies(&format!(
        "[[rule]]\nid = 'own'\neffect = 'permit'\nactions = ['*']\nwhen = '''{own}'''"
    ));
    assert_eq!(decide(&set, &alice(), &order()), "allow own");
    let other = order().with("owner", Data::Name("User", "staff/bob".into()));
    assert_eq!(decide(&set, &alice(), &other), "NoRule { permit_errors: 0 }");
    // One after the other, too, and in `unless`.
    let parts =
        "when = 'resource is Shop && resource.keeper == principal'\nunless = 'resource.closed'";
    let set = policies(&rule("f", "forbid", parts));
    assert_eq!(decide(&set, &alice(), &order()), "NoRule { permit_errors: 0 }");
}

#[test]
fn a_condition_that_would_grow_without_end_is_refused() {
    let load = |when: &str| {
        let document = super::super::Document::from_toml(
            "[resources.Order]\nattributes = { a = 'long', b = 'bool', a_shop_it_was_bought_in = 'Order' }\nactions = ['order:read']",
        );
        let rule = Policy::permit("x").actions(["order:read"]).when(when);
        PolicySet::from_document(document.unwrap().rule(rule)).map_err(|error| error.to_string())
    };
    let check = |when: &str, fits: bool| {
        let loaded = load(when).map(drop);
        let expected =
            if fits { Ok(()) } else { Err("rule[0]: a rule has at most 1024 tests".into()) };
        assert_eq!(loaded, expected, "{when}");
    };
    let many = |part: &str, count: usize| vec![part; count].join(", ");
    // Each `if` doubles what it stands in.
    let choice = "if resource.b then 1 else 2";
    check(&format!("[{}].contains(3)", many(choice, 5)), true);
    check(&format!("[{}].contains(3)", many(choice, 12)), false);
    check(&format!("[{}].contains(3)", many(choice, 250)), false);
    check(&format!("[{}].contains(true)", many("true == true", 250)), false);
    let mut nested = "1".to_owned();
    for _ in 0..60 {
        nested = format!("if true==true then {nested} else 1");
    }
    check(&format!("({nested}) == ({nested})"), false);
    let mut truths = "true".to_owned();
    for _ in 0..60 {
        truths = format!("(true == true) == ({truths})");
    }
    check(&truths, false);
    // Elements count.
    check(&format!("[{}].contains(3)", many("1", 1000)), true);
    check(&format!("[{}].contains(3)", many("1", 1024)), false);
    check(&format!("[{0}].containsAll([{0}])", many("[]", 20)), true);
    check(&format!("[{0}].containsAll([{0}])", many("[]", 900)), false);
    check(&format!("[{0}] == [{0}]", many("{a:1}", 400)), false);
    let sums = vec!["resource.a+1>0"; 64].join("&&");
    check(&sums, true);
    // So do long texts and long chains of attributes.
    let text = "x".repeat(2000);
    check(
        &format!("[{}].contains(\"{text}\")", many("if resource.b then \"\" else \"y\"", 4)),
        true,
    );
    check(
        &format!("[{}].contains(\"{text}\")", many("if resource.b then \"\" else \"y\"", 5)),
        false,
    );
    let doubled = |owner: &str| {
        let condition = format!("{owner}.b");
        let double = |inner, _| format!("({condition}&&true)==({inner}&&true)");
        (0..6).fold(condition.clone(), double)
    };
    check(&doubled("resource"), true);
    check(&doubled(&format!("resource{}", ".a_shop_it_was_bought_in".repeat(15))), false);
    // A type asked for within a type asked for.
    let mut asked = "resource".to_owned();
    for _ in 0..30 {
        asked = format!("(if {asked} is Order in resource then resource else resource)");
    }
    check(&format!("{asked} == resource"), false);
}
