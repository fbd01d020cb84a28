//! What a set, its parts and values are called, for messages.

use std::fmt;

use super::{AccessRequest, Action, Context, PolicySet, RuleId, Value};

impl PolicySet {
    /// What an action is called; `None` for another set's action.
    #[must_use]
    pub fn action_name(&self, action: Action) -> Option<&str> {
        self.actions.name(action.number).filter(|_| action.epoch == self.epoch)
    }

    /// The action that `name` was probably meant to be.
    #[must_use]
    pub fn nearest_action(&self, name: &str) -> Option<&str> {
        self.actions.nearest(name)
    }

    /// The role that `name` was probably meant to be.
    #[must_use]
    pub fn nearest_role(&self, name: &str) -> Option<&str> {
        self.roles.nearest(name)
    }

    /// The type of the resources that `action` is done to; `None` for another set's action.
    #[must_use]
    pub fn resource_type_of(&self, action: Action) -> Option<&str> {
        self.schema.type_text(self.cell(action)?.resource?)
    }

    /// What a rule is called; a role's grants are called `role:` and the role's name.
    #[must_use]
    pub fn rule_name(&self, rule: RuleId) -> Option<&str> {
        self.rule_names.get(rule.0)
    }
}

impl fmt::Debug for AccessRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessRequest")
            .field("principal", &self.principal.id())
            .field("action", &self.action)
            .field("resource", &self.resource.id())
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySet")
            .field("rules", &self.rule_names.len().saturating_sub(self.roles.len()))
            .field("roles", &self.roles.len())
            .field("actions", &self.actions.len())
            .field("skips_errors", &self.skips_errors)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("Missing"),
            Self::Error(error) => write!(f, "Error({error:?})"),
            Self::Bool(value) => write!(f, "Bool({value})"),
            Self::Long(value) => write!(f, "Long({value})"),
            Self::Str(value) => write!(f, "Str({value:?})"),
            Self::Ref(_, id) => write!(f, "Ref({id:?})"),
            Self::Entity(entity) => write!(f, "Entity({:?})", entity.id()),
            Self::Strings(values) => write!(f, "Strings({values:?})"),
            Self::Set(_) => f.write_str("Set(..)"),
            Self::Record(_) => f.write_str("Record(..)"),
            Self::Ip(net) => write!(f, "Ip({net})"),
            Self::Decimal(value) => write!(f, "Decimal({value})"),
            Self::Datetime(value) => write!(f, "Datetime({value})"),
            Self::Duration(value) => write!(f, "Duration({value})"),
        }
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .field("client", &self.client)
            .field("secure", &self.secure)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{EvalError, TypeName},
        *,
    };

    #[test]
    fn debug_shows_a_value_and_of_an_entity_its_id() {
        let (net, texts) = ("10.0.0.0/8".parse().unwrap(), ["a".to_owned()]);
        let alice = crate::Principal::assertion("staff", "alice").finish().unwrap();
        for (value, expected) in [
            (Value::Missing, "Missing"),
            (Value::Error(EvalError::Overflow), "Error(Overflow)"),
            (Value::Bool(true), "Bool(true)"),
            (Value::Long(-1), "Long(-1)"),
            (Value::Str("a"), r#"Str("a")"#),
            (Value::Ref(TypeName::USER, "b"), r#"Ref("b")"#),
            (Value::Entity(&alice), r#"Entity("staff/alice")"#),
            (Value::Strings(&texts), r#"Strings(["a"])"#),
            (Value::Record(&[("a", Value::Missing)]), "Record(..)"),
            (Value::Ip(net), "Ip(10.0.0.0/8)"),
            (Value::Decimal(2), "Decimal(2)"),
            (Value::Datetime(3), "Datetime(3)"),
            (Value::Duration(4), "Duration(4)"),
        ] {
            assert_eq!(format!("{value:?}"), expected);
        }
    }
}
