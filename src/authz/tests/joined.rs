//! Questions about one value are one step, and answer as they did.

use proptest::{prelude::*, sample::select};

use super::{
    super::{explain::Part, load::expr::parse},
    oracle::answer,
    programs::{emitted, program, run},
    world::scenes,
};

/// A question, mostly about one attribute.
fn question() -> impl Strategy<Value = String> {
    let number = select(vec!["-9223372036854775808", "-1", "0", "1", "9223372036854775807"]);
    let relation = select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let other = select(vec![
        "true == true",
        "false == true",
        "principal.c",
        "principal has a",
        "principal.a < 1",
        "resource.d like \"x*\"",
        "resource.b == principal.b",
        "resource.b in principal.b",
        "resource.b is Folder",
        "resource has e && context.e.isInRange(ip(\"10.0.0.0/8\"))",
        "resource has e && resource.e.isInRange(ip(\"::ffff:10.0.0.0/104\"))",
        "context.e.isInRange(resource.e)",
        "(if true == true then resource has a else principal has a)",
        "(resource has a && resource.a > -1)",
    ]);
    prop_oneof![
        5 => (relation, number).prop_map(|(relation, number)| format!("resource.a {relation} {number}")),
        5 => Just("resource has a".to_owned()),
        4 => other.prop_map(String::from),
    ]
}

fn several() -> impl Strategy<Value = String> {
    let one = (question(), 0..6)
        .prop_map(|(question, not)| if not == 0 { format!("!({question})") } else { question });
    let all = prop::collection::vec(one, 1..4).prop_map(|all| all.join(" && ")).boxed();
    let any = prop::collection::vec(all.clone(), 1..4).prop_map(|any| any.join(" || "));
    prop_oneof![all.clone(), (any, all).prop_map(|(any, all)| format!("({any}) && {all}"))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn they_answer_as_a_walk_over_the_tree_does(condition in several(), scene in scenes()) {
        let expr = parse(&condition).unwrap();
        let expected = answer(&expr, &scene).ok();
        let when = program(Part::When(expr.clone()))?;
        prop_assert_eq!(run(&when, &scene).ok(), expected, "{}", condition);
        let unless = program(Part::Unless(expr))?;
        prop_assert_eq!(run(&unless, &scene).ok(), expected.map(|answer| !answer), "{}", condition);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// What leads to a step from elsewhere did not ask whether the value is there.
    #[test]
    fn a_step_that_others_lead_to_stays_as_it_is(
        condition in select(vec![
            "(principal.c || resource has a) && resource.a > 0",
            "(principal.c || resource has a && true == true) && resource.a > 0",
            "(principal.c || principal.a > 0 && resource has a) && resource.a > 0",
            "(principal.c || true == true && resource has a) && resource.a > 0",
            "(principal.c || resource.a > -1 && true == true) && resource.a < 1",
        ]),
        scene in scenes(),
    ) {
        let expr = parse(condition).unwrap();
        let expected = answer(&expr, &scene).ok();
        prop_assert_eq!(run(&program(Part::When(expr))?, &scene).ok(), expected, "{}", condition);
    }
}

#[test]
fn they_are_one_step() {
    let steps = |condition: &str| {
        let emitted = emitted(&Part::When(parse(condition).unwrap())).unwrap();
        emitted.program.rest.len() + 1
    };
    for (condition, expected) in [
        ("resource has a && resource.a < 2", 1),
        ("resource.a >= 0 && resource.a < 2", 1),
        ("resource has a && resource.a > 0 && resource.a <= 2 && resource.a < 5", 1),
        ("resource has a && !(resource.a == 2)", 1),
        ("resource has b && resource.b in principal.b", 1),
        ("resource has a && resource.a > 0 && principal has a && principal.a > 0", 2),
        ("principal.c || resource has a && resource.a > 0", 2),
        // Each of these asks about two values, or two things of which one is asked alone.
        ("resource has a && principal.a > 0", 2),
        ("resource.a > 0 && principal.a < 2", 2),
        ("resource has a && principal.a == resource.a", 2),
        ("(principal.c || resource has a) && resource.a > 0", 3),
        ("resource has a || resource.a > 0", 2),
        ("!(resource has a) && resource.a > 0", 2),
        ("resource.a > 9223372036854775807 && resource.a < 2", 2),
    ] {
        assert_eq!(steps(condition), expected, "{condition}");
    }
}
