//! Cedar: a policy for each rule, and in casbin's worlds its best form beside it, one policy over
//! documents that list the roles of their readers. Entities and requests are made beforehand.

use std::{collections::HashMap, error::Error, fmt::Write as _, hint::black_box};

use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression};

use super::{Asked, World};
use crate::{
    measure::{Cycle, Engine, Workload},
    policies::cedar::{Cedar, entity, request, uid},
    versions::peer,
};

const ONE_POLICY: &str = r#"
    permit(principal, action == Action::"read", resource)
    when { principal in resource.readers };
"#;

pub(super) fn add<'a>(
    workload: Workload<'a>,
    world: &'a World,
) -> Result<Workload<'a>, Box<dyn Error>> {
    let name = peer("cedar-policy")?;
    let each = format!("{name} prebuilt, policy for each rule");
    let workload = engine(workload, each, &policy_for_each_rule(world), world)?;
    if world.is_casbins {
        return engine(workload, format!("{name} prebuilt, one policy"), ONE_POLICY, world);
    }
    Ok(workload)
}

fn engine<'a>(
    workload: Workload<'a>,
    name: String,
    policies: &str,
    world: &World,
) -> Result<Workload<'a>, Box<dyn Error>> {
    let (cedar, entities) = (Cedar::new(policies)?, entities(world)?);
    let requests: Vec<Request> =
        world.asked.iter().map(|one| asked(world, one)).collect::<Result<_, _>>()?;
    let requests = Cycle::new(requests);
    let answers = requests.answers(|request| cedar.allows(request, &entities));
    Ok(workload.reference(Engine::new(name, answers, move || {
        requests.ask(|request| cedar.allows(black_box(request), &entities))
    })))
}

fn policy_for_each_rule(world: &World) -> String {
    world.rules.iter().fold(String::new(), |mut text, rule| {
        let resource = if world.is_casbins {
            format!("resource == Data::\"{}\"", rule.kind)
        } else {
            format!("resource is {}", rule.kind)
        };
        let (role, act) = (&rule.role, &rule.act);
        // A string takes what is written to it.
        let _ = writeln!(
            text,
            "permit(principal in Role::\"{role}\", action == Action::\"{act}\", {resource});"
        );
        text
    })
}

/// Users in their roles, roles, and in casbin's worlds data that list their readers.
fn entities(world: &World) -> Result<Entities, Box<dyn Error>> {
    let mut roles: HashMap<&str, EntityUid> = HashMap::new();
    let mut all: Vec<Entity> = Vec::new();
    for (user, role) in &world.users {
        if !roles.contains_key(role.as_str()) {
            let uid = uid("Role", role)?;
            all.push(entity(&uid, [], [])?);
            roles.insert(role, uid);
        }
        all.push(entity(&uid("User", user)?, [], roles.get(role.as_str()).cloned())?);
    }
    let mut readers: HashMap<&str, Vec<RestrictedExpression>> = HashMap::new();
    for rule in world.rules.iter().filter(|_| world.is_casbins) {
        let role = roles.get(rule.role.as_str()).ok_or("every role has a user")?;
        let role = RestrictedExpression::new_entity_uid(role.clone());
        readers.entry(&rule.kind).or_default().push(role);
    }
    for (kind, readers) in readers {
        let readers = RestrictedExpression::new_set(readers);
        all.push(entity(&uid("Data", kind)?, [("readers", readers)], [])?);
    }
    Ok(Entities::from_entities(all, None)?)
}

fn asked(world: &World, one: &Asked) -> Result<Request, Box<dyn Error>> {
    let (kind, id) = if world.is_casbins { ("Data", &*one.kind) } else { (&*one.kind, "x") };
    let (user, act) = (uid("User", &one.user)?, uid("Action", &one.act)?);
    request(&user, &act, &uid(kind, id)?, Context::empty())
}
