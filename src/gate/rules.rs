//! Policies, and what each line of the route table means under them.

use std::sync::Arc;

use super::{Access, GateError, GateErrors, routes::Table, strangers::strangers};
use crate::{
    Authenticator,
    authz::{Action, Knowing, PolicySet, Role},
};

/// Policies and the table's names resolved in them. Clones share both.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) policies: Knowing,
    pub(super) needs: Arc<[Need]>,
}

/// What a line takes of its caller, in the policies' own handles.
#[derive(Debug)]
pub(super) enum Need {
    Public,
    Authenticated,
    Scope(String),
    Role(Role),
    Action(Action),
}

impl Rules {
    /// # Errors
    /// Every name that the policies do not declare: roles and actions of the table, roles and
    /// attributes of the authenticators.
    pub(super) fn resolve(
        policies: PolicySet,
        table: &Table,
        authenticators: &[Box<dyn Authenticator>],
    ) -> Result<Self, GateErrors> {
        let mut errors = strangers(&policies, authenticators);
        let mut needs = Vec::new();
        for line in table.routes().lines() {
            match need(&policies, &line.access) {
                Ok(need) => needs.push(need),
                Err((what, name, nearest)) => errors.push(GateError::Undeclared {
                    route: line.to_string(),
                    what,
                    name: name.to_owned(),
                    nearest: nearest.map(str::to_owned),
                }),
            }
        }
        GateErrors::unless_empty(errors)?;
        Ok(Self { policies: policies.into(), needs: needs.into() })
    }

    pub(super) fn need(&self, line: usize) -> Option<&Need> {
        self.needs.get(line)
    }
}

fn need<'a>(
    policies: &'a PolicySet,
    access: &'a Access,
) -> Result<Need, (&'static str, &'a str, Option<&'a str>)> {
    match access {
        Access::Public => Ok(Need::Public),
        Access::Authenticated => Ok(Need::Authenticated),
        Access::Scope(scope) => Ok(Need::Scope(scope.clone())),
        Access::Role(name) => {
            let unknown = || ("role", name.as_str(), policies.nearest_role(name));
            policies.role(name).map(Need::Role).ok_or_else(unknown)
        }
        Access::Action(name) => {
            let unknown = || ("action", name.as_str(), policies.nearest_action(name));
            policies.action(name).map(Need::Action).ok_or_else(unknown)
        }
    }
}
