//! What a request of Cedar's has that one of the gate has not: a context of its own alone, entities
//! that are looked up by their names, callers without roles, and actions with types.

use crate::{
    UnixTime,
    authz::{
        Action, Attr, Context, Entity, EvalError, KnownEntities, PolicySet, Record, Subject,
        TypeName, Uid, Value, bits::Bits, context::BUILT_IN,
    },
};

impl<'a> Context<'a> {
    /// `members` and nothing else: no member is built in. For policies of a service whose context
    /// is its own, as Cedar's requests have it; the gate always fills the built-in members.
    pub const fn plain(now: UnixTime, members: &'a dyn Record) -> Self {
        let mut context = Self::new(now).members(members);
        context.has_built_in = false;
        context
    }

    /// Looks entities that are known by name only up in `entities`, where conditions ask for their
    /// attributes, tags or what they lie in. One that is not there has none of them.
    pub const fn entities(mut self, entities: KnownEntities<'a>) -> Self {
        self.entities = Some(entities);
        self
    }

    /// The stored entity of that name, if there is one.
    ///
    /// # Errors
    /// When there is no store.
    pub(in crate::authz) fn stored(
        &self,
        uid: Uid<'_>,
    ) -> Result<Option<&'a dyn Entity>, EvalError> {
        let known = self.entities.ok_or(EvalError::NameOnly)?;
        Ok(known.find(uid))
    }

    /// Whether its entities, if any, were checked against the policies of that epoch.
    pub(in crate::authz) fn is_for(&self, epoch: u64) -> bool {
        self.entities.is_none_or(|entities| entities.epoch() == epoch)
    }

    /// As [`Record::try_each_field`].
    pub(in crate::authz) fn list(
        &self,
        each: &mut dyn FnMut(&str, Value<'_>) -> bool,
    ) -> Option<bool> {
        let open = BUILT_IN.iter().filter(|name| self.supplies(name)).all(|name| {
            let value = self.field(&Attr::new(name));
            matches!(value, Value::Missing) || each(name, value)
        });
        match self.members {
            Some(members) if open => {
                members.try_each_field(&mut |name, value| self.supplies(name) || each(name, value))
            }
            _ => Some(open),
        }
    }
}

impl PolicySet {
    /// A caller of whom no roles and no scopes are known: for entities that are no
    /// [`Principal`](crate::Principal), which may have parents of their own.
    #[must_use]
    pub fn without_roles(&self) -> Subject {
        Subject { epoch: self.epoch, roles: Bits::none(self.roles.len()), covered: None }
    }

    pub(in crate::authz) fn action_uid(&self, action: Action) -> Uid<'_> {
        let number = action.number;
        match self.action_uids.get(number as usize) {
            Some((type_name, id)) => Uid { type_name: *type_name, id },
            None => Uid {
                type_name: TypeName::ACTION,
                id: self.actions.name(number).unwrap_or_default(),
            },
        }
    }
}
