//! From a checked condition to a program.

use std::{mem, slice, sync::Arc};

use super::{
    expr::{Expr, How, Kind, Literal, Operator, Path, Relation},
    lift::{and, atoms, bulk, equality, is_lifted, literal, or, read, size, slot},
    settled::{reached, role_of, settled},
    steps::{self, Chain, equals, simplest},
};
use crate::authz::{
    TypeName, Value,
    explain::{Part, Times},
    general::{Datum, Function},
    names::Names,
    program::{Asked, Attribute, Exit, MAX_STEPS, Many, Operand, Program, Read, Step, Test},
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
#[derive(Debug)]
pub(in crate::authz) struct TooLong;

/// A condition's program, and what it takes of the work that is allowed.
pub(in crate::authz) struct Emitted {
    pub(in crate::authz) program: Program,
    /// Steps, and what they are made of; a rule has at most [`MAX_STEPS`].
    pub(in crate::authz) weight: usize,
    pub(in crate::authz) cost: usize,
}

/// Makes a program that is true where the part holds.
///
/// # Errors
/// When it gets too long.
pub(in crate::authz) fn emit(part: &Part, target: Target<'_>) -> Result<Emitted, TooLong> {
    let mut emitter = Emitter { target, steps: Vec::new(), weight: 0, work: 0 };
    let start = match part {
        Part::Roles(names) => {
            let mut names = names.iter().rev();
            names.try_fold(Exit::No, |no, role| emitter.role(role, Exit::Yes, no))?
        }
        Part::When(expr) => emitter.condition(expr, Exit::Yes, Exit::No)?,
        Part::Unless(expr) => emitter.condition(expr, Exit::No, Exit::Yes)?,
        Part::During(times) => emitter.during(times, Exit::Yes, Exit::No)?,
        Part::Outside(times) => emitter.during(times, Exit::No, Exit::Yes)?,
    };
    let Emitter { steps, weight, work, .. } = emitter;
    let program = steps::program(start, steps);
    Ok(Emitted { program, weight, cost: weight + work / WORK_PER_STEP })
}

/// What of the work of compiling counts as much as one step that is kept.
const WORK_PER_STEP: usize = 4;
/// More work for one program is refused.
const MAX_WORK: usize = 16 * MAX_STEPS;

struct Emitter<'a> {
    target: Target<'a>,
    steps: Vec<Step>,
    /// Steps, and what they are made of: elements, pieces, operators, long names and texts.
    weight: usize,
    /// Parts that were looked at, each as often as it was.
    work: usize,
}

impl Emitter<'_> {
    /// Where the condition starts that leads to `yes` where it is true and to `no` where not.
    fn condition(&mut self, expr: &Expr, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        self.toil(1)?;
        let (schema, resource) = (self.target.schema, self.target.resource);
        // What the declared types tell holds, whatever an entity says of itself: what stands
        // behind it is left out. It may still fail.
        let (yes, no) = match settled(expr, schema, resource) {
            Some(true) => (yes, yes),
            Some(false) => (no, no),
            None => (yes, no),
        };
        if let Kind::Not(inner) = &expr.kind {
            self.condition(inner, no, yes)
        } else if let Kind::And(parts) = &expr.kind {
            self.all(reached(parts, false, schema, resource), yes, no)
        } else if let Kind::Or(parts) = &expr.kind {
            let mut parts = reached(parts, true, schema, resource).iter().rev();
            parts.try_fold(no, |no, part| self.condition(part, yes, no))
        } else if let Kind::If(parts) = &expr.kind {
            let [condition, one, other] = &**parts;
            self.branch(condition, one, other, yes, no)
        } else if let Kind::Is(inner, word, Some(within)) = &expr.kind {
            self.toil(size(inner))?;
            let is = Kind::Is(inner.clone(), word.clone(), None);
            let below = Kind::In(inner.clone(), within.clone());
            let parts = [is, below].map(|kind| Expr { kind, at: expr.at });
            self.condition(&and(parts), yes, no)
        } else if let Kind::Field(..) = &expr.kind {
            self.condition(&equality(expr, &literal(true)), yes, no)
        } else if expr.parts().into_iter().any(is_lifted) {
            self.lifted(expr, yes, no)
        } else {
            self.test(expr, yes, no)
        }
    }

    fn all(&mut self, parts: &[Expr], yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        let mut chain = Chain::new(yes);
        for part in parts.iter().rev() {
            let before = self.steps.len();
            let start = self.condition(part, chain.start, no)?;
            chain.add(&mut self.steps, before, start, no);
        }
        Ok(chain.start)
    }

    fn branch(
        &mut self,
        condition: &Expr,
        one: &Expr,
        other: &Expr,
        yes: Exit,
        no: Exit,
    ) -> Result<Exit, TooLong> {
        let settled = settled(condition, self.target.schema, self.target.resource);
        let taken = [(one, Some(true)), (other, Some(false))]
            .map(|(part, truth)| (settled.is_none() || settled == truth).then_some(part));
        let [one, other] = taken.map(|part| part.map(|part| self.condition(part, yes, no)));
        let (one, other) = (one.transpose()?, other.transpose()?);
        // Where only one can be taken, the other is never reached.
        let either = one.or(other).unwrap_or(no);
        self.condition(condition, one.unwrap_or(either), other.unwrap_or(either))
    }

    /// A test of values of which one is yet to be chosen, or is true or false: a test for each
    /// of the two that it may be. A test evaluates all its values, in whatever order, so it fails
    /// where Cedar's does. How many of these lie within one another is bounded by the work, as each
    /// looks at all that those within it will look at.
    fn lifted(&mut self, expr: &Expr, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        self.toil(2 * size(expr))?;
        let (mut one, mut other) = (expr.clone(), expr.clone());
        let (Some(here), Some(there)) = (slot(&mut one), slot(&mut other)) else {
            return Err(TooLong);
        };
        let found = mem::replace(here, literal(true));
        if let Kind::If(parts) = found.kind {
            let [condition, yes_value, no_value] = *parts;
            (*here, *there) = (yes_value, no_value);
            self.branch(&condition, &one, &other, yes, no)
        } else if let Kind::Field(of, names) = found.kind {
            let mut forced = Vec::new();
            *here = read(*of, names, &mut forced)?;
            let start = self.condition(&one, yes, no)?;
            self.forced(&forced, start)
        } else {
            *there = literal(false);
            self.branch(&found, &one, &other, yes, no)
        }
    }

    /// Evaluates the values, so that it fails where one of them does, and goes on.
    fn forced(&mut self, values: &[Expr], next: Exit) -> Result<Exit, TooLong> {
        let mut all = Vec::new();
        values.iter().for_each(|value| atoms(value, &mut all));
        if all.is_empty() {
            return Ok(next);
        }
        let set = |elements| Expr { kind: Kind::Set(elements), at: 0 };
        if all.iter().any(is_lifted) {
            let kind = Kind::Contains(How::All, set(all).into(), set(Vec::new()).into());
            return self.condition(&Expr { kind, at: 0 }, next, next);
        }
        let all = self.many(&set(all))?;
        self.step(Test::Contains(How::All, all, Many::Listed(Box::new([]))), next, next)
    }

    /// A test of values of which none is left to be chosen.
    fn test(&mut self, expr: &Expr, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        let test = match &expr.kind {
            Kind::Compare(Relation::Equal, left, right) => return self.equal(left, right, yes, no),
            Kind::Differs(left, right) => return self.equal(left, right, no, yes),
            Kind::Compare(relation, left, right) => {
                self.beside(left, right, |other| Asked::Compare(*relation, other))?
            }
            Kind::Has(of, name) => {
                if let Kind::Record(fields) = &of.kind {
                    let exit = if fields.contains_key(name) { yes } else { no };
                    return self.forced(slice::from_ref(of), exit);
                }
                let Kind::Path(path) = &of.kind else { return Err(TooLong) };
                self.weigh(bulk(&of.kind))?;
                let read = Operand::Read(self.read(path, Some(name))?);
                Test::Value(read, Some(false), Asked::Presence)
            }
            Kind::In(left, right) => match (&right.kind, role_of(right)) {
                (Kind::Set(listed), _) => return self.in_any(left, listed, yes, no),
                (_, Some(role)) => return self.role(role, yes, no),
                (_, None) => self.beside(left, right, Asked::In)?,
            },
            Kind::Is(entity, word, _) => {
                Test::Value(self.operand(entity)?, None, Asked::Is(TypeName::new(&word.text)))
            }
            Kind::InRange(left, right) => self.beside(left, right, Asked::InRange)?,
            Kind::Like(text, pieces) => {
                self.weigh(pieces.len() + bulk(&expr.kind))?;
                Test::Value(self.operand(text)?, None, Asked::Like(pieces.clone()))
            }
            Kind::IsEmpty(set) => {
                Test::Contains(How::All, Many::Listed(Box::new([])), self.many(set)?)
            }
            Kind::Contains(how, set, asked) => return self.contains(*how, set, asked, yes, no),
            Kind::Literal(Literal::Bool(_)) | Kind::Call(..) => {
                self.beside(expr, &literal(true), equals)?
            }
            Kind::Path(path) if self.ty(path) == Some(Ty::Bool) => {
                self.beside(expr, &literal(true), equals)?
            }
            // Checked types have left nothing else, and all else has been put in these terms.
            Kind::Literal(_)
            | Kind::Path(_)
            | Kind::Field(..)
            | Kind::Set(_)
            | Kind::Record(_)
            | Kind::Not(_)
            | Kind::And(_)
            | Kind::Or(_)
            | Kind::If(_)
            | Kind::HasPath(..)
            | Kind::Arithmetic(..)
            | Kind::Negated(_) => return Err(TooLong),
        };
        self.step(test, yes, no)
    }

    /// What is asked about the left value by the right one, which is evaluated after it.
    fn beside(
        &mut self,
        left: &Expr,
        right: &Expr,
        how: impl FnOnce(Operand) -> Asked,
    ) -> Result<Test, TooLong> {
        Ok(Test::Value(self.operand(left)?, None, how(self.operand(right)?)))
    }

    fn equal(&mut self, left: &Expr, right: &Expr, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        if let (Kind::Record(fields), Kind::Record(others)) = (&left.kind, &right.kind) {
            let pairs = fields.values().zip(others.values());
            let equals = pairs.map(|(one, other)| equality(one, other)).collect::<Vec<_>>();
            self.toil(size(left) + size(right))?;
            let start = self.condition(&and(equals), yes, no)?;
            return self.forced(&[left.clone(), right.clone()], start);
        }
        if let (Kind::Literal(Literal::Bool(one)), Kind::Literal(Literal::Bool(other))) =
            (&left.kind, &right.kind)
        {
            return Ok(if one == other { yes } else { no });
        }
        if self.is_set(left) != self.is_set(right) {
            return Err(TooLong);
        }
        if self.is_set(left) {
            // Every element of each is in the other. What fails, fails in the first of the two.
            let back = self.contains(How::All, right, left, yes, no)?;
            return self.contains(How::All, left, right, back, no);
        }
        let test = self.beside(left, right, equals)?;
        self.step(test, yes, no)
    }

    fn contains(
        &mut self,
        how: How,
        set: &Expr,
        asked: &Expr,
        yes: Exit,
        no: Exit,
    ) -> Result<Exit, TooLong> {
        let one = slice::from_ref(asked);
        let elements = |expr: &Expr| {
            if let Kind::Set(elements) = &expr.kind { elements.clone() } else { Vec::new() }
        };
        let whats = if how == How::Element { one.to_vec() } else { elements(asked) };
        if !elements(set).iter().chain(&whats).any(|element| self.is_many(element)) {
            let set = self.many(set)?;
            let asked = match how {
                How::Element => Many::Listed(Box::new([self.operand(asked)?])),
                How::All | How::Any => self.many(asked)?,
            };
            return self.step(Test::Contains(how, set, asked), yes, no);
        }
        // Sets of sets or of records are only ever written down: each is compared with each.
        let kept = elements(set);
        self.toil(kept.iter().chain(&whats).map(size).sum::<usize>() * (kept.len() + whats.len()))?;
        let found = whats
            .iter()
            .map(|what| or(kept.iter().map(|kept| equality(kept, what)).collect::<Vec<_>>()));
        let found = found.collect::<Vec<_>>();
        let found = if how == How::Any { or(found) } else { and(found) };
        let start = self.condition(&found, yes, no)?;
        self.forced(&[set.clone(), asked.clone()], start)
    }

    /// In one of these. That it is one of them is asked first, which needs no entity.
    fn in_any(
        &mut self,
        left: &Expr,
        listed: &[Expr],
        yes: Exit,
        no: Exit,
    ) -> Result<Exit, TooLong> {
        self.toil(2 * listed.len() * size(left))?;
        let entities: Vec<Expr> =
            listed.iter().filter(|one| role_of(one).is_none()).cloned().collect();
        let mut any: Vec<Expr> = Vec::new();
        if listed.len() > 1 {
            any.extend(entities.iter().map(|one| equality(left, one)));
        }
        any.extend(listed.iter().map(|one| {
            let kind = Kind::In(left.clone().into(), one.clone().into());
            Expr { kind, at: one.at }
        }));
        let start = self.condition(&or(any), yes, no)?;
        let forced = if listed.is_empty() { slice::from_ref(left) } else { &entities };
        self.forced(forced, start)
    }

    fn role(&mut self, name: &str, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        let role = self.target.roles.number(name).ok_or(TooLong)?;
        self.step(Test::Role(role), yes, no)
    }

    fn during(&mut self, times: &Times, yes: Exit, no: Exit) -> Result<Exit, TooLong> {
        self.weigh(times.window.spans.len())?;
        self.step(Test::During(Arc::clone(&times.window)), yes, no)
    }

    fn step(&mut self, test: Test, then: Exit, otherwise: Exit) -> Result<Exit, TooLong> {
        self.weigh(1)?;
        let number = u16::try_from(self.steps.len()).map_err(|_| TooLong)?;
        self.steps.push(Step { test: simplest(test), then, otherwise });
        Ok(Exit::Step(number))
    }

    fn weigh(&mut self, weight: usize) -> Result<(), TooLong> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_STEPS { Err(TooLong) } else { Ok(()) }
    }

    fn toil(&mut self, work: usize) -> Result<(), TooLong> {
        self.work = self.work.saturating_add(work);
        if self.work > MAX_WORK { Err(TooLong) } else { Ok(()) }
    }

    fn is_set(&self, expr: &Expr) -> bool {
        let is_path = |path| self.ty(path) == Some(Ty::Strings);
        matches!(&expr.kind, Kind::Set(_)) || matches!(&expr.kind, Kind::Path(p) if is_path(p))
    }

    fn ty(&self, path: &Path) -> Option<Ty> {
        path.ty(self.target.schema, self.target.resource)
    }

    fn is_many(&self, expr: &Expr) -> bool {
        self.is_set(expr) || matches!(expr.kind, Kind::Record(_))
    }

    /// A value. Where only a value can stand, checked types have left nothing else.
    fn operand(&mut self, expr: &Expr) -> Result<Operand, TooLong> {
        self.weigh(bulk(&expr.kind))?;
        let (operator, left, right) = if let Kind::Literal(literal) = &expr.kind {
            return Ok(Operand::Constant(literal.into()));
        } else if let Kind::Path(path) = &expr.kind {
            return self.read(path, None).map(Operand::Read);
        } else if let Kind::Arithmetic(operator, left, right) = &expr.kind {
            (*operator, self.operand(left)?, self.operand(right)?)
        } else if let Kind::Negated(inner) = &expr.kind {
            let zero = Operand::Constant(Datum::Long(0));
            (Operator::Subtract, zero, self.operand(inner)?)
        } else if let Kind::Call(function, arguments) = &expr.kind {
            return self.call(*function, arguments);
        } else {
            return Err(TooLong);
        };
        self.weigh(1)?;
        Ok(Operand::Arithmetic(operator, Box::new((left, right))))
    }

    /// A call; of a text that stands there, what it makes of it.
    fn call(&mut self, function: Function, arguments: &[Expr]) -> Result<Operand, TooLong> {
        self.weigh(1)?;
        if let [Expr { kind: Kind::Literal(Literal::Str(text)), .. }] = arguments
            && let Some(constant) = function.call(&[Value::Str(text)]).ok().and_then(Datum::scalar)
        {
            return Ok(Operand::Constant(constant));
        }
        let operands = arguments.iter().map(|argument| self.operand(argument));
        Ok(Operand::Call(function, operands.collect::<Result<_, _>>()?))
    }

    fn many(&mut self, expr: &Expr) -> Result<Many, TooLong> {
        self.weigh(bulk(&expr.kind))?;
        if let Kind::Set(elements) = &expr.kind {
            self.weigh(elements.len())?;
            let operands = elements.iter().map(|element| self.operand(element));
            operands.collect::<Result<_, _>>().map(Many::Listed)
        } else if let Kind::Path(path) = &expr.kind {
            self.read(path, None).map(Many::Read)
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
