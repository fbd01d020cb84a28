//! Ours: roles grant actions. The document is asked for by name and for handles.

use std::{error::Error, fmt::Write as _, hint::black_box};

use portcullis::{
    Document, PolicySet, Principal, UnixTime,
    authz::{AccessRequest, Action, Context, Subject},
    entity,
};

use super::{Asked, Form, KINDS, ROLES, kind_of, role};
use crate::measure::{Cycle, Engine, Workload};

struct Paper {
    id: String,
}

entity! {
    Paper as "Paper" by id {}
}

/// A request in a handler: the caller and the paper are there.
struct Request {
    principal: Principal,
    subject: Subject,
    name: String,
    action: Action,
    paper: Paper,
}

struct World {
    policies: PolicySet,
    context: Context<'static>,
}

pub(super) fn add<'a>(
    workload: Workload<'a>,
    form: Form,
    asked: &'a [Asked],
) -> Result<Workload<'a>, Box<dyn Error>> {
    let requests = |world: &World| world.requests(asked).map(Cycle::new);
    Ok(match form {
        Form::Handles => {
            let world = World::new()?;
            let requests = requests(&world)?;
            let may = move |one: &Request| world.may(one, &one.subject, one.action);
            let answers = requests.answers(&may);
            workload.engine(Engine::new("portcullis", answers, move || {
                requests.ask(|request| may(black_box(request)))
            }))
        }
        Form::Names => {
            let world = World::new()?;
            let of_names = requests(&world)?;
            let may = move |one: &Request| {
                let action = world.policies.action(&one.name);
                action.is_some_and(|action| world.may(one, &one.subject, action))
            };
            let answers = of_names.answers(&may);
            let workload = workload.engine(Engine::new("portcullis", answers, move || {
                of_names.ask(|request| may(black_box(request)))
            }));
            let world = World::new()?;
            let of_roles = requests(&world)?;
            let may = move |one: &Request| {
                let subject = world.policies.subject(&one.principal);
                let action = world.policies.action(&one.name);
                action.is_some_and(|action| world.may(one, &subject, action))
            };
            let answers = of_roles.answers(&may);
            workload.engine(Engine::new("portcullis+roles by name", answers, move || {
                of_roles.ask(|request| may(black_box(request)))
            }))
        }
    })
}

impl World {
    fn new() -> Result<Self, Box<dyn Error>> {
        let policies = PolicySet::from_document(Document::from_toml(&document())?)?;
        policies.check::<Paper>()?;
        Ok(Self { policies, context: Context::new(UnixTime::from_secs(0)) })
    }

    fn requests(&self, asked: &[Asked]) -> Result<Vec<Request>, Box<dyn Error>> {
        asked.iter().map(|asked| self.request(asked)).collect()
    }

    fn request(&self, asked: &Asked) -> Result<Request, Box<dyn Error>> {
        let principal = Principal::assertion("staff", &asked.user);
        let principal = principal.roles([asked.role.as_str()]).finish()?;
        let name = action(asked.kind);
        Ok(Request {
            subject: self.policies.subject(&principal),
            principal,
            action: self.policies.action(&name).ok_or("the action is declared")?,
            name,
            paper: Paper { id: asked.kind.to_string() },
        })
    }

    fn may(&self, request: &Request, subject: &Subject, action: Action) -> bool {
        let (principal, resource, context) = (&request.principal, &request.paper, &self.context);
        let asked = AccessRequest { subject, principal, action, resource, context };
        self.policies.decide(&asked).is_allow()
    }
}

fn document() -> String {
    let actions: Vec<String> = (0..KINDS).map(action).collect();
    let mut text =
        format!("[resources.Paper]\nattributes = {{}}\nactions = {actions:?}\n[roles]\n");
    for nth in 0..ROLES {
        // A string takes what is written to it.
        let _ = writeln!(text, "{} = {{ may = [{:?}] }}", role(nth), action(kind_of(nth)));
    }
    text
}

fn action(kind: usize) -> String {
    format!("paper{kind}:read")
}
