//! Handles into one policy set: a caller's roles and scopes as bits, actions and roles as numbers.

use super::bits::Bits;

/// A caller as one policy set sees it: roles with inheritance, and the actions that the scopes
/// cover. Made by [`PolicySet::subject`](super::PolicySet::subject), once per request.
///
/// A subject is only good for the set that made it. Any other set denies what is asked with it.
#[derive(Clone, Debug)]
pub struct Subject {
    pub(super) epoch: u64,
    pub(super) roles: Bits,
    /// `None`: the credential has no scopes, so they limit nothing.
    pub(super) covered: Option<Bits>,
}

/// An action of one policy set; see [`PolicySet::action`](super::PolicySet::action).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Action {
    pub(super) epoch: u64,
    pub(super) number: u32,
}

/// A role of one policy set; see [`PolicySet::role`](super::PolicySet::role).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    pub(super) epoch: u64,
    pub(super) number: u32,
}

impl Subject {
    /// Whether the caller has the role, directly or by inheritance. A role of another policy
    /// set is never held.
    #[must_use]
    pub fn holds(&self, role: Role) -> bool {
        role.epoch == self.epoch && self.roles.holds(role.number)
    }

    /// Whether the scopes cover the action.
    pub(super) fn covers(&self, action: Action) -> bool {
        self.covered.as_ref().is_none_or(|covered| covered.holds(action.number))
    }
}
