//! Questions about one value are one step, and answer as they did.

use proptest::{prelude::*, sample::select};

use super::{
    super::{explain::Part, load::expr::parse},
    oracle::answer,
    programs::{emitted, program, run},
    world::scenes,
};

/// A question about one of few attributes.
fn question() -> impl Strategy<Value = String> {
    let owner = select(vec!["resource", "resource", "context", "principal"]);
    let number = select(vec!["-9223372036854775808", "-1", "0", "1", "2", "9223372036854775807"]);
    let relation = select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let other = select(vec!["has a", "has a", "has d", "has b", "has e"]);
    let plain = select(vec![
        ".d like \"x*\"",
        ".d == resource.d",
        ".b == principal.b",
        ".b in resource.b",
        ".b is Folder",
        ".e.isInRange(ip(\"10.0.0.0/8\"))",
        ".e.isInRange(resource.e)",
        ".c",
    ]);
    prop_oneof![
        4 => (owner.clone(), relation, number).prop_map(|(of, relation, number)| {
            format!("{of}.a {relation} {number}")
        }),
        3 => (owner.clone(), other).prop_map(|(of, other)| format!("{of} {other}")),
        3 => (owner, plain).prop_map(|(of, plain)| format!("{of}{plain}")),
    ]
}

fn several() -> impl Strategy<Value = String> {
    let one = (question(), 0..5)
        .prop_map(|(question, not)| if not == 0 { format!("!({question})") } else { question });
    let all = prop::collection::vec(one, 1..6).prop_map(|all| all.join(" && "));
    let any = prop::collection::vec(all, 1..3).prop_map(|any| any.join(" || "));
    (any, question()).prop_map(|(any, last)| format!("({any}) && {last}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn they_answer_as_a_walk_over_the_tree_does(
        condition in prop_oneof![several(), prop::collection::vec(question(), 1..5).prop_map(|all| all.join(" && "))],
        scene in scenes(),
    ) {
        let expr = parse(&condition).unwrap();
        let expected = answer(&expr, &scene).ok();
        prop_assert_eq!(run(&program(Part::When(expr.clone()))?, &scene).ok(), expected, "{}", condition);
        let unless = program(Part::Unless(expr))?;
        prop_assert_eq!(run(&unless, &scene).ok(), expected.map(|answer| !answer), "{}", condition);
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
