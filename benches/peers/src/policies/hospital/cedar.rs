//! Cedar: entities and requests made beforehand.

use std::{error::Error, hint::black_box};

use cedar_policy::{Context, Entities, Request, RestrictedExpression};

use super::{Asked, Hospital};
use crate::{
    measure::{Cycle, Engine, Workload},
    policies::cedar::{Cedar, entity, request, text, uid},
    versions::peer,
};

pub(super) fn add<'a>(
    workload: Workload<'a>,
    hospital: &Hospital,
) -> Result<Workload<'a>, Box<dyn Error>> {
    let cedar = Cedar::new(&hospital.policies)?;
    let asked = hospital.asked.iter().map(built).collect::<Result<Vec<_>, _>>()?;
    let asked = Cycle::new(asked);
    let answers = asked.answers(|(request, entities)| cedar.allows(request, entities));
    let name = format!("{} prebuilt", peer("cedar-policy")?);
    Ok(workload.reference(Engine::new(name, answers, move || {
        asked.ask(|(request, entities)| cedar.allows(black_box(request), entities))
    })))
}

fn built(asked: &Asked) -> Result<(Request, Entities), Box<dyn Error>> {
    let Asked { staff, action, item } = asked;
    let (user, thing) = (uid("User", &staff.id)?, uid(item.kind, "x")?);
    let departments = staff.departments.iter().map(|one| uid("Department", one));
    let departments = departments.collect::<Result<Vec<_>, _>>()?;
    let long = RestrictedExpression::new_long;
    let role = [("role", text(staff.role)), ("clearance", long(staff.clearance))];
    let of = [("department", text(&item.department)), ("sensitivity", long(item.sensitivity))];
    let all = [entity(&user, role, departments)?, entity(&thing, of, [])?];
    let request = request(&user, &uid("Action", action)?, &thing, Context::empty())?;
    Ok((request, Entities::from_entities(all, None)?))
}
