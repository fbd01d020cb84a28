//! What of a request rules are divided by, asked once in a decision.

use crate::authz::{
    Entity, TypeName, Value,
    load::expr::Root,
    program::Read,
    slots::{Slots, fold, fold_text},
    world::World,
};

/// More questions are not asked to find a rule.
pub(super) const MAX_PROBES: usize = 16;

/// A question whose answer tells which rules cannot apply.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// Which roles does the principal hold? Any number of answers, and never an error.
    Role,
    /// Of which type is it?
    Kind(Root),
    /// What is read there?
    Value(Read),
    /// Is the last attribute there? Asked only because it may fail.
    Has(Read),
}

/// An answer that rules name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key<S> {
    Role(u32),
    Kind(TypeName),
    Bool(bool),
    Long(i64),
    Str(S),
    Entity(TypeName, S),
}

/// A question, and the numbers of the answers that some rule names.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) question: Question,
    pub(super) keys: Box<[Key<Box<str>>]>,
    pub(super) slots: Slots,
}

/// What has been asked in this decision.
#[derive(Debug, Default)]
pub(in crate::authz) struct Memo(Option<[Said; MAX_PROBES]>);

/// What a probe said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Said {
    #[default]
    NotAsked,
    /// A condition that reads this may fail, or depends on what is not known yet.
    Failed,
    /// None of the answers that rules name.
    Other,
    Number(u32),
}

impl Memo {
    pub(super) fn ask(&mut self, probes: &[Probe], number: u8, world: &World<'_>) -> Said {
        let all = self.0.get_or_insert_default();
        let (probe, said) = (probes.get(usize::from(number)), all.get_mut(usize::from(number)));
        let (Some(probe), Some(said)) = (probe, said) else { return Said::Failed };
        if *said == Said::NotAsked {
            *said = probe.ask(world);
        }
        *said
    }
}

impl Probe {
    fn ask(&self, world: &World<'_>) -> Said {
        match &self.question {
            Question::Role => Said::Other,
            Question::Kind(Root::Principal) => self.said(Key::Kind(world.principal.type_name())),
            Question::Kind(Root::Resource) => {
                let kind = |resource: &dyn Entity| self.said(Key::Kind(resource.type_name()));
                world.resource.map_or(Said::Failed, kind)
            }
            Question::Kind(Root::Context | Root::Action) => Said::Failed,
            Question::Has(read) => {
                let fails = world.find(read, |value| Ok(matches!(value, Value::Error(_))));
                if fails == Ok(false) { Said::Other } else { Said::Failed }
            }
            Question::Value(read) => {
                world.read(read, |value| Ok(self.told(value))).unwrap_or(Said::Failed)
            }
        }
    }

    fn told(&self, value: &Value<'_>) -> Said {
        self.said(match value {
            Value::Bool(value) => Key::Bool(*value),
            Value::Long(value) => Key::Long(*value),
            Value::Str(text) => Key::Str(text),
            Value::Ref(kind, id) => Key::Entity(*kind, id),
            Value::Entity(entity) => Key::Entity(entity.type_name(), entity.id()),
            // They equal none of the keys, and are compared without an error.
            Value::Ip(_) | Value::Decimal(_) | Value::Datetime(_) | Value::Duration(_) => {
                return Said::Other;
            }
            // To compare one of these is an error.
            Value::Strings(_)
            | Value::Set(_)
            | Value::Record(_)
            | Value::Missing
            | Value::Error(_) => return Said::Failed,
        })
    }

    fn said(&self, key: Key<&str>) -> Said {
        self.number(key).map_or(Said::Other, Said::Number)
    }

    fn number(&self, key: Key<&str>) -> Option<u32> {
        self.slots.find(key.hash(self.slots.seed()), |number| {
            self.keys.get(number as usize).is_some_and(|known| known.borrowed() == key)
        })
    }
}

impl Key<Box<str>> {
    pub(super) fn borrowed(&self) -> Key<&str> {
        match self {
            Self::Role(role) => Key::Role(*role),
            Self::Kind(kind) => Key::Kind(*kind),
            Self::Bool(value) => Key::Bool(*value),
            Self::Long(value) => Key::Long(*value),
            Self::Str(text) => Key::Str(text),
            Self::Entity(kind, id) => Key::Entity(*kind, id),
        }
    }
}

impl Key<&str> {
    /// A probe's keys are of few kinds, so the kind takes no part.
    pub(super) fn hash(self, seed: u64) -> u64 {
        match self {
            Self::Role(role) => fold(seed, role.into()),
            Self::Kind(kind) => fold(seed, kind.0.into()),
            Self::Bool(value) => fold(seed, value.into()),
            Self::Long(value) => fold(seed, value.cast_unsigned()),
            Self::Str(text) => fold_text(seed, text),
            Self::Entity(kind, id) => fold_text(fold(seed, kind.0.into()), id),
        }
    }
}
