//! What a program is run against: tests, and the values that they ask about.
//!
//! The operators mean what they mean in Cedar: `==` never fails, `<` needs two numbers or two
//! times, `in` two entities, `has` an entity or a record, and a sum that is no `long` is an error.

use super::{
    Attr, Context, Entity, EvalError, Uid, Value,
    bits::Bits,
    general,
    load::expr::{How, Root},
    names::Names,
    program::{Attribute, Many, Operand, Read, Test},
    value::{canonical, fits},
};
use crate::IpNet;

pub(super) const UNAVAILABLE: Stop = Stop::Error(EvalError::Unavailable);

/// What a program is run against.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) roles: &'a Bits,
    pub(super) role_names: &'a Names,
    pub(super) action: Uid<'a>,
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
            Test::Has(read) => self.find(read, |value| {
                let is_missing = matches!(value, Value::Missing);
                if is_missing { Ok(false) } else { present(value).map(|()| true) }
            }),
            Test::Equal(left, right) => self.both(left, right, equal),
            Test::Less(left, right) => {
                self.both(left, right, |one, other| numbers(one, other).map(|(l, r)| l < r))
            }
            Test::AtMost(left, right) => {
                self.both(left, right, |one, other| numbers(one, other).map(|(l, r)| l <= r))
            }
            Test::Is(operand, name) => self.value(operand, |v| Ok(uid(v)?.type_name == *name)),
            Test::In(left, right) => self.both(left, right, |left, right| {
                let (lower, upper) = (uid(left)?, uid(right)?);
                let below = |entity: &dyn Entity| entity.is_in(upper);
                Ok(lower == upper || self.entity(left)?.is_some_and(below))
            }),
            Test::InRange(left, right) => {
                self.both(left, right, |inner, outer| Ok(net(outer)?.contains_net(net(inner)?)))
            }
            Test::Like(operand, pieces) => self.value(operand, |value| {
                if let Value::Str(text) = value {
                    Ok(like(text, pieces))
                } else {
                    Err(wrong(value))
                }
            }),
            Test::During(window) => window.covers(self.context.now()).ok_or(UNAVAILABLE),
            Test::Contains(how, set, asked) => self.contains(*how, set, asked),
            Test::General(node) => general::truth(node, self),
        }
    }

    /// Asks about two values, the left one first.
    fn both(
        &self,
        left: &'a Operand,
        right: &'a Operand,
        ask: impl Fn(&Value<'a>, &Value<'a>) -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        self.value(left, |left| self.value(right, |right| ask(left, right)))
    }

    /// Every element is evaluated, whether or not the answer is known before.
    fn contains(&self, how: How, set: &'a Many, asked: &'a Many) -> Result<bool, Stop> {
        self.each(set, &mut |_| true)?;
        let mut answer = Ok(how != How::Any);
        let open = answer;
        self.each(asked, &mut |element| {
            answer = self.holds(set, element);
            answer == open
        })?;
        answer
    }

    fn holds(&self, set: &'a Many, element: Value<'_>) -> Result<bool, Stop> {
        if let Many::Read(read) = set
            && let Value::Set(set) = self.read(read, copied)?
        {
            return Ok(set.holds(element));
        }
        Ok(!self.each(set, &mut |other| equal(&element, &other) != Ok(true))?)
    }

    /// Calls `each` with the elements until it answers false, and evaluates them all; whether it
    /// never did.
    fn each(&self, set: &'a Many, each: &mut dyn FnMut(Value<'_>) -> bool) -> Result<bool, Stop> {
        let value = match set {
            Many::Read(read) => self.read(read, copied)?,
            Many::Listed(operands) => {
                return operands.iter().try_fold(true, |open, operand| {
                    self.value(operand, |value| Ok(open && each(*value)))
                });
            }
        };
        if let Value::Strings(texts) = value {
            Ok(texts.iter().all(|text| each(Value::Str(text))))
        } else if let Value::Set(set) = value {
            Ok(set.try_each(each))
        } else {
            Err(wrong(&value))
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
        let mut owner = match read.root {
            Root::Principal => Value::Entity(self.principal),
            Root::Resource => Value::Entity(self.resource.ok_or(Stop::Unknown)?),
            Root::Context if self.resource.is_none() && self.is_own_member(read) => {
                return Err(Stop::Unknown);
            }
            Root::Context => Value::Record(self.context),
            Root::Action => Value::Ref(self.action.type_name, self.action.id),
        };
        let Some((last, before)) = read.attributes.split_last() else { return ask(&owner) };
        for attribute in before {
            owner = self.checked(&owner, attribute, |value| present(value).map(|()| *value))?;
        }
        self.checked(&owner, last, ask)
    }

    /// Asks about the attribute's value as the caller's type gives it. One that contradicts its
    /// declared type is an error: it would equal nothing, and so switch a forbid off.
    fn checked<T>(
        &self,
        owner: &Value<'a>,
        attribute: &Attribute,
        ask: impl Ask<'a, T>,
    ) -> Result<T, Stop> {
        match &self.member(owner, &Attr::new(&attribute.name)) {
            Err(stop) => Err(*stop),
            Ok(value) if attribute.ty.is_some_and(|ty| !fits(value, ty)) => Err(wrong(value)),
            Ok(value) => ask(value),
        }
    }

    /// Whether it reads a member of the context that only the application can supply.
    fn is_own_member(&self, read: &Read) -> bool {
        read.attributes.first().is_none_or(|first| !self.context.supplies(&first.name))
    }
}

/// For values that are kept.
pub(super) fn copied<'a>(value: &Value<'a>) -> Result<Value<'a>, Stop> {
    Ok(*value)
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

/// Values of different types are different.
fn equal(left: &Value<'_>, right: &Value<'_>) -> Result<bool, Stop> {
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
    if let Value::Ref(type_name, id) = value {
        Ok(Uid { type_name: *type_name, id })
    } else if let Value::Entity(entity) = value {
        Ok(uid_of(*entity))
    } else {
        Err(wrong(value))
    }
}

pub(super) fn uid_of(entity: &dyn Entity) -> Uid<'_> {
    Uid { type_name: entity.type_name(), id: entity.id() }
}

fn net(value: &Value<'_>) -> Result<IpNet, Stop> {
    if let Value::Ip(net) = value { Ok(canonical(*net)) } else { Err(wrong(value)) }
}

/// The error of a value that cannot be used where it is.
fn wrong(value: &Value<'_>) -> Stop {
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
