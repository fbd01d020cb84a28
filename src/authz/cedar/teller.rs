//! Entities and values in Cedar's JSON.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
};

use serde_json::{Map, Value as Json, json};

use super::{
    CedarError, KNOWN,
    reads::{Read, Reads},
};
use crate::{
    IpNet,
    authz::{
        Attr, Context, Entity, EvalError, PolicySet, TypeName, Uid, Value, bits::Bits,
        load::expr::Quoted, schema::Ty, value::canonical, value::fits,
    },
};

/// Gathers the entities of a request while it tells their values.
pub(super) struct Teller<'a> {
    set: &'a PolicySet,
    known: BTreeMap<Name, Known<'a>>,
    named: Vec<Named>,
}

/// An entity's name in Cedar's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    kind: String,
    id: String,
}

struct Known<'a> {
    entity: &'a dyn Entity,
    attributes: Map<String, Json>,
    climbs: bool,
}

/// An entity known by name only, and what more the conditions ask of it.
struct Named {
    place: String,
    name: Name,
    reads: bool,
    climbs: bool,
}

impl<'a> Teller<'a> {
    pub(super) fn new(set: &'a PolicySet) -> Self {
        Self { set, known: BTreeMap::new(), named: Vec::new() }
    }

    pub(super) fn entity(
        &mut self,
        place: &str,
        entity: &'a dyn Entity,
        ty: Ty,
        read: &Read<'_>,
    ) -> Result<Name, CedarError> {
        let name = self.name(place, entity.type_name(), entity.id())?;
        let mut attributes = self.members(place, Value::Entity(entity), ty, read)?;
        attributes.insert(KNOWN.to_owned(), true.into());
        let new = || Known { entity, attributes: Map::new(), climbs: false };
        let known = self.known.entry(name.clone()).or_insert_with(new);
        known.attributes.extend(attributes);
        known.climbs |= read.climbs;
        Ok(name)
    }

    pub(super) fn context(
        &mut self,
        context: &'a Context<'a>,
        read: &Read<'_>,
    ) -> Result<Map<String, Json>, CedarError> {
        self.members("context", Value::Record(context), Ty::Context, read)
    }

    /// All entities, when everything is told: those of the request, and the roles.
    pub(super) fn finish(
        mut self,
        own: &[Name; 2],
        reads: &Reads<'_>,
        roles: &Bits,
    ) -> Result<Json, CedarError> {
        for literal in &reads.literals {
            let name = Name::new(&literal.name.kind, &literal.name.id);
            let (reads, climbs) = (literal.reads, literal.climbs);
            self.named.push(Named { place: name.to_string(), name, reads, climbs });
        }
        self.one_of_each_name(own)?;
        let named = self.named.into_iter().map(|named| named.name);
        let names: BTreeSet<Name> = self.known.keys().cloned().chain(named).collect();
        let mut entities = Vec::new();
        for (name, known) in &self.known {
            let above = |other: &&Name| {
                let uid = Uid { type_name: TypeName::new(&other.kind), id: &other.id };
                *other != name && known.entity.is_in(uid)
            };
            let parents = names.iter().filter(|_| known.climbs).filter(above);
            let mut parents: Vec<Json> = parents.map(Name::reference).collect();
            if own.first() == Some(name) {
                parents.extend(held(self.set, roles).map(|name| name.reference()));
            }
            entities.push(entity(name, Json::Object(known.attributes.clone()), parents));
        }
        for number in roles.iter() {
            let Some(role) = self.set.roles.name(number) else { continue };
            let inherited = self.set.inherited.get(number as usize);
            let parents = inherited.into_iter().flat_map(|above| held(self.set, above));
            let name = Name::new("Role", role);
            let parents = parents.filter(|parent| *parent != name).map(|name| name.reference());
            entities.push(entity(&name, json!({}), parents.collect()));
        }
        Ok(Json::Array(entities))
    }

    /// Here an entity known by name only has no attributes; to Cedar it is the one of that name.
    fn one_of_each_name(&mut self, own: &[Name; 2]) -> Result<(), CedarError> {
        for named in &self.named {
            let Some(known) = self.known.get_mut(&named.name) else { continue };
            // Of its own principal and resource a request always tells what they lie in.
            if named.reads || named.climbs && !own.contains(&named.name) {
                return Err(CedarError::NameOnly(named.place.clone()));
            }
            known.climbs |= named.climbs;
        }
        Ok(())
    }

    fn members(
        &mut self,
        place: &str,
        owner: Value<'a>,
        ty: Ty,
        read: &Read<'_>,
    ) -> Result<Map<String, Json>, CedarError> {
        let mut members = Map::new();
        for (name, read) in &read.attributes {
            let declared = self.set.schema.attributes(ty).and_then(|known| known.get(name));
            let Some(declared) = declared else { continue };
            let place = format!("{place}.{name}");
            let value = field(owner, name);
            if let Value::Missing = value {
                continue;
            }
            if !fits(&value, declared.ty) {
                return Err(CedarError::Value(place, EvalError::WrongType));
            }
            let json = self.value(&place, value, declared.ty, read)?;
            members.insert((*name).to_owned(), json);
        }
        Ok(members)
    }

    fn value(
        &mut self,
        place: &str,
        value: Value<'a>,
        ty: Ty,
        read: &Read<'_>,
    ) -> Result<Json, CedarError> {
        if let Value::Entity(entity) = value {
            return Ok(self.entity(place, entity, ty, read)?.reference());
        }
        if let Value::Ref(kind, id) = value {
            let name = self.name(place, kind, id)?;
            let (reads, climbs) = (!read.attributes.is_empty(), read.climbs);
            let reference = name.reference();
            self.named.push(Named { place: place.to_owned(), name, reads, climbs });
            return Ok(reference);
        }
        if let Value::Record(_) = value {
            return Ok(Json::Object(self.members(place, value, ty, read)?));
        }
        let Value::Set(set) = value else { return self.plain(place, value) };
        let mut all = Vec::new();
        let mut wrong = None;
        set.try_each(&mut |value| match self.plain(place, value) {
            Ok(json) => {
                all.push(json);
                true
            }
            Err(error) => {
                wrong = Some(error);
                false
            }
        });
        wrong.map_or(Ok(Json::Array(all)), Err)
    }

    /// A value that nothing is read of.
    fn plain(&self, place: &str, value: Value<'_>) -> Result<Json, CedarError> {
        let wrong = |error| Err(CedarError::Value(place.to_owned(), error));
        Ok(match value {
            Value::Missing => return wrong(EvalError::Missing),
            Value::Error(error) => return wrong(error),
            Value::Set(_) | Value::Record(_) => return wrong(EvalError::WrongType),
            Value::Bool(value) => value.into(),
            Value::Long(value) => value.into(),
            Value::Str(value) => value.into(),
            Value::Ref(kind, id) => self.name(place, kind, id)?.reference(),
            Value::Entity(entity) => self.name(place, entity.type_name(), entity.id())?.reference(),
            Value::Strings(values) => values.iter().map(String::as_str).collect(),
            Value::Ip(net) => extension("ip", range(canonical(net))),
            Value::Decimal(value) => extension("decimal", decimal(value)),
            Value::Datetime(value) => moment(value),
            Value::Duration(value) => duration(value),
        })
    }

    fn name(&self, place: &str, kind: TypeName, id: &str) -> Result<Name, CedarError> {
        let kind = self.set.schema.type_text(kind);
        let kind = kind.ok_or_else(|| CedarError::UnknownType(place.to_owned()))?;
        Ok(Name::new(kind, id))
    }
}

impl Name {
    pub(super) fn new(kind: &str, id: &str) -> Self {
        Self { kind: kind.to_owned(), id: id.to_owned() }
    }

    /// How a value names it.
    pub(super) fn reference(&self) -> Json {
        json!({ "__entity": self.uid() })
    }

    fn uid(&self) -> Json {
        json!({ "id": self.id, "type": self.kind })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.kind, Quoted(&self.id))
    }
}

fn entity(name: &Name, attributes: Json, parents: Vec<Json>) -> Json {
    json!({ "attrs": attributes, "parents": parents, "uid": name.uid() })
}

fn held(set: &PolicySet, roles: &Bits) -> impl Iterator<Item = Name> {
    roles.iter().filter_map(|role| set.roles.name(role)).map(|role| Name::new("Role", role))
}

fn field<'v>(owner: Value<'v>, name: &str) -> Value<'v> {
    if let Value::Entity(entity) = owner {
        entity.attr(&Attr::new(name))
    } else if let Value::Record(record) = owner {
        record.field(&Attr::new(name))
    } else {
        Value::Missing
    }
}

/// A call of one of Cedar's functions.
fn extension(name: &str, argument: String) -> Json {
    json!({ "__extn": { "arg": argument, "fn": name } })
}

/// The text of a moment would have four digits for the year, no more.
fn moment(millis: i64) -> Json {
    let since = [extension("datetime", "1970-01-01".to_owned()), duration(millis)];
    json!({ "__extn": { "args": since, "fn": "offset" } })
}

fn duration(millis: i64) -> Json {
    extension("duration", format!("{millis}ms"))
}

fn decimal(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.unsigned_abs() / 10_000, value.unsigned_abs() % 10_000);
    format!("{sign}{whole}.{rest:04}")
}

/// Cedar reads no IPv6 address with an IPv4 address at its end, as the usual form may have it.
fn range(net: IpNet) -> String {
    match net.address() {
        IpAddr::V4(_) => net.to_string(),
        IpAddr::V6(address) => {
            let groups = address.segments().map(|group| format!("{group:x}"));
            format!("{}/{}", groups.join(":"), net.prefix())
        }
    }
}
