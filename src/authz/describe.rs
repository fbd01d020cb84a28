//! What the application's types say of themselves, and the macro that says it for them.

use std::fmt;

/// What a type says of itself, so that policies can be checked against it at start; see
/// [`PolicySet::check`](super::PolicySet::check).
pub trait Describe {
    /// The name of the entity type.
    const TYPE: &'static str;
    /// The attributes it can supply.
    const ATTRIBUTES: &'static [(&'static str, Type)];
}

/// The type of an attribute. A policy document calls it by the word in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// `"bool"`
    Bool,
    /// `"long"`
    Long,
    /// `"string"`
    Str,
    /// `"strings"`: a set of texts.
    Strings,
    /// `"ip"`: an address or a range.
    Ip,
    /// `"decimal"`
    Decimal,
    /// `"datetime"`
    Datetime,
    /// `"duration"`
    Duration,
    /// An entity, by the name of its type: `"User"`.
    Entity(&'static str),
    /// May be absent: `"long?"`.
    Optional(&'static Type),
}

/// As a policy document writes it.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Long => f.write_str("long"),
            Self::Str => f.write_str("string"),
            Self::Strings => f.write_str("strings"),
            Self::Ip => f.write_str("ip"),
            Self::Decimal => f.write_str("decimal"),
            Self::Datetime => f.write_str("datetime"),
            Self::Duration => f.write_str("duration"),
            Self::Entity(name) => f.write_str(name),
            Self::Optional(inner) => write!(f, "{inner}?"),
        }
    }
}

/// Writes [`Entity`](crate::authz::Entity) and [`Describe`](crate::authz::Describe) for a struct,
/// in the words of a policy document.
///
/// `Rust type as "TypeInPolicies" by id_field { attribute: type, … }`. Types are `bool`, `long`,
/// `string`, `strings`, `ip`, `datetime`, the name of an entity type in quotes for a field that
/// holds an id, or a Rust type that is itself an entity; `?` marks a field that is an `Option`.
/// An attribute is read from the field of its name, or from the field after `=`. A field that
/// cannot be such a value does not compile.
///
/// ```
/// use portcullis::{UnixTime, authz::{Attr, Describe, Entity, Type, Value}};
///
/// struct Order { id: String, owner: String, total: u32, placed: Option<UnixTime>, shop: Shop }
/// struct Shop { region: String }
///
/// portcullis::entity! {
///     Order as "Order" by id {
///         owner: "User",                 // text: the principal's id, `realm/subject`
///         total: long,
///         placed: datetime?,
///         region: string = shop.region,
///     }
/// }
///
/// let order = Order {
///     id: "7".into(),
///     owner: "staff/alice".into(),
///     total: 12,
///     placed: None,
///     shop: Shop { region: "north".into() },
/// };
/// assert_eq!(order.id(), "7");
/// assert!(matches!(order.attr(&Attr::new("owner")), Value::Ref(_, "staff/alice")));
/// assert!(matches!(order.attr(&Attr::new("placed")), Value::Missing));
/// assert!(matches!(order.attr(&Attr::new("region")), Value::Str("north")));
/// assert_eq!(Order::ATTRIBUTES[2], ("placed", Type::Optional(&Type::Datetime)));
/// ```
///
/// A number that does not fit is no `long`:
///
/// ```compile_fail
/// struct Order { id: String, total: u64 }
/// portcullis::entity! { Order as "Order" by id { total: long } }
/// ```
#[macro_export]
macro_rules! entity {
    ($rust:ty as $name:literal by $($id:ident).+ { $($body:tt)* }) => {
        $crate::entity! { @parse [$rust, $name, $($id).+] [] $($body)*, }
    };

    // Attributes one by one, each as {name, type, required or optional, field}.
    (@parse $head:tt [$($done:tt)*] $attr:ident: $kind:tt? = $($field:ident).+, $($rest:tt)*) => {
        $crate::entity! {
            @parse $head [$($done)* {$attr, $kind, optional, $($field).+}] $($rest)*
        }
    };
    (@parse $head:tt [$($done:tt)*] $attr:ident: $kind:tt = $($field:ident).+, $($rest:tt)*) => {
        $crate::entity! {
            @parse $head [$($done)* {$attr, $kind, required, $($field).+}] $($rest)*
        }
    };
    (@parse $head:tt [$($done:tt)*] $attr:ident: $kind:tt?, $($rest:tt)*) => {
        $crate::entity! { @parse $head [$($done)* {$attr, $kind, optional, $attr}] $($rest)* }
    };
    (@parse $head:tt [$($done:tt)*] $attr:ident: $kind:tt, $($rest:tt)*) => {
        $crate::entity! { @parse $head [$($done)* {$attr, $kind, required, $attr}] $($rest)* }
    };
    (@parse [$rust:ty, $name:literal, $($id:ident).+]
            [$({$attr:ident, $kind:tt, $need:ident, $($field:ident).+})*] $(,)?) => {
        impl $crate::authz::Entity for $rust {
            fn type_name(&self) -> $crate::authz::TypeName {
                const { $crate::authz::TypeName::new($name) }
            }

            fn id(&self) -> &str {
                ::core::convert::AsRef::<str>::as_ref(&self.$($id).+)
            }

            fn attr(&self, attr: &$crate::authz::Attr<'_>) -> $crate::authz::Value<'_> {
                match attr.name() {
                    $(stringify!($attr) => $crate::entity!(@$need $kind &self.$($field).+),)*
                    _ => $crate::authz::Value::Missing,
                }
            }
        }

        impl $crate::authz::Describe for $rust {
            const TYPE: &'static str = $name;
            const ATTRIBUTES: &'static [(&'static str, $crate::authz::Type)] =
                &[$((stringify!($attr), $crate::entity!(@type $need $kind))),*];
        }
    };

    (@required $kind:tt $value:expr) => { $crate::entity!(@value $kind $value) };
    (@optional $kind:tt $value:expr) => {
        match $value {
            ::core::option::Option::Some(value) => $crate::entity!(@value $kind value),
            ::core::option::Option::None => $crate::authz::Value::Missing,
        }
    };

    (@value bool $value:expr) => { $crate::authz::Value::Bool(*$value) };
    (@value long $value:expr) => {
        $crate::authz::Value::Long(<i64 as ::core::convert::From<_>>::from(*$value))
    };
    (@value string $value:expr) => {
        $crate::authz::Value::Str(::core::convert::AsRef::<str>::as_ref($value))
    };
    (@value strings $value:expr) => {
        $crate::authz::Value::Strings(
            ::core::convert::AsRef::<[::std::string::String]>::as_ref($value)
        )
    };
    (@value ip $value:expr) => {
        $crate::authz::Value::from(<$crate::IpNet as ::core::convert::From<_>>::from(*$value))
    };
    (@value datetime $value:expr) => {
        $crate::authz::Value::from(<$crate::UnixTime as ::core::convert::From<_>>::from(*$value))
    };
    (@value $name:literal $value:expr) => {
        $crate::authz::Value::Ref(
            const { $crate::authz::TypeName::new($name) },
            ::core::convert::AsRef::<str>::as_ref($value),
        )
    };
    (@value $rust:ident $value:expr) => { $crate::authz::Value::Entity($value as &$rust) };

    (@type optional $kind:tt) => {
        $crate::authz::Type::Optional(&$crate::entity!(@type required $kind))
    };
    (@type required bool) => { $crate::authz::Type::Bool };
    (@type required long) => { $crate::authz::Type::Long };
    (@type required string) => { $crate::authz::Type::Str };
    (@type required strings) => { $crate::authz::Type::Strings };
    (@type required ip) => { $crate::authz::Type::Ip };
    (@type required datetime) => { $crate::authz::Type::Datetime };
    (@type required $name:literal) => { $crate::authz::Type::Entity($name) };
    (@type required $rust:ident) => {
        $crate::authz::Type::Entity(<$rust as $crate::authz::Describe>::TYPE)
    };
}
