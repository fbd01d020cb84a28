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

    /// Whether the entity lies below `ancestor`, at any distance. That it lies in itself goes
    /// without saying.
    fn is_in(&self, ancestor: Uid<'_>) -> bool {
        let _ = ancestor;
        false
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
