//! Short ways to Cedar's values.

use std::{
    collections::{HashMap, HashSet},
    error::Error,
};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityUid, PolicySet, Request,
    RestrictedExpression,
};

/// Policies and what they are asked with.
pub(super) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
}

impl Cedar {
    pub(super) fn new(policies: &str) -> Result<Self, Box<dyn Error>> {
        Ok(Self { authorizer: Authorizer::new(), policies: policies.parse()? })
    }

    pub(super) fn allows(&self, request: &Request, entities: &Entities) -> bool {
        let response = self.authorizer.is_authorized(request, &self.policies, entities);
        response.decision() == Decision::Allow
    }
}

pub(super) fn uid(kind: &str, id: &str) -> Result<EntityUid, Box<dyn Error>> {
    Ok(EntityUid::from_type_name_and_id(kind.parse()?, EntityId::new(id)))
}

pub(super) fn entity<const N: usize>(
    uid: &EntityUid,
    attributes: [(&str, RestrictedExpression); N],
    parents: impl IntoIterator<Item = EntityUid>,
) -> Result<Entity, Box<dyn Error>> {
    let attributes: HashMap<_, _> =
        attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Entity::new(uid.clone(), attributes, parents.into_iter().collect::<HashSet<_>>())?)
}

pub(super) fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

pub(super) fn request(
    principal: &EntityUid,
    action: &EntityUid,
    resource: &EntityUid,
    context: Context,
) -> Result<Request, Box<dyn Error>> {
    Ok(Request::new(principal.clone(), action.clone(), resource.clone(), context, None)?)
}
