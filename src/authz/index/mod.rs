//! Which rules of an action may apply or fail, however many there are.
//!
//! A few rules are a list. More are divided by one question whose answers they name, as
//! `resource.department == "sales"` does: a class for each answer, whose rules need not ask it
//! again, and the rest, which does not depend on it. Classes and rest are divided in turn.
//!
//! A rule is passed over only where it is false for certain. What it asks before the question that
//! divides may fail, and so may the question itself: if any of it does where the answers lead, all
//! rules of the action are run. So whether, and how, a rule fails does not depend on the index.

mod build;
mod keys;
mod probe;
mod split;

pub(super) use build::{Builder, Entry, FEW};
pub(super) use probe::Memo;

use self::probe::{Probe, Said};
use super::{rules::Run, world::World};

/// Where a set's rules are divided.
#[derive(Debug, Default)]
pub(super) struct Index {
    nodes: Box<[Node]>,
    /// For nodes with few of a question's answers: which ones, ascending.
    answers: Box<[u32]>,
    /// For each answer of each node the rules that name it.
    classes: Box<[Branch]>,
    probes: Box<[Probe]>,
}

/// The rules of an action that have one effect.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Section {
    pub(super) all: Run,
    /// What divides them, if anything does.
    node: Option<u32>,
}

/// A list of rules, or the number of a node.
#[derive(Clone, Copy, Debug)]
enum Branch {
    Rules(Run),
    Node(u32),
}

#[derive(Debug)]
struct Node {
    probe: u8,
    is_role: bool,
    /// The probes of which none may fail, as bits.
    needs: u16,
    classes: Run,
    /// The first of `classes.count` answers; `None` if the classes are those of answer 0, 1, ….
    answers: Option<u32>,
    /// Rules that do not depend on the answer.
    rest: Branch,
}

#[cfg(test)]
impl Section {
    pub(super) fn undivided(self) -> Self {
        Self { node: None, ..self }
    }
}

impl Default for Branch {
    fn default() -> Self {
        Self::Rules(Run::default())
    }
}

impl Index {
    /// Calls `each` with lists that have all rules of the section which may apply or fail, each rule
    /// in one of them.
    // Apart, so that an action without such rules costs no call.
    #[inline(never)]
    pub(super) fn visit(
        &self,
        section: Section,
        world: &World<'_>,
        memo: &mut Memo,
        each: &mut impl FnMut(Run),
    ) {
        match section.node.map(Branch::Node) {
            Some(branch) if !self.fails(branch, world, memo) => {
                self.descend(branch, world, memo, each);
            }
            _ => each(section.all),
        }
    }

    /// Whether any of what is asked where the answers lead fails.
    fn fails(&self, branch: Branch, world: &World<'_>, memo: &mut Memo) -> bool {
        let Branch::Node(number) = branch else { return false };
        let Some(node) = self.nodes.get(number as usize) else { return true };
        let mut needs = node.needs;
        while needs != 0 {
            let probe = needs.trailing_zeros() as u8;
            if memo.ask(&self.probes, probe, world) == Said::Failed {
                return true;
            }
            needs &= needs - 1;
        }
        self.any(node, world, memo, &mut |branch, memo| self.fails(branch, world, memo))
    }

    fn descend(
        &self,
        branch: Branch,
        world: &World<'_>,
        memo: &mut Memo,
        each: &mut impl FnMut(Run),
    ) {
        let number = match branch {
            Branch::Rules(run) => return each(run),
            Branch::Node(number) => number,
        };
        let Some(node) = self.nodes.get(number as usize) else { return };
        self.any(node, world, memo, &mut |branch, memo| {
            self.descend(branch, world, memo, each);
            false
        });
    }

    /// Calls `each` with the branches that the answers lead to, until it answers true; whether it
    /// did.
    fn any(
        &self,
        node: &Node,
        world: &World<'_>,
        memo: &mut Memo,
        each: &mut impl FnMut(Branch, &mut Memo) -> bool,
    ) -> bool {
        if node.is_role {
            for role in world.roles.iter() {
                if each(self.class(node, role), memo) {
                    return true;
                }
            }
        } else if let Said::Number(answer) = memo.ask(&self.probes, node.probe, world)
            && each(self.class(node, answer), memo)
        {
            return true;
        }
        each(node.rest, memo)
    }

    fn class(&self, node: &Node, answer: u32) -> Branch {
        let count = node.classes.count as usize;
        let at = match node.answers {
            None => answer as usize,
            Some(first) => {
                let answers = self.answers.get(first as usize..).and_then(|all| all.get(..count));
                match answers.unwrap_or_default().binary_search(&answer) {
                    Ok(at) => at,
                    Err(_) => return Branch::default(),
                }
            }
        };
        if at >= count {
            return Branch::default();
        }
        self.classes.get(node.classes.first as usize + at).copied().unwrap_or_default()
    }
}
