//! A document, and what it prints as Cedar's text, read back: they decide alike.

use proptest::prelude::*;

use super::{
    super::{AccessRequest, CedarPolicies, Context, Entities, PolicySet, Report},
    sets::{Asked, Written, principal, questions, rules, set},
};
use crate::UnixTime;

/// What a document's set decides, and what its text does about what it tells Cedar; `None` where
/// it cannot tell.
fn both(set: &PolicySet, again: &PolicySet, asked: &Asked) -> Option<(Report, Report)> {
    let request = AccessRequest {
        subject: &set.subject(&principal(asked)),
        principal: &asked.scene.principal,
        action: set.action("doc:read").unwrap(),
        resource: &asked.scene.resource,
        context: &Context::new(UnixTime::from_secs(asked.now)).members(&asked.scene.context),
    };
    let told = set.to_cedar_request(&request).ok()?;
    let entities = Entities::from_json(told.entities()).unwrap();
    let known = again.know(&entities).unwrap();
    let members = known.members(told.context()).unwrap();
    let other = AccessRequest {
        subject: &again.without_roles(),
        principal: &known.entity("User", "s/a").unwrap(),
        action: again.action("doc:read").unwrap(),
        resource: &known.entity("Doc", "d").unwrap(),
        context: &Context::plain(UnixTime::from_secs(asked.now), &members).entities(known),
    };
    assert_eq!(told.principal(), "User::\"s/a\"");
    Some((set.report(&request), again.report(&other)))
}

fn names(set: &PolicySet, report: &Report) -> Vec<String> {
    report.rules().map(|rule| set.rule_name(rule).unwrap().to_owned()).collect()
}

fn read_back(set: &PolicySet) -> PolicySet {
    let text = set.to_cedar();
    let read = CedarPolicies::parse(&text).and_then(CedarPolicies::named_by_id);
    read.and_then(PolicySet::from_policies).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn check(rules: &[Written], questions: &[Asked], skips_errors: bool) -> Result<u32, TestCaseError> {
    let kind = |set: PolicySet| if skips_errors { set.cedar_compat() } else { set };
    let set = kind(set(rules));
    let again = kind(read_back(&set));
    let mut compared = 0;
    for (one, other) in questions.iter().filter_map(|asked| both(&set, &again, asked)) {
        compared += 1;
        prop_assert_eq!(
            one.decision().is_allow(),
            other.decision().is_allow(),
            "{}",
            set.to_cedar()
        );
        let (mut rules, mut others) = (names(&set, &one), names(&again, &other));
        rules.sort();
        others.sort();
        // There, scopes are a forbid among others, and are asked first.
        if !others.iter().any(|name| name == "portcullis:scopes") {
            prop_assert_eq!(rules, others, "{:?} {:?} {}", one, other, set.to_cedar());
        }
    }
    Ok(compared)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_document_and_its_text_decide_alike(
        rules in rules(),
        questions in prop::collection::vec(questions(), 8),
        skips_errors in any::<bool>(),
    ) {
        check(&rules, &questions, skips_errors)?;
    }
}

#[test]
fn most_of_the_questions_can_be_told() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut compared = 0;
    for _ in 0..50 {
        let tree = (rules(), prop::collection::vec(questions(), 8)).new_tree(&mut runner).unwrap();
        let (rules, questions) = proptest::strategy::ValueTree::current(&tree);
        compared += check(&rules, &questions, false).unwrap();
    }
    assert!(compared > 100, "{compared} of 400");
}
