//! Ours: the same rule in the role document. The caller's roles are resolved and the context is
//! built in each call; only the caller's own value and the document are there. Beside it the roles
//! are resolved beforehand.

use std::{error::Error, hint::black_box, net::IpAddr, sync::Arc};

use portcullis::{
    Attribute, Document, Facts, PolicySet, Principal, UnixTime,
    authz::{AccessRequest, Action, Context, Subject, Value},
    entity,
};

use super::Asked;
use crate::measure::{Cycle, Engine, Workload};

const POLICY: &str = r#"
    [resources.Doc]
    attributes = { department = "string" }
    actions = ["read", "write"]
    [principal]
    attributes = { department = "string" }
    [context]
    hour = "long"
    [roles]
    editor = {}
    admin = {}
    [[rule]]
    id = "office"
    effect = "permit"
    actions = ["read"]
    roles = ["editor", "admin"]
    when = '''
        principal.department == resource.department &&
        context.hour >= 9 && context.hour < 18 &&
        context has client && context.client.isInRange(ip("10.0.0.0/8"))
    '''
"#;

#[derive(Clone)]
struct Doc {
    id: String,
    department: String,
}

entity! {
    Doc as "Doc" by id { department: string }
}

#[derive(Clone)]
struct Request {
    principal: Principal,
    action: Action,
    doc: Doc,
    hour: i64,
    client: IpAddr,
}

pub(super) fn add<'a>(
    workload: Workload<'a>,
    asked: &'a [Asked],
) -> Result<Workload<'a>, Box<dyn Error>> {
    let policies = PolicySet::from_document(Document::from_toml(POLICY)?)?;
    policies.check::<Doc>()?;
    let requests: Vec<Request> =
        asked.iter().map(|one| request(&policies, one)).collect::<Result<_, _>>()?;
    let made = requests.iter().map(|one| (policies.subject(&one.principal), one.clone()));
    let made = Cycle::new(made.collect::<Vec<_>>());
    let requests = Cycle::new(requests);
    let answers = requests
        .answers(|request| allows(&policies, &policies.subject(&request.principal), request));
    let answers_made = made.answers(|(subject, request)| allows(&policies, subject, request));
    let policies = Arc::new(policies);
    let again = Arc::clone(&policies);
    let workload = workload.engine(Engine::new("portcullis", answers, move || {
        requests.ask(|one| allows(&policies, &policies.subject(&one.principal), black_box(one)))
    }));
    Ok(workload.engine(Engine::new("portcullis+made beforehand", answers_made, move || {
        made.ask(|(subject, request)| allows(&again, subject, black_box(request)))
    })))
}

fn allows(policies: &PolicySet, subject: &Subject, request: &Request) -> bool {
    let mut facts = Facts::default();
    facts.client = Some(request.client);
    let own = [("hour", Value::Long(request.hour))];
    let decision = policies.decide(&AccessRequest {
        subject,
        principal: &request.principal,
        action: request.action,
        resource: &request.doc,
        context: &Context::new(UnixTime::from_secs(0)).facts(&facts).members(&own),
    });
    decision.is_allow()
}

fn request(policies: &PolicySet, asked: &Asked) -> Result<Request, Box<dyn Error>> {
    let principal = Principal::assertion("staff", "alice")
        .roles(asked.user.roles.iter().map(String::as_str))
        .attributes([("department", Attribute::Str(&asked.user.department))])
        .finish()?;
    Ok(Request {
        principal,
        action: policies.action(asked.act).ok_or("the action is declared")?,
        doc: Doc { id: "budget".to_owned(), department: asked.doc.department.clone() },
        hour: asked.env.hour.into(),
        client: asked.env.address.into(),
    })
}
