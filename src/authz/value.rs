//! What the evaluator reads: borrowed values, and the names it asks for them by.

use std::net::IpAddr;

use super::{Entity, EvalError, Record, ValueSet, schema::Ty};
use crate::{IpNet, UnixTime};

/// One value, borrowed from the caller's own types. Small enough to pass around by copy.
///
/// ```
/// use portcullis::authz::{TypeName, Value};
///
/// let owner = Value::Ref(TypeName::new("User"), "staff/alice");
/// let total = Value::from(1_200_i64);
/// assert_eq!(format!("{owner:?} {total:?}"), r#"Ref("staff/alice") Long(1200)"#);
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Absent: `has` says false, reading it is an error.
    Missing,
    /// The value could not be had; reading it, or asking for it with `has`, is this error.
    Error(EvalError),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Long(i64),
    /// Text; compared byte by byte.
    Str(&'a str),
    /// An entity known by name only: it compares. Reading an attribute of it, or asking for one
    /// with `has`, is an error; so is asking what it lies in, unless it is the request's own
    /// principal or resource. A principal's id is `realm/subject`.
    Ref(TypeName, &'a str),
    /// An entity with attributes.
    Entity(&'a dyn Entity),
    /// A set of texts held as a list.
    Strings(&'a [String]),
    /// Any other set.
    Set(&'a dyn ValueSet),
    /// Named values.
    Record(&'a dyn Record),
    /// An address or a range of addresses. IPv4-mapped IPv6 addresses count as the IPv4
    /// addresses that they carry.
    Ip(IpNet),
    /// A number with four decimal places, in ten-thousandths.
    Decimal(i64),
    /// A moment, in milliseconds since 1970-01-01T00:00:00Z.
    Datetime(i64),
    /// A span of time, in milliseconds.
    Duration(i64),
}

const _: () = assert!(size_of::<Value<'_>>() == 24);

/// The name of an entity type, as a number made of its text at compile time.
///
/// A set of policies in which two known names have one number is refused when it is built.
///
/// ```
/// use portcullis::authz::TypeName;
///
/// const ORDER: TypeName = TypeName::new("Order");
/// assert_ne!(ORDER, TypeName::new("Invoice"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeName(pub(super) u32);

impl TypeName {
    pub(crate) const USER: Self = Self::new("User");
    pub(crate) const SERVICE: Self = Self::new("Service");
    pub(crate) const DEVICE: Self = Self::new("Device");
    pub(crate) const ROLE: Self = Self::new("Role");
    pub(crate) const ACTION: Self = Self::new("Action");

    /// The number of `text` (FNV-1a, 32 bits).
    #[must_use]
    pub const fn new(text: &str) -> Self {
        let mut hash = 0x811c_9dc5_u32;
        let mut rest = text.as_bytes();
        while let [byte, tail @ ..] = rest {
            hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
            rest = tail;
        }
        Self(hash)
    }
}

/// Which entity: its type and its id within the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uid<'a> {
    /// The entity's type.
    pub type_name: TypeName,
    /// The entity's id; for a principal `realm/subject`.
    pub id: &'a str,
}

/// The name of an attribute, as the evaluator asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attr<'a> {
    name: &'a str,
}

impl<'a> Attr<'a> {
    /// The attribute called `name`.
    #[must_use]
    pub const fn new(name: &'a str) -> Self {
        Self { name }
    }

    /// The name, to `match` on.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }
}

/// Whether the value, if there is one, is of the type.
#[inline]
pub(super) fn fits(value: &Value<'_>, ty: Ty) -> bool {
    match value {
        Value::Missing | Value::Error(_) => true,
        Value::Bool(_) => ty == Ty::Bool,
        Value::Long(_) => ty == Ty::Long,
        Value::Str(_) => ty == Ty::Str,
        Value::Ref(name, _) => ty == Ty::Entity(*name),
        Value::Entity(entity) => ty == Ty::Entity(entity.type_name()),
        Value::Strings(_) | Value::Set(_) => ty == Ty::Strings,
        Value::Record(_) => false,
        Value::Ip(_) => ty == Ty::Ip,
        Value::Decimal(_) => ty == Ty::Decimal,
        Value::Datetime(_) => ty == Ty::Datetime,
        Value::Duration(_) => ty == Ty::Duration,
    }
}

/// An IPv4-mapped IPv6 address counts as the IPv4 address it carries.
impl From<IpNet> for Value<'_> {
    fn from(value: IpNet) -> Self {
        Self::Ip(canonical(value))
    }
}

/// The range of IPv4 addresses that a range of IPv4-mapped addresses carries; any other as it is.
#[inline]
pub(super) fn canonical(net: IpNet) -> IpNet {
    let IpAddr::V6(address) = net.address() else { return net };
    let carried = address.to_ipv4_mapped().zip(net.prefix().checked_sub(96));
    carried.and_then(|(address, prefix)| IpNet::new(address.into(), prefix).ok()).unwrap_or(net)
}

impl From<IpAddr> for Value<'_> {
    fn from(value: IpAddr) -> Self {
        Self::from(IpNet::from(value))
    }
}

impl From<UnixTime> for Value<'_> {
    fn from(value: UnixTime) -> Self {
        Self::Datetime(i64::try_from(value.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_counts_as_the_one_it_carries() {
        let check = |net: &str, expected: &str| {
            let net: IpNet = net.parse().unwrap();
            let Value::Ip(read) = Value::from(net) else { panic!("{net} is no ip") };
            assert_eq!(read.to_string(), expected);
        };
        check("10.0.0.7", "10.0.0.7");
        check("::ffff:10.0.0.7", "10.0.0.7");
        check("::ffff:10.0.0.0/104", "10.0.0.0/8");
        check("::ffff:0.0.0.0/96", "0.0.0.0/0");
        // A range that holds more than mapped addresses stays what it is.
        check("::ffff:0.0.0.0/95", "::ffff:0.0.0.0/95");
        check("2001:db8::/97", "2001:db8::/97");
    }

    #[test]
    fn moments_beyond_what_can_be_said_stay_the_last() {
        let last = Value::from(UnixTime::from_millis(u64::MAX));
        assert!(matches!(last, Value::Datetime(i64::MAX)));
    }
}
