//! Programs against a walk over the tree.
#![expect(clippy::wildcard_enum_match_arm, reason = "the rest has no detail")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, strategy::ValueTree};

use super::{
    super::{
        Action, Context, EvalError, PolicySet, TypeName,
        bits::Bits,
        explain::Part,
        load::{
            emit::{Emitted, Target, emit},
            expr::{Expr, Kind, parse},
        },
        names::Names,
        program::{MAX_STEPS, Outcomes, Program},
        schema::Ty,
        world::{Stop, World},
    },
    oracle::answer,
    world::{Data, ROLES, Scene, Thing, conditions, scenes, schema, things, typed_conditions},
};
use crate::UnixTime;

pub(super) fn emitted(part: &Part) -> Option<Emitted> {
    let (schema, roles) = (schema(), Names::new(ROLES));
    let resource = Ty::Entity(TypeName::new("Doc"));
    emit(part, Target { schema: &schema, roles: &roles, resource }).ok()
}

pub(super) fn program(part: Part) -> Result<Program, TestCaseError> {
    let emitted = emitted(&part).ok_or_else(|| TestCaseError::reject("too long"));
    emitted.map(|emitted| emitted.program)
}

fn with_world<T>(scene: &Scene, resource: bool, ask: impl FnOnce(&World<'_>) -> T) -> T {
    let mut roles = Bits::none(ROLES.len());
    (0..)
        .zip(ROLES)
        .filter(|(_, r)| scene.roles.iter().any(|h| h == r))
        .for_each(|(n, _)| roles.add(n));
    let context = Context::new(UnixTime::from_secs(0)).members(&scene.context);
    ask(&World {
        set: &PolicySet::default(),
        roles: &roles,
        action: Action { epoch: 0, number: 0 },
        principal: &scene.principal,
        resource: resource.then_some(&scene.resource as _),
        context: &context,
    })
}

pub(super) fn run(program: &Program, scene: &Scene) -> Result<bool, EvalError> {
    let answer = with_world(scene, true, |world| program.run(world));
    answer.map_err(|stop| {
        assert_ne!(stop, Stop::Unknown);
        stop.error()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Which error, where there are several, is not compared.
    #[test]
    fn a_program_answers_as_a_walk_over_the_tree_does(expr in conditions(), scene in scenes()) {
        let expected = answer(&expr, &scene).ok();
        let when = program(Part::When(expr.clone()))?;
        prop_assert_eq!(run(&when, &scene).ok(), expected, "{}", expr);
        let unless = program(Part::Unless(expr))?;
        prop_assert_eq!(run(&unless, &scene).ok(), expected.map(|answer| !answer));
    }

    #[test]
    fn before_a_handler_runs_every_real_outcome_is_foreseen(
        expr in conditions(),
        scene in scenes(),
        reals in prop::collection::vec((things(), things()), 1..6),
    ) {
        let program = program(Part::When(expr))?;
        let outcomes = with_world(&scene, false, |world| program.outcomes(world));
        let Outcomes { yes, no, error, unknown } = outcomes;
        for (resource, context) in reals {
            let real = run(&program, &Scene { resource, context, ..scene.clone() });
            let foreseen = match real {
                Ok(true) => yes,
                Ok(false) => no,
                Err(real) => unknown || error == Some(real),
            };
            prop_assert!(foreseen, "{:?} in {:?}", real, outcomes);
            prop_assert!(!outcomes.is_only_yes() || real == Ok(true));
            prop_assert!(!outcomes.is_only_no() || real == Ok(false));
        }
        // What does not depend on the unknown is known, not guessed.
        prop_assert!(unknown || usize::from(yes) + usize::from(no) + usize::from(error.is_some()) == 1);
    }
}

/// Each operator that a condition has, by its name in the tree.
fn operators(expr: &Expr, all: &mut BTreeSet<String>) {
    let text = format!("{:?}", expr.kind);
    let name = text.split(['(', ' ']).next().unwrap_or_default();
    let detail = match &expr.kind {
        Kind::Contains(how, ..) => format!("{how:?}"),
        Kind::Arithmetic(operator, ..) => format!("{operator:?}"),
        Kind::Compare(relation, ..) => format!("{relation:?}"),
        Kind::Is(_, _, Some(_)) => "In".to_owned(),
        _ => String::new(),
    };
    all.insert(format!("{name}{detail}"));
    expr.parts().into_iter().for_each(|part| operators(part, all));
}

#[test]
fn the_conditions_of_these_tests_have_every_operator_and_every_answer() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut refused = 0;
    for _ in 0..6_000 {
        let tree = (typed_conditions(), scenes()).new_tree(&mut runner).unwrap();
        let (expr, scene) = ValueTree::current(&tree);
        let Ok(program) = program(Part::When(expr.clone())) else {
            refused += 1;
            continue;
        };
        let mut all = BTreeSet::new();
        operators(&expr, &mut all);
        let answer = match run(&program, &scene) {
            Ok(true) => 0,
            Ok(false) => 1,
            Err(_) => 2,
        };
        for name in all {
            seen.entry(name).or_default()[answer] += 1;
        }
    }
    assert!(refused < 150, "{refused} of 3,000 do not fit");
    let expected = [
        "And",
        "ArithmeticAdd",
        "ArithmeticMultiply",
        "ArithmeticSubtract",
        "CompareAtLeast",
        "CompareAtMost",
        "CompareEqual",
        "CompareLess",
        "CompareMore",
        "ContainsAll",
        "ContainsAny",
        "ContainsElement",
        "Field",
        "Has",
        "If",
        "In",
        "Is",
        "IsEmpty",
        "IsIn",
        "Like",
        "Literal",
        "Negated",
        "Not",
        "Or",
        "Path",
        "Record",
        "Set",
    ];
    assert!(seen.keys().eq(expected), "{seen:?}");
    assert!(seen.values().all(|answers| answers.iter().all(|count| *count >= 10)), "{seen:?}");
}

/// How many tests are kept of a condition, and what it costs; `None` where that is too much.
fn costs(condition: &str) -> Option<(usize, usize)> {
    let emitted = emitted(&Part::When(parse(condition).unwrap()))?;
    Some((emitted.program.rest.len() + 1, emitted.cost))
}

/// A record of so many fields that are true, and what else is in it.
fn record(fields: usize, other: &str) -> String {
    let fields: String = (0..fields).map(|at| format!("f{at}:true,")).collect();
    format!("{{{fields}{other}}}")
}

#[test]
fn what_is_looked_at_costs_a_quarter_of_what_is_kept() {
    let tests = |count: usize| vec!["true"; count].join("&&");
    assert_eq!(costs("resource.c"), Some((1, 1)));
    assert_eq!(costs(&tests(20)), Some((20, 25)));
    assert_eq!(costs(&tests(MAX_STEPS)), Some((1_024, 1_280)));
    assert_eq!(costs(&tests(MAX_STEPS + 1)), None);
    // Nothing of it is kept, and all of it is compared.
    let same = |fields| format!("{0} == {0}", record(fields, "g: true"));
    let (kept, cost) = costs(&same(300)).unwrap();
    assert!(kept == 1 && (200..400).contains(&cost), "{cost}");
    // The texts of a pattern are kept, and long ones count as several.
    let like = |stars: usize| format!("resource.d like \"{}\"", "x*".repeat(stars));
    assert!(costs(&like(20)).is_some_and(|(kept, cost)| kept == 1 && cost > 20));
    assert!(costs(&like(700)).is_some() && costs(&like(1_020)).is_none());
}

#[test]
fn what_is_copied_for_each_choice_counts_though_nothing_of_it_is_kept() {
    let chosen = |choices: usize| {
        let choose = |other, at| format!("if resource.a == {at} then {at} else {other}");
        let value = (0..choices).fold("0".to_owned(), choose);
        format!("{} == {}", record(300, &format!("g: ({value})")), record(300, "g: 1"))
    };
    assert!(costs(&chosen(5)).is_some());
    assert_eq!(costs(&chosen(9)), None);
}

#[test]
fn each_of_a_set_is_compared_with_each_of_another_only_where_these_are_few() {
    let set = |count: usize| format!("[{}]", vec!["{a:true}"; count].join(","));
    let asked = |one, other| format!("{}.containsAll({})", set(one), set(other));
    for (one, other) in [(17, 17), (1, 60), (60, 1)] {
        assert!(costs(&asked(one, other)).is_some(), "{one} {other}");
    }
    for (one, other) in [(200, 200), (400, 10), (10, 400)] {
        let condition = Part::When(parse(&asked(one, other)).unwrap());
        let mut refused = false;
        let counted = allocation_counter::measure(|| refused = emitted(&condition).is_none());
        // It is refused before the comparisons are written down.
        assert!(refused && counted.bytes_total < 1_000_000, "{one} {other}: {counted:?}");
    }
}

#[test]
fn nothing_is_read_of_an_entity_that_is_not_of_the_declared_type() {
    let program = program(Part::When(parse("resource.b.c").unwrap())).unwrap();
    let asked = |kind: &'static str| {
        let between = Data::Thing(Thing::new(kind, "s/a").with("c", Data::Bool(true)));
        let thing = |kind: &'static str| Thing::new(kind, "s/a");
        let resource = thing("Doc").with("b", between);
        let (principal, context) = (thing("User"), thing("Folder"));
        run(&program, &Scene { principal, resource, context, roles: Vec::new() })
    };
    assert_eq!(asked("Folder"), Ok(true));
    assert_eq!(asked("User"), Err(EvalError::WrongType));
}
