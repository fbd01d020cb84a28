//! The caller's own types as policies see them.

use super::{Attr, TypeName, Uid, Value};
use crate::{Attribute, Kind, Principal};

/// Any type of the application that policies talk about.
///
/// The evaluator reads attributes where they are, one by one, when a condition asks for them.
/// [`entity!`](crate::entity) writes the common case; by hand it is as short:
///
/// ```
/// use portcullis::authz::{Attr, Entity, TypeName, Value};
///
/// struct Order { id: String, owner: String, total: i64 }
///
/// impl Entity for Order {
///     fn type_name(&self) -> TypeName {
///         const { TypeName::new("Order") }
///     }
///     fn id(&self) -> &str {
///         &self.id
///     }
///     fn attr(&self, attr: &Attr<'_>) -> Value<'_> {
///         match attr.name() {
///             "owner" => Value::Ref(const { TypeName::new("User") }, &self.owner),
///             "total" => Value::Long(self.total),
///             _ => Value::Missing,
///         }
///     }
/// }
///
/// let order = Order { id: "7".into(), owner: "staff/alice".into(), total: 12 };
/// assert!(matches!(order.attr(&Attr::new("total")), Value::Long(12)));
/// assert!(matches!(order.attr(&Attr::new("colour")), Value::Missing));
/// ```
pub trait Entity {
    /// The entity's type; one for all values of a Rust type, as a rule.
    fn type_name(&self) -> TypeName;

    /// The entity's id within its type.
    fn id(&self) -> &str;

    /// The value called `attr`, or [`Value::Missing`].
    fn attr(&self, attr: &Attr<'_>) -> Value<'_>;

    /// The tag called `name`, or [`Value::Missing`]; a tag's name may be worked out by a condition.
    fn tag(&self, name: &str) -> Value<'_> {
        let _ = name;
        Value::Missing
    }

    /// Whether the entity lies below `ancestor`, at any distance. That it lies in itself goes
    /// without saying.
    fn is_in(&self, ancestor: Uid<'_>) -> bool {
        let _ = ancestor;
        false
    }
}

/// Named values without an identity: the application's own members of the context.
///
/// An array of pairs is one:
///
/// ```
/// use portcullis::authz::{Attr, Record, Value};
///
/// let members = [("tenant", Value::from("acme"))];
/// assert!(matches!(members.field(&Attr::new("tenant")), Value::Str("acme")));
/// assert!(matches!(members.field(&Attr::new("tenants")), Value::Missing));
/// ```
pub trait Record {
    /// The value called `attr`, or [`Value::Missing`].
    fn field(&self, attr: &Attr<'_>) -> Value<'_>;

    /// Calls `each` with every field until it answers false; whether it never did. `None`, the
    /// default, says that the fields cannot be listed: comparing the whole record is an error then.
    fn try_each_field(&self, each: &mut dyn FnMut(&str, Value<'_>) -> bool) -> Option<bool> {
        let _ = each;
        None
    }
}

impl<const N: usize> Record for [(&str, Value<'_>); N] {
    fn field(&self, attr: &Attr<'_>) -> Value<'_> {
        let found = self.iter().find(|(name, _)| *name == attr.name());
        found.map_or(Value::Missing, |(_, value)| *value)
    }

    fn try_each_field(&self, each: &mut dyn FnMut(&str, Value<'_>) -> bool) -> Option<bool> {
        Some(self.iter().all(|(name, value)| each(name, *value)))
    }
}

/// A set of values in the caller's own form.
pub trait ValueSet {
    /// Whether `value` is in the set.
    fn holds(&self, value: Value<'_>) -> bool;
    /// Calls `each` with every element until it answers false; whether it never did.
    fn try_each(&self, each: &mut dyn FnMut(Value<'_>) -> bool) -> bool;
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Str(value)
    }
}

impl<'a> From<&'a [String]> for Value<'a> {
    fn from(value: &'a [String]) -> Self {
        Self::Strings(value)
    }
}

/// A principal is a `User`, `Service` or `Device`; its id is `realm/subject`.
impl Entity for Principal {
    fn type_name(&self) -> TypeName {
        match self.kind() {
            Kind::User => TypeName::USER,
            Kind::Service => TypeName::SERVICE,
            Kind::Device => TypeName::DEVICE,
        }
    }

    fn id(&self) -> &str {
        self.id()
    }

    fn attr(&self, attr: &Attr<'_>) -> Value<'_> {
        match self.attribute(attr.name()) {
            Some(Attribute::Bool(value)) => Value::Bool(value),
            Some(Attribute::Long(value)) => Value::Long(value),
            Some(Attribute::Str(value)) => Value::Str(value),
            Some(Attribute::Strings(values)) => Value::Strings(values),
            None => Value::Missing,
        }
    }
}
