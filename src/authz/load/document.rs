//! The policy document as it is written, before anything in it is believed.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

use super::{
    error::{Place, PolicyError, PolicyErrors},
    locate::position,
};
use crate::authz::Effect;

/// A policy document: who may do what, in the words of a role model plus rules.
///
/// It is read from TOML with [`from_toml`](Self::from_toml), or with `serde` from any other
/// self-describing format. Reading accepts the shape only;
/// [`PolicySet::from_document`](crate::authz::PolicySet::from_document) checks every name and type, and
/// refuses every field that it does not know. A type of which nothing is read and to which nothing
/// is done, such as groups that callers lie in, has `attributes = {}`.
///
/// ```
/// use portcullis::authz::{Document, Policy, PolicySet};
///
/// let document = Document::from_toml(r#"
///     [resources.Order]                                  # types, their attributes and actions
///     attributes = { owner = "User", placed = "datetime?" }
///     actions = ["order:read", "order:create", "order:refund"]
///     [principal]                                        # what verifiers' mappings list
///     attributes = { department = "string?" }
///     [context]                                          # the application's own members
///     tenant = "string?"
///     [roles]
///     clerk = { may = ["order:read", "order:create"] }
///     manager = { inherits = ["clerk"], may = ["order:*"] }
///     [scopes]                                           # scopes limit, they never grant
///     "orders.read" = ["order:read"]
///     [[rule]]
///     id = "owner-reads-own"
///     effect = "permit"
///     actions = ["order:read"]
///     when = "resource.owner == principal"
/// "#)?;
/// let office = r#"context has client && context.client.isInRange(ip("10.0.0.0/8"))"#;
/// let rule = Policy::forbid("refunds-from-the-office").actions(["order:refund"]).unless(office);
/// assert!(PolicySet::from_document(document.clone().rule(rule)).is_ok());
///
/// let rule = Policy::permit("typo").actions(["order:raed"]);
/// let errors = PolicySet::from_document(document.rule(rule)).unwrap_err();
/// assert_eq!(
///     errors.to_string(),
///     "rule[1].actions[0]: no action `order:raed`; did you mean `order:read`?",
/// );
/// # Ok::<(), portcullis::authz::PolicyErrors>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Document {
    #[serde(default)]
    pub(in crate::authz) resources: Named<Resource>,
    #[serde(default)]
    pub(in crate::authz) principal: PrincipalPart,
    #[serde(default)]
    pub(in crate::authz) context: Named<String>,
    #[serde(default)]
    pub(in crate::authz) roles: Named<Grants>,
    #[serde(default, deserialize_with = "given")]
    pub(in crate::authz) scopes: Option<Named<Vec<String>>>,
    #[serde(default, rename = "rule")]
    pub(in crate::authz) rules: Vec<Policy>,
    #[serde(flatten)]
    pub(in crate::authz) unknown: Named<IgnoredAny>,
    /// The text that it was read from, to find lines in.
    #[serde(skip)]
    pub(in crate::authz) source: Option<Box<str>>,
}

/// `[resources.Order]`
#[derive(Clone, Debug, Deserialize)]
pub(in crate::authz) struct Resource {
    #[serde(default, deserialize_with = "given")]
    pub(in crate::authz) attributes: Option<Named<String>>,
    #[serde(default)]
    pub(in crate::authz) actions: Vec<String>,
    #[serde(flatten)]
    pub(in crate::authz) unknown: Named<IgnoredAny>,
}

/// `[principal]`
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::authz) struct PrincipalPart {
    #[serde(default)]
    pub(in crate::authz) attributes: Named<String>,
    #[serde(flatten)]
    pub(in crate::authz) unknown: Named<IgnoredAny>,
}

/// One line of `[roles]`
#[derive(Clone, Debug, Deserialize)]
pub(in crate::authz) struct Grants {
    #[serde(default)]
    pub(in crate::authz) may: Vec<String>,
    #[serde(default)]
    pub(in crate::authz) inherits: Vec<String>,
    #[serde(flatten)]
    pub(in crate::authz) unknown: Named<IgnoredAny>,
}

/// One rule of a document: `[[rule]]` as a value.
///
/// `roles`, `during`, `outside`, `when` and `unless` are and-ed. Nothing is checked before
/// [`PolicySet::from_document`](crate::authz::PolicySet::from_document); see [`Document`] for an example.
#[derive(Clone, Debug, Deserialize)]
#[must_use = "a rule has no effect until it is added to a document"]
pub struct Policy {
    #[serde(default, deserialize_with = "given")]
    pub(in crate::authz) id: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(in crate::authz) effect: Option<String>,
    #[serde(default)]
    pub(in crate::authz) actions: Vec<String>,
    #[serde(default, deserialize_with = "given")]
    pub(in crate::authz) roles: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(in crate::authz) when: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(in crate::authz) unless: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(in crate::authz) during: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(in crate::authz) outside: Option<String>,
    #[serde(flatten)]
    pub(in crate::authz) unknown: Named<IgnoredAny>,
}

impl Document {
    /// Reads TOML of at most 8 MiB, and remembers it for the lines of later errors.
    ///
    /// # Errors
    /// When the text is too long, is no TOML, or is not of the document's shape.
    pub fn from_toml(text: &str) -> Result<Self, PolicyErrors> {
        let refuse = |message: String, at: Option<usize>| {
            let (line, column) = at.map(|at| position(text, at)).unzip();
            let error = PolicyError { place: Place::default(), line, column, message };
            PolicyErrors::from(error)
        };
        if text.len() > MAX_LENGTH {
            return Err(refuse(format!("a document has at most {MAX_LENGTH} bytes"), None));
        }
        let document: Self = toml::from_str(text).map_err(|error| {
            refuse(error.message().to_owned(), error.span().map(|span| span.start))
        })?;
        Ok(Self { source: Some(text.into()), ..document })
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: Policy) -> Self {
        self.rules.push(rule);
        self
    }
}

impl Policy {
    /// A rule that permits.
    pub fn permit(id: &str) -> Self {
        Self::new(id, Effect::Permit)
    }

    /// A rule that forbids, whatever permits.
    pub fn forbid(id: &str) -> Self {
        Self::new(id, Effect::Forbid)
    }

    /// The actions it is about: names, `order:*` for all that start so, `*` for all.
    pub fn actions<'a>(mut self, actions: impl IntoIterator<Item = &'a str>) -> Self {
        self.actions = actions.into_iter().map(str::to_owned).collect();
        self
    }

    /// Only for principals with one of these roles.
    pub fn roles<'a>(mut self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        self.roles = Some(roles.into_iter().map(str::to_owned).collect());
        self
    }

    /// Only when the condition holds.
    pub fn when(mut self, condition: &str) -> Self {
        self.when = Some(condition.to_owned());
        self
    }

    /// Only when the condition does not hold.
    pub fn unless(mut self, condition: &str) -> Self {
        self.unless = Some(condition.to_owned());
        self
    }

    /// Only in this window of the week: days, times and a time zone. Days or times may be left
    /// out, and mean all of them. Times go up to their end, without it; those that end before
    /// they begin end on the next day.
    ///
    /// A window is one of the clock on the wall: where that is put forward, what it skips does
    /// not happen; where it is put back, what it shows twice happens twice. The zones' rules are
    /// those of the IANA database that this crate was built with, worked out up to 2200; a
    /// moment after that is an error. The time is that of the request's
    /// [`Context`](crate::authz::Context).
    ///
    /// ```
    /// use portcullis::authz::{Document, Policy, PolicySet};
    ///
    /// let document = Document::from_toml("resources.Order.actions = ['order:refund']")?;
    /// let load = |window: &str| {
    ///     let rule = Policy::permit("refunds").actions(["order:refund"]).during(window);
    ///     PolicySet::from_document(document.clone().rule(rule)).map_err(|errors| errors.to_string())
    /// };
    /// assert!(load("Mon-Fri 09:00-12:00,13:00-18:00 Europe/Berlin").is_ok());
    /// assert!(load("Fri-Sat 22:00-06:00 America/New_York").is_ok());
    /// assert!(load("Sat,Sun UTC").is_ok());
    /// assert_eq!(
    ///     load("Mon-Fri 09:00-18:00 Europe/Berln").unwrap_err(),
    ///     "rule[0].during (column 21): no time zone `Europe/Berln`; did you mean `Europe/Berlin`?",
    /// );
    /// # Ok::<(), portcullis::authz::PolicyErrors>(())
    /// ```
    pub fn during(mut self, window: &str) -> Self {
        self.during = Some(window.to_owned());
        self
    }

    /// Only when it is not in this window, as in [`during`](Self::during).
    pub fn outside(mut self, window: &str) -> Self {
        self.outside = Some(window.to_owned());
        self
    }

    fn new(id: &str, effect: Effect) -> Self {
        Self {
            id: Some(id.to_owned()),
            effect: Some(effect.word().to_owned()),
            actions: Vec::new(),
            roles: None,
            when: None,
            unless: None,
            during: None,
            outside: None,
            unknown: Named::default(),
        }
    }
}

/// A field that is there has a value: `null` is no way to leave it out, which would lift a limit.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Parts by name; a name that is there twice is an error, in every format.
#[derive(Clone, Debug)]
pub(in crate::authz) struct Named<T>(pub(in crate::authz) BTreeMap<Box<str>, T>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamedVisitor(PhantomData))
    }
}

struct NamedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
    type Value = Named<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut named = Named::default();
        while let Some(name) = map.next_key::<Box<str>>()? {
            if named.0.contains_key(&name) {
                return Err(A::Error::custom(format_args!("`{name}` is there twice")));
            }
            named.0.insert(name, map.next_value()?);
        }
        Ok(named)
    }
}

/// Longer documents are refused, in bytes.
const MAX_LENGTH: usize = 8 * 1024 * 1024;
