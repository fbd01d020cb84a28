//! The bound: numbers for names, three hash maps and a hash set.

use std::{
    collections::{HashMap, HashSet},
    hint::black_box,
};

use foldhash::fast::RandomState;

use super::World;
use crate::measure::{Cycle, Engine, Workload};

type Numbers<'a> = HashMap<&'a str, usize, RandomState>;

struct Maps<'a> {
    roles_of: Numbers<'a>,
    kinds: Numbers<'a>,
    acts: Numbers<'a>,
    grants: HashSet<(usize, usize, usize), RandomState>,
}

pub(super) fn add<'a>(workload: Workload<'a>, world: &'a World) -> Workload<'a> {
    let maps = Maps::new(world);
    let requests = Cycle::new(&world.asked);
    let answers = requests.answers(|one| maps.allows(&one.user, &one.kind, &one.act));
    workload.engine(Engine::new("bound: hash maps from names", answers, move || {
        requests.ask(|one| maps.allows(black_box(&one.user), black_box(&one.kind), &one.act))
    }))
}

impl<'a> Maps<'a> {
    fn new(world: &'a World) -> Self {
        let roles = numbers(world.rules.iter().map(|rule| &*rule.role));
        let kinds = numbers(world.rules.iter().map(|rule| &*rule.kind));
        let acts = numbers(world.rules.iter().map(|rule| &*rule.act));
        let role = |(user, role): &'a (String, String)| Some((&**user, *roles.get(&**role)?));
        let grants = world.rules.iter().filter_map(|rule| {
            Some((*roles.get(&*rule.role)?, *kinds.get(&*rule.kind)?, *acts.get(&*rule.act)?))
        });
        let grants = grants.collect();
        Self { roles_of: world.users.iter().filter_map(role).collect(), kinds, acts, grants }
    }

    fn allows(&self, user: &str, kind: &str, act: &str) -> bool {
        let found = (self.roles_of.get(user), self.kinds.get(kind), self.acts.get(act));
        let (Some(role), Some(kind), Some(act)) = found else { return false };
        self.grants.contains(&(*role, *kind, *act))
    }
}

fn numbers<'a>(names: impl Iterator<Item = &'a str>) -> Numbers<'a> {
    let mut numbers = Numbers::default();
    for name in names {
        let next = numbers.len();
        numbers.entry(name).or_insert(next);
    }
    numbers
}
