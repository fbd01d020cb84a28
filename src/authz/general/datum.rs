//! Values that are kept: constants of conditions, and attributes of stored entities.

use std::{cmp::Ordering, collections::BTreeMap};

use crate::{
    IpNet,
    authz::{Attr, Record, TypeName, Value, ValueSet, load::expr::Literal, slots::same},
};

/// So many names are compared one after another: most differ in length already.
const FEW: usize = 8;

/// A value by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::authz) enum Datum {
    Bool(bool),
    Long(i64),
    Str(Box<str>),
    Entity(TypeName, Box<str>),
    Ip(Net),
    Decimal(i64),
    Datetime(i64),
    Duration(i64),
    Set(DatumSet),
    Record(DatumRecord),
}

/// Different values in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::authz) struct DatumSet(Box<[Datum]>);

/// Named values in the order of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::authz) struct DatumRecord(Box<[(Box<str>, Datum)]>);

/// Where a value is in the order of [`Datum`], without a copy of its text.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place<'a> {
    Bool(bool),
    Long(i64),
    Str(&'a str),
    Entity(TypeName, &'a str),
    Ip(Net),
    Decimal(i64),
    Datetime(i64),
    Duration(i64),
    /// A set, a record, or none at all.
    Whole,
}

/// A range of addresses that has a place in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::authz) struct Net(pub(in crate::authz) IpNet);

impl Ord for Net {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |net: &Self| (net.0.address(), net.0.prefix());
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Net {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Place<'a> {
    fn of(value: Value<'a>) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(value),
            Value::Long(value) => Self::Long(value),
            Value::Str(value) => Self::Str(value),
            Value::Ref(kind, id) => Self::Entity(kind, id),
            Value::Entity(entity) => Self::Entity(entity.type_name(), entity.id()),
            Value::Ip(value) => Self::Ip(Net(value)),
            Value::Decimal(value) => Self::Decimal(value),
            Value::Datetime(value) => Self::Datetime(value),
            Value::Duration(value) => Self::Duration(value),
            Value::Missing
            | Value::Error(_)
            | Value::Strings(_)
            | Value::Set(_)
            | Value::Record(_) => Self::Whole,
        }
    }
}

impl From<&Literal> for Datum {
    fn from(literal: &Literal) -> Self {
        match literal {
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Long(value) => Self::Long(*value),
            Literal::Str(text) => Self::Str(text.clone()),
            Literal::Ip(net) => Self::Ip(Net(*net)),
            Literal::Entity(entity) => Self::Entity(entity.type_name, entity.id.clone()),
        }
    }
}

impl Datum {
    pub(in crate::authz) fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Long(value) => Value::Long(*value),
            Self::Str(value) => Value::Str(value),
            Self::Entity(kind, id) => Value::Ref(*kind, id),
            Self::Ip(Net(value)) => Value::Ip(*value),
            Self::Decimal(value) => Value::Decimal(*value),
            Self::Datetime(value) => Value::Datetime(*value),
            Self::Duration(value) => Value::Duration(*value),
            Self::Set(set) => Value::Set(set),
            Self::Record(record) => Value::Record(record),
        }
    }

    /// A value that is neither a set nor a record; `None` of any other, and of none.
    pub(in crate::authz) fn scalar(value: Value<'_>) -> Option<Self> {
        Some(match Place::of(value) {
            Place::Bool(value) => Self::Bool(value),
            Place::Long(value) => Self::Long(value),
            Place::Str(value) => Self::Str(value.into()),
            Place::Entity(kind, id) => Self::Entity(kind, id.into()),
            Place::Ip(value) => Self::Ip(value),
            Place::Decimal(value) => Self::Decimal(value),
            Place::Datetime(value) => Self::Datetime(value),
            Place::Duration(value) => Self::Duration(value),
            Place::Whole => return None,
        })
    }
}

impl DatumSet {
    pub(in crate::authz) fn new(mut elements: Vec<Datum>) -> Self {
        elements.sort_unstable();
        elements.dedup();
        Self(elements.into())
    }
}

impl ValueSet for DatumSet {
    fn holds(&self, value: Value<'_>) -> bool {
        let wanted = Place::of(value);
        let found = self.0.binary_search_by(|own| Place::of(own.value()).cmp(&wanted));
        wanted != Place::Whole && found.is_ok()
    }

    fn try_each(&self, each: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        self.0.iter().all(|datum| each(datum.value()))
    }
}

impl DatumRecord {
    pub(in crate::authz) fn new(fields: BTreeMap<Box<str>, Datum>) -> Self {
        Self(fields.into_iter().collect())
    }

    fn get(&self, name: &str) -> Option<&Datum> {
        let found = if self.0.len() <= FEW {
            self.0.iter().position(|(own, _)| same(own, name))
        } else {
            self.0.binary_search_by(|(own, _)| (**own).cmp(name)).ok()
        };
        self.0.get(found?).map(|(_, datum)| datum)
    }
}

impl Record for DatumRecord {
    fn field(&self, attr: &Attr<'_>) -> Value<'_> {
        self.get(attr.name()).map_or(Value::Missing, Datum::value)
    }

    fn try_each_field(&self, each: &mut dyn FnMut(&str, Value<'_>) -> bool) -> Option<bool> {
        Some(self.0.iter().all(|(name, datum)| each(name, datum.value())))
    }
}
