//! Cedar: entities, context and request are built in each call, as a request brings new ones; and
//! beside it all of them made beforehand.

use std::{error::Error, hint::black_box};

use cedar_policy::{
    Context, Entities, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};

use super::Asked;
use crate::{
    measure::{Cycle, Engine, Workload},
    policies::cedar::{Cedar, entity, request, text, uid},
    versions::peer,
};

const POLICY: &str = r#"
    permit(principal, action == Action::"read", resource) when {
        principal.roles.containsAny(["editor", "admin"]) &&
        principal.department == resource.department &&
        context.hour >= 9 && context.hour < 18 &&
        context.ip.isInRange(ip("10.0.0.0/8"))
    };
"#;

pub(super) fn add<'a>(
    workload: Workload<'a>,
    asked: &'a [Asked],
) -> Result<Workload<'a>, Box<dyn Error>> {
    let name = peer("cedar-policy")?;
    let (cedar, names) = (Cedar::new(POLICY)?, Names::new()?);
    let each: Vec<_> = asked.iter().map(|one| names.built(one)).collect::<Result<_, _>>()?;
    let new = Cycle::new(asked);
    let may = move |asked: &Asked| {
        names.built(asked).is_ok_and(|(request, entities)| cedar.allows(&request, &entities))
    };
    let answers = new.answers(|asked| may(asked));
    let workload = workload
        .reference(Engine::new(name.as_str(), answers, move || new.ask(|one| may(black_box(one)))));

    let (cedar, built) = (Cedar::new(POLICY)?, Cycle::new(each));
    let answers = built.answers(|(request, entities)| cedar.allows(request, entities));
    Ok(workload.engine(Engine::new(format!("{name} all made beforehand"), answers, move || {
        built.ask(|(request, entities)| cedar.allows(black_box(request), entities))
    })))
}

/// What of a request does not change, parsed once.
struct Names {
    user: EntityUid,
    doc: EntityUid,
    action: EntityTypeName,
}

impl Names {
    fn new() -> Result<Self, Box<dyn Error>> {
        let (user, doc) = (uid("User", "alice")?, uid("Doc", "budget")?);
        Ok(Self { user, doc, action: "Action".parse()? })
    }

    fn built(&self, asked: &Asked) -> Result<(Request, Entities), Box<dyn Error>> {
        let roles = asked.user.roles.iter().map(|role| text(role));
        let roles = RestrictedExpression::new_set(roles);
        let user = [("roles", roles), ("department", text(&asked.user.department))];
        let doc = [("department", text(&asked.doc.department))];
        let all = [entity(&self.user, user, [])?, entity(&self.doc, doc, [])?];
        let context = Context::from_pairs([
            ("hour".to_owned(), RestrictedExpression::new_long(asked.env.hour.into())),
            ("ip".to_owned(), RestrictedExpression::new_ip(&asked.env.ip)),
        ])?;
        let action =
            EntityUid::from_type_name_and_id(self.action.clone(), EntityId::new(asked.act));
        let request = request(&self.user, &action, &self.doc, context)?;
        Ok((request, Entities::from_entities(all, None)?))
    }
}
