//! What a condition says about the questions that rules can be divided by.

use super::probe::{Key, Question};
use crate::authz::{
    general::Datum,
    load::expr::{Relation, Root},
    program::{Asked, Exit, Operand, Program, Read, Step, Test},
};

/// The question that the condition is, and the answer that makes it true.
pub(super) fn key(program: &Program) -> Option<(Question, Key<Box<str>>)> {
    let Program { start: Step { test, then: Exit::Yes, otherwise: Exit::No }, rest } = program
    else {
        return None;
    };
    if !rest.is_empty() {
        return None;
    }
    if let Test::Role(role) = test {
        Some((Question::Role, Key::Role(*role)))
    } else if let Test::Value(Operand::Read(read), None, Asked::Is(kind)) = test {
        is_whole(read).then_some((Question::Kind(read.root), Key::Kind(*kind)))
    } else if let Test::Value(one, None, Asked::Compare(Relation::Equal, other)) = test
        && let (Operand::Read(read), Operand::Constant(datum))
        | (Operand::Constant(datum), Operand::Read(read)) = (one, other)
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
    for step in program.rest.iter().chain([&program.start]) {
        match &step.test {
            Test::Role(_) => {}
            Test::Value(Operand::Read(read), _, Asked::Presence) => {
                all.push(Question::Has(read.clone()));
            }
            Test::Value(left, _, Asked::Compare(Relation::Equal, right)) => {
                all.extend(read(left)?);
                all.extend(read(right)?);
            }
            Test::Value(Operand::Read(read), None, Asked::Is(_)) if is_whole(read) => {
                all.push(Question::Kind(read.root));
            }
            Test::Value(
                Operand::Read(read),
                None,
                Asked::In(Operand::Constant(Datum::Entity(..))),
            ) if is_whole(read) => all.push(Question::Kind(read.root)),
            // Of declared types, which were checked, only what is read may fail.
            Test::Value(left, _, Asked::Compare(_, right) | Asked::InRange(right))
                if is_typed(left) && is_typed(right) =>
            {
                all.extend(read(left)?);
                all.extend(read(right)?);
            }
            Test::Value(value, _, Asked::Like(_) | Asked::Within(..) | Asked::InNet(_))
                if is_typed(value) =>
            {
                all.extend(read(value)?);
            }
            Test::Value(..) | Test::During(_) | Test::Contains(..) | Test::General(_) => {
                return None;
            }
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
