//! Random policies in Cedar's text, random entities and requests, decided here and by Cedar.
//!
//! `PORTCULLIS_CASES` says how many sets of policies are tried; each is asked several questions.

mod policies;
mod world;

use std::{collections::BTreeSet, str::FromStr};

use cedar_policy::{
    AuthorizationError, Authorizer, Context as CedarContext, Decision as CedarDecision, Effect,
    Entities as CedarEntities, EntityUid, PolicyId, PolicySet as CedarSet, Request,
};
use portcullis::{
    UnixTime,
    authz::{AccessRequest, CedarPolicies, Context, Entities, PolicySet, RuleId},
};
use portcullis_differential::Choices;
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, TestError, TestRunner},
};

use crate::world::World;

const CASES: u32 = 2_000;
const QUESTIONS: usize = 3;

/// How often what was met.
#[derive(Debug, Default)]
struct Met {
    allows: u32,
    forbids: u32,
    defaults: u32,
    errors: u32,
    /// Denied here because a forbid failed, allowed by Cedar.
    closed: u32,
}

impl Met {
    fn note(&mut self, answer: &Answer, failed: bool) {
        let denied = u32::from(!answer.allow);
        self.allows += u32::from(answer.allow);
        self.forbids += denied * u32::from(!answer.rules.is_empty());
        self.defaults += denied * u32::from(answer.rules.is_empty());
        self.errors += u32::from(!answer.errors.is_empty());
        self.closed += u32::from(failed);
    }
}

#[test]
fn cedar_decides_as_we_do() {
    let cases = std::env::var("PORTCULLIS_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let met = std::cell::RefCell::new(Met::default());
    let bytes = (vec(any::<u8>(), 0..400), vec(any::<u8>(), 0..300));
    let result = TestRunner::new(config).run(&bytes, |(text, world)| {
        compare(&policies::text(&mut Choices::new(text)), world, &mut met.borrow_mut());
        Ok(())
    });
    let met = met.into_inner();
    println!("{cases} sets: {met:?}");
    if let Err(TestError::Fail(reason, _) | TestError::Abort(reason)) = result {
        panic!("{reason}");
    }
    let Met { allows, forbids, defaults, errors, closed } = met;
    assert!([allows, forbids, defaults, errors, closed].iter().all(|count| *count > cases / 100));
}

fn compare(text: &str, world: Vec<u8>, met: &mut Met) {
    let choices = &mut Choices::new(world);
    let world = World::new(choices);
    let cedar = CedarSet::from_str(text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let entities = CedarEntities::from_json_str(&world.entities, None).unwrap();
    let ours = Entities::from_json(&world.entities).unwrap_or_else(|error| panic!("{error}"));
    let parsed = CedarPolicies::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let printed = CedarPolicies::parse(&parsed.to_string());
    let printed = printed.unwrap_or_else(|error| panic!("{error}\n{text}\n{parsed}"));
    assert_eq!(printed.to_string(), parsed.to_string(), "{text}");
    for policies in [parsed, printed] {
        let set = || PolicySet::from_policies(policies.clone().actions_of(&ours)).unwrap();
        let sets = [set().cedar_compat(), set()];
        for _ in 0..QUESTIONS {
            let question = world.question(choices);
            let expected = cedars(&question, &cedar, &entities);
            let [compat, closed] = sets.each_ref().map(|set| report(&question, set, &ours));
            let told = || format!("{text}\n{}\n{}", world.entities, question.context);
            assert_eq!(compat, expected, "{}", told());
            let is_forbid = |id: &String| {
                let policy = cedar.policy(&PolicyId::new(id));
                policy.is_some_and(|policy| policy.effect() == Effect::Forbid)
            };
            let failed = expected.allow && expected.errors.iter().any(is_forbid);
            assert_eq!(closed.allow, expected.allow && !failed, "{}", told());
            assert_eq!(closed.errors, expected.errors, "{}", told());
            met.note(&expected, failed);
        }
    }
}

/// A question: principal, action, resource and context.
pub(crate) struct Question {
    principal: (&'static str, &'static str),
    action: &'static str,
    resource: (&'static str, &'static str),
    context: String,
}

/// An answer, with the policies that determined it and those that could not be evaluated.
#[derive(Debug, PartialEq)]
struct Answer {
    allow: bool,
    rules: BTreeSet<String>,
    errors: BTreeSet<String>,
}

fn cedars(question: &Question, policies: &CedarSet, entities: &CedarEntities) -> Answer {
    let uid = |(kind, id): (&str, &str)| {
        EntityUid::from_str(&format!("{kind}::\"{}\"", id.escape_debug())).unwrap()
    };
    let request = Request::new(
        uid(question.principal),
        uid(("Action", question.action)),
        uid(question.resource),
        CedarContext::from_json_str(&question.context, None).unwrap(),
        None,
    );
    let answer = Authorizer::new().is_authorized(&request.unwrap(), policies, entities);
    let failed = |error: &AuthorizationError| match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
    };
    Answer {
        allow: answer.decision() == CedarDecision::Allow,
        rules: answer.diagnostics().reason().map(ToString::to_string).collect(),
        errors: answer.diagnostics().errors().map(failed).collect(),
    }
}

fn report(question: &Question, policies: &PolicySet, entities: &Entities) -> Answer {
    let known = policies.know(entities).unwrap();
    let members = known.members(&question.context).unwrap();
    let entity = |(kind, id): (&str, &'static str)| known.entity(kind, id).unwrap();
    let report = policies.report(&AccessRequest {
        subject: &policies.without_roles(),
        principal: &entity(question.principal),
        action: policies.action(question.action).unwrap(),
        resource: &entity(question.resource),
        context: &Context::plain(UnixTime::from_secs(0), &members).entities(known),
    });
    let name = |rule: RuleId| policies.rule_name(rule).unwrap().to_owned();
    Answer {
        allow: report.decision().is_allow(),
        rules: report.rules().map(name).collect(),
        errors: report.errors().map(|(rule, _)| name(rule)).collect(),
    }
}
