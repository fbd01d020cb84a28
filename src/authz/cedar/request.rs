//! A request, and the entities it tells of, in Cedar's JSON.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{
    COVERED, WINDOWS,
    reads::{Read, Reads},
    teller::{Name, Teller},
};
use crate::{
    UnixTime,
    authz::{AccessRequest, EvalError, PolicySet, explain::Times, schema::Ty},
};

/// A request in Cedar's words; see [`PolicySet::to_cedar_request`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CedarRequest {
    principal: String,
    action: String,
    resource: String,
    context: String,
    entities: String,
}

/// Why a request cannot be told in Cedar's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CedarError {
    /// The action or the subject was made by another policy set.
    #[error("the action or the subject was made by another policy set")]
    Stale,
    /// The policies were written in Cedar's words and declare no types to tell values by.
    #[error("the policies declare no types")]
    Undeclared,
    /// A value cannot be had, or contradicts its declared type; Cedar has no such values.
    #[error("`{0}` cannot be told: {1}")]
    Value(String, EvalError),
    /// An entity is known by name only where a condition asks more of it, but the request knows
    /// an entity of that name, and to Cedar the two are one.
    #[error("`{0}` is known by name only, but is the name of an entity of the request")]
    NameOnly(String),
    /// An entity is of a type that the policies do not declare, so that its name is not known.
    #[error("`{0}` is of a type that the policies do not declare")]
    UnknownType(String),
}

impl CedarRequest {
    /// The principal: `User::"staff/alice"`.
    #[must_use]
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// The action: `Action::"order:read"`.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The resource: `Order::"7"`.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The context, a JSON object.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The entities, a JSON array: principal, resource, the principal's roles, and what the
    /// conditions read of others.
    #[must_use]
    pub fn entities(&self) -> &str {
        &self.entities
    }
}

impl PolicySet {
    /// A request as Cedar takes it: with the text of [`to_cedar`](Self::to_cedar), Cedar answers
    /// what a set with [`cedar_compat`](Self::cedar_compat) answers.
    ///
    /// It tells of everything that the conditions of the action's rules read, and of nothing
    /// else. What [`Entity::is_in`](crate::authz::Entity::is_in) says must be a hierarchy: Cedar takes what lies in a part to
    /// lie in the whole, and refuses circles.
    ///
    /// The values are those of the request: mind where they go.
    ///
    /// ```
    /// use portcullis::{Principal, UnixTime, authz::{AccessRequest, Context, Document, PolicySet}};
    ///
    /// struct Order { id: String, owner: String, total: i64 }
    /// portcullis::entity! { Order as "Order" by id { owner: "User", total: long } }
    ///
    /// let policies = PolicySet::from_document(Document::from_toml(r#"
    ///     [resources.Order]
    ///     attributes = { owner = "User", total = "long" }
    ///     actions = ["order:read"]
    ///     [[rule]]
    ///     id = "owner-reads-own"
    ///     effect = "permit"
    ///     actions = ["order:read"]
    ///     when = "resource.owner == principal"
    /// "#)?)?;
    /// let alice = Principal::assertion("staff", "alice").finish()?;
    /// let request = policies.to_cedar_request(&AccessRequest {
    ///     subject: &policies.subject(&alice),
    ///     principal: &alice,
    ///     action: policies.action("order:read").ok_or("no such action")?,
    ///     resource: &Order { id: "7".into(), owner: "staff/bob".into(), total: 12 },
    ///     context: &Context::new(UnixTime::from_secs(0)),
    /// })?;
    /// assert_eq!(request.resource(), r#"Order::"7""#);
    /// assert!(request.entities().contains(r#""owner":{"__entity":{"id":"staff/bob","type":"User"}}"#));
    /// assert!(!request.entities().contains("total"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When a value that the conditions read has no counterpart in Cedar: see [`CedarError`].
    pub fn to_cedar_request(
        &self,
        request: &AccessRequest<'_>,
    ) -> Result<CedarRequest, CedarError> {
        let cell = self.cell_for(request.subject, request.action).ok_or(CedarError::Stale)?;
        let action = self.action_name(request.action).ok_or(CedarError::Stale)?;
        let declared = cell.resource.ok_or(CedarError::Undeclared)?;
        let reads = Reads::of(self, cell);
        let mut teller = Teller::new(self);
        let (principal, resource) = (request.principal, request.resource);
        let principal = teller.entity("principal", principal, Ty::Principal, &reads.principal)?;
        // No rule looks at a resource that is not of the action's type.
        let fitting = resource.type_name() == declared;
        let (nothing, ty) = (Read::default(), Ty::Entity(declared));
        let read = if fitting { &reads.resource } else { &nothing };
        let resource = teller.entity("resource", resource, ty, read)?;
        let mut context = teller.context(request.context, &reads.context)?;
        if !reads.windows.is_empty() {
            context.insert(WINDOWS.to_owned(), open(&reads.windows, request.context.now())?);
        }
        if let Some(covered) = &request.subject.covered {
            let covered = covered.iter().filter_map(|at| self.actions.name(at));
            let covered = covered.map(|name| Name::new("Action", name).reference());
            context.insert(COVERED.to_owned(), covered.collect());
        }
        let own = [principal, resource];
        let entities = teller.finish(&own, &reads, &request.subject.roles)?;
        let [principal, resource] = own;
        Ok(CedarRequest {
            principal: principal.to_string(),
            action: Name::new("Action", action).to_string(),
            resource: resource.to_string(),
            context: Json::Object(context).to_string(),
            entities: entities.to_string(),
        })
    }
}

/// The windows that it is the time for.
fn open(windows: &[&Times], now: UnixTime) -> Result<Json, CedarError> {
    let mut open = BTreeSet::new();
    for times in windows {
        let unknown = || CedarError::Value(times.text.to_string(), EvalError::Unavailable);
        if times.window.covers(now).ok_or_else(unknown)? {
            open.insert(&*times.text);
        }
    }
    Ok(open.into_iter().collect())
}
