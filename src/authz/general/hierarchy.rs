//! `in` where the other value may be a role, or a set.

use crate::authz::{
    Entity, EvalError, TypeName, Uid, Value,
    world::{Stop, World, named, uid_of},
};

const WRONG: Stop = Stop::Error(EvalError::WrongType);

/// Whether the entity is the other or below it, or so with one of the set.
pub(in crate::authz) fn is_in<'a>(
    world: &World<'a>,
    left: &Value<'a>,
    right: &Value<'_>,
) -> Result<bool, Stop> {
    let Some(lower) = named(left) else { return Err(WRONG) };
    if let Some(upper) = named(right) {
        let below = |entity: &dyn Entity| entity.is_in(upper);
        return Ok(holds(world, lower, upper) || world.entity(left)?.is_some_and(below));
    }
    if let Value::Set(set) = right {
        let mut any = Any::new(world, lower, world.entity(left));
        let mut stop = Ok(());
        set.try_each(&mut |element| {
            stop = any.ask(&element);
            stop.is_ok()
        });
        stop.and_then(|()| any.answer())
    } else if let Value::Strings([]) = right {
        Ok(false)
    } else {
        Err(WRONG)
    }
}

/// All of a set are asked what they are, whether or not the answer is known before; and that the
/// entity is one of them needs no entity.
pub(super) struct Any<'w, 'a> {
    world: &'w World<'a>,
    lower: Uid<'w>,
    entity: Result<Option<&'a dyn Entity>, Stop>,
    found: bool,
    below: Result<bool, Stop>,
}

impl<'w, 'a> Any<'w, 'a> {
    pub(super) fn new(
        world: &'w World<'a>,
        lower: Uid<'w>,
        entity: Result<Option<&'a dyn Entity>, Stop>,
    ) -> Self {
        Self { world, lower, entity, found: false, below: Ok(false) }
    }

    #[inline]
    pub(super) fn ask(&mut self, upper: &Value<'_>) -> Result<(), Stop> {
        let Some(upper) = named(upper) else { return Err(WRONG) };
        self.found |= holds(self.world, self.lower, upper);
        if self.below == Ok(false) {
            self.below = self.entity.map(|entity| entity.is_some_and(|entity| entity.is_in(upper)));
        }
        Ok(())
    }

    pub(super) fn answer(self) -> Result<bool, Stop> {
        if self.found { Ok(true) } else { self.below }
    }
}

/// Whether the two are one, or the upper is a role that the principal holds.
#[inline]
fn holds(world: &World<'_>, lower: Uid<'_>, upper: Uid<'_>) -> bool {
    lower == upper
        || upper.type_name == TypeName::ROLE
            && lower == uid_of(world.principal)
            && world.set.roles.number(upper.id).is_some_and(|role| world.roles.holds(role))
}
