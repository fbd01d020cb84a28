//! Reads Cedar's JSON: entities, and the values of their attributes.
//!
//! <https://docs.cedarpolicy.com/auth/entities-syntax.html>

use std::{collections::BTreeMap, sync::Arc};

use super::{ByName, Datum, DatumRecord, Entities, Name, Stored, closure::close, tree::Json};
use crate::authz::{
    TypeName,
    general::{DatumSet, Function},
    types::Collision,
};

/// Longer texts are refused, in bytes.
const MAX_LENGTH: usize = 64 * 1024 * 1024;

/// Why entities or values in Cedar's JSON were not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntitiesError {
    /// The text is no JSON, or an object in it has the same name twice.
    #[error("no JSON: {0}")]
    Json(Box<str>),
    /// The JSON is not of the form that it must be.
    #[error("{0}")]
    Form(Box<str>),
    /// There is more than is read, of what, and how many are.
    #[error("more than {1} {0}")]
    TooMany(&'static str, usize),
    /// The same entity is there twice, and not the same way.
    #[error("the entity {0:?} is there twice, and differs")]
    Duplicate(Box<str>),
    /// An entity lies in itself.
    #[error("the entity {0:?} lies in itself")]
    Cycle(Box<str>),
    /// Two names of types have the same number, so that one could be taken for the other.
    #[error("the types `{0}` and `{1}` have the same number; rename one of them")]
    SameNumber(Box<str>, Box<str>),
    /// A gate's entities mention the type `Role`.
    #[error(
        "the type `Role` is there, and roles come with credentials alone; call groups otherwise"
    )]
    Role,
}

impl From<Collision> for EntitiesError {
    fn from(Collision(one, other): Collision) -> Self {
        Self::SameNumber(one, other)
    }
}

impl Entities {
    /// Reads a list of entities: each with `uid`, `attrs`, `parents` and, if it has any, `tags`.
    ///
    /// At most 64 MiB, and 16,777,216 pairs of an entity and one that it lies in.
    ///
    /// # Errors
    /// When the text is not of Cedar's form; when an entity is there twice and differs, or lies in
    /// itself; when two types have the same number.
    pub fn from_json(json: &str) -> Result<Self, EntitiesError> {
        let mut entities = Self::default();
        let Json::List(listed) = parse(json)? else {
            return Err(EntitiesError::Form("the entities are no list".into()));
        };
        let mut all: BTreeMap<Name, Stored> = BTreeMap::new();
        for entity in listed {
            let types = &mut entities.types;
            let stored = Reader::new(|text| Ok(types.intern(text)?)).entity(entity)?;
            if all.get(&stored.name).is_some_and(|before| before.differs(&stored)) {
                return Err(EntitiesError::Duplicate(stored.name.1.as_ref().into()));
            }
            all.insert(stored.name.clone(), stored);
        }
        entities.all = ByName::new(all.into_values().collect());
        close(&mut entities)?;
        Ok(entities)
    }
}

impl Stored {
    /// Whether what was read of the two differs.
    fn differs(&self, other: &Self) -> bool {
        self.attributes != other.attributes
            || self.tags != other.tags
            || self.parents != other.parents
    }
}

fn parse(json: &str) -> Result<Json, EntitiesError> {
    if json.len() > MAX_LENGTH {
        return Err(EntitiesError::TooMany("bytes", MAX_LENGTH));
    }
    serde_json::from_str(json).map_err(|error| EntitiesError::Json(error.to_string().into()))
}

/// Reads values; the names of types are given their numbers by `number`.
pub(super) struct Reader<F> {
    number: F,
}

impl<F: FnMut(&str) -> Result<TypeName, EntitiesError>> Reader<F> {
    pub(super) fn new(number: F) -> Self {
        Self { number }
    }

    pub(super) fn value_of(&mut self, json: &str) -> Result<Datum, EntitiesError> {
        self.value(parse(json)?)
    }

    fn entity(&mut self, json: Json) -> Result<Stored, EntitiesError> {
        let mut fields = json.into_map().ok_or_else(|| form("an entity is no object"))?;
        let mut take = |name: &str| fields.remove(name);
        let uid = take("uid").ok_or_else(|| form("an entity has no `uid`"))?;
        let attributes = take("attrs").ok_or_else(|| form("an entity has no `attrs`"))?;
        let parents = take("parents").ok_or_else(|| form("an entity has no `parents`"))?;
        let tags = take("tags").unwrap_or_else(|| Json::Map(BTreeMap::new()));
        let Json::List(parents) = parents else { return Err(form("`parents` is no list")) };
        let parents = parents.into_iter().map(|parent| self.name(parent));
        let mut parents = parents.collect::<Result<Vec<_>, _>>()?;
        parents.sort_unstable();
        parents.dedup();
        Ok(Stored {
            name: self.name(uid)?,
            attributes: self.fields(attributes, "`attrs` is no object")?,
            tags: self.fields(tags, "`tags` is no object")?,
            parents: parents.into(),
            ancestors: ByName::default(),
        })
    }

    /// An entity's type and id, with or without the escape `__entity`.
    fn name(&mut self, json: Json) -> Result<Name, EntitiesError> {
        let wrong = || form("an entity is named by an object with `type` and `id`");
        let mut fields = json.into_map().ok_or_else(wrong)?;
        if let Some(Json::Str(_)) = fields.get("__expr") {
            return Err(form("`__expr` is no longer a way to name an entity"));
        }
        let escaped = fields.remove("__entity").and_then(Json::into_map);
        let mut fields = match escaped {
            Some(escaped) if is_name(&escaped) => escaped,
            _ => fields,
        };
        let (Some(Json::Str(kind)), Some(Json::Str(id))) =
            (fields.remove("type"), fields.remove("id"))
        else {
            return Err(wrong());
        };
        self.type_name(&kind).map(|kind| (kind, Arc::from(id)))
    }

    fn type_name(&mut self, text: &str) -> Result<TypeName, EntitiesError> {
        match crate::authz::load::text::is_type_name(text) {
            true => (self.number)(text),
            false => Err(EntitiesError::Form(format!("{text:?} is no name of a type").into())),
        }
    }

    fn fields(&mut self, json: Json, wrong: &str) -> Result<DatumRecord, EntitiesError> {
        let fields = json.into_map().ok_or_else(|| form(wrong))?;
        let fields = fields.into_iter().map(|(name, value)| Ok((name, self.value(value)?)));
        Ok(DatumRecord::new(fields.collect::<Result<_, EntitiesError>>()?))
    }

    /// Nested no deeper than the JSON may be.
    fn value(&mut self, json: Json) -> Result<Datum, EntitiesError> {
        Ok(match json {
            Json::Null => return Err(form("`null` is no value")),
            Json::Number => return Err(form("a number is no whole one of 64 bits")),
            Json::Bool(value) => Datum::Bool(value),
            Json::Long(value) => Datum::Long(value),
            Json::Str(text) => Datum::Str(text),
            Json::List(elements) => {
                let elements = elements.into_iter().map(|element| self.value(element));
                Datum::Set(DatumSet::new(elements.collect::<Result<_, _>>()?))
            }
            Json::Map(fields) => match escape(fields) {
                Escape::Entity(json) => {
                    let (kind, id) = self.name(json)?;
                    Datum::Entity(kind, id.as_ref().into())
                }
                Escape::Call(function, arguments) => self.call(&function, arguments)?,
                Escape::Expr => return Err(form("`__expr` is no longer a value")),
                Escape::None(fields) => Datum::Record(self.fields(Json::Map(fields), "no record")?),
            },
        })
    }

    fn call(&mut self, name: &str, arguments: Vec<Json>) -> Result<Datum, EntitiesError> {
        let tags = [Function::GetTag, Function::HasTag];
        let found = Function::ALL.into_iter().find(|function| function.word() == name);
        let function = found.filter(|function| !tags.contains(function));
        let function = function.ok_or_else(|| form(&format!("no function {name:?}")))?;
        let arguments = arguments.into_iter().map(|argument| self.value(argument));
        let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
        let values: Vec<_> = arguments.iter().map(Datum::value).collect();
        let result = function.call(&values);
        let result = result.map_err(|error| form(&format!("`{name}`: {error}")))?;
        Datum::scalar(result).ok_or_else(|| form("a function's result is no value"))
    }
}

/// What an object stands for.
enum Escape {
    Entity(Json),
    Call(Box<str>, Vec<Json>),
    Expr,
    /// Itself.
    None(BTreeMap<Box<str>, Json>),
}

/// Only an object with the one member is an escape, and only if that is of the right form.
fn escape(mut fields: BTreeMap<Box<str>, Json>) -> Escape {
    if fields.len() != 1 {
        return Escape::None(fields);
    }
    match (fields.get("__entity"), fields.get("__extn"), fields.get("__expr")) {
        (Some(Json::Map(named)), ..) if is_name(named) => {
            fields.remove("__entity").map_or(Escape::None(fields), Escape::Entity)
        }
        (_, Some(Json::Map(called)), _) => match call_of(called) {
            Some((function, arguments)) => Escape::Call(function, arguments),
            None => Escape::None(fields),
        },
        (_, _, Some(Json::Str(_))) => Escape::Expr,
        _ => Escape::None(fields),
    }
}

fn is_name(fields: &BTreeMap<Box<str>, Json>) -> bool {
    let is_text = |name: &str| matches!(fields.get(name), Some(Json::Str(_)));
    is_text("type") && is_text("id")
}

fn call_of(fields: &BTreeMap<Box<str>, Json>) -> Option<(Box<str>, Vec<Json>)> {
    let Some(Json::Str(function)) = fields.get("fn") else { return None };
    let arguments = match (fields.get("arg"), fields.get("args")) {
        (Some(argument), _) => vec![argument.clone()],
        (None, Some(Json::List(arguments))) => arguments.clone(),
        _ => return None,
    };
    Some((function.clone(), arguments))
}

fn form(message: &str) -> EntitiesError {
    EntitiesError::Form(message.into())
}
