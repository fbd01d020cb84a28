//! From a checked condition to a program.

use std::sync::Arc;

use super::{
    check::role_of,
    expr::{Expr, Kind, Literal, Path, Relation},
};
use crate::authz::{
    explain::{Clause, Part},
    names::Names,
    program::{Attribute, Exit, MAX_STEPS, Operand, Program, Read, Step, Test},
    schema::{Schema, Ty},
};

/// What a condition is compiled against.
#[derive(Clone, Copy)]
pub(in crate::authz) struct Target<'a> {
    pub(in crate::authz) schema: &'a Schema,
    pub(in crate::authz) roles: &'a Names,
    /// The type of `resource`.
    pub(in crate::authz) resource: Ty,
}

/// The condition needs more steps than a program may have.
pub(in crate::authz) struct TooLong;

/// Makes a program that is true where all parts hold, and the clauses that tell of it.
///
/// # Errors
/// When it gets too long.
pub(in crate::authz) fn emit(
    parts: &[Arc<Part>],
    target: Target<'_>,
) -> Result<(Program, Vec<Clause>), TooLong> {
    let mut emitter = Emitter { target, steps: Vec::new() };
    let mut clauses = Vec::new();
    let mut start = Exit::Yes;
    // From the last to the first: a step's exits are there before it is.
    for part in parts.iter().rev() {
        let first = emitter.steps.len();
        start = match &**part {
            Part::Roles(names) => {
                names.iter().rev().try_fold(Exit::No, |no, role| emitter.role(role, start, no))?
            }
            Part::When(expr) => emitter.condition(expr, start, Exit::No)?,
            Part::Unless(expr) => emitter.condition(expr, Exit::No, start)?,
        };
        clauses.push(Clause { part: Arc::clone(part), steps: first..emitter.steps.len() });
    }
    clauses.reverse();
    Ok((Program { start, steps: emitter.steps.into() }, clauses))
}

struct Emitter<'a> {
    target: Target<'a>,
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
                let test = Test::Compare(*relation, self.operand(left)?, self.operand(right)?);
                self.step(test, yes, no)
            }
            Kind::Has(path, name) => self.step(Test::Has(self.read(path, Some(name))?), yes, no),
            Kind::In(left, right) => match role_of(right) {
                Some(role) => self.role(role, yes, no),
                None => self.step(Test::In(self.operand(left)?, self.operand(right)?), yes, no),
            },
            Kind::InRange(left, right) => {
                self.step(Test::InRange(self.operand(left)?, self.operand(right)?), yes, no)
            }
            Kind::Literal(_) | Kind::Path(_) => self.step(Test::Is(self.operand(expr)?), yes, no),
        }
    }

    /// A condition among the two leads to one of two steps, for its two outcomes.
    fn equal(&mut self, left: &Expr, right: &Expr, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        let (value, condition) = match (self.operand(left), self.operand(right)) {
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
            self.step(Test::Compare(Relation::Equal, self.operand(value)?, truth), yes, no)
        };
        let (as_true, as_false) = (is(true)?, is(false)?);
        self.condition(condition, as_true, as_false)
    }

    fn role(&mut self, name: &str, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        let role = self.target.roles.number(name).ok_or(TooLong)?;
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

    /// A value. Where only a value can stand, checked types have left nothing else.
    fn operand(&self, expr: &Expr) -> Result<Operand, TooLong> {
        if let Kind::Literal(literal) = &expr.kind {
            Ok(Operand::Literal(literal.clone()))
        } else if let Kind::Path(path) = &expr.kind {
            self.read(path, None).map(Operand::Read)
        } else {
            Err(TooLong)
        }
    }

    /// Everything that is read, with its declared type; checked types have left nothing else.
    fn read(&self, path: &Path, asked: Option<&str>) -> Result<Read, TooLong> {
        let mut ty = path.root.ty(self.target.resource);
        let names = path.attributes.iter().map(|name| &**name).chain(asked);
        let attributes = names.map(|name| {
            let known = self.target.schema.attributes(ty).ok_or(TooLong)?;
            ty = known.get(name).ok_or(TooLong)?.ty;
            Ok(Attribute { name: name.into(), ty: Some(ty) })
        });
        Ok(Read { root: path.root, attributes: attributes.collect::<Result<_, _>>()? })
    }
}
