//! Entities that an application keeps beside its own types: a hierarchy, from Cedar's JSON.

mod by_name;
mod closure;
mod context;
mod json;
mod knowing;
mod known;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use by_name::{ByName, Name, Named};
pub use json::EntitiesError;
pub(crate) use knowing::Knowing;
pub use known::{KnownEntities, KnownEntity, Members};

use super::{
    Attr, Entity, Record, TypeName, Uid, Value,
    general::{Datum, DatumRecord},
    types::Types,
};

/// Entities with attributes, tags and parents, read from
/// [Cedar's JSON](https://docs.cedarpolicy.com/auth/entities-syntax.html).
///
/// They stand behind the names in other values: where a condition asks for an attribute of
/// `resource.owner`, or what it lies in, the entity of that name is looked up here. What an entity
/// lies in is worked out when they are read. [`PolicySet::know`](super::PolicySet::know) makes
/// them known to policies, and [`GateBuilder::entities`](crate::GateBuilder::entities) to those of a
/// gate.
///
/// ```
/// use portcullis::{UnixTime, authz::{AccessRequest, Context, Entities, PolicySet}};
///
/// let entities = Entities::from_json(r#"[
///     { "uid": { "type": "User", "id": "alice" }, "attrs": {},
///       "parents": [{ "type": "Team", "id": "support" }] },
///     { "uid": { "type": "Team", "id": "support" }, "attrs": {}, "parents": [] }
/// ]"#)?;
/// let policies = PolicySet::from_cedar(r#"
///     permit (principal in Team::"support", action == Action::"read", resource);
/// "#)?;
/// let known = policies.know(&entities)?;
/// let read = policies.action("read").ok_or("no such action")?;
/// let context = known.members("{}")?;
/// let allows = |user: &str| -> Result<bool, Box<dyn std::error::Error>> {
///     Ok(policies.decide(&AccessRequest {
///         subject: &policies.without_roles(),
///         principal: &known.entity("User", user)?,
///         action: read,
///         resource: &known.entity("Ticket", "7")?,
///         context: &Context::plain(UnixTime::from_secs(0), &context).entities(known),
///     }).is_allow())
/// };
/// assert!(allows("alice")?);
/// assert!(!allows("bob")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Entities {
    types: Types,
    all: ByName<Stored>,
}

/// One of them.
#[derive(Debug)]
struct Stored {
    name: Name,
    attributes: DatumRecord,
    tags: DatumRecord,
    /// In order; none any more once the closure has been worked out.
    parents: Box<[Name]>,
    /// All that it lies in, in order, from then on.
    ancestors: ByName<Name>,
}

impl Entities {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.len() == 0
    }

    /// The names of all types that are mentioned.
    pub(super) fn types(&self) -> impl Iterator<Item = &str> {
        self.types.texts()
    }

    fn find(&self, uid: Uid<'_>) -> Option<&Stored> {
        self.all.get(uid)
    }

    fn iter(&self) -> impl Iterator<Item = &Stored> {
        self.all.iter()
    }

    /// The actions among them, in order, each with all that it lies in: as type and id.
    pub(super) fn actions(&self) -> BTreeMap<(&str, &str), Vec<(&str, &str)>> {
        let actions = self.iter().filter_map(|stored| {
            let (kind, id) = self.text(&stored.name)?;
            let is_action = kind == "Action" || kind.ends_with("::Action");
            let groups = stored.ancestors.iter().filter_map(|name| self.text(name));
            is_action.then(|| ((kind, id), groups.collect()))
        });
        actions.collect()
    }

    fn text<'a>(&'a self, (kind, id): &'a Name) -> Option<(&'a str, &'a str)> {
        Some((self.types.text(*kind)?, id))
    }
}

impl Entity for Stored {
    fn type_name(&self) -> TypeName {
        self.name.0
    }

    fn id(&self) -> &str {
        &self.name.1
    }

    fn attr(&self, attr: &Attr<'_>) -> Value<'_> {
        self.attributes.field(attr)
    }

    fn tag(&self, name: &str) -> Value<'_> {
        self.tags.field(&Attr::new(name))
    }

    fn is_in(&self, ancestor: Uid<'_>) -> bool {
        self.ancestors.get(ancestor).is_some()
    }
}

impl Named for Stored {
    fn name(&self) -> &Name {
        &self.name
    }
}
