//! Programs against a walk over the tree.
#![expect(clippy::wildcard_enum_match_arm, reason = "the rest has no detail")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, strategy::ValueTree};

use super::{
    super::{
        Context, EvalError, TypeName, Uid,
        bits::Bits,
        explain::Part,
        load::{
            emit::{Target, emit},
            expr::{Expr, Kind},
        },
        names::Names,
        program::{Outcomes, Program},
        schema::Ty,
        world::{Stop, World},
    },
    oracle::answer,
    world::{ROLES, Scene, conditions, scenes, schema, things, typed_conditions},
};
use crate::UnixTime;

fn program(part: Part) -> Result<Program, TestCaseError> {
    let (schema, roles) = (schema(), Names::new(ROLES));
    let resource = Ty::Entity(TypeName::new("Doc"));
    let emitted = emit(&part, Target { schema: &schema, roles: &roles, resource });
    emitted.map(|emitted| emitted.program).map_err(|_| TestCaseError::reject("too long"))
}

fn with_world<T>(scene: &Scene, resource: bool, ask: impl FnOnce(&World<'_>) -> T) -> T {
    let mut roles = Bits::none(ROLES.len());
    (0..)
        .zip(ROLES)
        .filter(|(_, r)| scene.roles.iter().any(|h| h == r))
        .for_each(|(n, _)| roles.add(n));
    let context = Context::new(UnixTime::from_secs(0)).members(&scene.context);
    ask(&World {
        roles: &roles,
        role_names: &Names::default(),
        action: Uid { type_name: TypeName::ACTION, id: "" },
        principal: &scene.principal,
        resource: resource.then_some(&scene.resource as _),
        context: &context,
    })
}

fn run(program: &Program, scene: &Scene) -> Result<bool, EvalError> {
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
