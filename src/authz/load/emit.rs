//! From a checked condition to a program.

use super::{
    check::role_of,
    expr::{Expr, Kind, Literal, Relation},
};
use crate::authz::{
    explain::{Clause, Part},
    names::Names,
    program::{Exit, MAX_STEPS, Operand, Program, Step, Test},
};

/// The condition needs more steps than a program may have.
pub(in crate::authz) struct TooLong;

/// Makes a program that is true where all parts hold, and the clauses that tell of it.
///
/// # Errors
/// When it gets too long.
pub(in crate::authz) fn emit(
    parts: Vec<Part>,
    roles: &Names,
) -> Result<(Program, Vec<Clause>), TooLong> {
    let mut emitter = Emitter { roles, steps: Vec::new() };
    let mut clauses = Vec::new();
    let mut start = Exit::Yes;
    // From the last to the first: a step's exits are there before it is.
    for part in parts.into_iter().rev() {
        let first = emitter.steps.len();
        start = match &part {
            Part::Roles(names) => {
                names.iter().rev().try_fold(Exit::No, |no, role| emitter.role(role, start, no))?
            }
            Part::When(expr) => emitter.condition(expr, start, Exit::No)?,
            Part::Unless(expr) => emitter.condition(expr, Exit::No, start)?,
        };
        clauses.push(Clause { part, steps: first..emitter.steps.len() });
    }
    clauses.reverse();
    Ok((Program { start, steps: emitter.steps.into() }, clauses))
}

struct Emitter<'a> {
    roles: &'a Names,
    steps: Vec<Step>,
}

impl Emitter<'_> {
    /// Where the condition starts that leads to `yes` where it is true and to `no` where not.
    fn condition(&mut self, expr: &Expr, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        match &expr.kind {
            Kind::Not(inner) => self.condition(inner, no, yes),
            Kind::And(parts) => {
                parts.iter().rev().try_fold(yes, |yes, part| self.condition(part, yes, no))
            }
            Kind::Or(parts) => {
                parts.iter().rev().try_fold(no, |no, part| self.condition(part, yes, no))
            }
            Kind::Compare(Relation::Equal, left, right) => self.equal(left, right, yes, no),
            Kind::Differs(left, right) => self.equal(left, right, no, yes),
            Kind::Compare(relation, left, right) => {
                let test = Test::Compare(*relation, operand(left)?, operand(right)?);
                self.step(test, yes, no)
            }
            Kind::Has(path, name) => self.step(Test::Has(path.clone(), name.clone()), yes, no),
            Kind::In(left, right) => match role_of(right) {
                Some(role) => self.role(role, yes, no),
                None => self.step(Test::In(operand(left)?, operand(right)?), yes, no),
            },
            Kind::InRange(left, right) => {
                self.step(Test::InRange(operand(left)?, operand(right)?), yes, no)
            }
            Kind::Literal(_) | Kind::Path(_) => self.step(Test::Is(operand(expr)?), yes, no),
        }
    }

    /// A condition among the two leads to one of two steps, for its two outcomes.
    fn equal(&mut self, left: &Expr, right: &Expr, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        let (value, condition) = match (operand(left), operand(right)) {
            (Ok(left), Ok(right)) => {
                return self.step(Test::Compare(Relation::Equal, left, right), yes, no);
            }
            (Ok(_), Err(_)) => (left, right),
            (Err(_), Ok(_)) => (right, left),
            (Err(_), Err(_)) => {
                let as_true = self.condition(right, yes, no)?;
                let as_false = self.condition(right, no, yes)?;
                return self.condition(left, as_true, as_false);
            }
        };
        let mut is = |truth| {
            let truth = Operand::Literal(Literal::Bool(truth));
            self.step(Test::Compare(Relation::Equal, operand(value)?, truth), yes, no)
        };
        let (as_true, as_false) = (is(true)?, is(false)?);
        self.condition(condition, as_true, as_false)
    }

    fn role(&mut self, name: &str, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        let role = self.roles.number(name).ok_or(TooLong)?;
        self.step(Test::Role(role), yes, no)
    }

    fn step(&mut self, test: Test, then: Exit, otherwise: Exit) -> Result<Exit, TooLong> {
        let number = u16::try_from(self.steps.len()).map_err(|_| TooLong)?;
        if usize::from(number) >= MAX_STEPS {
            return Err(TooLong);
        }
        self.steps.push(Step { test, then, otherwise });
        Ok(Exit::Step(number))
    }
}

/// A value. Where only a value can stand, checked types have left nothing else.
fn operand(expr: &Expr) -> Result<Operand, TooLong> {
    if let Kind::Literal(literal) = &expr.kind {
        Ok(Operand::Literal(literal.clone()))
    } else if let Kind::Path(path) = &expr.kind {
        Ok(Operand::Path(path.clone()))
    } else {
        Err(TooLong)
    }
}
