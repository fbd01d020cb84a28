//! What is told to Cedar. That Cedar answers the same, only Cedar can say.

use super::{
    super::{AccessRequest, CedarError, CedarRequest, Context, Document, EvalError, PolicySet},
    semantics::{alice, order, policies, rule, with_roles},
    world::{Data, Thing},
};
use crate::{Principal, UnixTime};

fn ask(set: &PolicySet, principal: &Principal, resource: &Thing, context: &Thing) -> Told {
    set.to_cedar_request(&AccessRequest {
        subject: &set.subject(principal),
        principal,
        action: set.action("order:read").unwrap(),
        resource,
        context: &Context::new(UnixTime::from_secs(0)).members(context),
    })
}

type Told = Result<CedarRequest, CedarError>;

fn nothing() -> Thing {
    Thing::new("Context", "")
}

fn shop() -> Thing {
    Thing::new("Shop", "s").with("keeper", Data::Name("User", "staff/bob".into()))
}

/// One permit with the condition, as it is printed.
#[test]
fn conditions() {
    let check = |condition: &str, expected: &str| {
        let rule = rule("p", "permit", &format!("when = {condition:?}"));
        let text = policies(&format!("[roles]\nclerk = {{}}\n{rule}")).to_cedar();
        let printed = text.split_once("when { ").unwrap().1.split_once(" };").unwrap().0;
        assert_eq!(printed, expected);
    };
    let same = |condition| check(condition, condition);
    same("context.secure");
    same("!(resource.total == -9223372036854775808)");
    same("resource.total > 1 && (resource.paid || !context.secure)");
    same("(resource.paid == context.secure) != true");
    same(r#"context.client.isInRange(ip("10.0.0.0/8"))"#);
    same(r#"principal in Role::"clerk" || principal == User::"staff/\"a\"\n\0""#);
    same(r#"resource in Shop::"a""#);
    same("resource has note && context has tenant");
    same(r#"if resource.paid then (resource.total + 1) > 2 else resource.tags.contains("x")"#);
    same(r#"context has tenant && context.tenant like "a*\\*" && principal is User"#);
    same(r#"resource in [Shop::"a", Shop::"b"]"#);
    check(
        r#"resource.shop is Shop in [Shop::"a"]"#,
        r#"resource.shop is Shop && (resource.shop in [Shop::"a"] || !resource.shop.__known)"#,
    );
    check(
        "(if resource.paid then resource.shop else resource.shop) has keeper",
        "(if resource.paid then resource.shop else resource.shop).__known && (if resource.paid then resource.shop else resource.shop) has keeper",
    );
    check(
        "resource.shop has closed && resource.shop.closed",
        "(resource.shop.__known && resource.shop has closed) && resource.shop.closed",
    );
    check(
        r#"!(resource.shop in Shop::"a")"#,
        r#"!(resource.shop in Shop::"a" || !resource.shop.__known)"#,
    );
}

#[test]
fn questions_within_questions_double_no_text() {
    let length = |depth: usize, last: &str| {
        let ask = |inner, _| format!("(if {inner} in [resource] then resource else resource)");
        let asked = (0..depth).fold("resource".to_owned(), ask);
        let when = format!("{asked} {last}");
        policies(&rule("p", "permit", &format!("when = '{when}'"))).to_cedar().len()
    };
    // The square of the depth at most: a doubling would make hundreds of it.
    for last in ["has note", "is Order in resource", "in resource"] {
        let (short, long) = (length(4, last), length(10, last));
        assert!(long < 7 * short, "{last}: {short} {long}");
    }
}

#[test]
fn documents() {
    let text = policies(
        r#"
        [scopes]
        reading = ["order:read", "invoice:*"]
        "order:refund" = ["order:refund"]
        [roles]
        clerk = { inherits = ["guest"], may = ["invoice:read", "order:read"] }
        guest = { may = ["order:read"] }
        idle = {}
        [[rule]]
        id = "z"
        effect = "forbid"
        actions = ["order:*"]
        roles = ["clerk", "idle"]
        when = "resource.paid && resource.total > 1"
        unless = "context.secure"
        "#,
    )
    .to_cedar();
    assert_eq!(
        text,
        r#"@id("role:clerk")
permit (
    principal in Role::"clerk",
    action in [Action::"invoice:read", Action::"order:read"],
    resource
)
when { resource is Invoice && action == Action::"invoice:read" || resource is Order && action == Action::"order:read" };

@id("role:guest")
permit (
    principal in Role::"guest",
    action == Action::"order:read",
    resource is Order
);

@id("z")
forbid (
    principal,
    action in [Action::"order:read", Action::"order:refund"],
    resource is Order
)
when { principal in [Role::"clerk", Role::"idle"] }
when { resource.paid && resource.total > 1 }
unless { context.secure };

// scope "reading": Action::"invoice:read", Action::"order:read"
@id("portcullis:scopes")
forbid (principal, action, resource)
when { context has __covered && !context.__covered.contains(action) };
"#
    );
}

#[test]
fn windows_are_looked_up_in_the_context() {
    let (during, outside) = ("Mon-Fri 09:00-18:00 Europe/Berlin", "Sat 08:00-20:00 Europe/Berlin");
    let set =
        policies(&rule("p", "permit", &format!("during = {during:?}\noutside = {outside:?}")));
    let lines = format!(
        "when {{ context.__windows.contains({during:?}) }}\n\
         unless {{ context.__windows.contains({outside:?}) }};"
    );
    assert!(set.to_cedar().contains(&lines), "{}", set.to_cedar());
    // 1970-01-01 was a Thursday.
    let thursday = UnixTime::from_secs(12 * 60 * 60);
    for (days, open) in
        [(0, format!("[{during:?}]")), (2, format!("[{outside:?}]")), (3, "[]".into())]
    {
        let now = thursday.saturating_add(std::time::Duration::from_secs(days * 86_400));
        let told = set.to_cedar_request(&AccessRequest {
            subject: &set.subject(&alice()),
            principal: &alice(),
            action: set.action("order:read").unwrap(),
            resource: &order(),
            context: &Context::new(now),
        });
        assert_eq!(told.unwrap().context(), format!(r#"{{"__windows":{open}}}"#));
    }
}

/// A rule about several types is printed whole, though for each of them a part may say nothing.
#[test]
fn what_one_type_leaves_out_is_told_for_the_other() {
    let text = r#"
        [[rule]]
        id = "p"
        effect = "permit"
        actions = ["*"]
        when = "!(resource is Invoice) && resource.shop has closed"
        unless = "context.secure"
    "#;
    let text = policies(text).to_cedar();
    let (conditions, _) = text.split_once(" };\n").unwrap();
    assert!(conditions.ends_with(
        "when { !(resource is Invoice) && (resource.shop.__known && resource.shop has closed) }\n\
         unless { context.secure"
    ), "{text}");
}

#[test]
fn a_request_tells_what_the_rules_read_and_nothing_else() {
    let roles = "[roles]\nclerk = { inherits = [\"guest\"] }\nguest = {}\nidle = {}\n";
    let when = "when = 'resource.shop in Shop::\"mall\" && resource.shop.keeper == principal'";
    let set = policies(&[roles, &rule("p", "permit", when)].concat());
    let mall = ("Shop", "mall".to_owned());
    let mut shop = shop();
    shop.parents.push(mall);
    let order = order().with("shop", Data::Thing(shop));
    let principal = Principal::assertion("staff", "alice").roles(["clerk"]).scopes(["order:read"]);
    let told = ask(&set, &principal.finish().unwrap(), &order, &nothing()).unwrap();
    assert_eq!(
        (told.principal(), told.action(), told.resource()),
        (r#"User::"staff/alice""#, r#"Action::"order:read""#, r#"Order::"7""#)
    );
    assert_eq!(
        told.context(),
        r#"{"__covered":[{"__entity":{"id":"order:read","type":"Action"}}]}"#
    );
    let entity = |kind, id, attributes: &str, parents: &str| {
        format!(
            r#"{{"attrs":{{{attributes}}},"parents":[{parents}],"uid":{{"id":"{id}","type":"{kind}"}}}}"#
        )
    };
    let uid = |kind, id| format!(r#"{{"__entity":{{"id":"{id}","type":"{kind}"}}}}"#);
    let (known, clerk, guest) = (r#""__known":true"#, uid("Role", "clerk"), uid("Role", "guest"));
    let expected = [
        entity("Order", "7", &format!(r#"{known},"shop":{}"#, uid("Shop", "s")), ""),
        entity(
            "Shop",
            "s",
            &format!(r#"{known},"keeper":{}"#, uid("User", "staff/bob")),
            &uid("Shop", "mall"),
        ),
        entity("User", "staff/alice", known, &format!("{clerk},{guest}")),
        entity("Role", "clerk", "", &guest),
        entity("Role", "guest", "", ""),
    ];
    assert_eq!(told.entities(), format!("[{}]", expected.join(",")));
}

#[test]
fn values() {
    let text = r#"
        [resources.T]
        attributes = { a = "ip?", b = "datetime?", c = "strings?" }
        actions = ["t"]
        [[rule]]
        id = "p"
        effect = "permit"
        actions = ["t"]
        when = "resource has a || resource has b || resource has c"
    "#;
    let set = PolicySet::from_document(Document::from_toml(text).unwrap()).unwrap();
    let check = |name: &str, data: Data, expected: &str| {
        let told = set.to_cedar_request(&AccessRequest {
            subject: &set.subject(&alice()),
            principal: &alice(),
            action: set.action("t").unwrap(),
            resource: &Thing::new("T", "1").with(name, data),
            context: &Context::new(UnixTime::from_secs(0)),
        });
        let told = told.unwrap();
        let expected = format!(r#""{name}":{expected}}}"#);
        assert!(told.entities().contains(&expected), "{} {expected}", told.entities());
    };
    let ip = |text: &str| format!(r#"{{"__extn":{{"arg":"{text}","fn":"ip"}}}}"#);
    check("a", Data::Ip("10.0.0.7/8".parse().unwrap()), &ip("10.0.0.7/8"));
    check("a", Data::Ip("::ffff:10.0.0.7".parse().unwrap()), &ip("10.0.0.7"));
    check("a", Data::Ip("2001:db8::1".parse().unwrap()), &ip("2001:db8:0:0:0:0:0:1/128"));
    // Wider than IPv4-mapped addresses, so none of them.
    check("a", Data::Ip("::ffff:0.0.0.0/90".parse().unwrap()), &ip("0:0:0:0:0:ffff:0:0/90"));
    check("c", Data::Strings(vec!["x".into(), "\"".into()]), r#"["x","\""]"#);
    check(
        "b",
        Data::Datetime(-1),
        r#"{"__extn":{"args":[{"__extn":{"arg":"1970-01-01","fn":"datetime"}},{"__extn":{"arg":"-1ms","fn":"duration"}}],"fn":"offset"}}"#,
    );
}

#[test]
fn what_cannot_be_told_is_refused() {
    let when = |condition: &str| policies(&rule("p", "permit", &format!("when = {condition:?}")));
    let check = |condition: &str, resource: Thing, context: Thing, expected: Option<CedarError>| {
        let told = ask(&when(condition), &alice(), &resource, &context);
        assert_eq!(told.err(), expected, "{condition}");
    };
    let value = |place: &str, error| Some(CedarError::Value(place.into(), error));
    let total = "resource.total > 1";
    let failed = order().with("total", Data::Failed);
    check(total, failed.clone(), nothing(), value("resource.total", EvalError::Unavailable));
    check("resource.paid", failed, nothing(), None);
    let wrong = order().with("total", Data::Bool(true));
    check(total, wrong, nothing(), value("resource.total", EvalError::WrongType));
    check(total, Thing::new("Order", "7"), nothing(), None);
    check(
        total,
        Thing::new("Unheard", "7"),
        nothing(),
        Some(CedarError::UnknownType("resource".into())),
    );
    // Of a resource of another type no rule reads anything.
    check(total, Thing::new("Invoice", "7").with("total", Data::Failed), nothing(), None);

    // An order read of the context, known by name only, is not the resource of that name.
    let about = nothing().with("about", Data::Name("Order", "7".into()));
    let reads = "context has about && context.about.paid";
    check(reads, order(), about.clone(), Some(CedarError::NameOnly("context.about".into())));
    check("context has about && context.about == resource", order(), about.clone(), None);
    check("context has about && context.about in resource", order(), about, None);
    let other = nothing().with("about", Data::Name("Order", "8".into()));
    check(reads, order(), other, None);
    let shop = order().with("shop", Data::Thing(shop()));
    let literal = r#"resource.shop in Shop::"s" && Shop::"s" in resource"#;
    check(literal, shop, nothing(), Some(CedarError::NameOnly(r#"Shop::"s""#.into())));
    assert_eq!(
        CedarError::Value("resource.total".into(), EvalError::WrongType).to_string(),
        "`resource.total` cannot be told: a value is of the wrong type"
    );

    let (one, other) = (when(total), when(total));
    let stale = one.to_cedar_request(&AccessRequest {
        subject: &other.subject(&alice()),
        principal: &alice(),
        action: one.action("order:read").unwrap(),
        resource: &order(),
        context: &Context::new(UnixTime::from_secs(0)),
    });
    assert_eq!(stale.err(), Some(CedarError::Stale));
}

#[test]
fn explanations_name_what_failed_and_what_was_skipped() {
    let roles = "[roles]\nclerk = { may = [\"order:read\"] }\n";
    let missing = "when = 'context.client.isInRange(ip(\"::1\"))'";
    let text = [roles, &rule("f", "forbid", missing), &rule("p", "permit", missing)].concat();
    let told = |set: PolicySet| {
        let principal = with_roles(["clerk"]);
        let explanation = set.explain(&AccessRequest {
            subject: &set.subject(&principal),
            principal: &principal,
            action: set.action("order:read").unwrap(),
            resource: &order(),
            context: &Context::new(UnixTime::from_secs(0)),
        });
        let names = |rule| set.rule_name(rule).unwrap().to_owned();
        let rules: Vec<_> = explanation.rules().map(names).collect();
        let errors: Vec<_> = explanation.errors().map(|(r, error)| (names(r), error)).collect();
        assert_eq!(
            errors,
            [("f", EvalError::Missing), ("p", EvalError::Missing)].map(|(r, e)| (r.to_owned(), e))
        );
        (rules, explanation.to_string())
    };
    let why = "forbid `f` failed: `context.client.isInRange(ip(\"::1\"))` failed because a value \
               is missing (`context.client` is missing)";
    assert_eq!(
        told(policies(&text)),
        (vec!["f".to_owned()], format!("`order:read` is denied: {why}"))
    );
    assert_eq!(
        told(policies(&text).cedar_compat()),
        (
            vec!["role:clerk".to_owned()],
            format!("`order:read` is allowed by `role:clerk`; skipped: {why}")
        )
    );
}

#[test]
fn names_that_mean_something_to_cedar_do_not_load() {
    for (kind, name) in [("in", "a"), ("__T", "a"), ("T", "__entity"), ("T", "__known")] {
        let text =
            format!("[resources.{kind}]\nattributes = {{ {name} = \"long\" }}\nactions = [\"t\"]");
        let loaded = PolicySet::from_document(Document::from_toml(&text).unwrap());
        let errors = loaded.unwrap_err().to_string();
        assert!(errors.contains("cannot name"), "{errors}");
    }
}
