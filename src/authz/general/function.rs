//! The functions of Cedar's extension types, and the two methods about tags.

use std::net::IpAddr;

use super::moments;
use crate::{
    IpNet,
    authz::{EvalError, Value},
};

/// A function by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::authz) enum Function {
    GetTag,
    HasTag,
    Ip,
    IsIpv4,
    IsIpv6,
    IsLoopback,
    IsMulticast,
    IsInRange,
    Decimal,
    LessThan,
    LessThanOrEqual,
    GreaterThan,
    GreaterThanOrEqual,
    Datetime,
    Offset,
    DurationSince,
    ToDate,
    ToTime,
    Duration,
    ToMilliseconds,
    ToSeconds,
    ToMinutes,
    ToHours,
    ToDays,
}

impl Function {
    pub(in crate::authz) const ALL: [Self; 24] = [
        Self::GetTag,
        Self::HasTag,
        Self::Ip,
        Self::IsIpv4,
        Self::IsIpv6,
        Self::IsLoopback,
        Self::IsMulticast,
        Self::IsInRange,
        Self::Decimal,
        Self::LessThan,
        Self::LessThanOrEqual,
        Self::GreaterThan,
        Self::GreaterThanOrEqual,
        Self::Datetime,
        Self::Offset,
        Self::DurationSince,
        Self::ToDate,
        Self::ToTime,
        Self::Duration,
        Self::ToMilliseconds,
        Self::ToSeconds,
        Self::ToMinutes,
        Self::ToHours,
        Self::ToDays,
    ];

    pub(in crate::authz) const fn word(self) -> &'static str {
        match self {
            Self::GetTag => "getTag",
            Self::HasTag => "hasTag",
            Self::Ip => "ip",
            Self::IsIpv4 => "isIpv4",
            Self::IsIpv6 => "isIpv6",
            Self::IsLoopback => "isLoopback",
            Self::IsMulticast => "isMulticast",
            Self::IsInRange => "isInRange",
            Self::Decimal => "decimal",
            Self::LessThan => "lessThan",
            Self::LessThanOrEqual => "lessThanOrEqual",
            Self::GreaterThan => "greaterThan",
            Self::GreaterThanOrEqual => "greaterThanOrEqual",
            Self::Datetime => "datetime",
            Self::Offset => "offset",
            Self::DurationSince => "durationSince",
            Self::ToDate => "toDate",
            Self::ToTime => "toTime",
            Self::Duration => "duration",
            Self::ToMilliseconds => "toMilliseconds",
            Self::ToSeconds => "toSeconds",
            Self::ToMinutes => "toMinutes",
            Self::ToHours => "toHours",
            Self::ToDays => "toDays",
        }
    }

    /// Whether it is asked of a value, as `a.isIpv4()`, or stands alone, as `ip("::1")`.
    pub(in crate::authz) const fn is_method(self) -> bool {
        !matches!(self, Self::Ip | Self::Decimal | Self::Datetime | Self::Duration)
    }

    /// The result for these arguments; the wrong number of them is an error as well.
    pub(in crate::authz) fn call<'a>(
        self,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>, EvalError> {
        match *arguments {
            [one] if !self.is_method() => self.constructed(one),
            [one] => self.asked(one),
            [one, other] => self.asked_with(one, other),
            _ => Err(EvalError::WrongType),
        }
    }

    fn constructed<'a>(self, value: Value<'a>) -> Result<Value<'a>, EvalError> {
        let Value::Str(text) = value else { return Err(EvalError::WrongType) };
        let read = if self == Self::Ip {
            ip(text).map(Value::Ip)
        } else if self == Self::Decimal {
            moments::decimal(text).map(Value::Decimal)
        } else if self == Self::Datetime {
            moments::datetime(text).map(Value::Datetime)
        } else {
            moments::duration(text).map(Value::Duration)
        };
        read.ok_or(EvalError::NotReadable)
    }

    /// What only the value itself decides.
    fn asked<'a>(self, value: Value<'a>) -> Result<Value<'a>, EvalError> {
        Ok(match (self, value) {
            (Self::IsIpv4, Value::Ip(net)) => Value::Bool(net.address().is_ipv4()),
            (Self::IsIpv6, Value::Ip(net)) => Value::Bool(net.address().is_ipv6()),
            (Self::IsLoopback, Value::Ip(net)) => Value::Bool(is_loopback(net)),
            (Self::IsMulticast, Value::Ip(net)) => Value::Bool(is_multicast(net)),
            (Self::ToDate, Value::Datetime(at)) => {
                Value::Datetime(moments::day(at).ok_or(EvalError::Overflow)?)
            }
            (Self::ToTime, Value::Datetime(at)) => Value::Duration(at.rem_euclid(moments::DAY)),
            (Self::ToMilliseconds, Value::Duration(span)) => Value::Long(span),
            (Self::ToSeconds, Value::Duration(span)) => Value::Long(span / moments::SECOND),
            (Self::ToMinutes, Value::Duration(span)) => Value::Long(span / moments::MINUTE),
            (Self::ToHours, Value::Duration(span)) => Value::Long(span / moments::HOUR),
            (Self::ToDays, Value::Duration(span)) => Value::Long(span / moments::DAY),
            _ => return Err(EvalError::WrongType),
        })
    }

    fn asked_with<'a>(self, one: Value<'a>, other: Value<'a>) -> Result<Value<'a>, EvalError> {
        Ok(match (self, one, other) {
            (Self::IsInRange, Value::Ip(inner), Value::Ip(outer)) => {
                Value::Bool(outer.contains_net(inner))
            }
            (Self::LessThan, Value::Decimal(one), Value::Decimal(other)) => {
                Value::Bool(one < other)
            }
            (Self::LessThanOrEqual, Value::Decimal(one), Value::Decimal(other)) => {
                Value::Bool(one <= other)
            }
            (Self::GreaterThan, Value::Decimal(one), Value::Decimal(other)) => {
                Value::Bool(one > other)
            }
            (Self::GreaterThanOrEqual, Value::Decimal(one), Value::Decimal(other)) => {
                Value::Bool(one >= other)
            }
            (Self::Offset, Value::Datetime(at), Value::Duration(span)) => {
                Value::Datetime(at.checked_add(span).ok_or(EvalError::Overflow)?)
            }
            (Self::DurationSince, Value::Datetime(at), Value::Datetime(since)) => {
                Value::Duration(at.checked_sub(since).ok_or(EvalError::Overflow)?)
            }
            _ => return Err(EvalError::WrongType),
        })
    }
}

/// Cedar takes no IPv4 address at the end of an IPv6 one, and nothing longer than the longest.
fn ip(text: &str) -> Option<IpNet> {
    const LONGEST: usize = "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789/128".len();
    let mixed = text.matches(':').count() >= 2 && text.matches('.').count() >= 2;
    if text.len() > LONGEST || mixed { None } else { text.parse().ok() }
}

/// Whether all of the range is.
fn is_loopback(net: IpNet) -> bool {
    let whole = if net.address().is_ipv4() { 8 } else { 128 };
    net.address().is_loopback() && net.prefix() >= whole
}

fn is_multicast(net: IpNet) -> bool {
    let whole = match net.address() {
        IpAddr::V4(_) => 4,
        IpAddr::V6(_) => 8,
    };
    net.address().is_multicast() && net.prefix() >= whole
}
