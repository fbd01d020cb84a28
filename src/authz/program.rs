//! Conditions as programs: each step is one test with two exits, and exits only lead on.
//!
//! All that is not here has been put in terms of what is: `if`, records, sets of sets.

use std::sync::Arc;

use super::{
    EvalError, TypeName,
    general::{Datum, Function, Node},
    load::expr::{How, Operator, Relation, Root},
    schema::Ty,
    window::Window,
    world::{Stop, UNAVAILABLE, World},
};
use crate::IpNet;

/// More steps are refused when a program is made.
pub(super) const MAX_STEPS: usize = 1024;

/// A condition. After the start steps run from the last to the first, so every program ends.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Program {
    pub(super) start: Step,
    pub(super) rest: Box<[Step]>,
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
    /// What is asked about a value, and the answer where its last attribute is absent; `None`: to
    /// be absent is an error.
    Value(Operand, Option<bool>, Asked),
    /// Is it the time for it?
    During(Arc<Window>),
    /// Are all, or any, of the second set in the first?
    Contains(How, Many, Many),
    /// Whatever else Cedar's policy text may ask.
    General(Box<Node>),
}

/// What is asked about a value.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// Nothing but whether it is there.
    Presence,
    /// Is it true?
    Truth,
    /// Is the entity of this type?
    Is(TypeName),
    /// Is the text these pieces in their order, with anything between them?
    Like(Box<[Box<str>]>),
    /// Is the number none below the first, and none above the second?
    Within(i64, i64),
    Compare(Relation, Operand),
    /// Is the entity the other, or below it?
    In(Operand),
    /// Or one of a set, or below one of them?
    InAny(Read),
    /// Does the range lie in this one?
    InNet(IpNet),
    /// Does the range lie in the other?
    InRange(Operand),
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Operand {
    Read(Read),
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
        let (mut step, mut ahead) = (&self.start, &*self.rest);
        loop {
            let number = match if world.test(&step.test)? { step.then } else { step.otherwise } {
                Exit::Yes => return Ok(true),
                Exit::No => return Ok(false),
                Exit::Step(number) => number,
            };
            let last = ahead.get(..=number.into()).and_then(<[Step]>::split_last);
            (step, ahead) = last.ok_or(UNAVAILABLE)?;
        }
    }

    /// Follows both exits of every test that depends on the unknown.
    pub(super) fn outcomes(&self, world: &World<'_>) -> Outcomes {
        let mut outcomes = Outcomes::default();
        let mut reached = [0_u64; MAX_STEPS.div_ceil(64)];
        let mut ahead = self.rest.iter().enumerate().rev();
        let mut next = Some(&self.start);
        while let Some(step) = next {
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
            let is_reached = |number: usize| {
                reached.get(number / 64).is_some_and(|w| w >> (number % 64) & 1 == 1)
            };
            next = ahead.find(|(number, _)| is_reached(*number)).map(|(_, step)| step);
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
}
