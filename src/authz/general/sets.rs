//! Sets and records while a condition runs, and what is equal.

use super::super::{
    Attr, EvalError, Value,
    load::expr::How,
    world::{Stop, uid},
};

/// A value of a condition.
#[derive(Clone, Copy)]
pub(super) enum Seen<'a> {
    One(Value<'a>),
    /// A set that the condition made: its first cell.
    Set(Link),
    /// A record that the condition made.
    Record(Link),
}

/// The number of a cell, or [`END`].
pub(super) type Link = u32;
pub(super) const END: Link = u32::MAX;

/// An element of a set, or a field of a record, and the one behind it.
struct Cell<'a> {
    name: &'a str,
    value: Seen<'a>,
    next: Link,
}

/// What a condition has made so far. Nothing is allocated before the first set or record whose
/// parts are not constant.
#[derive(Default)]
pub(super) struct Cells<'a>(Vec<Cell<'a>>);

const UNLISTED: Stop = Stop::Error(EvalError::Unavailable);

impl<'a> Cells<'a> {
    /// Puts a value before those that `next` leads to.
    pub(super) fn push(&mut self, name: &'a str, value: Seen<'a>, next: Link) -> Link {
        let link = Link::try_from(self.0.len()).unwrap_or(END);
        self.0.push(Cell { name, value, next });
        link
    }

    fn follow(&self, first: Link) -> impl Iterator<Item = &Cell<'a>> {
        let cell = |link: Link| self.0.get(usize::try_from(link).ok()?);
        std::iter::successors(cell(first), move |before| cell(before.next))
    }

    /// The field of a record that the condition made.
    pub(super) fn field(&self, record: Link, name: &str) -> Option<Seen<'a>> {
        self.follow(record).find(|cell| cell.name == name).map(|cell| cell.value)
    }

    /// Calls `each` with the elements until it answers false; whether it never did.
    ///
    /// # Errors
    /// When it is no set.
    pub(super) fn each(
        &self,
        set: Seen<'_>,
        mut each: impl FnMut(Seen<'_>) -> bool,
    ) -> Result<bool, Stop> {
        match set {
            Seen::Set(first) => Ok(self.follow(first).all(|cell| each(cell.value))),
            Seen::One(Value::Set(set)) => Ok(set.try_each(&mut |value| each(Seen::One(value)))),
            Seen::One(Value::Strings(texts)) => {
                Ok(texts.iter().all(|text| each(Seen::One(Value::Str(text)))))
            }
            Seen::One(_) | Seen::Record(_) => Err(Stop::Error(EvalError::WrongType)),
        }
    }

    /// As [`each`](Self::each), where the answers may be errors.
    pub(super) fn try_each(
        &self,
        set: Seen<'_>,
        mut each: impl FnMut(Seen<'_>) -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        let mut stop = None;
        let all = self.each(set, |element| {
            each(element).unwrap_or_else(|error| {
                stop = Some(error);
                false
            })
        })?;
        stop.map_or(Ok(all), Err)
    }

    pub(super) fn contains(&self, how: How, set: Seen<'_>, asked: Seen<'_>) -> Result<bool, Stop> {
        // That both are sets is asked before anything else.
        self.each(set, |_| false)?;
        match how {
            How::Element => self.holds(set, asked),
            How::All => self.try_each(asked, |element| self.holds(set, element)),
            How::Any => {
                let none = self.try_each(asked, |element| Ok(!self.holds(set, element)?))?;
                Ok(!none)
            }
        }
    }

    fn holds(&self, set: Seen<'_>, element: Seen<'_>) -> Result<bool, Stop> {
        if let (Seen::One(Value::Set(own)), Seen::One(value)) = (set, element)
            && !is_whole(element)
        {
            return Ok(own.holds(value));
        }
        Ok(!self.try_each(set, |other| Ok(!self.equal(element, other)?))?)
    }

    /// Values of different types are different.
    ///
    /// # Errors
    /// When one is a record of the application's own that cannot list its fields.
    pub(super) fn equal(&self, left: Seen<'_>, right: Seen<'_>) -> Result<bool, Stop> {
        if !is_whole(left) || !is_whole(right) {
            return Ok(match (left, right) {
                (Seen::One(left), Seen::One(right)) => same(left, right),
                _ => false,
            });
        }
        match (is_record(left), is_record(right)) {
            (true, true) => Ok(self.covers(left, right)? && self.covers(right, left)?),
            (false, false) => {
                Ok(self.contains(How::All, left, right)? && self.contains(How::All, right, left)?)
            }
            _ => Ok(false),
        }
    }

    /// Whether each field of `fields` is in `record`, with the same value.
    fn covers(&self, record: Seen<'_>, fields: Seen<'_>) -> Result<bool, Stop> {
        let mut stop = None;
        let mut each = |name: &str, value: Seen<'_>| {
            let same = self.field_of(record, name).map_or(Ok(false), |own| self.equal(own, value));
            same.unwrap_or_else(|error| {
                stop = Some(error);
                false
            })
        };
        let all = match fields {
            Seen::Record(first) => self.follow(first).all(|cell| each(cell.name, cell.value)),
            Seen::One(Value::Record(fields)) => fields
                .try_each_field(&mut |name, value| each(name, Seen::One(value)))
                .ok_or(UNLISTED)?,
            Seen::One(_) | Seen::Set(_) => false,
        };
        stop.map_or(Ok(all), Err)
    }

    fn field_of<'s>(&self, record: Seen<'s>, name: &str) -> Option<Seen<'s>>
    where
        'a: 's,
    {
        match record {
            Seen::Record(first) => self.field(first, name),
            Seen::One(Value::Record(own)) => {
                let value = own.field(&Attr::new(name));
                (!matches!(value, Value::Missing)).then_some(Seen::One(value))
            }
            Seen::One(_) | Seen::Set(_) => None,
        }
    }
}

/// Whether it is a set or a record.
fn is_whole(seen: Seen<'_>) -> bool {
    match seen {
        Seen::Set(_) | Seen::Record(_) => true,
        Seen::One(value) => {
            matches!(value, Value::Strings(_) | Value::Set(_) | Value::Record(_))
        }
    }
}

fn is_record(seen: Seen<'_>) -> bool {
    matches!(seen, Seen::Record(_) | Seen::One(Value::Record(_)))
}

/// Whether two values that are neither sets nor records are the same. Addresses are compared as
/// they are written.
fn same(left: Value<'_>, right: Value<'_>) -> bool {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Str(left), Value::Str(right)) => left == right,
        (Value::Ip(left), Value::Ip(right)) => left == right,
        (Value::Long(left), Value::Long(right))
        | (Value::Decimal(left), Value::Decimal(right))
        | (Value::Datetime(left), Value::Datetime(right))
        | (Value::Duration(left), Value::Duration(right)) => left == right,
        _ => uid(&left).is_ok_and(|left| uid(&right).is_ok_and(|right| left == right)),
    }
}
