//! What a condition says about the questions that rules can be divided by.

use super::probe::{Key, Question};
use crate::authz::{
    general::Datum,
    load::expr::Root,
    program::{Exit, Operand, Program, Read, Step, Test},
};

/// The question that the condition is, and the answer that makes it true.
pub(super) fn key(program: &Program) -> Option<(Question, Key<Box<str>>)> {
    let [Step { test, then: Exit::Yes, otherwise: Exit::No }] = &*program.steps else {
        return None;
    };
    if program.start != Exit::Step(0) {
        return None;
    }
    if let Test::Role(role) = test {
        Some((Question::Role, Key::Role(*role)))
    } else if let Test::Is(Operand::Read(read), kind) = test {
        is_whole(read).then_some((Question::Kind(read.root), Key::Kind(*kind)))
    } else if let Test::Equal(Operand::Read(read), Operand::Constant(datum))
    | Test::Equal(Operand::Constant(datum), Operand::Read(read)) = test
    {
        let key = match datum {
            Datum::Bool(value) => Key::Bool(*value),
            Datum::Long(value) => Key::Long(*value),
            Datum::Str(text) => Key::Str(text.clone()),
            Datum::Entity(kind, id) => Key::Entity(*kind, id.clone()),
            Datum::Ip(_)
            | Datum::Decimal(_)
            | Datum::Datetime(_)
            | Datum::Duration(_)
            | Datum::Set(_)
            | Datum::Record(_) => return None,
        };
        Some((Question::Value(read.clone()), key))
    } else {
        None
    }
}

/// The questions of which one fails wherever the condition fails or depends on what is not known
/// yet; `None` if it may fail otherwise.
pub(super) fn hazards(program: &Program) -> Option<Vec<Question>> {
    let mut all = Vec::new();
    for step in &program.steps {
        match &step.test {
            Test::Role(_) => {}
            Test::Has(read) => all.push(Question::Has(read.clone())),
            Test::Equal(left, right) => {
                all.extend(read(left)?);
                all.extend(read(right)?);
            }
            Test::Is(Operand::Read(read), _) if is_whole(read) => {
                all.push(Question::Kind(read.root));
            }
            Test::In(Operand::Read(read), Operand::Constant(Datum::Entity(..)))
                if is_whole(read) =>
            {
                all.push(Question::Kind(read.root));
            }
            // Of declared types, which were checked, only what is read may fail.
            Test::Less(left, right) | Test::AtMost(left, right) | Test::InRange(left, right)
                if is_typed(left) && is_typed(right) =>
            {
                all.extend(read(left)?);
                all.extend(read(right)?);
            }
            Test::Like(text, _) if is_typed(text) => all.extend(read(text)?),
            Test::Is(..)
            | Test::In(..)
            | Test::Less(..)
            | Test::AtMost(..)
            | Test::InRange(..)
            | Test::Like(..)
            | Test::During(_)
            | Test::Contains(..)
            | Test::General(_) => return None,
        }
    }
    Some(all)
}

fn read(operand: &Operand) -> Option<Option<Question>> {
    match operand {
        Operand::Constant(_) => Some(None),
        Operand::Read(read) => Some(Some(Question::Value(read.clone()))),
        Operand::Arithmetic(..) | Operand::Call(..) => None,
    }
}

fn is_typed(operand: &Operand) -> bool {
    let Operand::Read(read) = operand else { return true };
    read.attributes.last().is_some_and(|last| last.ty.is_some())
}

/// Whether it is the principal or the resource itself.
fn is_whole(read: &Read) -> bool {
    read.root != Root::Context && read.attributes.is_empty()
}
