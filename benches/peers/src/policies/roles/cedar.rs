//! Cedar: one policy, and documents that say which roles read them. One policy for each role is
//! beside it, as that is how roles are often written.

use std::{error::Error, fmt::Write as _, hint::black_box};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};

use super::{Asked, Form, KINDS, ROLES, USERS, kind_of, role};
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
    form: Form,
    asked: &'a [Asked],
) -> Result<Workload<'a>, Box<dyn Error>> {
    let name = peer("cedar-policy")?;
    let (cedar, entities) = (Cedar::new(ONE_POLICY)?, entities()?);
    let workload = match form {
        Form::Handles => {
            let requests = requests(asked)?;
            let answers = requests.answers(|request| cedar.allows(request, &entities));
            workload.reference(Engine::new(name.as_str(), answers, move || {
                requests.ask(|request| cedar.allows(black_box(request), &entities))
            }))
        }
        Form::Names => {
            let names = Names::new()?;
            let asked = Cycle::new(asked);
            let may = move |asked: &Asked| {
                let request = names.request(&asked.user, asked.kind);
                request.is_ok_and(|request| cedar.allows(&request, &entities))
            };
            let answers = asked.answers(|asked| may(asked));
            workload.reference(Engine::new(name.as_str(), answers, move || {
                asked.ask(|asked| may(black_box(asked)))
            }))
        }
    };
    let (cedar, entities, requests) =
        (Cedar::new(&policy_for_each_role())?, self::entities()?, requests(asked)?);
    let answers = requests.answers(|request| cedar.allows(request, &entities));
    Ok(workload.engine(Engine::new(format!("{name} policy for each role"), answers, move || {
        requests.ask(|request| cedar.allows(black_box(request), &entities))
    })))
}

fn policy_for_each_role() -> String {
    (0..ROLES).fold(String::new(), |mut text, nth| {
        let (role, kind) = (role(nth), kind_of(nth));
        // A string takes what is written to it.
        let _ = writeln!(
            text,
            r#"permit(principal in Role::"{role}", action == Action::"read", resource == Paper::"{kind}");"#
        );
        text
    })
}

/// Users in their roles, roles, and papers that list their readers.
fn entities() -> Result<Entities, Box<dyn Error>> {
    let roles: Vec<EntityUid> =
        (0..ROLES).map(|nth| uid("Role", &role(nth))).collect::<Result<_, _>>()?;
    let mut all: Vec<Entity> = Vec::new();
    for (nth, of_role) in roles.iter().enumerate() {
        all.push(entity(of_role, [], [])?);
        for user in nth * USERS / ROLES..(nth + 1) * USERS / ROLES {
            all.push(entity(&uid("User", &format!("user{user}"))?, [], [of_role.clone()])?);
        }
    }
    for kind in 0..KINDS {
        let readers = roles.iter().enumerate().filter(|(nth, _)| kind_of(*nth) == kind);
        let readers = readers.map(|(_, role)| RestrictedExpression::new_entity_uid(role.clone()));
        let readers = RestrictedExpression::new_set(readers);
        all.push(entity(&uid("Paper", &kind.to_string())?, [("readers", readers)], [])?);
    }
    Ok(Entities::from_entities(all, None)?)
}

fn requests(asked: &[Asked]) -> Result<Cycle<Request>, Box<dyn Error>> {
    let names = Names::new()?;
    let requests: Vec<Request> = asked
        .iter()
        .map(|asked| names.request(&asked.user, asked.kind))
        .collect::<Result<_, _>>()?;
    Ok(Cycle::new(requests))
}

/// What of a request does not change, parsed once.
struct Names {
    user: EntityTypeName,
    paper: EntityTypeName,
    read: EntityUid,
}

impl Names {
    fn new() -> Result<Self, Box<dyn Error>> {
        Ok(Self { user: "User".parse()?, paper: "Paper".parse()?, read: uid("Action", "read")? })
    }

    fn request(&self, user: &str, kind: usize) -> Result<Request, Box<dyn Error>> {
        let of = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        let paper = of(&self.paper, &kind.to_string());
        request(&of(&self.user, user), &self.read, &paper, Context::empty())
    }
}
