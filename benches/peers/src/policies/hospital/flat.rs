//! What a decision costs as policies get more: ours alone.

use std::{error::Error, hint::black_box};

use super::{Hospital, by_hand::Bound, ours::Ours};
use crate::measure::{Cycle, Engine, Session, Workload};

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let name = "policy/hospital/flat";
    if !session.wants(name) {
        return Ok(());
    }
    // Each size is asked its own questions, and answers as the bound does.
    let bound = Bound::new();
    let mut workload = Workload::new(name, [true; super::REQUESTS]);
    for departments in [1, 5, 50, 300] {
        let Hospital { policies, asked } = Hospital::new(departments);
        let ours = Ours::new(&policies)?;
        let asked = asked.into_iter().map(|one| (ours.action(one.action), one));
        let asked = Cycle::new(asked.collect::<Vec<_>>());
        let right = asked.answers(|(action, one)| ours.may(one, *action) == bound.allows(one));
        let engine = format!("portcullis+{} policies", 33 * departments + 5);
        let engine = Engine::new(engine, right, move || {
            asked.ask(|(action, one)| ours.may(black_box(one), *action))
        });
        workload =
            if departments == 5 { workload.reference(engine) } else { workload.engine(engine) };
    }
    session.measure(workload)
}
