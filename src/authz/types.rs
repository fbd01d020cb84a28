//! The names of entity types that are known, compared by their whole text.

use std::collections::BTreeMap;

use super::{TypeName, slots::same};

/// Names by their numbers.
#[derive(Debug, Default)]
pub(super) struct Types(BTreeMap<TypeName, Box<str>>);

/// Two names that have one number.
#[derive(Debug)]
pub(super) struct Collision(pub(super) Box<str>, pub(super) Box<str>);

impl Types {
    /// The number of `text`, which is known from now on.
    ///
    /// # Errors
    /// When another name has the same number.
    pub(super) fn intern(&mut self, text: &str) -> Result<TypeName, Collision> {
        let number = self.check(text)?;
        self.0.entry(number).or_insert_with(|| text.into());
        Ok(number)
    }

    /// The number of `text`, whether or not it is known.
    ///
    /// # Errors
    /// When another name has the same number.
    pub(super) fn check(&self, text: &str) -> Result<TypeName, Collision> {
        let number = TypeName::new(text);
        check(number, self.text(number), text)
    }

    pub(super) fn text(&self, number: TypeName) -> Option<&str> {
        self.0.get(&number).map(|text| &**text)
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|text| &**text)
    }
}

/// The number, unless `known`, which has it as well, is another name than `text`.
#[inline]
pub(super) fn check(
    number: TypeName,
    known: Option<&str>,
    text: &str,
) -> Result<TypeName, Collision> {
    match known {
        Some(known) if !same(known, text) => Err(Collision(known.into(), text.into())),
        _ => Ok(number),
    }
}
