//! Ours: grants in a role document, asked for by handles, by the action's name, and with the
//! caller's roles resolved in the call too.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    hint::black_box,
};

use portcullis::{
    Document, PolicySet, Principal, UnixTime,
    authz::{AccessRequest, Action, Attr, Context, Entity, Subject, TypeName, Value},
};

use super::World;
use crate::measure::{Cycle, Engine, Workload};

/// A resource of some kind; only its type matters.
struct Thing {
    kind: TypeName,
}

impl Entity for Thing {
    fn type_name(&self) -> TypeName {
        self.kind
    }
    fn id(&self) -> &str {
        "x"
    }
    fn attr(&self, _: &Attr<'_>) -> Value<'_> {
        Value::Missing
    }
}

/// A request in a handler: the caller and the resource are there.
pub(super) struct Request {
    principal: Principal,
    subject: Subject,
    name: String,
    action: Action,
    thing: Thing,
}

pub(super) struct Ours {
    policies: PolicySet,
    context: Context<'static>,
}

/// How it is asked.
type May = fn(&Ours, &Request) -> bool;

pub(super) fn add<'a>(
    mut workload: Workload<'a>,
    world: &World,
) -> Result<Workload<'a>, Box<dyn Error>> {
    let forms: [(&str, May); 3] = [
        ("portcullis", Ours::by_handles),
        ("portcullis+action by name", Ours::by_name),
        ("portcullis+action and roles by name", Ours::by_names),
    ];
    for (name, may) in forms {
        let ours = Ours::new(world)?;
        let requests = Cycle::new(ours.requests(world)?);
        let answers = requests.answers(|request| may(&ours, request));
        workload = workload.engine(Engine::new(name, answers, move || {
            requests.ask(|request| may(&ours, black_box(request)))
        }));
    }
    Ok(workload)
}

impl Ours {
    pub(super) fn new(world: &World) -> Result<Self, Box<dyn Error>> {
        let policies = PolicySet::from_document(Document::from_toml(&document(world))?)?;
        Ok(Self { policies, context: Context::new(UnixTime::from_secs(0)) })
    }

    pub(super) fn requests(&self, world: &World) -> Result<Vec<Request>, Box<dyn Error>> {
        let request = |one: &super::Asked| {
            let principal = Principal::assertion("staff", &one.user);
            let principal = principal.roles([one.role.as_str()]).finish()?;
            let name = format!("{}:{}", one.kind, one.act);
            Ok(Request {
                subject: self.policies.subject(&principal),
                principal,
                action: self.policies.action(&name).ok_or("the action is declared")?,
                name,
                thing: Thing { kind: TypeName::new(&one.kind) },
            })
        };
        world.asked.iter().map(request).collect()
    }

    pub(super) fn by_handles(&self, request: &Request) -> bool {
        self.may(request, &request.subject, request.action)
    }

    fn by_name(&self, request: &Request) -> bool {
        let action = self.policies.action(&request.name);
        action.is_some_and(|action| self.may(request, &request.subject, action))
    }

    fn by_names(&self, request: &Request) -> bool {
        let subject = self.policies.subject(&request.principal);
        let action = self.policies.action(&request.name);
        action.is_some_and(|action| self.may(request, &subject, action))
    }

    fn may(&self, request: &Request, subject: &Subject, action: Action) -> bool {
        let (principal, resource, context) = (&request.principal, &request.thing, &self.context);
        let asked = AccessRequest { subject, principal, action, resource, context };
        self.policies.decide(&asked).is_allow()
    }
}

/// A type for each kind, and of each role what it may do.
fn document(world: &World) -> String {
    let mut actions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut grants: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for rule in &world.rules {
        let action = format!("{}:{}", rule.kind, rule.act);
        actions.entry(&rule.kind).or_default().insert(action.clone());
        grants.entry(&rule.role).or_default().push(action);
    }
    let types = actions.into_iter().map(|(kind, all)| {
        let all: Vec<String> = all.into_iter().collect();
        format!("[resources.{kind}]\nactions = {all:?}\n")
    });
    let roles = grants.iter().map(|(role, may)| format!("{role} = {{ may = {may:?} }}\n"));
    types.chain(["[roles]\n".to_owned()]).chain(roles).collect()
}
