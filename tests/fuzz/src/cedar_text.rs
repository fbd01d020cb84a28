//! Policies in Cedar's text. What is printed reads back as the same, and decides alike; and what
//! a set prints of itself does too.

use portcullis::authz::{CedarPolicies, PolicyErrors, PolicySet};

use super::cedar_world::reports;

/// No more actions of one input are asked about.
const MOST_ACTIONS: usize = 4;

/// The target.
pub fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let policies = match CedarPolicies::parse(text) {
        Ok(policies) => policies,
        Err(errors) => {
            assert_eq!(CedarPolicies::parse(text).err().as_ref(), Some(&errors));
            told_well(&errors, text);
            return false;
        }
    };
    let printed = policies.to_string();
    let again = CedarPolicies::parse(&printed)
        .unwrap_or_else(|errors| panic!("printed, it does not read back: {errors}\n{printed}"));
    assert_eq!(again.to_string(), printed);

    let (set, again) = (PolicySet::from_policies(policies), PolicySet::from_policies(again));
    let (set, again) = match (set, again) {
        (Ok(set), Ok(again)) => (set, again),
        (Err(errors), Err(others)) => {
            assert_eq!(errors.to_string(), others.to_string());
            return false;
        }
        (one, other) => panic!("one loads, one does not: {:?} {:?}", one.err(), other.err()),
    };
    assert!(set.actions().eq(again.actions()));
    // Larger than what was read, it may be too large.
    let told = CedarPolicies::parse(&set.to_cedar()).and_then(CedarPolicies::named_by_id);
    let told = told.and_then(PolicySet::from_policies).map_err(|errors| {
        let errors = errors.to_string();
        let large = ["more than", "too long", "nested"].iter().any(|words| errors.contains(words));
        assert!(large, "{errors}\n{}", set.to_cedar());
    });
    for name in set.actions().take(MOST_ACTIONS) {
        let (one, other) = (set.action(name), again.action(name));
        let (Some(one), Some(other)) = (one, other) else { panic!("no action {name}") };
        let Some(expected) = reports(&set, one) else { continue };
        assert_eq!(reports(&again, other).as_ref(), Some(&expected), "{name}\n{printed}");
        let Some((told, action)) =
            told.as_ref().ok().and_then(|set| Some((set, set.action(name)?)))
        else {
            continue;
        };
        let answers = expected.iter().map(|report| report.decision().is_allow());
        let others = reports(told, action).into_iter().flatten();
        assert!(answers.eq(others.map(|report| report.decision().is_allow())), "{name}\n{printed}");
    }
    true
}

/// Every error has a place in the text, and there are not too many.
fn told_well(errors: &PolicyErrors, text: &str) {
    assert!((1..=101).contains(&errors.iter().count()));
    for error in errors.iter() {
        assert!(!error.message().is_empty() && error.path().is_empty());
        let Some(line) = error.line() else { continue };
        let line = text.split('\n').nth(line - 1).expect("a line of the text");
        let column = error.column().unwrap_or(1);
        assert!((1..=line.chars().count() + 1).contains(&column), "{error}");
    }
}
