//! The bound: the rule as Rust.

use std::hint::black_box;

use super::Asked;
use crate::measure::{Cycle, Engine, Workload};

pub(super) fn add<'a>(workload: Workload<'a>, asked: &'a [Asked]) -> Workload<'a> {
    let asked = Cycle::new(asked);
    let answers = asked.answers(|asked| allows(asked));
    workload.engine(Engine::new("bound: the rule in Rust", answers, move || {
        asked.ask(|asked| allows(black_box(asked)))
    }))
}

fn allows(asked: &Asked) -> bool {
    asked.act == "read"
        && asked.user.roles.iter().any(|role| role == "editor" || role == "admin")
        && asked.user.department == asked.doc.department
        && (9..18).contains(&asked.env.hour)
        && asked.env.address.octets()[0] == 10
}
