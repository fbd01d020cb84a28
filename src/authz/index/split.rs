//! Which question divides rules best.

use super::{
    build::{Builder, Entry},
    probe::Question,
};

/// A question, and those of which none may fail where rules are passed over by its answer.
pub(super) struct Split {
    pub(super) question: u32,
    pub(super) needs: Vec<u32>,
}

/// The question after whose answer the fewest rules are left at most. The resource's type comes
/// first: it is known at once, and what conditions read goes by it. `None` if more than three
/// quarters would be left.
pub(super) fn best(builder: &Builder, entries: &[Entry]) -> Option<Split> {
    let mut answers: Vec<(u32, u32)> = Vec::new();
    for entry in entries {
        let before = answers.len();
        for (_, key) in builder.usable(&entry.list) {
            let own = answers.get(before..).unwrap_or_default();
            if !own.iter().any(|other| other.0 == key.0) && can_ask(builder, key.0) {
                answers.push(key);
            }
        }
    }
    answers.sort_unstable();
    let of_questions = answers.chunk_by(|one, other| one.0 == other.0);
    let judged = of_questions.filter_map(|answers| {
        let question = answers.first()?.0;
        let largest = answers.chunk_by(|one, other| one == other).map(<[_]>::len).max()?;
        let left = largest + entries.len() - answers.len();
        let is_kind = matches!(builder.asked.get(question as usize)?.question, Question::Kind(_));
        (4 * left <= 3 * entries.len()).then_some((!is_kind, left, question))
    });
    let (_, _, question) = judged.min()?;
    Some(Split { question, needs: needs(builder, entries, question) })
}

fn can_ask(builder: &Builder, question: u32) -> bool {
    let asked = builder.asked.get(question as usize);
    asked.is_some_and(|asked| asked.probe.is_some() || !builder.is_full())
}

/// The question itself, and the hazards of all that stands before it.
fn needs(builder: &Builder, entries: &[Entry], question: u32) -> Vec<u32> {
    let mut needs = vec![question];
    for entry in entries {
        let found = builder.usable(&entry.list).find(|(_, key)| key.0 == question);
        let before = found.and_then(|(at, _)| entry.list.get(..at)).unwrap_or_default();
        let facts = before.iter().filter_map(|number| builder.facts.get(*number as usize));
        for hazard in facts.filter_map(|facts| facts.hazards.as_deref()).flatten() {
            if !needs.contains(hazard) {
                needs.push(*hazard);
            }
        }
    }
    needs
}
