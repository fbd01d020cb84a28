//! gatehouse: the rule as Rust, asked about the values as they are; the session is new in each call.

use std::{error::Error, hint::black_box};

use gatehouse::{EvaluationSession, PolicyBuilder, PolicyDomain};

use super::{Asked, Doc, Environment, User};
use crate::{
    measure::{Cycle, Engine, Workload},
    policies::gatehouse::{allows, checker},
    versions::peer,
};

struct Office;

impl PolicyDomain for Office {
    type Subject = User;
    type Action = &'static str;
    type Resource = Doc;
    type Context = Environment;
}

pub(super) fn add<'a>(
    workload: Workload<'a>,
    asked: &'a [Asked],
) -> Result<Workload<'a>, Box<dyn Error>> {
    let rule = PolicyBuilder::<Office>::new("office")
        .actions(|action| *action == "read")
        .subjects(|user| user.roles.iter().any(|role| role == "editor" || role == "admin"))
        .when(|user, _, doc, _| user.department == doc.department)
        .context(|env| (9..18).contains(&env.hour) && env.address.octets()[0] == 10)
        .build();
    let checker = checker(rule);
    let may = move |one: &Asked| {
        let session = EvaluationSession::empty();
        allows(&checker.bind(&session, &one.user, &one.act, &one.env), &one.doc)
    };
    let asked = Cycle::new(asked);
    let answers = asked.answers(|asked| may(asked));
    Ok(workload.engine(Engine::new(peer("gatehouse")?, answers, move || {
        asked.ask(|asked| may(black_box(asked)))
    })))
}
