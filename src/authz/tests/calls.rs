//! The functions of the extension types in conditions of documents.

use super::{
    super::{
        AccessRequest, CedarPolicies, Context, Decision, Document, Entities, EvalError, Policy,
        PolicySet, Why,
    },
    semantics::alice,
    world::{Data, Thing},
};
use crate::UnixTime;

const HEAD: &str = r#"
    [resources.Deal]
    attributes = { made = "datetime", lasts = "duration", from = "ip", price = "decimal?", size = "long" }
    actions = ["see"]
"#;

fn load(when: &str) -> Result<PolicySet, String> {
    let rules =
        [Policy::forbid("f").actions(["see"]).when(when), Policy::permit("p").actions(["see"])];
    let head = Document::from_toml(HEAD).unwrap();
    let document = rules.into_iter().fold(head, Document::rule);
    PolicySet::from_document(document).map_err(|errors| errors.to_string())
}

/// 2024-02-29T12:30:00Z, a day and two hours, 10.0.0.7, 1.5.
fn deal() -> Thing {
    Thing::new("Deal", "1")
        .with("made", Data::Datetime(1_709_209_800_000))
        .with("lasts", Data::Duration(93_600_000))
        .with("from", Data::Ip("10.0.0.7".parse().unwrap()))
        .with("price", Data::Decimal(15_000))
        .with("size", Data::Long(7))
}

/// What the condition is, of documents, and read back from Cedar's text.
fn answer(when: &str, deal: &Thing) -> Result<bool, EvalError> {
    let set = load(when).unwrap();
    let alice = alice();
    let request = AccessRequest {
        subject: &set.subject(&alice),
        principal: &alice,
        action: set.action("see").unwrap(),
        resource: deal,
        context: &Context::new(UnixTime::from_secs(0)),
    };
    let answer = |decision| match decision {
        Decision::Allow { .. } => Ok(false),
        Decision::Deny(Why::Forbidden(_)) => Ok(true),
        Decision::Deny(Why::ErrorInForbid(_, error)) => Err(error),
        Decision::Deny(why) => panic!("{why:?}"),
    };
    let found = answer(set.decide(&request));
    if let Ok(told) = set.to_cedar_request(&request) {
        let text = set.to_cedar();
        let again = CedarPolicies::parse(&text).unwrap().named_by_id().unwrap();
        let again = PolicySet::from_policies(again).unwrap();
        let entities = Entities::from_json(told.entities()).unwrap();
        let known = again.know(&entities).unwrap();
        let members = known.members(told.context()).unwrap();
        let other = again.decide(&AccessRequest {
            subject: &again.without_roles(),
            principal: &known.entity("User", alice.id()).unwrap(),
            action: again.action("see").unwrap(),
            resource: &known.entity("Deal", "1").unwrap(),
            context: &Context::plain(UnixTime::from_secs(0), &members).entities(known),
        });
        assert_eq!(answer(other), found, "{text}");
    }
    found
}

#[test]
fn what_they_are() {
    let check = |when: &str, expected| assert_eq!(answer(when, &deal()), expected, "{when}");
    let yes = |when: &str| {
        check(when, Ok(true));
        check(&format!("!({when})"), Ok(false));
        check(&format!("({when}) == true && [{when}].contains(true)"), Ok(true));
    };
    yes("resource.made > datetime(\"2024-02-29\")");
    yes("resource.made == datetime(\"2024-02-29T12:30:00Z\")");
    yes("resource.made.toDate() == datetime(\"2024-02-29\")");
    yes("resource.made.toTime() == duration(\"12h30m\")");
    yes("resource.made.offset(resource.lasts).toDate() == datetime(\"2024-03-01\")");
    yes("resource.made.offset(duration(\"-1d\")) < resource.made");
    yes("resource.made.durationSince(datetime(\"2024-02-28T12:30:00Z\")) == duration(\"1d\")");
    yes("resource.lasts.toHours() == 26 && resource.lasts.toDays() == 1");
    yes("resource.lasts.toMinutes() * 60 == resource.lasts.toSeconds()");
    yes("resource.lasts.toMilliseconds() - 1 == 93599999");
    yes("resource has price && resource.price.lessThan(decimal(\"1.5001\"))");
    yes("resource has price && resource.price.lessThanOrEqual(decimal(\"1.50\"))");
    yes("resource has price && resource.price.greaterThan(decimal(\"-1.5\"))");
    yes("resource has price && !resource.price.greaterThanOrEqual(decimal(\"1.6\"))");
    yes("resource has price && [decimal(\"1.5\"), decimal(\"2.0\")].contains(resource.price)");
    yes("resource.from.isIpv4() && !resource.from.isIpv6() && !resource.from.isMulticast()");
    yes("ip(\"127.0.0.1\").isLoopback() && ip(\"ff02::1\").isMulticast()");
    yes("(if resource.size > 5 then duration(\"1d\") else duration(\"2d\")) < resource.lasts");
    yes("{a: resource.made.toTime()}.a > duration(\"1h\")");
    yes(
        "resource.made.offset(if resource.from.isIpv4() then duration(\"1ms\") else duration(\"0ms\")) > resource.made",
    );
}

#[test]
fn what_fails_in_them_fails_closed() {
    let check = |when: &str, deal: Thing, expected: EvalError| {
        assert_eq!(answer(when, &deal), Err(expected), "{when}");
    };
    let far = deal().with("made", Data::Datetime(i64::MAX));
    check("resource.made.offset(duration(\"1ms\")) > resource.made", far, EvalError::Overflow);
    let near = deal().with("made", Data::Datetime(i64::MIN));
    check("resource.made.toDate() < resource.made", near, EvalError::Overflow);
    let wrong = deal().with("made", Data::Long(1));
    check("resource.made.toTime() == duration(\"1h\")", wrong, EvalError::WrongType);
    let unsaid = deal().with("lasts", Data::Failed);
    check("resource.lasts.toDays() == 1", unsaid, EvalError::Unavailable);
}

#[test]
fn attack_a_mapped_address_is_the_one_it_carries() {
    let deal = deal().with("from", Data::Ip("::ffff:127.0.0.1".parse().unwrap()));
    assert_eq!(answer("resource.from.isIpv4() && resource.from.isLoopback()", &deal), Ok(true));
    assert_eq!(answer("resource.from.isIpv6()", &deal), Ok(false));
}

#[test]
fn what_does_not_fit_does_not_load() {
    let check = |when: &str, expected: &str| assert_eq!(load(when).map(drop), Err(expected.into()));
    check(
        "resource.made > datetime(\"2024-02-30\")",
        "rule[0].when (column 26): \"2024-02-30\" is no datetime",
    );
    check(
        "resource.made > datetime(1)",
        "rule[0].when (column 26): expected a datetime in quotes, found `1`",
    );
    check(
        "resource.size.toDays() == 1",
        "rule[0].when (column 1): `toDays` needs duration, not long",
    );
    check(
        "resource.made.offset(resource.made) == resource.made",
        "rule[0].when (column 22): `offset` needs duration, not datetime",
    );
    check(
        "resource.made.ofset(resource.lasts) == resource.made",
        "rule[0].when (column 15): no method `ofset`; did you mean `offset`?",
    );
    check(
        "resource.made.toDate()",
        "rule[0].when (column 1): `resource.made.toDate()` is datetime, a condition is bool",
    );
    check("resource.from.isIpv4(1)", "rule[0].when (column 22): expected `)`, found `1`");
    check(
        "resource.price.lessThan(decimal(\"1.0\"))",
        "rule[0].when (column 1): `resource.price` may be absent: ask `resource has price && …` first",
    );
    check("decimal", "rule[0].when (column 1): no variable `decimal`");
    check(
        "decimal(\"1.0\") < decimal(\"2.0\")",
        "rule[0].when (column 1): this needs two of long, datetime or duration, not decimal and decimal",
    );
    check("resource.hasTag(\"a\")", "rule[0].when (column 10): no method `hasTag`");
}

#[test]
fn attack_chains_of_calls_are_bounded() {
    let chain = |count: usize| {
        let days = ".offset(duration(\"1d\"))".repeat(count);
        load(&format!("resource.made{days} > resource.made"))
    };
    assert!(chain(64).is_ok());
    assert_eq!(
        chain(65).map(drop),
        Err("rule[0].when (column 1494): more than 64 of `+`, `-`, `*` and calls".into())
    );
}
