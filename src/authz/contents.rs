//! What is in a set, for those who print it.

use super::{
    Action, Effect, PolicySet, Role, RuleId,
    explain::Part,
    index::Section,
    load::{
        expr::{Expr, Kind, Root},
        settled::role_of,
    },
    rules::{Condition, Rule},
};

/// A rule, or a role's grant, that bears on an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearing<'a> {
    /// Which.
    pub rule: RuleId,
    /// What it does where it applies.
    pub effect: Effect,
    /// The roles of which it takes one; empty where roles do not matter.
    pub roles: Vec<&'a str>,
    /// Whether it takes more than a role.
    pub conditional: bool,
}

impl PolicySet {
    /// All actions by name, sorted.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter()
    }

    /// All roles by name, sorted.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter()
    }

    /// The roles that `role` inherits, directly or not, without itself; none for another set's.
    pub fn inherited_by(&self, role: Role) -> impl Iterator<Item = &str> {
        let inherited = self.inherited.get(role.number as usize);
        let inherited = inherited.filter(|_| role.epoch == self.epoch);
        let others = inherited.into_iter().flat_map(super::bits::Bits::iter);
        others.filter(move |other| *other != role.number).filter_map(|other| self.roles.name(other))
    }

    /// All that bears on `action`: grants of roles, then forbids, then permits; nothing for
    /// another set's.
    ///
    /// ```
    /// use portcullis::authz::{Document, PolicySet};
    ///
    /// let policies = PolicySet::from_document(Document::from_toml(r#"
    ///     [resources.Order]
    ///     actions = ["order:read"]
    ///     [roles]
    ///     clerk = { may = ["order:read"] }
    ///     trainee = {}
    ///     [[rule]]
    ///     id = "no-trainee"
    ///     effect = "forbid"
    ///     actions = ["order:read"]
    ///     roles = ["trainee"]
    /// "#)?)?;
    /// let read = policies.action("order:read").ok_or("no such action")?;
    /// let names = policies.bearing_on(read).map(|one| policies.rule_name(one.rule));
    /// assert!(names.eq([Some("role:clerk"), Some("no-trainee")]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn bearing_on(&self, action: Action) -> impl Iterator<Item = Bearing<'_>> {
        self.cell(action).into_iter().flat_map(|cell| {
            let grants = cell.grants.iter().map(|role| Bearing {
                rule: RuleId(role),
                effect: Effect::Permit,
                roles: self.roles.name(role).into_iter().collect(),
                conditional: false,
            });
            let forbids = self.rules_of(cell.forbids).map(|rule| bearing(rule, Effect::Forbid));
            let permits = self.rules_of(cell.permits).map(|rule| bearing(rule, Effect::Permit));
            grants.chain(forbids).chain(permits)
        })
    }

    /// All rules of the section, in the order of their ids.
    pub(super) fn rules_of(&self, section: Section) -> impl Iterator<Item = Rule<'_>> {
        self.rules.of(section.all)
    }
}

fn bearing(rule: Rule<'_>, effect: Effect) -> Bearing<'_> {
    let asked = rule.conditions().find_map(roles);
    let conditional = rule.conditions().count() > usize::from(asked.is_some());
    Bearing { rule: rule.id, effect, roles: asked.unwrap_or_default(), conditional }
}

/// The roles of which a condition takes one, where it asks for nothing else.
fn roles(condition: &Condition) -> Option<Vec<&str>> {
    match &*condition.part {
        Part::Roles(roles) => Some(roles.iter().map(|role| &**role).collect()),
        Part::When(Expr { kind: Kind::In(of, role), .. }) if is_principal(of) => {
            role_of(role).map(|role| vec![role])
        }
        Part::When(_) | Part::Unless(_) | Part::During(_) | Part::Outside(_) => None,
    }
}

fn is_principal(expr: &Expr) -> bool {
    let Kind::Path(path) = &expr.kind else { return false };
    path.root == Root::Principal && path.attributes.is_empty()
}
