//! gatehouse: its policy for roles, and beside it the same as a rule of one's own, which copies no
//! roles. Roles are numbers. From names, user and paper are looked up, and the session of a request
//! is new in each call; otherwise all calls have one.

use std::{collections::HashMap, error::Error, hint::black_box};

use foldhash::fast::RandomState;
use gatehouse::{EvaluationSession, PermissionChecker, PolicyBuilder, PolicyDomain, RbacPolicy};

use super::{Asked, Form, KINDS, ROLES, USERS, kind_of};
use crate::{
    measure::{Cycle, Engine, Workload},
    policies::gatehouse::{allows, checker},
    versions::peer,
};

struct Papers;

impl PolicyDomain for Papers {
    type Subject = User;
    type Action = Read;
    type Resource = Paper;
    type Context = ();
}

#[derive(Clone)]
struct User {
    roles: Vec<usize>,
}

struct Read;

#[derive(Clone)]
struct Paper {
    readers: Vec<usize>,
}

pub(super) fn add<'a>(
    mut workload: Workload<'a>,
    form: Form,
    asked: &'a [Asked],
) -> Result<Workload<'a>, Box<dyn Error>> {
    let name = peer("gatehouse")?;
    let roles = RbacPolicy::new(
        |_: &Read, paper: &Paper| paper.readers.clone(),
        |user: &User| user.roles.clone(),
    );
    let rule = PolicyBuilder::<Papers>::new("readers")
        .when(|user, _, paper, ()| user.roles.iter().any(|role| paper.readers.contains(role)))
        .build();
    for (what, checker) in [("its roles", checker(roles)), ("own rule", checker(rule))] {
        let engine = match form {
            Form::Handles => by_handle(format!("{name} {what}"), checker, asked)?,
            Form::Names => by_name(format!("{name} {what}"), checker, asked),
        };
        workload = workload.engine(engine);
    }
    Ok(workload)
}

fn by_handle<'a>(
    name: String,
    checker: PermissionChecker<Papers>,
    asked: &[Asked],
) -> Result<Engine<'a>, Box<dyn Error>> {
    let (world, session) = (World::new(), EvaluationSession::empty());
    let known = |one: &Asked| {
        let paper = world.papers.get(&paper(one.kind)).cloned();
        world.users.get(&one.user).cloned().zip(paper)
    };
    let made = asked.iter().map(known).collect::<Option<Vec<_>>>();
    let made = Cycle::new(made.ok_or("a user or a paper is not there")?);
    let may =
        move |user: &User, paper: &Paper| allows(&checker.bind(&session, user, &Read, &()), paper);
    let answers = made.answers(|(user, paper)| may(user, paper));
    Ok(Engine::new(name, answers, move || made.ask(|(user, paper)| may(black_box(user), paper))))
}

fn by_name<'a>(name: String, checker: PermissionChecker<Papers>, asked: &'a [Asked]) -> Engine<'a> {
    let world = World::new();
    let requests = Cycle::new(asked.iter().map(|one| (one.user.as_str(), paper(one.kind))));
    let may = move |user: &str, paper: &str| {
        let session = EvaluationSession::empty();
        let known = world.users.get(user).zip(world.papers.get(paper));
        known.is_some_and(|(user, paper)| allows(&checker.bind(&session, user, &Read, &()), paper))
    };
    let answers = requests.answers(|(user, paper)| may(user, paper));
    Engine::new(name, answers, move || {
        requests.ask(|(user, paper)| may(black_box(user), black_box(paper)))
    })
}

struct World {
    users: HashMap<String, User, RandomState>,
    papers: HashMap<String, Paper, RandomState>,
}

impl World {
    fn new() -> Self {
        let user = |nth: usize| (format!("user{nth}"), User { roles: vec![nth / 10] });
        let readers = |kind| (0..ROLES).filter(|role| kind_of(*role) == kind).collect();
        let papers = (0..KINDS).map(|kind| (paper(kind), Paper { readers: readers(kind) }));
        Self { users: (0..USERS).map(user).collect(), papers: papers.collect() }
    }
}

fn paper(kind: usize) -> String {
    format!("paper{kind}")
}
