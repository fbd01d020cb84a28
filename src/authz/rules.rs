//! Rules as lists of conditions, each different condition once.

use std::sync::Arc;

use super::{
    RuleId,
    explain::Part,
    program::{Outcomes, Program},
    world::{Stop, UNAVAILABLE, World},
};

/// All rules of a set; many thousands of them repeat few conditions.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) conditions: Box<[Condition]>,
    /// Of each list how many conditions it has, and then which.
    pub(super) lists: Box<[u32]>,
    pub(super) filed: Box<[Filed]>,
}

/// One of those that are and-ed.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) program: Program,
    /// In words, for explanations.
    pub(super) part: Arc<Part>,
}

/// A rule at one of the places where it is found, and what is left to be asked there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filed {
    pub(super) rule: RuleId,
    /// Where its list starts.
    pub(super) list: u32,
}

/// Rules that stand one after another, in the order of their ids: the first of them, and how many.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    pub(super) first: u32,
    pub(super) count: u32,
}

/// Applies where all of its conditions hold. They are asked in their order, up to the first that
/// does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule<'a> {
    pub(super) id: RuleId,
    numbers: &'a [u32],
    conditions: &'a [Condition],
}

impl Rules {
    pub(super) fn of(&self, run: Run) -> impl Iterator<Item = Rule<'_>> {
        let all = self.filed.get(run.first as usize..).unwrap_or_default();
        all.iter().take(run.count as usize).map(|filed| {
            let list = self.lists.get(filed.list as usize..).and_then(<[u32]>::split_first);
            let numbers = list.and_then(|(count, rest)| rest.get(..*count as usize));
            // No list is one of a condition that is not there, which fails.
            let numbers = numbers.unwrap_or(&[u32::MAX]);
            Rule { id: filed.rule, numbers, conditions: &self.conditions }
        })
    }
}

impl<'a> Rule<'a> {
    pub(super) fn run(self, world: &World<'_>) -> Result<bool, Stop> {
        for number in self.numbers {
            let condition = self.conditions.get(*number as usize).ok_or(UNAVAILABLE)?;
            if !condition.program.run(world)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// All ways in which [`run`](Self::run) may end.
    pub(super) fn outcomes(self, world: &World<'_>) -> Outcomes {
        let mut all = Outcomes { yes: true, ..Outcomes::default() };
        for number in self.numbers {
            let Some(condition) = self.conditions.get(*number as usize) else {
                return Outcomes::default();
            };
            let one = condition.program.outcomes(world);
            all.yes = one.yes;
            all.no |= one.no;
            all.unknown |= one.unknown;
            all.error = all.error.or(one.error);
            if !all.yes {
                break;
            }
        }
        all
    }

    pub(super) fn conditions(self) -> impl DoubleEndedIterator<Item = &'a Condition> {
        self.numbers.iter().filter_map(|number| self.conditions.get(*number as usize))
    }
}
