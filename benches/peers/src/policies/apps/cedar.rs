//! Cedar: requests made beforehand, and from names in each call.

use std::{error::Error, hint::black_box};

use cedar_policy::{Context, Entities, EntityId, EntityTypeName, EntityUid, Request};

use super::App;
use crate::{
    measure::{Cycle, Engine, Workload},
    policies::cedar::{Cedar, request, uid},
    versions::peer,
};

pub(super) struct World {
    cedar: Cedar,
    entities: Entities,
    requests: Vec<Request>,
}

impl World {
    pub(super) fn new(app: &App, json: &str) -> Result<Self, Box<dyn Error>> {
        let requests = app.asked.iter().map(|(user, action, (kind, id))| {
            let (user, action) = (uid("User", user)?, uid("Action", action)?);
            request(&user, &action, &uid(kind, id)?, Context::empty())
        });
        let requests = requests.collect::<Result<_, _>>()?;
        let entities = Entities::from_json_str(json, None)?;
        Ok(Self { cedar: Cedar::new(app.policies)?, entities, requests })
    }

    /// What all must answer.
    pub(super) fn expected(&self) -> Vec<bool> {
        let allows = |request| self.cedar.allows(request, &self.entities);
        self.requests.iter().map(allows).collect()
    }
}

pub(super) fn add<'a>(
    workload: Workload<'a>,
    app: &'a App,
    world: World,
) -> Result<Workload<'a>, Box<dyn Error>> {
    let name = peer("cedar-policy")?;
    let World { cedar, entities, requests } = world;
    let (again, same) = (Cedar::new(app.policies)?, entities.clone());
    let requests = Cycle::new(requests);
    let answers = requests.answers(|request| cedar.allows(request, &entities));
    let prebuilt = Engine::new(format!("{name} prebuilt"), answers, move || {
        requests.ask(|request| cedar.allows(black_box(request), &entities))
    });
    let user: EntityTypeName = "User".parse()?;
    let action: EntityTypeName = "Action".parse()?;
    let asked = app.asked.iter().map(|(user, action, (kind, id))| {
        let kind: EntityTypeName = kind.parse()?;
        Ok::<_, Box<dyn Error>>((user, *action, kind, id))
    });
    let asked = Cycle::new(asked.collect::<Result<Vec<_>, _>>()?);
    let may = move |(name, act, kind, id): &(&String, &str, EntityTypeName, &String)| {
        let uid = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        let asked =
            request(&uid(&user, name), &uid(&action, act), &uid(kind, id), Context::empty());
        asked.is_ok_and(|asked| again.allows(&asked, &same))
    };
    let answers = asked.answers(&may);
    let by_names = Engine::new(format!("{name} from names"), answers, move || {
        asked.ask(|one| may(black_box(one)))
    });
    Ok(workload.reference(prebuilt).engine(by_names))
}
