//! What the functions of the extension types take and give.

use super::{Checker, Present};
use crate::authz::{
    general::Function,
    load::{expr::Expr, shape::Shape},
    schema::Ty,
};

impl Checker<'_> {
    /// The type of a call. How many arguments there are was counted when it was read.
    pub(super) fn call(
        &mut self,
        at: usize,
        function: Function,
        arguments: &[Expr],
        present: &Present,
    ) -> Option<Shape> {
        let word = function.word();
        let Some((takes, gives)) = signature(function) else {
            self.error(at, format!("`{word}` is of Cedar's policy text alone"));
            return None;
        };
        for (argument, ty) in arguments.iter().zip(takes) {
            let rule = format!("`{word}` needs {}", self.schema.ty(*ty));
            self.needs(argument, present, &rule, |shape| *shape == Shape::One(*ty));
        }
        Some(Shape::One(gives))
    }
}

/// The types of the arguments, a method's owner first, and that of the result; `None` where a
/// document has no such call. It has tags of no entity, and an operator for ranges.
fn signature(function: Function) -> Option<(&'static [Ty], Ty)> {
    Some(match function {
        Function::GetTag | Function::HasTag | Function::IsInRange => return None,
        Function::Ip => (&[Ty::Str], Ty::Ip),
        Function::Decimal => (&[Ty::Str], Ty::Decimal),
        Function::Datetime => (&[Ty::Str], Ty::Datetime),
        Function::Duration => (&[Ty::Str], Ty::Duration),
        Function::IsIpv4 | Function::IsIpv6 | Function::IsLoopback | Function::IsMulticast => {
            (&[Ty::Ip], Ty::Bool)
        }
        Function::LessThan
        | Function::LessThanOrEqual
        | Function::GreaterThan
        | Function::GreaterThanOrEqual => (&[Ty::Decimal, Ty::Decimal], Ty::Bool),
        Function::Offset => (&[Ty::Datetime, Ty::Duration], Ty::Datetime),
        Function::DurationSince => (&[Ty::Datetime, Ty::Datetime], Ty::Duration),
        Function::ToDate => (&[Ty::Datetime], Ty::Datetime),
        Function::ToTime => (&[Ty::Datetime], Ty::Duration),
        Function::ToMilliseconds
        | Function::ToSeconds
        | Function::ToMinutes
        | Function::ToHours
        | Function::ToDays => (&[Ty::Duration], Ty::Long),
    })
}

/// How many arguments a method of documents takes besides its owner; `None` if it is none.
pub(in crate::authz) fn arguments(function: Function) -> Option<usize> {
    signature(function).filter(|_| function.is_method())?.0.len().checked_sub(1)
}
