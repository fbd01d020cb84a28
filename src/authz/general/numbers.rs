//! Sums, differences and products of two of long.

use crate::authz::{EvalError, Value, load::expr::Operator, world::Stop};

pub(in crate::authz) fn arithmetic(
    operator: Operator,
    left: &Value<'_>,
    right: &Value<'_>,
) -> Result<i64, Stop> {
    let (Value::Long(left), Value::Long(right)) = (left, right) else {
        return Err(Stop::Error(EvalError::WrongType));
    };
    let result = match operator {
        Operator::Add => left.checked_add(*right),
        Operator::Subtract => left.checked_sub(*right),
        Operator::Multiply => left.checked_mul(*right),
    };
    result.ok_or(Stop::Error(EvalError::Overflow))
}
