//! Entities beside the policies that ask about them.

use std::fmt;

use super::{Datum, DatumRecord, Entities, EntitiesError, Stored, json::Reader};
use crate::authz::{Attr, Entity, PolicySet, Record, TypeName, Uid, Value, types};

/// [`Entities`] that a set of policies knows: no two of their types can be mistaken for each
/// other. A decision of another set with them is [`Stale`](super::super::Why::Stale).
#[derive(Clone, Copy)]
#[must_use]
pub struct KnownEntities<'a> {
    pub(super) entities: &'a Entities,
    pub(super) policies: &'a PolicySet,
}

/// An entity of a request: a stored one, or one that is known by name only and has nothing.
#[derive(Debug)]
pub struct KnownEntity<'a>(Held<'a>);

#[derive(Debug)]
enum Held<'a> {
    Stored(&'a Stored),
    Name(TypeName, &'a str),
}

/// The members of a context, read from Cedar's JSON.
#[derive(Debug, Default)]
pub struct Members(DatumRecord);

impl PolicySet {
    /// Makes entities known to these policies. Do it again when either was loaded anew.
    ///
    /// # Errors
    /// When a type of the entities has the same number as another type of the policies.
    pub fn know<'a>(&'a self, entities: &'a Entities) -> Result<KnownEntities<'a>, EntitiesError> {
        for text in entities.types.texts() {
            self.schema.check(text)?;
        }
        Ok(KnownEntities { entities, policies: self })
    }
}

impl<'a> KnownEntities<'a> {
    /// The entity of that type and id.
    ///
    /// # Errors
    /// When the type is no name, or has the same number as another that is known.
    pub fn entity(self, type_name: &str, id: &'a str) -> Result<KnownEntity<'a>, EntitiesError> {
        let type_name = self.type_name(type_name)?;
        let stored = self.entities.find(Uid { type_name, id });
        Ok(KnownEntity(stored.map_or(Held::Name(type_name, id), Held::Stored)))
    }

    /// Reads the members of a context: one JSON object.
    ///
    /// # Errors
    /// As [`Entities::from_json`].
    pub fn members(self, json: &str) -> Result<Members, EntitiesError> {
        let mut reader = Reader::new(|text| self.type_name(text));
        let Datum::Record(members) = reader.value_of(json)? else {
            return Err(EntitiesError::Form("the context is no record".into()));
        };
        Ok(Members(members))
    }

    pub(in crate::authz) fn find(self, uid: Uid<'_>) -> Option<&'a dyn Entity> {
        self.entities.find(uid).map(|stored| stored as &dyn Entity)
    }

    pub(in crate::authz) fn epoch(self) -> u64 {
        self.policies.epoch
    }

    fn type_name(self, text: &str) -> Result<TypeName, EntitiesError> {
        let number = TypeName::new(text);
        let known = self.entities.types.text(number);
        let number = types::check(number, known, text)?;
        // What the entities mention was held against the policies before.
        Ok(if known.is_some() { number } else { self.policies.schema.check(text)? })
    }
}

impl fmt::Debug for KnownEntities<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownEntities").field("entities", &self.entities.len()).finish()
    }
}

impl Entity for KnownEntity<'_> {
    fn type_name(&self) -> TypeName {
        match self.0 {
            Held::Stored(stored) => stored.type_name(),
            Held::Name(type_name, _) => type_name,
        }
    }

    fn id(&self) -> &str {
        match self.0 {
            Held::Stored(stored) => stored.id(),
            Held::Name(_, id) => id,
        }
    }

    fn attr(&self, attr: &Attr<'_>) -> Value<'_> {
        match self.0 {
            Held::Stored(stored) => stored.attr(attr),
            Held::Name(..) => Value::Missing,
        }
    }

    fn tag(&self, name: &str) -> Value<'_> {
        match self.0 {
            Held::Stored(stored) => stored.tag(name),
            Held::Name(..) => Value::Missing,
        }
    }

    fn is_in(&self, ancestor: Uid<'_>) -> bool {
        match self.0 {
            Held::Stored(stored) => stored.is_in(ancestor),
            Held::Name(..) => false,
        }
    }
}

impl Record for Members {
    fn field(&self, attr: &Attr<'_>) -> Value<'_> {
        self.0.field(attr)
    }

    fn try_each_field(&self, each: &mut dyn FnMut(&str, Value<'_>) -> bool) -> Option<bool> {
        self.0.try_each_field(each)
    }
}
