//! What is found by the name of an entity.

use std::sync::Arc;

use super::super::{
    TypeName, Uid,
    slots::{Slots, fold, fold_text},
};

/// An entity by its type and id.
pub(super) type Name = (TypeName, Arc<str>);

/// Values with names that differ.
#[derive(Debug)]
pub(super) struct ByName<T> {
    all: Box<[T]>,
    slots: Slots,
}

pub(super) trait Named {
    fn name(&self) -> &Name;
}

impl Named for Name {
    fn name(&self) -> &Name {
        self
    }
}

impl<T: Named> ByName<T> {
    /// Of each name there is one.
    pub(super) fn new(all: Vec<T>) -> Self {
        let hash = |seed, at: usize| all.get(at).map_or(0, |value| hash(seed, uid(value)));
        Self { slots: Slots::new(all.len(), hash), all: all.into() }
    }

    pub(super) fn get(&self, wanted: Uid<'_>) -> Option<&T> {
        let hash = hash(self.slots.seed(), wanted);
        let is = |number| self.at(number).is_some_and(|value| uid(value) == wanted);
        self.at(self.slots.find(hash, is)?)
    }

    fn at(&self, number: u32) -> Option<&T> {
        self.all.get(number as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.all.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.all.iter_mut()
    }
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self { all: Box::default(), slots: Slots::default() }
    }
}

fn uid(value: &impl Named) -> Uid<'_> {
    let (type_name, id) = value.name();
    Uid { type_name: *type_name, id }
}

fn hash(seed: u64, uid: Uid<'_>) -> u64 {
    fold_text(fold(seed, uid.type_name.0.into()), uid.id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Ids that differ in both halves of the hash by what their types differ.
    #[test]
    fn attack_no_id_makes_up_for_a_type() {
        let named = |kind: u8| {
            let letter = char::from(b'`' ^ kind);
            let id = format!("aaaa{letter}```{letter}```aaaa");
            (TypeName(kind.into()), Arc::from(id.as_str()))
        };
        let all: Vec<Name> = (0..31).map(named).collect();
        for seed in 0..1_000 {
            let hashes: BTreeSet<u64> = all.iter().map(|name| hash(seed, uid(name))).collect();
            assert_eq!(hashes.len(), all.len());
        }
    }
}
