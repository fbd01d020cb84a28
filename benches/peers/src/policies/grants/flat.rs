//! What a decision costs as rules get more: ours alone, each size beside the smallest.

use std::{error::Error, hint::black_box};

use super::{World, ours::Ours};
use crate::measure::{Cycle, Engine, Session, Workload};

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let name = "policy/growth/flat";
    if !session.wants(name) {
        return Ok(());
    }
    let mut workload = Workload::new(name, vec![true; super::REQUESTS]);
    for rules in [10, 1_000, 100_000] {
        let world = World::growth(rules);
        let ours = Ours::new(&world)?;
        let requests = Cycle::new(ours.requests(&world)?);
        let answers = requests.answers(|request| ours.by_handles(request));
        let engine = Engine::new(format!("portcullis+{rules} rules"), answers, move || {
            requests.ask(|request| ours.by_handles(black_box(request)))
        });
        workload = if rules == 10 { workload.reference(engine) } else { workload.engine(engine) };
    }
    session.measure(workload)
}
