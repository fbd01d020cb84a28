//! What loads, and what is said of what does not.

use proptest::prelude::*;

use super::super::{Document, Policy, PolicyErrors, PolicySet};

fn load(text: &str) -> Result<PolicySet, PolicyErrors> {
    PolicySet::from_document(Document::from_toml(text)?)
}

/// All errors, one a line.
fn errors(text: &str) -> String {
    load(text).expect_err(text).to_string()
}

const HEAD: &str = "\
[resources.Order]
attributes = { owner = 'User', total = 'long', placed = 'datetime?', tags = 'strings', in_shop = 'Shop?' }
actions = ['order:read', 'order:refund']
[resources.Shop]
attributes = { keeper = 'User', region = 'string?' }
actions = ['shop:read']
[principal]
attributes = { department = 'string?' }
[context]
tenant = 'string?'
client = 'ip'
[roles]
clerk = { may = ['order:read'] }
";

/// What is said of a condition on orders, and at which column of its text.
pub(super) fn condition(when: &str) -> Option<(usize, String)> {
    let rule = Policy::permit("x").actions(["order:read"]).when(when);
    let document = Document::from_toml(HEAD).unwrap().rule(rule);
    let errors = PolicySet::from_document(document).err()?;
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let prefix = format!("rule[0].when (column {}): ", errors.iter().next()?.column()?);
    let message = texts.join("\n");
    Some((errors.iter().next()?.column()?, message.strip_prefix(&prefix)?.to_owned()))
}

#[test]
fn conditions_that_load() {
    for when in [
        "resource.owner == principal",
        "resource.owner != User::\"staff/alice\" && resource.total >= 0",
        "resource has placed && resource.placed < resource.placed",
        "!(resource has placed) || resource.total > 1",
        "context has auth_time && resource has placed && context.auth_time > resource.placed",
        "resource has in_shop && resource.in_shop has region && resource.in_shop.region == \"n\"",
        "resource has placed && context has tenant && (resource.placed > resource.placed || context.tenant == \"a\")",
        "(resource has placed && true || resource has placed && false) && resource.placed == resource.placed",
        "context.client.isInRange(ip(\"10.0.0.0/8\"))",
        "context.secure == true",
        "principal in Role::\"clerk\"",
        "principal in Shop::\"a\" || resource in Shop::\"a\"",
        "(resource.total == 1) == (context.secure && true)",
        "principal has department && principal.department == \"it\"",
    ] {
        assert_eq!(condition(when), None, "{when}");
    }
}

#[test]
fn conditions_that_do_not_load() {
    let check = |when: &str, column: usize, message: &str| {
        assert_eq!(condition(when), Some((column, message.to_owned())), "{when}");
    };
    check(
        "resource.ownr == principal",
        1,
        "`Order` has no attribute `ownr`; did you mean `owner`?",
    );
    check("true && resource has totl", 9, "`Order` has no attribute `totl`; did you mean `total`?");
    check(
        "context.tenat == \"a\"",
        1,
        "`context` has no attribute `tenat`; did you mean `tenant`?",
    );
    check("principal.salary > 1", 1, "`principal` has no attribute `salary`");
    check("resource.total.cents > 1", 1, "`cents` cannot be read of long");
    check("resource.total", 1, "`resource.total` is long, a condition is bool");
    check("true && 1", 9, "`1` is long, a condition is bool");
    check("!\"a\"", 2, "`\"a\"` is string, a condition is bool");
    check(
        "resource.owner == \"staff/alice\"",
        1,
        "`resource.owner` is User and `\"staff/alice\"` is string: they are never equal",
    );
    check(
        "resource == principal",
        1,
        "`resource` is Order and `principal` is principal: they are never equal",
    );
    check("context == context", 1, "the context cannot be compared");
    check(
        "resource.total < \"a\"",
        1,
        "this needs two of long, datetime or duration, not long and string",
    );
    check(
        "\"a\" >= \"b\"",
        1,
        "this needs two of long, datetime or duration, not string and string",
    );
    check("resource.owner in 1", 1, "`in` needs two entities, not User and long");
    check(
        "context.secure.isInRange(ip(\"::/0\"))",
        1,
        "`isInRange` needs two of ip, not bool and ip",
    );
    let absent = "`context.tenant` may be absent: ask `context has tenant && …` first";
    check("context.tenant == \"a\"", 1, absent);
    check("context has tenant || context.tenant == \"a\"", 23, absent);
    check("!(context has tenant) && context.tenant == \"a\"", 26, absent);
    check("(context has tenant || true) && context.tenant == \"a\"", 33, absent);
    check("context.tenant == \"a\" && context has tenant", 1, absent);
    check("(context has tenant && true) == true && context.tenant == \"a\"", 41, absent);
    check("resource in Ordr::\"a\"", 13, "no entity type `Ordr`; did you mean `Order`?");
    check("resource.owner == User::\"alice\"", 19, "a User's id is `realm/subject`");
    check("principal in Role::\"clark\"", 14, "no role `clark`; did you mean `clerk`?");
    check("resource in Role::\"clerk\"", 1, "only `principal` is in a role");
    check(
        "principal == Role::\"clerk\"",
        14,
        "a role is only asked for as `principal in Role::\"…\"`",
    );
    check("é", 1, "unexpected `é`");
    check("\"é\" == é", 8, "unexpected `é`");
    // All of them at once.
    check(
        "resource.a == 1 && resource.b == 2",
        1,
        "`Order` has no attribute `a`\n\
         rule[0].when (column 20): `Order` has no attribute `b`",
    );
}

#[test]
fn a_condition_is_checked_for_every_type_it_is_about() {
    let rule = |id: &str| {
        let when = "resource.owner == principal";
        Policy::permit(id).actions(["order:read", "shop:*"]).when(when)
    };
    let document = Document::from_toml(HEAD).unwrap().rule(rule("x"));
    assert_eq!(
        PolicySet::from_document(document).unwrap_err().to_string(),
        "rule[0].when (column 1): `Shop` has no attribute `owner`",
    );
}

#[test]
fn what_when_asked_for_is_known_in_unless() {
    let rule = Policy::permit("x").actions(["order:read"]).unless("context.tenant == \"a\"");
    let head = Document::from_toml(HEAD).unwrap();
    assert!(PolicySet::from_document(head.clone().rule(rule.clone())).is_err());
    assert!(PolicySet::from_document(head.rule(rule.when("context has tenant"))).is_ok());
}

#[test]
fn everything_wrong_is_listed_with_line_and_column() {
    let text = r#"titel = "orders"
[resources.Order]
attributes = { owner = "Usr", total = "lnog?", has = "bool" }
actions = ["order:read", "order:refund", "order:read", "a *"]
[resources.User]
actions = ["user:read"]
[resources.Invoice]
actions = ["order:refund"]
[resources.Empty]
[principal]
attribute = {}
[context]
client = "string"
[roles]
a = { inherits = ["b"] }
b = { inherits = ["c"] }
c = { inherits = ["b"], may = ["order:raed", "ordr:*"] }
[scopes]
"orders.read" = []
[[rule]]
id = "x"
effect = "alow"
actions = ["order:read"]
when = "resource.total > 1 && principel == resource"
[[rule]]
id = "x"
effect = "permit"
actions = ["order:*"]
roles = ["z", "d"]
outside = "Mon-Fri 09:00-18:00 Europe/Berln"
when = '''
resource.owner == 1
  || resource.total >
'''
[[rule]]
effects = "permit"
"#;
    let expected = r#"titel (line 1, column 9): no field `titel`
resources.Order.attributes.owner (line 3, column 24): no type `Usr`; did you mean `User`?
resources.Order.attributes.total (line 3, column 39): no type `lnog?`; did you mean `long`?
resources.Order.attributes.has (line 3, column 54): `has` cannot name an attribute
resources.Order.actions[1] (line 4, column 26): `order:refund` already belongs to `Invoice`
resources.Order.actions[2] (line 4, column 42): `order:read` already belongs to `Order`
resources.Order.actions[3] (line 4, column 56): "a *" cannot name an action
resources.User (line 5, column 1): `User` already means something else
resources.Empty (line 9, column 1): `Empty` has neither attributes nor actions; `attributes = {}` says so
principal.attribute (line 11, column 13): no field `attribute`; did you mean `attributes`?
context.client (line 13, column 10): `client` is built in and is `ip`
roles.b.inherits (line 16, column 18): a role cannot inherit itself: `b` from `c` from `b`
roles.c.may[0] (line 17, column 32): no action `order:raed`; did you mean `order:read`?
roles.c.may[1] (line 17, column 46): no action `ordr:*`; did you mean `order:*`?
scopes."orders.read" (line 19, column 17): scope `orders.read` covers nothing
rule[0].effect (line 22, column 10): no effect `alow`; it is `permit` or `forbid`
rule[0].when (line 24, column 31): no variable `principel`; did you mean `principal`?
rule[1].id (line 26, column 6): already the id of rule[0]
rule[1].roles[0] (line 29, column 10): no role `z`
rule[1].roles[1] (line 29, column 15): no role `d`
rule[1].outside (line 30, column 32): no time zone `Europe/Berln`; did you mean `Europe/Berlin`?
rule[1].when (line 34, column 1): expected a value, a variable or `(`, found the end
rule[2] (line 35, column 1): a rule needs an `id`
rule[2] (line 35, column 1): a rule needs an `effect`: permit or forbid
rule[2] (line 35, column 1): a rule needs `actions`; `*` means all
rule[2].effects (line 36, column 11): no field `effects`; did you mean `effect`?"#;
    assert_eq!(errors(text), expected);
}

#[test]
fn what_is_no_document_is_refused_with_its_line() {
    let check = |text: &str, expected: &str| assert_eq!(errors(text), expected, "{text}");
    check("", "resources: a document declares at least one resource type");
    check(
        "[resources.Order]\nactions = 'order:read'",
        "line 2, column 11: invalid type: string \"order:read\", expected a sequence",
    );
    check(
        "[resources.Order]\nactions = [\"order:read\"]\nactions = []",
        "line 3, column 1: duplicate key",
    );
    check(
        "[resources.Order]\nactions = ['a']\n[scopes]\n",
        "scopes (line 3, column 1): no scopes: leave the table out",
    );
    check(
        "[resources.Order]\nactions = ['a']\n[[rule]]\nid = 'a b'\neffect = 'permit'\n\
         actions = ['a']\nroles = []\nwhen = ''\nduring = 'x'",
        "rule[0].id (line 4, column 6): an id is 1 to 128 letters, digits, dots, underscores and \
         hyphens\n\
         rule[0].roles (line 7, column 9): no roles: leave the field out\n\
         rule[0].when (line 8, column 9): expected a value, a variable or `(`, found the end\n\
         rule[0].during (line 9, column 11): a window is days, times and a zone: `Mon-Fri 09:00-18:00 Europe/Berlin`",
    );
    let long = format!("#{}", " ".repeat(8 * 1024 * 1024));
    assert_eq!(errors(&long), "a document has at most 8388608 bytes");
}

#[test]
fn columns_survive_every_way_to_write_text() {
    let check = |written: &str, line: usize, column: usize| {
        let rule = "[[rule]]\nid = 'x'\neffect = 'permit'\nactions = ['*']";
        let errors = load(&format!("{HEAD}{rule}\nwhen = {written}")).expect_err(written);
        let first = errors.iter().next().unwrap();
        let head = HEAD.lines().count() + 4;
        assert_eq!((first.line(), first.column()), (Some(head + line), Some(column)), "{written}");
    };
    check("\"true && x\"", 1, 17);
    check("'true && x'", 1, 17);
    check("'\"é\" == x'", 1, 16);
    check("'''true && x'''", 1, 19);
    check("\"\"\"\n\ntrue &&\n  x\"\"\"", 4, 3);
    check("\"\"\"\r\ntrue && x\"\"\"", 2, 9);
    // Behind an escape, only the start of the text is known.
    check("\"\\\"a\\\" == x\"", 1, 8);
}

#[test]
fn a_name_given_twice_is_refused_in_json_too() {
    let check = |text: &str, expected: &str| {
        let error = serde_json::from_str::<Document>(text).expect_err(text);
        assert!(error.to_string().starts_with(expected), "{error}");
    };
    check(r#"{"roles": {"a": {}, "b": {}, "a": {}}}"#, "`a` is there twice");
    check(r#"{"titel": 1, "titel": 2}"#, "`titel` is there twice");
    check(r#"{"roles": {}, "roles": {}}"#, "duplicate field `roles`");
    let wrong = r#"{
        "resources": {"Order": {"actions": ["order:read"], "attributes": {"owner": "User"}}},
        "rule": [{
            "id": "x", "effect": "permit", "actions": ["*"],
            "when": "true && resource.ownr == principal"
        }]
    }"#;
    let document: Document = serde_json::from_str(wrong).unwrap();
    assert_eq!(
        PolicySet::from_document(document).unwrap_err().to_string(),
        "rule[0].when (column 9): `Order` has no attribute `ownr`; did you mean `owner`?",
    );
}

#[test]
fn null_lifts_no_limit_of_a_rule() {
    let read = |rest: &str| {
        let rule = format!(r#""id": "x", "effect": "permit", "actions": ["*"], {rest}"#);
        serde_json::from_str::<Document>(&format!(r#"{{"rule": [{{{rule}}}]}}"#))
    };
    for field in ["roles", "when", "unless", "during", "outside"] {
        let error = read(&format!("\"{field}\": null")).expect_err(field).to_string();
        assert!(error.starts_with("invalid type: null, expected a "), "{field}: {error}");
    }
    assert!(serde_json::from_str::<Document>(r#"{"scopes": null}"#).is_err());
    let document = read(r#""roles": ["a"], "when": "true", "during": "UTC""#).unwrap();
    let rule = document.rules.first().unwrap();
    assert_eq!(
        (rule.roles.as_deref(), rule.when.as_deref()),
        (Some(&["a".into()][..]), Some("true"))
    );
}

#[test]
fn a_rule_too_long_or_a_document_with_too_much_is_refused() {
    let load = |when: &str| {
        let rule = Policy::permit("x").actions(["order:read"]).when(when);
        let set = PolicySet::from_document(Document::from_toml(HEAD).unwrap().rule(rule));
        set.map_err(|errors| errors.to_string()).err()
    };
    let too_long = Some("rule[0]: a rule has at most 1024 tests");
    // Each level doubles the one below it.
    let mut doubling = "context.secure && true".to_owned();
    for _ in 0..40 {
        doubling = format!("(true && true) == ({doubling})");
    }
    assert_eq!(load(&doubling).as_deref(), too_long);
    assert_eq!(load(&format!("true{}", "&&true".repeat(1023))), None);
    assert_eq!(load(&format!("true{}", "&&true".repeat(1024))).as_deref(), too_long);

    let actions: Vec<String> = (0..10_001).map(|number| format!("'a{number}'")).collect();
    let text = format!("[resources.Order]\nactions = [{}]", actions.join(","));
    assert!(errors(&text).ends_with("at most 10000 actions"));
    let text = format!("{}\n[roles]\n", text.replace(",'a10000'", ""));
    let roles = (0..401).map(|number| format!("r{number} = {{ may = ['*'] }}\n"));
    let told = errors(&(text + &roles.collect::<String>()));
    assert!(told.contains("more than 4000000 grants in all"), "{told}");
}

#[test]
fn a_document_that_would_take_minutes_to_check_is_refused() {
    // Each condition would be checked, and compiled, for each of 10,000 types.
    let types = |count: usize| {
        let ty = |number| {
            format!(
                "[resources.T{number}]\nattributes = {{ a = 'bool' }}\nactions = ['t{number}:read']\n"
            )
        };
        let types = (0..count).map(ty).collect::<String>();
        Document::from_toml(&format!("{types}[context]\na = 'bool'\n")).unwrap()
    };
    let load = |head: &Document, count: usize, when: &str| {
        let rule = |number| Policy::permit(&format!("r{number}")).actions(["*"]).when(when);
        let document = (0..count).map(rule).fold(head.clone(), Document::rule);
        PolicySet::from_document(document).map_err(|errors| errors.to_string()).err()
    };
    let long = |root: &str| vec![format!("{root}.a"); 500].join("||");
    let bytes = "more than 16777216 bytes of conditions in all rules, each counted for every type \
                 of resource that it is about";
    let many = types(10_000);
    assert_eq!(load(&many, 1, &long("resource")), Some(format!("rule[0]: {bytes}")));
    assert_eq!(load(&many, 1, "resource.a"), None);
    // A condition that never names the resource means the same for every type.
    assert_eq!(load(&many, 3, &long("context")), None);

    // Short conditions that get long as programs: 636 tests each.
    let mut doubling = "resource.a".to_owned();
    for _ in 0..7 {
        doubling = format!("(resource.a&&true)==({doubling}&&true)");
    }
    let few = types(40);
    assert_eq!(load(&few, 1, &doubling), None);
    let told = load(&few, 100, &doubling).unwrap_or_default();
    assert!(told.ends_with("more than 2097152 tests in all rules"), "{told}");
}

#[test]
fn two_types_with_one_number_are_refused() {
    // These two words are known to collide under FNV-1a with 32 bits.
    assert_eq!(
        errors("[resources.costarring]\nactions = ['a']\n[resources.liquid]\nactions = ['b']"),
        "resources (line 1, column 2): `costarring` and `liquid` have the same number; rename one \
         of them",
    );
}

#[test]
fn many_errors_are_cut_short() {
    let rules = (0..500).map(|_| Policy::permit("x").actions(["nothing"]));
    let document = rules.fold(Document::from_toml(HEAD).unwrap(), Document::rule);
    let errors = PolicySet::from_document(document).unwrap_err();
    assert_eq!(errors.iter().count(), 101);
    assert!(errors.to_string().ends_with("there are more errors"));
}

proptest! {
    #[test]
    fn any_text_is_loaded_or_refused(
        text in ".{0,200}",
        lines in prop::collection::vec(prop::sample::select(vec![
            "[resources.Order]", "[resources.A]", "actions = ['a', 'a:b']", "[principal]",
            "attributes = { x = 'long?' }", "[context]", "t = 'string'", "[roles]", "[scopes]",
            "r = { may = ['a:*'], inherits = ['r', 's'] }", "s = { inherits = ['r'] }", "s = ['*']",
            "[[rule]]", "id = 'x'", "effect = 'permit'", "actions = ['*']", "roles = ['r']",
            "when = 'resource has x && resource.x > 1'", "unless = '''\n x'''",
        ]), 0..20),
    ) {
        let _ = load(&text);
        if let Err(errors) = load(&lines.join("\n")) {
            prop_assert!(errors.iter().count() > 0);
            prop_assert!(errors.iter().all(|error| !error.to_string().is_empty()));
        }
    }
}
