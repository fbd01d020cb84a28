use super::{CedarPolicies, Slots};
use crate::authz::PolicySet;

fn error(text: &str) -> String {
    CedarPolicies::parse(text).expect_err(text).to_string()
}

#[test]
fn what_is_printed_reads_back_as_the_same() {
    let check = |text: &str| {
        let once = CedarPolicies::parse(text).unwrap().to_string();
        assert_eq!(CedarPolicies::parse(&once).unwrap().to_string(), once);
    };
    check("permit (principal, action, resource) when { !(-1) || -(-1) == 1 || (-1).isEmpty() };");
    check("");
    check("// nothing\n");
    check("permit(principal,action,resource,);");
    check(
        "@a @if(\"\\u{e9}\") forbid (principal is A::B in A::B::\"\\0\", action in [], resource);",
    );
    check("permit (principal == ?principal, action in (A::Action::\"x\"), resource in ?resource);");
    check("permit (principal, action, resource) when { -(1) - -1 == --1 && !(!true) };");
    check("permit (principal, action, resource) when { {\"a b\": 1, if_: [2,],}[\"a b\"] == 1 };");
    check("permit (principal, action, resource) unless { context has a.b.c || action has \"\" };");
    check(
        "permit (principal, action, resource) when { ip(\"::1\").isInRange(ip()) like \"\\*\\x2a\" };",
    );
    check("permit (principal, action, resource) when { (1).a == (-1).isEmpty() };");
    check("permit (principal, action, resource) when { principal.getTag(\"x\") is action in {} };");
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    let check = |text: &str, expected: &str| assert_eq!(error(text), expected);
    check(
        "permit (principal, action, resource)\nwhen { context.a = 1 };",
        "line 2, column 18: unexpected `=`; equality is `==`",
    );
    check(
        "permit (principal, action, resource);\npermit (principle, action, resource);",
        "line 2, column 9: expected `principal`, found `principle`",
    );
    check(
        "allow (principal, action, resource);",
        "line 1, column 1: expected `permit` or `forbid`, found `allow`",
    );
    check(
        "permit (principal, action == User::\"a\", resource);",
        "line 1, column 30: an action is of the type `Action`, not `User`",
    );
    check(
        "permit (principal, action, resource) when { principal.isIpV4() };",
        "line 1, column 55: no method `isIpV4`; did you mean `isIpv4`?",
    );
    check(
        "permit (principal, action, resource) when { ?principal == principal };",
        "line 1, column 45: a slot stands in the scope alone, behind `==` or `in`",
    );
    check(
        "@a @a permit (principal, action, resource);",
        "line 1, column 5: the annotation `a` is there twice",
    );
    check(
        "permit (principal, action, resource)",
        "line 1, column 37: expected `when`, `unless` or `;`, found the end",
    );
}

#[test]
fn what_cedar_refuses_does_not_load() {
    for condition in [
        "__cedar::A::\"x\" == principal",
        "principal.__cedar",
        "principal is if",
        "{a: 1, \"a\": 2}.a",
        "9223372036854775808",
        "-9223372036854775809",
        "!!!!!true",
        "-----1",
        "1 == 1 == 1",
        "a.b",
        "contains(1)",
        "[1].contains()",
        "[1].ip(2)",
        "\"a\" like (\"a\")",
        "principal has \"a\".b",
        "1 + if true then 1 else 2",
        "1 / 2",
        "\"\\q\"",
        "\"\\*\"",
        "\"a\rb\"",
        "\"\\u{_1}\"",
        "\"\\u{d800}\"",
        "principal()",
        "(ip)(\"::1\")",
        "",
    ] {
        let text = format!("permit (principal, action, resource) when {{ {condition} }};");
        assert!(CedarPolicies::parse(&text).is_err(), "{condition}");
    }
}

#[test]
fn attack_bombs_of_nesting_are_refused() {
    let check = |opening: &str, middle: &str, closing: &str, count: usize, expected: bool| {
        let (before, behind) = (opening.repeat(count), closing.repeat(count));
        let text =
            format!("permit (principal, action, resource) when {{ {before}{middle}{behind} }};");
        assert_eq!(PolicySet::from_cedar(&text).is_ok(), expected, "{opening} {count}");
    };
    for count in [63, 64, 100_000] {
        let expected = count < 64;
        check("(", "true", ")", count, expected);
        check("[", "1", "]", count, expected);
        check("{a:", "1", "}", count, expected);
        check("!(", "true", ")", count, expected);
        check("if true then true else ", "true", "", count, expected);
        check("[].contains(", "1", ")", count, expected);
    }
    check("1+", "1", "", 65, true);
    check("1+", "1", "", 66, false);
    check("", "principal", ".isEmpty()", 65, true);
    check("", "principal", ".isEmpty()", 66, false);
    check("", "principal", ".a", 10_000, true);
    check("true&&", "true", "", 1_000, true);
    check("true&&", "true", "", 200_000, false);
}

#[test]
fn attack_texts_of_any_size_are_refused_by_stated_bounds() {
    let refused = |text: &str| CedarPolicies::parse(text).err().map(|errors| errors.to_string());
    let mebibyte = 1024 * 1024;
    assert_eq!(refused(&" ".repeat(32 * mebibyte)), None);
    let more = refused(&" ".repeat(32 * mebibyte + 1));
    assert_eq!(more.as_deref(), Some("more than 33554432 bytes"));
    let one = |length: usize| {
        let open = "permit (principal, action, resource) when { \"";
        let text = "a".repeat(length - open.len() - "\" like \"\" };".len());
        refused(&format!("{open}{text}\" like \"\" }};"))
    };
    assert_eq!(one(mebibyte), None);
    let more = one(mebibyte + 1);
    assert_eq!(more.as_deref(), Some("line 1, column 1: more than 1048576 bytes in one policy"));
    let policy = "permit(principal,action,resource);";
    let more = refused(&policy.repeat(100_001));
    assert_eq!(more.as_deref(), Some("line 1, column 3400001: more than 100000 policies"));

    let steps = |count: usize| {
        let condition = vec!["context.a == 1"; count].join(" || ");
        let text = format!("permit (principal, action, resource) when {{ {condition} }};");
        PolicySet::from_cedar(&text).err().map(|errors| errors.to_string())
    };
    assert_eq!(steps(1_024), None);
    assert_eq!(steps(1_025).as_deref(), Some("a condition of `policy0` is too long"));
}

#[test]
fn texts_are_put_together_and_what_is_called_by_its_place_is_called_anew() {
    let read = |text: &str| CedarPolicies::parse(text).unwrap();
    let (plain, template) = (
        "permit (principal, action, resource);",
        "permit (principal == ?principal, action, resource);",
    );
    let linked = read(&[plain, template].concat());
    let linked = linked.link("policy1", "l", Slots::default().principal("User", "a")).unwrap();
    let all = read(plain).and(linked).unwrap().and(read(plain)).unwrap();
    let ids: Vec<_> = all.all.iter().map(|named| &*named.id).collect();
    assert_eq!(ids, ["policy0", "policy1", "policy2", "l", "policy4"]);
    assert!(all.to_string().contains("// \"l\", linked from \"policy2\""));
    let named = |id: &str| read(&format!("@id(\"{id}\") {plain}")).named_by_id().unwrap();
    let both = named("a").and(named("b")).unwrap();
    assert_eq!(
        both.clone().and(named("a")).unwrap_err().to_string(),
        "two policies are called `a`"
    );
    // A name of one's own may be like one by place.
    let taken = both.and(named("policy3")).unwrap().and(read(plain));
    assert_eq!(taken.unwrap_err().to_string(), "two policies are called `policy3`");
    // What is known of actions is known of all.
    let grouped = read("permit (principal, action in Action::\"g\", resource);");
    let declared = read("").action("Action::\"x\"", ["Action::\"g\""]).unwrap();
    let set = PolicySet::from_policies(grouped.and(declared).unwrap()).unwrap();
    assert_eq!(set.bearing_on(set.action("x").unwrap()).count(), 1);
    let half = read(&plain.repeat(50_001));
    assert_eq!(half.clone().and(half).unwrap_err().to_string(), "more than 100000 policies");
}

#[test]
fn a_link_fills_the_slots_that_its_template_has() {
    let template = "permit (principal == ?principal, action, resource);";
    let policies = || CedarPolicies::parse(template).unwrap();
    let link = |slots| policies().link("policy0", "l", slots).map(|all| all.to_string());
    assert!(
        link(Slots::default().principal("User", "a")).unwrap().contains("principal == User::\"a\"")
    );
    let check = |slots, expected: &str| assert_eq!(link(slots).unwrap_err().to_string(), expected);
    check(Slots::default(), "nothing is given for `?principal`");
    check(Slots::default().principal("A B", "a"), "\"A B\" is no name of a type");
    let both = Slots::default().principal("User", "a").resource("Doc", "1");
    check(both, "the template has no `?resource`");
    let again = policies().link("policy0", "policy0", Slots::default().principal("User", "a"));
    assert_eq!(again.unwrap_err().to_string(), "a policy is called `policy0` already");
}

#[test]
fn ids_may_come_from_annotations() {
    let text = "@id(\"a\") permit (principal, action, resource);";
    let named = CedarPolicies::parse(text).unwrap().named_by_id().unwrap();
    let set = PolicySet::from_policies(named).unwrap();
    assert_eq!((set.rule_names.len(), set.rule_names.get(0)), (1, Some("a")));
    let twice = CedarPolicies::parse(&text.repeat(2)).unwrap().named_by_id();
    assert_eq!(twice.unwrap_err().to_string(), "two policies are called `a`");
}
