//! Programs of conditions: typed tests where one says exactly what the tree says, the tree itself
//! where none does.

use super::{
    super::{
        expr::{Expr, How, Kind, Relation, Root},
        settled::role_of,
        steps::{self, Chain, equals, simplest},
    },
    lower::{lower, read},
};
use crate::authz::{
    TypeName,
    explain::Part,
    program::{Asked, Exit, MAX_STEPS, Many, Operand, Program, Step, Test},
};

/// The program of one part; `None` where it has too many steps.
pub(super) fn program(part: &Part) -> Option<Program> {
    let mut made = Vec::new();
    let start = match part {
        Part::When(expr) => branch(&mut made, expr, Exit::Yes, Exit::No)?,
        Part::Unless(expr) => branch(&mut made, expr, Exit::No, Exit::Yes)?,
        Part::Roles(_) | Part::During(_) | Part::Outside(_) => return None,
    };
    Some(steps::program(start, made))
}

/// From the last to the first: a step's exits are there before it is.
fn branch(steps: &mut Vec<Step>, expr: &Expr, yes: Exit, no: Exit) -> Option<Exit> {
    if let Kind::Not(inner) = &expr.kind {
        branch(steps, inner, no, yes)
    } else if let Kind::And(parts) = &expr.kind {
        let mut chain = Chain::new(yes);
        for part in parts.iter().rev() {
            let before = steps.len();
            let start = branch(steps, part, chain.start, no)?;
            chain.add(steps, before, start, no);
        }
        Some(chain.start)
    } else if let Kind::Or(parts) = &expr.kind {
        parts.iter().rev().try_fold(no, |no, part| branch(steps, part, yes, no))
    } else if let Kind::If(parts) = &expr.kind {
        let [condition, one, other] = &**parts;
        let (one, other) = (branch(steps, one, yes, no)?, branch(steps, other, yes, no)?);
        branch(steps, condition, one, other)
    } else {
        let (test, negated) = typed(expr).unwrap_or_else(|| (general(expr), false));
        let (then, otherwise) = if negated { (no, yes) } else { (yes, no) };
        step(steps, test, then, otherwise)
    }
}

fn general(expr: &Expr) -> Test {
    Test::General(lower(expr).into())
}

fn step(steps: &mut Vec<Step>, test: Test, then: Exit, otherwise: Exit) -> Option<Exit> {
    let number = u16::try_from(steps.len()).ok().filter(|at| usize::from(*at) < MAX_STEPS)?;
    steps.push(Step { test: simplest(test), then, otherwise });
    Some(Exit::Step(number))
}

/// The test of a condition that branches nowhere, and whether its answer is to be negated.
fn typed(expr: &Expr) -> Option<(Test, bool)> {
    let test = if let Kind::Differs(left, right) = &expr.kind {
        return equal(left, right).map(|test| (test, true));
    } else if let Kind::Compare(relation, left, right) = &expr.kind {
        if *relation == Relation::Equal {
            return equal(left, right).map(|test| (test, false));
        }
        Test::Value(operand(left)?, None, Asked::Compare(*relation, operand(right)?))
    } else if let Kind::Has(of, name) = &expr.kind {
        let Kind::Path(path) = &of.kind else { return None };
        Test::Value(Operand::Read(read(path, Some(name))), Some(false), Asked::Presence)
    } else if let Kind::Is(inner, word, None) = &expr.kind {
        Test::Value(read_of(inner)?, None, Asked::Is(TypeName::new(&word.text)))
    } else if let Kind::In(left, right) = &expr.kind {
        let other = match (operand(right)?, is_entity(right)) {
            (Operand::Read(read), false) => Asked::InAny(read),
            _ if role_of(right).is_some() => return None,
            (other, _) => Asked::In(other),
        };
        Test::Value(read_of(left)?, None, other)
    } else if let Kind::Like(inner, pieces) = &expr.kind {
        Test::Value(read_of(inner)?, None, Asked::Like(pieces.clone()))
    } else if let Kind::Contains(How::Element, set, element) = &expr.kind {
        let (Operand::Read(set), Kind::Literal(_)) = (read_of(set)?, &element.kind) else {
            return None;
        };
        let asked = Many::Listed([operand(element)?].into());
        Test::Contains(How::Element, Many::Read(set), asked)
    } else if let Kind::Path(_) = &expr.kind {
        Test::Value(read_of(expr)?, None, Asked::Truth)
    } else {
        return None;
    };
    Some((test, false))
}

/// Of values of which one is surely no set, no record and no address: addresses and wholes are
/// compared otherwise in documents.
fn equal(left: &Expr, right: &Expr) -> Option<Test> {
    let plain = |expr: &Expr| is_entity(expr) || matches!(expr.kind, Kind::Literal(_));
    if !plain(left) && !plain(right) {
        return None;
    }
    Some(Test::Value(operand(left)?, None, equals(operand(right)?)))
}

/// Whether it is a variable that is an entity.
fn is_entity(expr: &Expr) -> bool {
    let Kind::Path(path) = &expr.kind else { return false };
    path.root != Root::Context && path.attributes.is_empty()
}

fn operand(expr: &Expr) -> Option<Operand> {
    let Kind::Literal(literal) = &expr.kind else { return read_of(expr) };
    Some(Operand::Constant(literal.into()))
}

/// The whole context is no value for a typed test.
fn read_of(expr: &Expr) -> Option<Operand> {
    let Kind::Path(path) = &expr.kind else { return None };
    let whole = path.root == Root::Context && path.attributes.is_empty();
    (!whole).then(|| Operand::Read(read(path, None)))
}
