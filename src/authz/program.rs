//! Conditions as programs: each step is one test with two exits, and exits only lead on.
//!
//! The operators mean what they mean in Cedar: `==` never fails, `<` needs two numbers or two
//! times, `in` two entities, `has` an entity or a record, and a sum that is no `long` is an error.
//! All that is not here has been put in terms of what is: `>`, `if`, records, sets of sets.

use std::sync::Arc;

use super::{
    Attr, Context, Entity, EvalError, TypeName, Uid, Value,
    bits::Bits,
    general::{self, Datum, Function, Node},
    load::expr::{How, Literal, Operator, Root},
    names::Names,
    schema::Ty,
    value::{canonical, fits},
    window::Window,
};
use crate::IpNet;

/// More steps are refused when a program is made.
pub(super) const MAX_STEPS: usize = 1024;

pub(super) const UNAVAILABLE: Stop = Stop::Error(EvalError::Unavailable);

/// A condition. Steps run from the last to the first, so every program ends.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Program {
    pub(super) start: Exit,
    pub(super) steps: Box<[Step]>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Step {
    pub(super) test: Test,
    pub(super) then: Exit,
    pub(super) otherwise: Exit,
}

/// Where a test leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Exit {
    /// The condition is true.
    Yes,
    /// The condition is false.
    No,
    /// To the step of this number, which is lower than the one that leads there.
    Step(u16),
}

/// A question with a yes or a no.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Test {
    /// Does the principal hold this role?
    Role(u32),
    /// Is the last attribute there?
    Has(Read),
    Equal(Operand, Operand),
    Less(Operand, Operand),
    /// Is the entity of this type?
    Is(Operand, TypeName),
    /// Is the first entity the second, or below it?
    In(Operand, Operand),
    /// Does the first range lie in the second?
    InRange(Operand, Operand),
    /// Is the text these pieces in their order, with anything between them?
    Like(Operand, Box<[Box<str>]>),
    /// Is it the time for it?
    During(Arc<Window>),
    /// Are all, or any, of the second set in the first?
    Contains(How, Many, Many),
    /// Whatever else Cedar's policy text may ask.
    General(Box<Node>),
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Operand {
    Read(Read),
    Literal(Literal),
    /// What no text says shorter than a call does: a decimal, a moment, a span of time.
    Constant(Datum),
    /// Nested no deeper than a condition has operators and calls, of which there are at most 64.
    Arithmetic(Operator, Box<(Operand, Operand)>),
    Call(Function, Box<[Operand]>),
}

/// A set: a value that is read, or values one by one.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Many {
    Read(Read),
    Listed(Box<[Operand]>),
}

/// A variable, and the attributes that are read from it, one of the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Read {
    pub(super) root: Root,
    pub(super) attributes: Box<[Attribute]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Attribute {
    pub(super) name: Box<str>,
    /// What it is declared as; `None` lets every value pass.
    pub(super) ty: Option<Ty>,
}

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

/// All ways in which a run may end, whatever the unknown turns out to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcomes {
    pub(super) yes: bool,
    pub(super) no: bool,
    /// An error that does not depend on the unknown.
    pub(super) error: Option<EvalError>,
    /// A test depends on the unknown; it may also fail.
    pub(super) unknown: bool,
}

impl Stop {
    /// The error to report where the resource was given, so that nothing is unknown.
    pub(super) fn error(self) -> EvalError {
        match self {
            Self::Unknown => EvalError::Unavailable,
            Self::Error(error) => error,
        }
    }
}

impl Outcomes {
    /// True whatever the unknown is.
    pub(super) fn is_only_yes(self) -> bool {
        self.yes && !self.no && !self.unknown && self.error.is_none()
    }

    /// False whatever the unknown is.
    pub(super) fn is_only_no(self) -> bool {
        self.no && !self.yes && !self.unknown && self.error.is_none()
    }
}

impl Program {
    /// Runs to the first exit or error.
    pub(super) fn run(&self, world: &World<'_>) -> Result<bool, Stop> {
        let mut exit = self.start;
        let mut ahead = &*self.steps;
        loop {
            let number = match exit {
                Exit::Yes => return Ok(true),
                Exit::No => return Ok(false),
                Exit::Step(number) => number,
            };
            let last = ahead.get(..=number.into()).and_then(<[Step]>::split_last);
            let (step, rest) = last.ok_or(UNAVAILABLE)?;
            ahead = rest;
            exit = if world.test(&step.test)? { step.then } else { step.otherwise };
        }
    }

    /// Follows both exits of every test that depends on the unknown.
    pub(super) fn outcomes(&self, world: &World<'_>) -> Outcomes {
        let mut outcomes = Outcomes::default();
        let mut reached = [0_u64; MAX_STEPS.div_ceil(64)];
        reach(&mut reached, &mut outcomes, self.start);
        for (number, step) in self.steps.iter().enumerate().rev() {
            if reached.get(number / 64).is_none_or(|word| word >> (number % 64) & 1 == 0) {
                continue;
            }
            match world.test(&step.test) {
                Ok(true) => reach(&mut reached, &mut outcomes, step.then),
                Ok(false) => reach(&mut reached, &mut outcomes, step.otherwise),
                Err(Stop::Error(error)) => outcomes.error = Some(error),
                Err(Stop::Unknown) => {
                    outcomes.unknown = true;
                    reach(&mut reached, &mut outcomes, step.then);
                    reach(&mut reached, &mut outcomes, step.otherwise);
                }
            }
        }
        outcomes
    }
}

fn reach(reached: &mut [u64], outcomes: &mut Outcomes, exit: Exit) {
    match exit {
        Exit::Yes => outcomes.yes = true,
        Exit::No => outcomes.no = true,
        Exit::Step(number) => match reached.get_mut(usize::from(number) / 64) {
            Some(word) => *word |= 1 << (number % 64),
            None => outcomes.unknown = true,
        },
    }
}

impl<'a> World<'a> {
    fn test(&self, test: &'a Test) -> Result<bool, Stop> {
        match test {
            Test::Role(role) => Ok(self.roles.holds(*role)),
            Test::Has(read) => match self.find(read) {
                Ok(Value::Missing) => Ok(false),
                found => found.and_then(|value| present(&value)).map(|()| true),
            },
            Test::Equal(left, right) => self.both(left, right, equal),
            Test::Less(left, right) => {
                self.both(left, right, |one, other| numbers(one, other).map(|(l, r)| l < r))
            }
            Test::Is(operand, name) => Ok(uid(&self.value(operand)?)?.type_name == *name),
            Test::In(left, right) => self.both(left, right, |left, right| {
                let (lower, upper) = (uid(left)?, uid(right)?);
                let below = |entity: &dyn Entity| entity.is_in(upper);
                Ok(lower == upper || self.entity(left)?.is_some_and(below))
            }),
            Test::InRange(left, right) => {
                self.both(left, right, |inner, outer| Ok(net(outer)?.contains_net(net(inner)?)))
            }
            Test::Like(operand, pieces) => {
                let value = self.value(operand)?;
                let Value::Str(text) = value else { return Err(wrong(&value)) };
                Ok(like(text, pieces))
            }
            Test::During(window) => window.covers(self.context.now()).ok_or(UNAVAILABLE),
            Test::Contains(how, set, asked) => self.contains(*how, set, asked),
            Test::General(node) => general::truth(node, self),
        }
    }

    /// Asks about two values where they are: to move one that was just made takes longer.
    fn both(
        &self,
        left: &'a Operand,
        right: &'a Operand,
        ask: impl Fn(&Value<'a>, &Value<'a>) -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        match (&self.value(left), &self.value(right)) {
            (Ok(left), Ok(right)) => ask(left, right),
            (Err(stop), _) | (_, Err(stop)) => Err(*stop),
        }
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
            && let Value::Set(set) = self.read(read)?
        {
            return Ok(set.holds(element));
        }
        Ok(!self.each(set, &mut |other| equal(&element, &other) != Ok(true))?)
    }

    /// Calls `each` with the elements until it answers false, and evaluates them all; whether it
    /// never did.
    fn each(&self, set: &'a Many, each: &mut dyn FnMut(Value<'_>) -> bool) -> Result<bool, Stop> {
        let value = match set {
            Many::Read(read) => self.read(read)?,
            Many::Listed(operands) => {
                return operands.iter().try_fold(true, |open, operand| {
                    self.value(operand).map(|value| open && each(value))
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

    /// The operand's value; never [`Value::Missing`] or [`Value::Error`].
    pub(super) fn value(&self, operand: &'a Operand) -> Result<Value<'a>, Stop> {
        match operand {
            Operand::Read(read) => self.read(read),
            Operand::Literal(Literal::Bool(value)) => Ok(Value::Bool(*value)),
            Operand::Literal(Literal::Long(value)) => Ok(Value::Long(*value)),
            Operand::Literal(Literal::Str(value)) => Ok(Value::Str(value)),
            Operand::Literal(Literal::Ip(value)) => Ok(Value::Ip(*value)),
            Operand::Literal(Literal::Entity(name)) => Ok(Value::Ref(name.type_name, &name.id)),
            Operand::Constant(datum) => Ok(datum.value()),
            Operand::Call(function, arguments) => general::called(self, *function, arguments),
            Operand::Arithmetic(operator, sides) => {
                let (left, right) = (self.value(&sides.0)?, self.value(&sides.1)?);
                general::arithmetic(*operator, &left, &right).map(Value::Long)
            }
        }
    }

    /// What is read; never [`Value::Missing`] or [`Value::Error`].
    pub(super) fn read(&self, read: &Read) -> Result<Value<'a>, Stop> {
        let found = self.find(read);
        found.as_ref().map_or(Ok(()), present)?;
        found
    }

    /// What is read; its last attribute may be absent or unavailable.
    pub(super) fn find(&self, read: &Read) -> Result<Value<'a>, Stop> {
        let mut owner = match read.root {
            Root::Principal => Value::Entity(self.principal),
            Root::Resource => Value::Entity(self.resource.ok_or(Stop::Unknown)?),
            Root::Context if self.resource.is_none() && self.is_own_member(read) => {
                return Err(Stop::Unknown);
            }
            Root::Context => Value::Record(self.context),
            Root::Action => Value::Ref(self.action.type_name, self.action.id),
        };
        let Some((last, before)) = read.attributes.split_last() else { return Ok(owner) };
        for attribute in before {
            owner = self.checked(&owner, attribute)?;
            present(&owner)?;
        }
        self.checked(&owner, last)
    }

    /// The attribute's value as the caller's type gives it. One that contradicts its declared
    /// type is an error: it would equal nothing, and so switch a forbid off.
    fn checked(&self, owner: &Value<'a>, attribute: &Attribute) -> Result<Value<'a>, Stop> {
        let found = self.member(owner, &Attr::new(&attribute.name));
        match (&found, attribute.ty) {
            (Ok(value), Some(ty)) if !fits(value, ty) => Err(wrong(value)),
            _ => found,
        }
    }

    /// Whether it reads a member of the context that only the application can supply.
    fn is_own_member(&self, read: &Read) -> bool {
        read.attributes.first().is_none_or(|first| !self.context.supplies(&first.name))
    }
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
    fn what_has_one_outcome_has_no_other() {
        for bits in 0..16_u8 {
            let is = |bit: u8| bits >> bit & 1 == 1;
            let error = is(2).then_some(EvalError::Overflow);
            let outcomes = Outcomes { yes: is(0), no: is(1), error, unknown: is(3) };
            assert_eq!(outcomes.is_only_yes(), bits == 0b0001, "{outcomes:?}");
            assert_eq!(outcomes.is_only_no(), bits == 0b0010, "{outcomes:?}");
        }
    }

    #[test]
    fn two_sets_or_records_are_neither_equal_nor_different() {
        let wrong = Err(Stop::Error(EvalError::WrongType));
        for whole in [Value::Strings(&[]), Value::Record(&[("a", Value::Bool(true))])] {
            assert_eq!(equal(&whole, &whole), wrong, "{whole:?}");
            assert_eq!(equal(&whole, &Value::Bool(true)), Ok(false), "{whole:?}");
        }
    }
}
