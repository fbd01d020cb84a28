//! Programs against a walk over the tree.

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    super::{
        Context, EvalError, TypeName,
        bits::Bits,
        explain::Part,
        load::emit::{Target, emit},
        names::Names,
        program::{Halt, Outcomes, Program, Stop, World},
        schema::Ty,
    },
    oracle::answer,
    world::{ROLES, Scene, conditions, scenes, schema, things},
};
use crate::UnixTime;

fn program(part: Part) -> Result<Program, TestCaseError> {
    let (schema, roles) = (schema(), Names::new(ROLES));
    let resource = Ty::Entity(TypeName::new("Doc"));
    let emitted = emit(&[Arc::new(part)], Target { schema: &schema, roles: &roles, resource });
    emitted.map(|(program, _)| program).map_err(|_| TestCaseError::reject("too long"))
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
        principal: &scene.principal,
        resource: resource.then_some(&scene.resource as _),
        context: &context,
    })
}

fn run(program: &Program, scene: &Scene) -> Result<bool, EvalError> {
    let Halt { answer, .. } = with_world(scene, true, |world| program.run(world));
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
