//! casbin: no handles, so both forms are one. Its own model for roles, but with the comparisons
//! that cost little first, which is faster.

use std::{error::Error, hint::black_box};

use casbin::CoreApi as _;

use super::{Asked, ROLES, USERS, kind_of, role};
use crate::{
    measure::{Cycle, Engine, Workload},
    policies::casbin::{cached, enforcer},
    versions::peer,
};

const MODEL: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.obj == p.obj && r.act == p.act && g(r.sub, p.sub)
";

pub(super) fn add<'a>(
    workload: Workload<'a>,
    asked: &'a [Asked],
) -> Result<Workload<'a>, Box<dyn Error>> {
    let rules: Vec<_> =
        (0..ROLES).map(|nth| vec![role(nth), paper(kind_of(nth)), "read".to_owned()]).collect();
    let groups: Vec<_> =
        (0..USERS).map(|user| vec![format!("user{user}"), role(user / 10)]).collect();
    let plain = enforcer(MODEL, rules.clone(), groups.clone())?;
    let cached = cached(MODEL, rules, groups)?;
    let requests = || Cycle::new(asked.iter().map(|one| (one.user.as_str(), paper(one.kind))));

    let name = peer("casbin")?;
    let may = move |user: &str, paper: &str| plain.enforce((user, paper, "read")).unwrap_or(false);
    let of_plain = requests();
    let answers = of_plain.answers(|(user, paper)| may(user, paper));
    let workload = workload.engine(Engine::new(name.as_str(), answers, move || {
        of_plain.ask(|(user, paper)| may(black_box(user), black_box(paper)))
    }));

    let may = move |user: &str, paper: &str| cached.enforce((user, paper, "read")).unwrap_or(false);
    let of_cached = requests();
    let answers = of_cached.answers(|(user, paper)| may(user, paper));
    Ok(workload.engine(Engine::new(format!("{name} cached, always a hit"), answers, move || {
        of_cached.ask(|(user, paper)| may(black_box(user), black_box(paper)))
    })))
}

fn paper(kind: usize) -> String {
    format!("paper{kind}")
}
