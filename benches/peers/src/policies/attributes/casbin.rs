//! casbin: the conditions in the matcher, a policy line for each of the two roles.

use std::{error::Error, hint::black_box};

use casbin::CoreApi as _;

use super::Asked;
use crate::{
    measure::{Cycle, Engine, Workload},
    policies::casbin::enforcer,
    versions::peer,
};

const MODEL: &str = r#"
[request_definition]
r = sub, obj, act, env
[policy_definition]
p = role, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && p.role in r.sub.roles && r.sub.department == r.obj.department && r.env.hour >= 9 && r.env.hour < 18 && ipMatch(r.env.ip, "10.0.0.0/8")
"#;

pub(super) fn add<'a>(
    workload: Workload<'a>,
    asked: &'a [Asked],
) -> Result<Workload<'a>, Box<dyn Error>> {
    let rules = ["admin", "editor"].map(|role| vec![role.to_owned(), "read".to_owned()]);
    let enforcer = enforcer(MODEL, rules.into(), Vec::new())?;
    let may = move |one: &Asked| {
        enforcer.enforce((&one.user, &one.doc, one.act, &one.env)).unwrap_or(false)
    };
    let asked = Cycle::new(asked);
    let answers = asked.answers(|asked| may(asked));
    Ok(workload.engine(Engine::new(peer("casbin")?, answers, move || {
        asked.ask(|asked| may(black_box(asked)))
    })))
}
