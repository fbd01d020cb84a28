//! What a program is run against: tests, and the values that they ask about.
//!
//! The operators mean what they mean in Cedar: `==` never fails, `<` needs two numbers or two
//! times, `in` two entities, `has` an entity or a record, and a sum that is no `long` is an error.

use super::{
    Action, Attr, Context, Entity, EvalError, PolicySet, Record, Uid, Value,
    bits::Bits,
    general,
    load::expr::{Relation, Root},
    program::{Asked, Attribute, Operand, Read, Test},
    value::{canonical, fits},
};
use crate::IpNet;

pub(super) const UNAVAILABLE: Stop = Stop::Error(EvalError::Unavailable);

/// What a program is run against.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) set: &'a PolicySet,
    pub(super) roles: &'a Bits,
    pub(super) action: Action,
    pub(super) principal: &'a dyn Entity,
    /// `None`: not known yet, and neither are the application's own members of the context.
    pub(super) resource: Option<&'a dyn Entity>,
    pub(super) context: &'a Context<'a>,
}

/// Why a test has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It depends on what is not known yet.
    Unknown,
    Error(EvalError),
}

/// What is asked about a value, where it was made: to move one takes longer.
pub(super) trait Ask<'a, T>: FnOnce(&Value<'a>) -> Result<T, Stop> {}

impl<'a, T, F: FnOnce(&Value<'a>) -> Result<T, Stop>> Ask<'a, T> for F {}

impl Stop {
    /// The error to report where the resource was given, so that nothing is unknown.
    pub(super) fn error(self) -> EvalError {
        match self {
            Self::Unknown => EvalError::Unavailable,
            Self::Error(error) => error,
        }
    }
}

impl<'a> World<'a> {
    pub(super) fn test(&self, test: &'a Test) -> Result<bool, Stop> {
        match test {
            Test::Role(role) => Ok(self.roles.holds(*role)),
            Test::Value(Operand::Read(read), absent, asked) => {
                self.find(read, |value| match (value, absent) {
                    (Value::Missing, Some(answer)) => Ok(*answer),
                    _ => present(value).and_then(|()| self.asked(value, asked)),
                })
            }
            Test::Value(operand, _, asked) => self.asked_of_other(operand, asked),
            Test::During(window) => window.covers(self.context.now()).ok_or(UNAVAILABLE),
            Test::Contains(how, set, asked) => self.contains(*how, set, asked),
            Test::General(node) => general::truth(node, self),
        }
    }

    // Apart, as what is not read is rare.
    #[inline(never)]
    fn asked_of_other(&self, operand: &'a Operand, asked: &'a Asked) -> Result<bool, Stop> {
        self.value(operand, |value| self.asked(value, asked))
    }

    // A call would cost a third of what is asked about one value alone.
    #[inline(always)]
    fn asked(&self, value: &Value<'a>, asked: &'a Asked) -> Result<bool, Stop> {
        match (asked, value) {
            (Asked::Presence, _) => Ok(true),
            (Asked::Truth, Value::Bool(truth)) => Ok(*truth),
            (Asked::Within(low, high), Value::Long(long)) => Ok(low <= long && long <= high),
            (Asked::InNet(range), Value::Ip(net)) => Ok(range.contains_net(canonical(*net))),
            (Asked::Like(pieces), Value::Str(text)) => Ok(like(text, pieces)),
            _ => self.beside(value, asked),
        }
    }

    #[inline(never)]
    fn beside(&self, value: &Value<'a>, asked: &'a Asked) -> Result<bool, Stop> {
        match asked {
            Asked::Is(name) => Ok(uid(value)?.type_name == *name),
            Asked::Compare(relation, other) => {
                self.value(other, |other| compare(*relation, value, other))
            }
            Asked::In(other) => self.value(other, |other| {
                let Some(lower) = named(value) else { return Err(wrong(value)) };
                let Some(upper) = named(other) else { return Err(wrong(other)) };
                let below = |entity: &dyn Entity| entity.is_in(upper);
                Ok(lower == upper || self.entity(value)?.is_some_and(below))
            }),
            Asked::InAny(read) => self.read(read, |other| general::is_in(self, value, other)),
            Asked::InRange(other) => {
                self.value(other, |other| Ok(net(other)?.contains_net(net(value)?)))
            }
            Asked::Presence
            | Asked::Truth
            | Asked::Within(..)
            | Asked::InNet(_)
            | Asked::Like(_) => Err(wrong(value)),
        }
    }

    /// The entity itself; `None` if the store has none of that name. Without a store, one known by
    /// name only may be the principal or the resource; of any other nobody knows what it lies in.
    pub(super) fn entity(&self, value: &Value<'a>) -> Result<Option<&'a dyn Entity>, Stop> {
        if let Value::Entity(entity) = value {
            return Ok(Some(*entity));
        }
        let uid = uid(value)?;
        let is =
            |entity: &&'a dyn Entity| entity.type_name() == uid.type_name && entity.id() == uid.id;
        match [Some(self.principal), self.resource].into_iter().flatten().find(is) {
            Some(entity) => Ok(Some(entity)),
            None if self.resource.is_none() => Err(Stop::Unknown),
            None => self.context.stored(uid).map_err(Stop::Error),
        }
    }

    /// As [`entity`](Self::entity), of which something is read: without a store, nothing can be
    /// read of one that is known by name only.
    pub(super) fn attributed(&self, value: &Value<'a>) -> Result<Option<&'a dyn Entity>, Stop> {
        if let (Value::Ref(..), None) = (value, self.context.entities) {
            return Err(Stop::Error(EvalError::NameOnly));
        }
        self.entity(value)
    }

    /// A field of a record, or an attribute of an entity; missing where there is no such entity.
    #[inline]
    pub(super) fn member(&self, owner: &Value<'a>, attr: &Attr<'_>) -> Result<Value<'a>, Stop> {
        if let Value::Record(record) = owner {
            Ok(record.field(attr))
        } else if let Value::Entity(entity) = owner {
            Ok(entity.attr(attr))
        } else {
            Ok(self.attributed(owner)?.map_or(Value::Missing, |entity| entity.attr(attr)))
        }
    }

    /// Asks about the operand's value; never about [`Value::Missing`] or [`Value::Error`].
    pub(super) fn value<T>(&self, operand: &'a Operand, ask: impl Ask<'a, T>) -> Result<T, Stop> {
        let value = match operand {
            Operand::Read(read) => return self.read(read, ask),
            Operand::Constant(datum) => datum.value(),
            Operand::Call(function, arguments) => general::called(self, *function, arguments)?,
            Operand::Arithmetic(operator, sides) => {
                let (left, right) = (self.value(&sides.0, copied)?, self.value(&sides.1, copied)?);
                Value::Long(general::arithmetic(*operator, &left, &right)?)
            }
        };
        ask(&value)
    }

    /// Asks about what is read; never about [`Value::Missing`] or [`Value::Error`].
    pub(super) fn read<T>(&self, read: &Read, ask: impl Ask<'a, T>) -> Result<T, Stop> {
        self.find(read, |value| present(value).and_then(|()| ask(value)))
    }

    /// Asks about what is read; its last attribute may be absent or unavailable.
    pub(super) fn find<T>(&self, read: &Read, ask: impl Ask<'a, T>) -> Result<T, Stop> {
        let mut attributes = read.attributes.iter();
        let mut last = attributes.next();
        let attr = &Attr::new(last.map_or("", |first| &first.name));
        let mut value = match read.root {
            root if last.is_none() => self.variable(root)?,
            Root::Principal => self.principal.attr(attr),
            Root::Resource => self.resource.ok_or(Stop::Unknown)?.attr(attr),
            // Only the application can supply it.
            Root::Context if self.resource.is_none() && !self.context.supplies(attr.name()) => {
                return Err(Stop::Unknown);
            }
            Root::Context => self.context.field(attr),
            Root::Action => self.member(&self.variable(Root::Action)?, attr)?,
        };
        for next in attributes {
            fit(&value, last).and_then(|()| present(&value))?;
            (value, last) = (self.member(&value, &Attr::new(&next.name))?, Some(next));
        }
        fit(&value, last).and_then(|()| ask(&value))
    }

    fn variable(&self, root: Root) -> Result<Value<'a>, Stop> {
        Ok(match root {
            Root::Principal => Value::Entity(self.principal),
            Root::Resource => Value::Entity(self.resource.ok_or(Stop::Unknown)?),
            Root::Context if self.resource.is_none() => return Err(Stop::Unknown),
            Root::Context => Value::Record(self.context),
            Root::Action => {
                let action = self.set.action_uid(self.action);
                Value::Ref(action.type_name, action.id)
            }
        })
    }
}

/// For values that are kept.
pub(super) fn copied<'a>(value: &Value<'a>) -> Result<Value<'a>, Stop> {
    Ok(*value)
}

/// A value that contradicts its declared type is an error: it would equal nothing, and so switch a
/// forbid off.
#[inline]
fn fit(value: &Value<'_>, attribute: Option<&Attribute>) -> Result<(), Stop> {
    let ty = attribute.and_then(|attribute| attribute.ty);
    let contradicts = ty.is_some_and(|ty| !fits(value, ty));
    if contradicts { Err(wrong(value)) } else { Ok(()) }
}

pub(super) fn present(value: &Value<'_>) -> Result<(), Stop> {
    let absent = matches!(value, Value::Missing | Value::Error(_));
    if absent { Err(wrong(value)) } else { Ok(()) }
}

/// Whether the text starts with the first piece, ends with the last, and has the others between.
pub(super) fn like(text: &str, pieces: &[Box<str>]) -> bool {
    let [first, between @ .., last] = pieces else {
        return pieces.iter().any(|only| **only == *text);
    };
    let rest = text.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last));
    let mut pieces = between.iter().map(|piece| &**piece);
    rest.and_then(|rest| pieces.try_fold(rest, |rest, piece| Some(rest.split_once(piece)?.1)))
        .is_some()
}

fn compare(relation: Relation, left: &Value<'_>, right: &Value<'_>) -> Result<bool, Stop> {
    if relation == Relation::Equal {
        return equal(left, right);
    }
    let (left, right) = numbers(left, right)?;
    Ok(match relation {
        Relation::Equal => left == right,
        Relation::Less => left < right,
        Relation::AtMost => left <= right,
        Relation::More => left > right,
        Relation::AtLeast => left >= right,
    })
}

/// Values of different types are different.
pub(super) fn equal(left: &Value<'_>, right: &Value<'_>) -> Result<bool, Stop> {
    Ok(match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Str(left), Value::Str(right)) => left == right,
        (Value::Ip(left), Value::Ip(right)) => canonical(*left) == canonical(*right),
        (Value::Long(left), Value::Long(right))
        | (Value::Decimal(left), Value::Decimal(right))
        | (Value::Datetime(left), Value::Datetime(right))
        | (Value::Duration(left), Value::Duration(right)) => left == right,
        (Value::Ref(..) | Value::Entity(_), Value::Ref(..) | Value::Entity(_)) => {
            uid(left)? == uid(right)?
        }
        // No program asks this: `==` between sets or records is put in other terms.
        (
            Value::Strings(_) | Value::Set(_) | Value::Record(_),
            Value::Strings(_) | Value::Set(_) | Value::Record(_),
        ) => return Err(Stop::Error(EvalError::WrongType)),
        _ => false,
    })
}

/// Two numbers, or two times, or two spans of time.
pub(super) fn numbers(left: &Value<'_>, right: &Value<'_>) -> Result<(i64, i64), Stop> {
    match (left, right) {
        (Value::Long(left), Value::Long(right))
        | (Value::Datetime(left), Value::Datetime(right))
        | (Value::Duration(left), Value::Duration(right)) => Ok((*left, *right)),
        _ => Err(Stop::Error(EvalError::WrongType)),
    }
}

pub(super) fn uid<'a>(value: &Value<'a>) -> Result<Uid<'a>, Stop> {
    named(value).ok_or_else(|| wrong(value))
}

/// The name of an entity.
#[inline]
pub(super) fn named<'a>(value: &Value<'a>) -> Option<Uid<'a>> {
    if let Value::Ref(type_name, id) = value {
        Some(Uid { type_name: *type_name, id })
    } else if let Value::Entity(entity) = value {
        Some(uid_of(*entity))
    } else {
        None
    }
}

pub(super) fn uid_of(entity: &dyn Entity) -> Uid<'_> {
    Uid { type_name: entity.type_name(), id: entity.id() }
}

fn net(value: &Value<'_>) -> Result<IpNet, Stop> {
    if let Value::Ip(net) = value { Ok(canonical(*net)) } else { Err(wrong(value)) }
}

/// The error of a value that cannot be used where it is.
pub(super) fn wrong(value: &Value<'_>) -> Stop {
    Stop::Error(if let Value::Missing = value {
        EvalError::Missing
    } else if let Value::Error(error) = value {
        *error
    } else {
        EvalError::WrongType
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sets_or_records_are_neither_equal_nor_different() {
        let wrong = Err(Stop::Error(EvalError::WrongType));
        for whole in [Value::Strings(&[]), Value::Record(&[("a", Value::Bool(true))])] {
            assert_eq!(equal(&whole, &whole), wrong, "{whole:?}");
            assert_eq!(equal(&whole, &Value::Bool(true)), Ok(false), "{whole:?}");
        }
    }
}
