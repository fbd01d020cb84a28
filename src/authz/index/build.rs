//! Builds the index of a set. Conditions are looked at once; from then on they are numbers.

use std::collections::{BTreeMap, HashMap};

use super::{
    Branch, Index, Node, Section,
    keys::{hazards, key},
    probe::{Key, MAX_PROBES, Probe, Question},
    split::best,
};
use crate::authz::{
    RuleId,
    rules::{Condition, Filed, Rules, Run},
    slots::Slots,
};

/// So many rules are run one after another; more are divided if something divides them well.
pub(in crate::authz) const FEW: usize = 6;

/// What is built: conditions first, then branches.
#[derive(Default)]
pub(in crate::authz) struct Builder {
    /// See [`FEW`].
    few: usize,
    pub(super) facts: Vec<Facts>,
    pub(super) asked: Vec<Asked>,
    numbers: HashMap<Question, u32>,
    /// Where lists start that are there already.
    known: HashMap<Box<[u32]>, u32>,
    conditions: Vec<Condition>,
    lists: Vec<u32>,
    filed: Vec<Filed>,
    nodes: Vec<Node>,
    answers: Vec<u32>,
    classes: Vec<Branch>,
    /// The questions that nodes ask.
    probes: Vec<u32>,
}

/// A rule, and the numbers of the conditions that are left of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::authz) struct Entry {
    pub(in crate::authz) rule: RuleId,
    pub(in crate::authz) list: Vec<u32>,
}

/// What matters of a condition.
pub(super) struct Facts {
    /// The question that it is, and the answer that makes it true.
    pub(super) key: Option<(u32, u32)>,
    /// See [`hazards`].
    pub(super) hazards: Option<Box<[u32]>>,
}

/// A question that occurs.
pub(super) struct Asked {
    pub(super) question: Question,
    /// Its number among the probes.
    pub(super) probe: Option<u8>,
    answers: HashMap<Key<Box<str>>, u32>,
}

impl Builder {
    pub(in crate::authz) fn new(few: usize) -> Self {
        Self { few, ..Self::default() }
    }

    pub(in crate::authz) fn condition(&mut self, condition: Condition) -> u32 {
        let number = number(self.conditions.len());
        let hazards = hazards(&condition.program);
        let hazards = hazards.map(|all| all.into_iter().map(|one| self.question(one)).collect());
        let key = key(&condition.program).map(|(question, key)| {
            let question = self.question(question);
            (question, self.answer(question, key))
        });
        self.facts.push(Facts { key, hazards });
        self.conditions.push(condition);
        number
    }

    fn question(&mut self, question: Question) -> u32 {
        let next = number(self.asked.len());
        *self.numbers.entry(question).or_insert_with_key(|question| {
            let question = question.clone();
            self.asked.push(Asked { question, probe: None, answers: HashMap::new() });
            next
        })
    }

    fn answer(&mut self, question: u32, key: Key<Box<str>>) -> u32 {
        if let Key::Role(role) = key {
            return role;
        }
        let Some(asked) = self.asked.get_mut(question as usize) else { return u32::MAX };
        let next = number(asked.answers.len());
        *asked.answers.entry(key).or_insert(next)
    }

    /// Files rules, which are in the order of their ids.
    pub(in crate::authz) fn section(&mut self, entries: Vec<Entry>) -> Section {
        Section { all: self.file(&entries), node: self.divide(entries).ok() }
    }

    fn branch(&mut self, entries: Vec<Entry>) -> Branch {
        match self.divide(entries) {
            Ok(node) => Branch::Node(node),
            Err(entries) => Branch::Rules(self.file(&entries)),
        }
    }

    /// Divides rules by what divides them best; gives them back where nothing does, or where they
    /// are few.
    fn divide(&mut self, entries: Vec<Entry>) -> Result<u32, Vec<Entry>> {
        if entries.len() <= self.few {
            return Err(entries);
        }
        let split = best(self, &entries).and_then(|split| Some((self.needs(&split.needs)?, split)));
        let Some((needs, split)) = split else { return Err(entries) };
        let mut classes: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
        let mut rest = Vec::new();
        for mut entry in entries {
            match self.find(&entry.list, split.question) {
                Some((at, answer)) => {
                    entry.list.remove(at);
                    classes.entry(answer).or_default().push(entry);
                }
                None => rest.push(entry),
            }
        }
        let rest = if rest.is_empty() { Branch::default() } else { self.branch(rest) };
        let classes = classes.into_iter().map(|(answer, class)| (answer, self.branch(class)));
        let classes: Vec<_> = classes.collect();
        let (classes, answers) = self.table(classes);
        let asked = self.asked.get(split.question as usize);
        let is_role = asked.is_some_and(|asked| asked.question == Question::Role);
        let probe = asked.and_then(|asked| asked.probe).unwrap_or(u8::MAX);
        self.nodes.push(Node { probe, is_role, needs, classes, answers, rest });
        Ok(number(self.nodes.len() - 1))
    }

    fn file(&mut self, entries: &[Entry]) -> Run {
        let first = number(self.filed.len());
        for Entry { rule, list } in entries {
            let start = self.known.get(&**list).copied().unwrap_or_else(|| {
                let start = number(self.lists.len());
                self.lists.push(number(list.len()));
                self.lists.extend(list);
                self.known.insert(list.as_slice().into(), start);
                start
            });
            self.filed.push(Filed { rule: *rule, list: start });
        }
        Run { first, count: number(entries.len()) }
    }

    /// The condition of the list that is this question, if nothing before it may fail otherwise
    /// than questions do, and the answer that makes it true.
    fn find(&self, list: &[u32], question: u32) -> Option<(usize, u32)> {
        let mut found = self.usable(list).filter(|(_, key)| key.0 == question);
        found.next().map(|(at, key)| (at, key.1))
    }

    /// All conditions that are questions, and before which none may fail otherwise.
    pub(super) fn usable(&self, list: &[u32]) -> impl Iterator<Item = (usize, (u32, u32))> {
        let facts = list.iter().map_while(|number| self.facts.get(*number as usize));
        let mut open = true;
        let facts =
            facts.take_while(move |facts| std::mem::replace(&mut open, facts.hazards.is_some()));
        facts.enumerate().filter_map(|(at, facts)| Some((at, facts.key?)))
    }

    /// The questions as bits among the probes; `None` if there is no room for them.
    fn needs(&mut self, questions: &[u32]) -> Option<u16> {
        let mut bits = 0;
        for question in questions {
            let asked = self.asked.get_mut(*question as usize)?;
            let next = u8::try_from(self.probes.len()).ok()?;
            let probe = *asked.probe.get_or_insert(next);
            if usize::from(probe) >= MAX_PROBES {
                asked.probe = None;
                return None;
            }
            if probe == next {
                self.probes.push(*question);
            }
            bits |= 1 << probe;
        }
        Some(bits)
    }

    pub(super) fn is_full(&self) -> bool {
        self.probes.len() >= MAX_PROBES
    }

    /// A place for each answer, or, if most would be empty, the answers beside their places.
    fn table(&mut self, classes: Vec<(u32, Branch)>) -> (Run, Option<u32>) {
        let first = number(self.classes.len());
        let places = classes.last().map_or(0, |(answer, _)| *answer as usize + 1);
        if places > 4 * classes.len() {
            let answers = number(self.answers.len());
            let count = number(classes.len());
            for (answer, class) in classes {
                self.answers.push(answer);
                self.classes.push(class);
            }
            return (Run { first, count }, Some(answers));
        }
        self.classes.resize(self.classes.len() + places, Branch::default());
        for (answer, class) in classes {
            if let Some(place) = self.classes.get_mut(first as usize + answer as usize) {
                *place = class;
            }
        }
        (Run { first, count: number(places) }, None)
    }

    pub(in crate::authz) fn finish(self) -> (Rules, Index) {
        let mut asked: Vec<Option<Asked>> = self.asked.into_iter().map(Some).collect();
        let mut taken = |question: &u32| asked.get_mut(*question as usize).and_then(Option::take);
        let probes = self.probes.iter().filter_map(|question| taken(question).map(probe)).collect();
        let rules = Rules {
            conditions: self.conditions.into(),
            lists: self.lists.into(),
            filed: self.filed.into(),
        };
        let index = Index {
            nodes: self.nodes.into(),
            answers: self.answers.into(),
            classes: self.classes.into(),
            probes,
        };
        (rules, index)
    }
}

fn probe(asked: Asked) -> Probe {
    let mut keys: Vec<_> = asked.answers.into_iter().collect();
    keys.sort_unstable_by_key(|(_, number)| *number);
    let keys: Box<[Key<Box<str>>]> = keys.into_iter().map(|(key, _)| key).collect();
    let hash = |seed, at: usize| keys.get(at).map_or(0, |key| key.borrowed().hash(seed));
    Probe { question: asked.question, slots: Slots::new(keys.len(), hash), keys }
}

/// A document's bounds leave room for many more.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
