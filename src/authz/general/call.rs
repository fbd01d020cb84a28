//! Calls within typed tests.

use super::Function;
use crate::authz::{
    EvalError, Value,
    program::Operand,
    value::canonical,
    world::{Stop, World, copied},
};

/// The result of the function for the operands' values.
pub(in crate::authz) fn called<'a>(
    world: &World<'a>,
    function: Function,
    operands: &'a [Operand],
) -> Result<Value<'a>, Stop> {
    let result = match operands {
        [one] => function.call(&[plain(world.value(one, copied)?)]),
        [one, other] => {
            function.call(&[plain(world.value(one, copied)?), plain(world.value(other, copied)?)])
        }
        _ => Err(EvalError::WrongType),
    };
    result.map_err(Stop::Error)
}

/// In documents, an IPv4-mapped address is the IPv4 address that it carries, whoever supplies it.
fn plain(value: Value<'_>) -> Value<'_> {
    if let Value::Ip(net) = value { Value::Ip(canonical(net)) } else { value }
}
