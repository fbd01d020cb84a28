//! The bound: what a role may do as a hash set of names, and the departments compared.

use std::{collections::HashSet, hint::black_box};

use foldhash::fast::RandomState;

use super::{Asked, Hospital, permits};
use crate::measure::{Cycle, Engine, Workload};

pub(super) struct Bound(HashSet<(&'static str, &'static str, &'static str), RandomState>);

impl Bound {
    pub(super) fn new() -> Self {
        let all = permits();
        let all = all.flat_map(|one| one.actions.into_iter().map(move |a| (one.role, one.kind, a)));
        Self(all.collect())
    }

    pub(super) fn allows(&self, Asked { staff, action, item }: &Asked) -> bool {
        item.sensitivity <= staff.clearance
            && staff.departments.contains(&item.department)
            && self.0.contains(&(staff.role, item.kind, *action))
    }
}

pub(super) fn add<'a>(
    workload: Workload<'a>,
    hospital: &'a Hospital,
    bound: &'a Bound,
) -> Workload<'a> {
    let asked = Cycle::new(&hospital.asked);
    let answers = asked.answers(|one| bound.allows(one));
    workload.engine(Engine::new("bound: a hash set of names", answers, move || {
        asked.ask(|one| bound.allows(black_box(one)))
    }))
}
