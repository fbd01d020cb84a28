//! Names that an authenticator hands out and no policy declares.

use super::GateError;
use crate::{Authenticator, authz::PolicySet};

/// What authenticators hand out and no policy can mean: a misspelt name would switch a rule off.
pub(super) fn strangers(
    policies: &PolicySet,
    authenticators: &[Box<dyn Authenticator>],
) -> Vec<GateError> {
    let mut errors = Vec::new();
    if policies.is_empty() {
        return errors;
    }
    for one in authenticators {
        let mut tell = |what, name: String, nearest: Option<&str>| {
            let (realm, nearest) = (one.realm().to_owned(), nearest.map(str::to_owned));
            errors.push(GateError::Stranger { realm, what, name, nearest });
        };
        for role in one.roles() {
            if policies.role(&role).is_none() {
                let nearest = policies.nearest_role(&role);
                tell("role", role, nearest);
            }
        }
        for name in one.attributes() {
            if !policies.has_principal_attribute(&name) {
                let nearest = policies.nearest_principal_attribute(&name);
                tell("attribute of principals", name, nearest);
            }
        }
    }
    errors
}
