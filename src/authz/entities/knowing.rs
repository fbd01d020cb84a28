//! Policies and the entities that they know, as a service keeps them.

use std::sync::Arc;

use super::{Entities, EntitiesError, KnownEntities};
use crate::authz::{
    AccessRequest, Action, Attr, Coarse, Context, Entity, PolicySet, Subject, TypeName, Uid, Value,
};

/// Policies, and the entities that were made known to them, if any. Clones share both.
#[derive(Clone, Debug)]
pub(crate) struct Knowing {
    policies: Arc<PolicySet>,
    entities: Option<Arc<Entities>>,
}

impl Knowing {
    pub(crate) fn set(&self) -> &PolicySet {
        &self.policies
    }

    pub(crate) fn entities(&self) -> Option<&Arc<Entities>> {
        self.entities.as_ref()
    }

    /// The same policies with these entities, or none, instead of what they knew.
    ///
    /// # Errors
    /// As [`PolicySet::know`]; and when the entities mention roles, which they cannot give.
    pub(crate) fn with(&self, entities: Option<&Arc<Entities>>) -> Result<Self, EntitiesError> {
        if let Some(entities) = entities {
            let known = self.policies.know(entities)?;
            if known.entities.types.text(TypeName::ROLE).is_some() {
                return Err(EntitiesError::Role);
            }
        }
        Ok(Self { policies: Arc::clone(&self.policies), entities: entities.cloned() })
    }

    /// Lets the policies answer, with what is stored of principal and resource added to them.
    pub(crate) fn ask<T>(
        &self,
        request: &AccessRequest<'_>,
        answer: impl FnOnce(&PolicySet, &AccessRequest<'_>) -> T,
    ) -> T {
        let Some(known) = self.known() else { return answer(&self.policies, request) };
        let principal = &Beside::new(request.principal, known);
        let resource = &Beside::new(request.resource, known);
        let context = &request.context.entities(known);
        answer(&self.policies, &AccessRequest { principal, resource, context, ..*request })
    }

    /// As [`PolicySet::could`], with what is stored of the principal added to it.
    pub(crate) fn could(
        &self,
        subject: &Subject,
        principal: &dyn Entity,
        action: Action,
        context: &Context<'_>,
    ) -> Coarse {
        let Some(known) = self.known() else {
            return self.policies.could(subject, principal, action, context);
        };
        let principal = &Beside::new(principal, known);
        self.policies.could(subject, principal, action, &context.entities(known))
    }

    /// They were held against the policies when they were put beside them.
    fn known(&self) -> Option<KnownEntities<'_>> {
        let (policies, entities) = (&*self.policies, self.entities.as_deref()?);
        Some(KnownEntities { entities, policies })
    }
}

impl From<PolicySet> for Knowing {
    fn from(policies: PolicySet) -> Self {
        Self { policies: policies.into(), entities: None }
    }
}

/// An entity of a request, and the stored one of its name.
struct Beside<'a> {
    own: &'a dyn Entity,
    stored: Option<&'a dyn Entity>,
}

impl<'a> Beside<'a> {
    fn new(own: &'a dyn Entity, known: KnownEntities<'a>) -> Self {
        Self { own, stored: known.find(Uid { type_name: own.type_name(), id: own.id() }) }
    }

    fn or_stored(
        &self,
        own: Value<'a>,
        stored: impl FnOnce(&'a dyn Entity) -> Value<'a>,
    ) -> Value<'a> {
        match (own, self.stored) {
            (Value::Missing, Some(entity)) => stored(entity),
            (own, _) => own,
        }
    }
}

impl Entity for Beside<'_> {
    fn type_name(&self) -> TypeName {
        self.own.type_name()
    }

    fn id(&self) -> &str {
        self.own.id()
    }

    fn attr(&self, attr: &Attr<'_>) -> Value<'_> {
        self.or_stored(self.own.attr(attr), |stored| stored.attr(attr))
    }

    fn tag(&self, name: &str) -> Value<'_> {
        self.or_stored(self.own.tag(name), |stored| stored.tag(name))
    }

    fn is_in(&self, ancestor: Uid<'_>) -> bool {
        self.own.is_in(ancestor) || self.stored.is_some_and(|stored| stored.is_in(ancestor))
    }
}
