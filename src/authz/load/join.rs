//! Questions about one value, which follow each other, as one.

use std::mem;

use super::expr::{Expr, Kind, Literal, Path, Relation};
use crate::authz::{
    general::{Datum, Net},
    program::{Asked, Exit, Operand, Program, Step, Test},
    value::canonical,
};

/// What is and-ed in a condition. Clauses about one value, of which [`follow`] makes one step, stay
/// together.
pub(super) fn clauses(condition: Expr) -> Vec<Expr> {
    let Kind::And(parts) = condition.kind else { return vec![condition] };
    let mut clauses: Vec<Expr> = Vec::new();
    let mut before = None;
    for part in parts {
        let this = Subject::of(&part);
        match clauses.last_mut().filter(|_| is_followed(before.as_ref(), this.as_ref())) {
            Some(Expr { kind: Kind::And(clause), .. }) => clause.push(part),
            Some(clause) => {
                let first = mem::replace(&mut clause.kind, Kind::And(Vec::new()));
                let first = Expr { kind: first, at: clause.at };
                clause.kind = Kind::And(vec![first, part]);
            }
            None => clauses.push(part),
        }
        before = this;
    }
    clauses
}

/// What a clause is about.
struct Subject {
    path: Path,
    about: About,
}

#[derive(PartialEq, Eq)]
enum About {
    Presence,
    /// An end of a range of numbers.
    End,
    Other,
}

fn is_followed(before: Option<&Subject>, this: Option<&Subject>) -> bool {
    let (Some(before), Some(this)) = (before, this) else { return false };
    let presence = before.about == About::Presence && this.about != About::Presence;
    let range = before.about == About::End && this.about == About::End;
    (presence || range) && before.path == this.path
}

impl Subject {
    /// `None` where others divide rules by the clause, or where it makes no single step.
    fn of(clause: &Expr) -> Option<Self> {
        let (of, about) = match &clause.kind {
            Kind::Has(of, name) => {
                let Kind::Path(path) = &of.kind else { return None };
                let mut path = path.clone();
                path.attributes.push(name.clone());
                return Some(Self { path, about: About::Presence });
            }
            Kind::Compare(Relation::Equal, _, to) if matches!(to.kind, Kind::Literal(_)) => {
                return None;
            }
            Kind::Compare(Relation::Equal, of, _) => (of, About::Other),
            Kind::Compare(_, of, to) => match to.kind {
                Kind::Literal(Literal::Long(_)) => (of, About::End),
                _ => (of, About::Other),
            },
            Kind::Differs(of, _)
            | Kind::In(of, _)
            | Kind::Is(of, _, None)
            | Kind::InRange(of, _)
            | Kind::Like(of, _) => (of, About::Other),
            _ => return None,
        };
        let Kind::Path(path) = &of.kind else { return None };
        Some(Self { path: path.clone(), about })
    }
}

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
        let last = steps.len().checked_sub(1).filter(|last| *last >= before);
        let is_last = last.is_some_and(|last| start == Exit::Step(last as u16));
        // Then nothing else leads to the step before.
        let is_only = self.is_own && is_last && last == Some(before);
        if is_only && follow(steps, self.start, no) {
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

/// The same in fewer words, where another value is a constant.
pub(super) fn simplest(test: Test) -> Test {
    match test {
        Test::Value(value, absent, Asked::InRange(Operand::Constant(Datum::Ip(Net(net))))) => {
            Test::Value(value, absent, Asked::InNet(canonical(net)))
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
