//! The bound: numbers for names, two hash maps and a hash set.

use std::{
    collections::{HashMap, HashSet},
    hint::black_box,
};

use foldhash::fast::RandomState;

use super::{Asked, ROLES, USERS, kind_of};
use crate::measure::{Cycle, Engine, Workload};

struct World {
    roles: HashMap<String, usize, RandomState>,
    kinds: HashMap<String, usize, RandomState>,
    grants: HashSet<(usize, usize), RandomState>,
}

pub(super) fn add<'a>(workload: Workload<'a>, asked: &'a [Asked]) -> Workload<'a> {
    let world = World {
        roles: (0..USERS).map(|user| (format!("user{user}"), user / 10)).collect(),
        kinds: (0..super::KINDS).map(|kind| (action(kind), kind)).collect(),
        grants: (0..ROLES).map(|role| (role, kind_of(role))).collect(),
    };
    let requests = Cycle::new(asked.iter().map(|asked| (asked.user.as_str(), action(asked.kind))));
    let answers = requests.answers(|(user, action)| world.allows(user, action));
    workload.engine(Engine::new("bound: hash maps of numbers", answers, move || {
        requests.ask(|(user, action)| world.allows(black_box(user), black_box(action)))
    }))
}

fn action(kind: usize) -> String {
    format!("paper{kind}:read")
}

impl World {
    fn allows(&self, user: &str, action: &str) -> bool {
        let pair = self.roles.get(user).copied().zip(self.kinds.get(action).copied());
        pair.is_some_and(|pair| self.grants.contains(&pair))
    }
}
