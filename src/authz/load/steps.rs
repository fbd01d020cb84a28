//! Steps of programs: questions about one value that follow each other become one.

use super::expr::Relation;
use crate::authz::{
    general::{Datum, Net},
    program::{Asked, Exit, Operand, Program, Step, Test},
};

/// The program of steps of which each leads to those before it only. What stands behind the start
/// is never reached.
pub(super) fn program(start: Exit, mut steps: Vec<Step>) -> Program {
    steps.truncate(if let Exit::Step(number) = start { usize::from(number) + 1 } else { 0 });
    let constant = |is| Operand::Constant(Datum::Bool(is));
    let start = steps.pop().unwrap_or_else(|| Step {
        test: Test::Value(constant(start == Exit::Yes), None, Asked::Truth),
        then: Exit::Yes,
        otherwise: Exit::No,
    });
    Program { start, rest: steps.into() }
}

/// Steps for what is and-ed, which are made from the last to the first.
pub(super) struct Chain {
    /// Where those start that are there.
    pub(super) start: Exit,
    /// Whether that is the last step, and one of the chain's own.
    is_own: bool,
}

impl Chain {
    /// An empty one, which leads to `yes`.
    pub(super) fn new(yes: Exit) -> Self {
        Self { start: yes, is_own: false }
    }

    /// Takes what leads on to the start, or to `no`: those of the steps that are behind `before`.
    pub(super) fn add(&mut self, steps: &mut Vec<Step>, before: usize, start: Exit, no: Exit) {
        let made = steps.len().saturating_sub(before);
        let last = u16::try_from(steps.len().saturating_sub(1)).map(Exit::Step);
        let is_last = made > 0 && Ok(start) == last;
        // Then nothing else leads to the step before.
        if made == 1 && is_last && self.is_own && follow(steps, self.start, no) {
            return;
        }
        (self.start, self.is_own) = (start, is_last);
    }
}

/// Makes one step of the last two where they are about one value, and the last leads on to the
/// other or to `no`.
fn follow(steps: &mut Vec<Step>, on: Exit, no: Exit) -> bool {
    let followed = match steps.as_mut_slice() {
        [.., then, first] if (first.then, first.otherwise) == (on, no) => {
            followed(&first.test, then, no)
        }
        _ => false,
    };
    if followed {
        steps.pop();
    }
    followed
}

fn followed(first: &Test, then: &mut Step, no: Exit) -> bool {
    let (Test::Value(one, absent, before), Test::Value(other, none @ None, asked)) =
        (first, &mut then.test)
    else {
        return false;
    };
    if one != other {
        false
    } else if *before == Asked::Presence {
        // Where the step leads that is not made.
        *none = [then.then, then.otherwise].iter().position(|exit| *exit == no).map(|at| at == 0);
        none.is_some()
    } else if let (None, Asked::Within(low, high), Asked::Within(least, most), true) =
        (absent, before, &*asked, then.otherwise == no)
    {
        *asked = Asked::Within(*low.max(least), *high.min(most));
        true
    } else {
        false
    }
}

pub(super) fn equals(other: Operand) -> Asked {
    Asked::Compare(Relation::Equal, other)
}

/// The same in fewer words, where another value is a constant.
pub(super) fn simplest(test: Test) -> Test {
    match test {
        Test::Value(value, absent, Asked::InRange(Operand::Constant(Datum::Ip(Net(net))))) => {
            Test::Value(value, absent, Asked::InNet(net))
        }
        Test::Value(value, absent, asked) => {
            let range = range(&asked).map(|(low, high)| Asked::Within(low, high));
            Test::Value(value, absent, range.unwrap_or(asked))
        }
        Test::Role(_) | Test::During(_) | Test::Contains(..) | Test::General(_) => test,
    }
}

/// The numbers for which the answer is yes.
fn range(asked: &Asked) -> Option<(i64, i64)> {
    let Asked::Compare(relation, Operand::Constant(Datum::Long(number))) = asked else {
        return None;
    };
    Some(match relation {
        Relation::Equal => return None,
        Relation::Less => (i64::MIN, number.checked_sub(1)?),
        Relation::AtMost => (i64::MIN, *number),
        Relation::More => (number.checked_add(1)?, i64::MAX),
        Relation::AtLeast => (*number, i64::MAX),
    })
}
