//! Ours: the same rule in the role document. The caller's roles are resolved and the context is
//! built in each call; only the caller's own value and the document are there.

use std::{error::Error, hint::black_box, net::IpAddr};

use portcullis::{
    Attribute, Document, Facts, PolicySet, Principal, UnixTime,
    authz::{AccessRequest, Action, Context, Value},
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

struct Doc {
    id: String,
    department: String,
}

entity! {
    Doc as "Doc" by id { department: string }
}

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
    let requests = Cycle::new(requests);
    let answers = requests.answers(|request| allows(&policies, request));
    Ok(workload.engine(Engine::new("portcullis", answers, move || {
        requests.ask(|request| allows(&policies, black_box(request)))
    })))
}

fn allows(policies: &PolicySet, request: &Request) -> bool {
    let mut facts = Facts::default();
    facts.client = Some(request.client);
    let own = [("hour", Value::Long(request.hour))];
    let decision = policies.decide(&AccessRequest {
        subject: &policies.subject(&request.principal),
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
