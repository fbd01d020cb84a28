//! Conditions of Cedar's text, without declared types. What they mean is held against what they
//! mean in other places and in other words: in a permit, an `unless`, a forbid; twice denied,
//! doubled, and inside a record, where no short test is made of them.

use portcullis::authz::{Decision, EvalError, PolicySet, Why};

use super::cedar_world::reports;

/// What a condition is, in each scene.
type Answers = Vec<Result<bool, EvalError>>;

/// The target.
pub fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    // It could end its policy. Of what ends its clause, no other words are a condition.
    if text.contains(';') {
        return false;
    }
    let Some(expected) = answers(&format!("when {{ {text}\n}}")) else { return false };
    let truth = |words: &str| words.replace("TEXT", &format!("({text}\n)"));
    let same = [
        "when { !(!TEXT) }",
        "when { TEXT && TEXT }",
        "when { false || TEXT }",
        "when { if TEXT then true else false }",
        "when { TEXT } when { TEXT }",
        "when { {a: TEXT}.a }",
        "when { {\"a b\": {c: TEXT}}[\"a b\"].c && true }",
        "unless { !TEXT }",
        "unless { if TEXT then false else true }",
    ];
    for words in same {
        // Only what is larger than the condition itself may be too large.
        let Some(found) = answers(&truth(words)) else { continue };
        assert_eq!(found, expected, "{words}");
    }
    if let Some(found) = answers(&truth("unless { TEXT }")) {
        let denied: Answers = expected.iter().map(|one| one.map(|truth| !truth)).collect();
        assert_eq!(found, denied);
    }
    true
}

/// What the clauses of a policy are, as a permit and a forbid say it.
fn answers(clauses: &str) -> Option<Answers> {
    let ask = |policy: &str| {
        let scope = "(principal, action == Action::\"ask\", resource)";
        let all = if policy == "forbid" { "permit (principal, action, resource);" } else { "" };
        let set = PolicySet::from_cedar(&format!("{policy} {scope} {clauses};\n{all}")).ok()?;
        reports(&set, set.action("ask")?)
    };
    let answer = |decision| match decision {
        Decision::Allow { .. } => Ok(false),
        Decision::Deny(Why::Forbidden(_)) => Ok(true),
        Decision::Deny(Why::ErrorInForbid(_, error)) => Err(error),
        Decision::Deny(why) => panic!("{why:?}"),
    };
    let forbidden: Answers =
        ask("forbid")?.iter().map(|report| answer(report.decision())).collect();
    for (permit, forbidden) in ask("permit")?.iter().zip(&forbidden) {
        let failed = permit.errors().map(|(_, error)| error).next();
        let permitted = match permit.decision() {
            Decision::Allow { .. } => Ok(true),
            Decision::Deny(Why::NoRule { .. }) => failed.map_or(Ok(false), Err),
            Decision::Deny(why) => panic!("{why:?}"),
        };
        assert_eq!(permitted, *forbidden);
    }
    Some(forbidden)
}
