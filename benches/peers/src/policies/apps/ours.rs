//! Ours: the same policies and entities, with handles made beforehand, and from names in each call.

use std::{error::Error, hint::black_box};

use portcullis::{
    UnixTime,
    authz::{
        AccessRequest, Action, CedarPolicies, Context, Entities, KnownEntity, PolicySet, Subject,
        Value,
    },
};

use super::App;
use crate::measure::{Cycle, Engine, Workload};

const NOTHING: [(&str, Value<'static>); 0] = [];

/// Read, and not yet made known to each other.
pub(super) struct Loaded {
    policies: PolicySet,
    entities: Entities,
    subject: Subject,
}

impl Loaded {
    pub(super) fn new(app: &App, json: &str) -> Result<Self, Box<dyn Error>> {
        // No policy names some of the actions, and some policies are about any.
        let mut policies = CedarPolicies::parse(app.policies)?;
        for (_, action, _) in &app.asked {
            policies = policies.action(&format!("Action::\"{action}\""), [])?;
        }
        let policies = PolicySet::from_policies(policies)?;
        let subject = policies.without_roles();
        Ok(Self { policies, entities: Entities::from_json(json)?, subject })
    }

    fn may(
        &self,
        context: &Context<'_>,
        principal: &KnownEntity<'_>,
        action: Action,
        resource: &KnownEntity<'_>,
    ) -> bool {
        let subject = &self.subject;
        let asked = AccessRequest { subject, principal, action, resource, context };
        self.policies.decide(&asked).is_allow()
    }
}

pub(super) fn add<'a>(
    workload: Workload<'a>,
    app: &'a App,
    loaded: &'a Loaded,
) -> Result<Workload<'a>, Box<dyn Error>> {
    let known = loaded.policies.know(&loaded.entities)?;
    let context = Context::plain(UnixTime::from_secs(0), &NOTHING).entities(known);
    let action = |name: &str| loaded.policies.action(name);

    let handles = app.asked.iter().map(|(user, name, (kind, id))| {
        let (user, resource) = (known.entity("User", user)?, known.entity(kind, id)?);
        Ok::<_, Box<dyn Error>>((user, action(name), resource))
    });
    let handles = Cycle::new(handles.collect::<Result<Vec<_>, _>>()?);
    let may =
        move |(user, action, resource): &(KnownEntity<'_>, Option<Action>, KnownEntity<'_>)| {
            action.is_some_and(|action| loaded.may(&context, user, action, resource))
        };
    let answers = handles.answers(&may);
    let prebuilt =
        Engine::new("portcullis", answers, move || handles.ask(|one| may(black_box(one))));

    let names = Cycle::new(&app.asked);
    let may = move |(user, name, (kind, id)): &(String, &str, (&str, String))| {
        let found = (known.entity("User", user), action(name), known.entity(kind, id));
        let (Ok(user), Some(action), Ok(resource)) = found else { return false };
        loaded.may(&context, &user, action, &resource)
    };
    let answers = names.answers(|one| may(one));
    let by_names =
        Engine::new("portcullis+from names", answers, move || names.ask(|one| may(black_box(one))));
    Ok(workload.engine(prebuilt).engine(by_names))
}
