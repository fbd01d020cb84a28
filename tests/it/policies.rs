//! Policies as an application uses them; and that a decision allocates nothing.

use std::error::Error;

use portcullis::{
    Facts, Principal, UnixTime,
    authz::{
        AccessRequest, Attr, Coarse, Context, Decision, Describe, Document, Entity, EvalError,
        Policy, PolicySet, Record, Type, TypeName, Value, Why,
    },
};

const DOCUMENT: &str = r#"
[resources.Order]
attributes = { owner = "User", total = "long", placed = "datetime?", customer = "Customer" }
actions = ["order:read", "order:create", "order:refund"]
[resources.Customer]
attributes = { region = "string", manager = "User?" }
[principal]
attributes = { department = "string?", region = "string?" }
[context]
client = "ip"
tenant = "string?"
[roles]
clerk = { may = ["order:read", "order:create"] }
manager = { inherits = ["clerk"], may = ["order:refund"] }
[scopes]
"orders.read" = ["order:read"]
[[rule]]
id = "owner-reads-own"
effect = "permit"
actions = ["order:read"]
when = "resource.owner == principal"
[[rule]]
id = "region-reads"
effect = "permit"
actions = ["order:read"]
when = "principal has region && resource.customer.region == principal.region"
[[rule]]
id = "refunds-from-the-office-only"
effect = "forbid"
actions = ["order:refund"]
unless = 'context.client.isInRange(ip("10.0.0.0/8"))'
[[rule]]
id = "no-large-refunds"
effect = "forbid"
actions = ["order:refund"]
when = 'resource.total > 1000 && !(principal in Role::"manager" && context has tenant)'
"#;

struct Order {
    id: String,
    owner: String,
    total: i32,
    placed: Option<UnixTime>,
    customer: Customer,
}

struct Customer {
    id: String,
    region: String,
    manager: Option<String>,
}

portcullis::entity! {
    Order as "Order" by id {
        owner: "User",
        total: long,
        placed: datetime?,
        customer: Customer,
    }
}

portcullis::entity! {
    Customer as "Customer" by id { region: string, manager: "User"? }
}

fn order(owner: &str, total: i32) -> Order {
    let customer = Customer { id: "c".into(), region: "north".into(), manager: None };
    Order { id: "7".into(), owner: owner.into(), total, placed: None, customer }
}

fn policies() -> Result<PolicySet, Box<dyn Error>> {
    let policies = PolicySet::from_document(Document::from_toml(DOCUMENT)?)?;
    policies.check::<Order>()?;
    policies.check::<Customer>()?;
    Ok(policies)
}

fn facts(client: &str) -> Result<Facts<'static>, Box<dyn Error>> {
    let mut facts = Facts::default();
    facts.client = Some(client.parse()?);
    Ok(facts)
}

#[test]
fn orders_are_read_by_owners_clerks_and_the_region() -> Result<(), Box<dyn Error>> {
    let policies = policies()?;
    let read = policies.action("order:read").ok_or("no such action")?;
    let context = Context::new(UnixTime::from_secs(0));
    let check = |principal: &Principal, owner: &str, expected: Option<&str>| {
        let decision = policies.decide(&AccessRequest {
            subject: &policies.subject(principal),
            principal,
            action: read,
            resource: &order(owner, 1),
            context: &context,
        });
        let rule = match decision {
            Decision::Allow { rule } => policies.rule_name(rule),
            Decision::Deny(_) => None,
        };
        assert_eq!(rule, expected, "{principal:?} {decision:?}");
    };
    let plain = Principal::assertion("staff", "alice").finish()?;
    check(&plain, "staff/alice", Some("owner-reads-own"));
    check(&plain, "staff/bob", None);
    check(&plain, "partners/alice", None);
    let clerk = Principal::assertion("staff", "alice").roles(["clerk"]).finish()?;
    check(&clerk, "staff/bob", Some("role:clerk"));
    let manager = Principal::assertion("staff", "alice").roles(["manager"]).finish()?;
    check(&manager, "staff/bob", Some("role:clerk"));
    let region = [("region", portcullis::Attribute::Str("north"))];
    let north = Principal::assertion("staff", "alice").attributes(region).finish()?;
    check(&north, "staff/bob", Some("region-reads"));
    Ok(())
}

#[test]
fn refunds_are_forbidden_outside_the_office() -> Result<(), Box<dyn Error>> {
    let policies = policies()?;
    let refund = policies.action("order:refund").ok_or("no such action")?;
    let manager = Principal::assertion("staff", "alice").roles(["manager"]).finish()?;
    let subject = policies.subject(&manager);
    let tenant = [("tenant", Value::from("acme"))];
    let decide = |client: Option<&Facts<'_>>, members: Option<&dyn Record>, total: i32| {
        let mut context = Context::new(UnixTime::from_secs(0)).principal(&manager);
        context = client.into_iter().fold(context, Context::facts);
        context = members.into_iter().fold(context, Context::members);
        let decision = policies.decide(&AccessRequest {
            subject: &subject,
            principal: &manager,
            action: refund,
            resource: &order("staff/bob", total),
            context: &context,
        });
        let coarse = policies.could(&subject, &manager, refund, &context);
        (decision, coarse)
    };
    let (office, outside) = (facts("10.0.0.7")?, facts("192.0.2.1")?);

    let (decision, coarse) = decide(Some(&office), None, 1000);
    assert!(decision.is_allow());
    assert_eq!(coarse, Coarse::Resource);
    assert!(matches!(decide(Some(&office), None, 1001).0, Decision::Deny(Why::Forbidden(_))));
    assert!(decide(Some(&office), Some(&tenant), 1001).0.is_allow());
    let (decision, coarse) = decide(Some(&outside), Some(&tenant), 1);
    assert!(matches!(decision, Decision::Deny(Why::Forbidden(_))));
    assert_eq!(coarse, Coarse::No(decision));
    // Nobody said where the request came from: the forbid cannot be judged, so it denies.
    let (decision, coarse) = decide(None, Some(&tenant), 1);
    assert!(matches!(decision, Decision::Deny(Why::ErrorInForbid(_, EvalError::Missing))));
    assert_eq!(coarse, Coarse::No(decision));
    Ok(())
}

#[test]
fn a_decision_allocates_nothing() -> Result<(), Box<dyn Error>> {
    let policies = policies()?;
    let actions = ["order:read", "order:create", "order:refund"].map(|name| policies.action(name));
    let office = facts("10.0.0.7")?;
    let tenant = [("tenant", Value::from("acme"))];
    let principals = [
        Principal::assertion("staff", "alice").finish()?,
        Principal::assertion("staff", "alice")
            .roles(["manager"])
            .scopes(["orders.read"])
            .finish()?,
    ];
    let orders = [order("staff/alice", 1), order("staff/bob", 2000)];
    let mut allowed = 0;
    for (principal, order) in principals.iter().flat_map(|p| orders.iter().map(move |o| (p, o))) {
        let subject = policies.subject(principal);
        for action in actions.into_iter().flatten() {
            let context = Context::new(UnixTime::from_secs(0)).facts(&office).members(&tenant);
            let mut decision = None;
            let counted = allocation_counter::measure(|| {
                let _ = policies.could(&subject, principal, action, &context);
                decision = Some(policies.decide(&AccessRequest {
                    subject: &subject,
                    principal,
                    action,
                    resource: order,
                    context: &context,
                }));
            });
            assert_eq!(counted.count_total, 0, "{decision:?}");
            allowed += usize::from(decision.is_some_and(Decision::is_allow));
        }
    }
    assert_eq!(allowed, 3);
    // The counter does count.
    assert_eq!(allocation_counter::measure(|| drop(Box::new([0_u8; 64]))).count_total, 1);
    Ok(())
}

struct Note {
    id: String,
    owner: String,
    text: String,
    size: i64,
    tags: Vec<String>,
}

portcullis::entity! {
    Note as "Note" by id { owner: "User", text: string, size: long, tags: strings }
}

#[test]
fn no_operator_allocates() -> Result<(), Box<dyn Error>> {
    let alice = Principal::assertion("staff", "alice").amr(["pwd"]).finish()?;
    let tags = vec!["a".to_owned(), "b".to_owned()];
    let owner = "staff/alice".to_owned();
    let note = Note { id: "n".into(), owner, text: "a note".into(), size: 7, tags };
    for (when, expected) in [
        ("resource.tags.containsAll([\"b\", \"a\"]) && [\"a\", \"b\"] == resource.tags", true),
        ("resource.tags.containsAny(context.amr) || context.amr.contains(\"pwd\")", true),
        ("[resource.tags, []].contains([\"a\"])", false),
        ("{a: resource.size, b: resource.tags} == {a: 7, b: [\"b\", \"a\"]}", true),
        ("resource.text like \"a*o*e\" && !(resource.text like \"*x*\")", true),
        ("resource is Note in [Note::\"n\"] && principal is User", true),
        ("(if resource.size > 5 then resource.size * 2 else -resource.size) - 4 == 10", true),
        ("resource.size * 9223372036854775807 > 0", false),
    ] {
        let policies = PolicySet::from_document(
            Document::from_toml(
                r#"
                [resources.Note]
                attributes = { owner = "User", text = "string", size = "long", tags = "strings" }
                actions = ["read"]
                "#,
            )?
            .rule(
                Policy::permit("p")
                    .actions(["read"])
                    .during("Thu Europe/Berlin")
                    .outside("Mon-Fri 01:01-24:00 Europe/Berlin")
                    .when(when),
            ),
        )?;
        policies.check::<Note>()?;
        let context = Context::new(UnixTime::from_secs(0)).principal(&alice);
        let subject = policies.subject(&alice);
        let action = policies.action("read").ok_or("no such action")?;
        let request = AccessRequest {
            subject: &subject,
            principal: &alice,
            action,
            resource: &note,
            context: &context,
        };
        let mut allowed = None;
        let counted = allocation_counter::measure(|| {
            allowed = Some(policies.decide(&request).is_allow());
        });
        assert_eq!((allowed, counted.count_total), (Some(expected), 0), "{when}");
    }
    Ok(())
}

#[test]
fn the_macro_describes_what_it_reads() {
    assert_eq!(Order::TYPE, "Order");
    let types = Order::ATTRIBUTES.iter().map(|(name, ty)| format!("{name}: {ty}"));
    assert!(types.eq(["owner: User", "total: long", "placed: datetime?", "customer: Customer"]));
    assert_eq!(
        Customer::ATTRIBUTES.last(),
        Some(&("manager", Type::Optional(&Type::Entity("User"))))
    );

    let mut order = order("staff/bob", 5);
    assert_eq!((order.type_name(), order.id()), (TypeName::new("Order"), "7"));
    assert!(matches!(order.attr(&Attr::new("total")), Value::Long(5)));
    assert!(matches!(order.attr(&Attr::new("placed")), Value::Missing));
    order.placed = Some(UnixTime::from_secs(2));
    assert!(matches!(order.attr(&Attr::new("placed")), Value::Datetime(2000)));
    let Value::Entity(customer) = order.attr(&Attr::new("customer")) else {
        panic!("a customer has attributes");
    };
    assert!(matches!(customer.attr(&Attr::new("manager")), Value::Missing));
    assert!(matches!(customer.attr(&Attr::new("id")), Value::Missing));
}

#[test]
fn a_rust_type_that_does_not_fit_is_told_what_is_wrong() -> Result<(), Box<dyn Error>> {
    struct Wrong {
        id: String,
        owner: String,
        placed: UnixTime,
        customer: Option<String>,
    }
    portcullis::entity! {
        Wrong as "Order" by id { owner: string, plaecd: datetime = placed, customer: "Customer"? }
    }
    struct Unknown {
        id: String,
    }
    portcullis::entity! { Unknown as "Oder" by id {} }

    let policies = policies()?;
    let errors = policies.check::<Wrong>().err().ok_or("this fits")?;
    assert_eq!(
        errors.to_string(),
        "resources.Order.attributes.customer: `customer` is declared as `Customer`, but is \
         `Customer?` in the Rust type\n\
         resources.Order.attributes.owner: `owner` is declared as `User`, but is `string` in the \
         Rust type\n\
         resources.Order.attributes.placed: the Rust type has no `placed`; did you mean `plaecd`?\n\
         resources.Order.attributes.total: the Rust type has no `total`"
    );
    let errors = policies.check::<Unknown>().err().ok_or("this fits")?;
    assert_eq!(errors.to_string(), "resources: no type `Oder`; did you mean `Order`?");
    Ok(())
}
