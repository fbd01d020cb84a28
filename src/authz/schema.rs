//! What a document declares: entity types, their attributes and the types of these.

use std::collections::BTreeMap;

use super::{
    TypeName,
    types::{self, Collision},
};

/// All that conditions may name.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// Every type that may be named, with its attributes; the three kinds of principal too.
    types: BTreeMap<TypeName, EntityType>,
    pub(super) context: Attributes,
    /// Names of types are known and nothing of what they have: so it is with Cedar's policy text.
    pub(super) is_open: bool,
}

#[derive(Debug)]
struct EntityType {
    text: Box<str>,
    attributes: Attributes,
}

/// Attributes by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(pub(super) BTreeMap<Box<str>, Declared>);

/// What is said of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) ty: Ty,
    /// May be absent: needs `has` before it is read.
    pub(super) optional: bool,
}

/// The type of a part of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ty {
    Bool,
    Long,
    Str,
    Strings,
    Ip,
    Decimal,
    Datetime,
    Duration,
    Entity(TypeName),
    /// An entity of one of the three kinds.
    Principal,
    Context,
}

/// The types that a principal can be of.
pub(super) const PRINCIPALS: [(&str, TypeName); 3] =
    [("User", TypeName::USER), ("Service", TypeName::SERVICE), ("Device", TypeName::DEVICE)];

/// The types that are not entities.
const PLAIN: [Ty; 8] =
    [Ty::Bool, Ty::Long, Ty::Str, Ty::Strings, Ty::Ip, Ty::Decimal, Ty::Datetime, Ty::Duration];

/// The members of the context that are always there to be named.
pub(super) const BUILT_IN: [(&str, Declared); 4] = [
    ("client", Declared { ty: Ty::Ip, optional: true }),
    ("secure", Declared { ty: Ty::Bool, optional: false }),
    ("auth_time", Declared { ty: Ty::Datetime, optional: true }),
    ("amr", Declared { ty: Ty::Strings, optional: false }),
];

impl Schema {
    /// The schema in which nothing is declared yet but the names of types.
    ///
    /// # Errors
    /// The two names that have one number.
    pub(super) fn new<'a>(
        resources: impl Iterator<Item = &'a str>,
    ) -> Result<Self, (Box<str>, Box<str>)> {
        let mut types: BTreeMap<TypeName, EntityType> = BTreeMap::new();
        let kinds = PRINCIPALS.iter().map(|(text, _)| *text);
        for text in kinds.chain(["Role"]).chain(resources) {
            let entry = EntityType { text: text.into(), attributes: Attributes::default() };
            if let Some(before) = types.insert(TypeName::new(text), entry)
                && &*before.text != text
            {
                return Err((before.text, text.into()));
            }
        }
        Ok(Self { types, ..Self::default() })
    }

    pub(super) fn declare(&mut self, name: TypeName, attributes: Attributes) {
        if let Some(entity) = self.types.get_mut(&name) {
            entity.attributes = attributes;
        }
    }

    pub(super) fn type_text(&self, name: TypeName) -> Option<&str> {
        self.types.get(&name).map(|entity| &*entity.text)
    }

    /// The number of a type's name, known or not.
    ///
    /// # Errors
    /// When it is another known type's too.
    pub(super) fn check(&self, text: &str) -> Result<TypeName, Collision> {
        let number = TypeName::new(text);
        types::check(number, self.type_text(number), text)
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.type_text(TypeName::new(name)) == Some(name)
    }

    /// What can be read of a part of that type; `None` where nothing can.
    pub(super) fn attributes(&self, ty: Ty) -> Option<&Attributes> {
        match ty {
            Ty::Entity(name) => self.types.get(&name).map(|entity| &entity.attributes),
            Ty::Principal => self.attributes(Ty::Entity(TypeName::USER)),
            Ty::Context => Some(&self.context),
            Ty::Bool
            | Ty::Long
            | Ty::Str
            | Ty::Strings
            | Ty::Ip
            | Ty::Decimal
            | Ty::Datetime
            | Ty::Duration => None,
        }
    }

    /// Reads the word for a type: `long`, `datetime?`, `User`.
    pub(super) fn declared(&self, word: &str) -> Option<Declared> {
        let (word, optional) = match word.strip_suffix('?') {
            Some(word) => (word, true),
            None => (word, false),
        };
        let plain = PLAIN.into_iter().find(|plain| self.ty(*plain) == word);
        let entity =
            || (self.knows(word) && word != "Role").then(|| Ty::Entity(TypeName::new(word)));
        Some(Declared { ty: plain.or_else(entity)?, optional })
    }

    /// All words for types.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        PLAIN.iter().map(|plain| self.ty(*plain)).chain(self.type_texts())
    }

    /// All names of entity types but `Role`, which is no type to declare.
    pub(super) fn type_texts(&self) -> impl Iterator<Item = &str> {
        self.types.values().map(|entity| &*entity.text).filter(|text| *text != "Role")
    }

    /// The type as a document calls it.
    pub(super) fn word(&self, declared: Declared) -> String {
        let mark = if declared.optional { "?" } else { "" };
        format!("{}{mark}", self.ty(declared.ty))
    }

    /// The type in words.
    pub(super) fn ty(&self, ty: Ty) -> &str {
        match ty {
            Ty::Bool => "bool",
            Ty::Long => "long",
            Ty::Str => "string",
            Ty::Strings => "strings",
            Ty::Ip => "ip",
            Ty::Decimal => "decimal",
            Ty::Datetime => "datetime",
            Ty::Duration => "duration",
            Ty::Entity(name) => self.type_text(name).unwrap_or("entity"),
            Ty::Principal => "principal",
            Ty::Context => "context",
        }
    }
}

impl Attributes {
    pub(super) fn get(&self, name: &str) -> Option<Declared> {
        self.0.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| &**name)
    }
}

impl Ty {
    /// Whether it is a kind of principal, or may be.
    fn is_principal(self) -> bool {
        self == Self::Principal || PRINCIPALS.iter().any(|(_, name)| self == Self::Entity(*name))
    }

    pub(super) fn is_entity(self) -> bool {
        matches!(self, Self::Entity(_) | Self::Principal)
    }

    /// Whether values of the two types can ever be equal.
    pub(super) fn meets(self, other: Self) -> bool {
        self == other
            || self == Self::Principal && other.is_principal()
            || other == Self::Principal && self.is_principal()
    }
}
