//! Sets in conditions: values that are read, or that stand there one by one.

use super::{
    Value,
    load::expr::How,
    program::Many,
    world::{Stop, World, copied, equal, wrong},
};

impl<'a> World<'a> {
    /// Every element is evaluated, whether or not the answer is known before.
    pub(super) fn contains(&self, how: How, set: &'a Many, asked: &'a Many) -> Result<bool, Stop> {
        self.each(set, &mut |_| true)?;
        let mut answer = Ok(how != How::Any);
        let open = answer;
        self.each(asked, &mut |element| {
            answer = self.holds(set, element);
            answer == open
        })?;
        answer
    }

    fn holds(&self, set: &'a Many, element: Value<'_>) -> Result<bool, Stop> {
        if let Many::Read(read) = set
            && let Value::Set(set) = self.read(read, copied)?
        {
            return Ok(set.holds(element));
        }
        Ok(!self.each(set, &mut |other| equal(&element, &other) != Ok(true))?)
    }

    /// Calls `each` with the elements until it answers false, and evaluates them all; whether it
    /// never did.
    fn each(&self, set: &'a Many, each: &mut dyn FnMut(Value<'_>) -> bool) -> Result<bool, Stop> {
        let value = match set {
            Many::Read(read) => self.read(read, copied)?,
            Many::Listed(operands) => {
                return operands.iter().try_fold(true, |open, operand| {
                    self.value(operand, |value| Ok(open && each(*value)))
                });
            }
        };
        if let Value::Strings(texts) = value {
            Ok(texts.iter().all(|text| each(Value::Str(text))))
        } else if let Value::Set(set) = value {
            Ok(set.try_each(each))
        } else {
            Err(wrong(&value))
        }
    }
}
