//! casbin: in its own worlds its own model for roles, which looks at the role first; and the
//! comparisons that cost little first, which is faster.

use std::{error::Error, hint::black_box};

use casbin::{CoreApi as _, Enforcer};

use super::World;
use crate::{
    measure::{Cycle, Engine, Workload},
    policies::casbin::enforcer,
    versions::peer,
};

const OWN: &str = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act";
const CHEAP_FIRST: &str = "r.act == p.act && r.obj == p.obj && g(r.sub, p.sub)";

pub(super) fn add<'a>(
    mut workload: Workload<'a>,
    world: &'a World,
) -> Result<Workload<'a>, Box<dyn Error>> {
    let name = peer("casbin")?;
    let mut models = vec![("cheap tests first", CHEAP_FIRST)];
    if world.is_casbins {
        models.push(("its own model", OWN));
    }
    for (form, matcher) in models {
        let enforcer = filled(matcher, world)?;
        let requests = Cycle::new(&world.asked);
        let may = move |user: &str, kind: &str, act: &str| {
            enforcer.enforce((user, kind, act)).unwrap_or(false)
        };
        let answers = requests.answers(|one| may(&one.user, &one.kind, &one.act));
        workload = workload.engine(Engine::new(format!("{name} {form}"), answers, move || {
            requests.ask(|one| may(black_box(&one.user), black_box(&one.kind), &one.act))
        }));
    }
    Ok(workload)
}

fn filled(matcher: &str, world: &World) -> Result<Enforcer, Box<dyn Error>> {
    let model = format!(
        "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n\
         [role_definition]\ng = _, _\n[policy_effect]\ne = some(where (p.eft == allow))\n\
         [matchers]\nm = {matcher}\n"
    );
    let rules = world.rules.iter().map(|rule| [&rule.role, &rule.kind, &rule.act]);
    let groups = world.users.iter().map(|(user, role)| [user, role]);
    enforcer(
        &model,
        rules.map(|texts| texts.map(String::clone).to_vec()).collect(),
        groups.map(|texts| texts.map(String::clone).to_vec()).collect(),
    )
}
