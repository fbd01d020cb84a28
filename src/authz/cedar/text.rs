//! A set of policies as Cedar policy text.

use std::collections::BTreeMap;

use super::{COVERED, WINDOWS, expr::Printer};
use crate::authz::{
    Effect, PolicySet, RuleId, TypeName,
    explain::Part,
    load::expr::{Expr, Kind, Quoted},
    rules::Condition,
    schema::Ty,
};

impl PolicySet {
    /// The policies as [Cedar](https://www.cedarpolicy.com) policy text: to review, to move over,
    /// and to test against Cedar itself.
    ///
    /// Each policy has the annotation `@id`: a rule its own id, a role's grants `role:` and the
    /// role's name, as [`rule_name`](Self::rule_name) tells them. A principal's roles are its
    /// parents; [`to_cedar_request`](Self::to_cedar_request) says so to Cedar. Scopes are one
    /// policy more, `portcullis:scopes`. Windows are looked up in `context.__windows`, since Cedar
    /// knows no time zones. Where a condition asks of an entity that it reads what it
    /// has or what it lies in, `__known` makes an error of one that is known by name only.
    ///
    /// Cedar skips a policy that it cannot evaluate. It answers as a set with
    /// [`cedar_compat`](Self::cedar_compat) does; without it, one more thing is denied: that
    /// which a forbid is about that cannot be evaluated.
    ///
    /// ```
    /// use portcullis::authz::{Document, PolicySet};
    ///
    /// let policies = PolicySet::from_document(Document::from_toml(r#"
    ///     [resources.Order]
    ///     attributes = { owner = "User" }
    ///     actions = ["order:read", "order:refund"]
    ///     [roles]
    ///     clerk = { may = ["order:*"] }
    ///     [[rule]]
    ///     id = "owner-reads-own"
    ///     effect = "permit"
    ///     actions = ["order:read"]
    ///     when = "resource.owner == principal"
    /// "#)?)?;
    /// assert!(policies.to_cedar().starts_with(r#"@id("role:clerk")
    /// permit (
    ///     principal in Role::"clerk",
    ///     action in [Action::"order:read", Action::"order:refund"],
    ///     resource is Order
    /// );
    ///
    /// @id("owner-reads-own")
    /// permit (
    ///     principal,
    ///     action == Action::"order:read",
    ///     resource is Order
    /// )
    /// when { resource.owner == principal };
    /// "#));
    /// # Ok::<(), portcullis::authz::PolicyErrors>(())
    /// ```
    #[must_use]
    pub fn to_cedar(&self) -> String {
        let mut text = String::new();
        for (id, policy) in self.gathered() {
            let name = self.rule_name(id).unwrap_or_default();
            let is_grant = (id.0 as usize) < self.roles.len();
            let role = name.strip_prefix("role:").filter(|_| is_grant);
            text.push_str(&self.policy(name, role, &policy));
            text.push('\n');
        }
        for (scope, covered) in &self.scopes {
            let own = self.actions.number(scope);
            if !covered.iter().eq(own) {
                let actions = covered.iter().map(|at| self.action_text(at)).collect::<Vec<_>>();
                text.push_str(&format!("// scope {}: {}\n", Quoted(scope), actions.join(", ")));
            }
        }
        text + &format!(
            "@id(\"portcullis:scopes\")\nforbid (principal, action, resource)\n\
             when {{ context has {COVERED} && !context.{COVERED}.contains(action) }};\n"
        )
    }

    /// Every rule and grant with all actions that it is about.
    fn gathered(&self) -> BTreeMap<RuleId, Gathered<'_>> {
        let mut all: BTreeMap<RuleId, Gathered<'_>> = BTreeMap::new();
        for (number, cell) in (0..).zip(&self.cells) {
            let resource =
                cell.resource.and_then(|ty| self.schema.type_text(ty)).unwrap_or_default();
            let grants = cell.grants.iter().map(|role| (RuleId(role), Effect::Permit, Vec::new()));
            let rules = |effect, branch| {
                let all = self.rules_of(branch);
                all.map(move |rule| (rule.id, effect, rule.conditions().collect()))
            };
            let forbids = rules(Effect::Forbid, cell.forbids);
            let permits = rules(Effect::Permit, cell.permits);
            for (id, effect, conditions) in grants.chain(forbids).chain(permits) {
                let new = || Gathered { effect, conditions: Vec::new(), actions: BTreeMap::new() };
                let gathered = all.entry(id).or_insert_with(new);
                // What the declared types of one resource leave out may count for another.
                if conditions.len() > gathered.conditions.len() {
                    gathered.conditions = conditions;
                }
                gathered.actions.entry(resource).or_default().push(self.action_text(number));
            }
        }
        all
    }

    /// The action as it is written in policies.
    fn action_text(&self, number: u32) -> String {
        let name = self.actions.name(number).unwrap_or_default();
        match self.action_uids.get(number as usize) {
            // It is called as it is written.
            Some((kind, _)) if *kind != TypeName::ACTION => name.to_owned(),
            Some(_) | None => format!("Action::{}", Quoted(name)),
        }
    }

    fn policy(&self, name: &str, role: Option<&str>, policy: &Gathered<'_>) -> String {
        let principal = role.map(|role| format!(" in {}", self::role(role)));
        let all: Vec<String> = policy.actions.values().flatten().cloned().collect();
        let mut text = format!(
            "@id({})\n{} (\n    principal{},\n    action {},\n    resource",
            Quoted(name),
            policy.effect.word(),
            principal.unwrap_or_default(),
            one_of("==", "in", &all)
        );
        // None is declared in Cedar's policy text.
        let types: Vec<_> = policy.actions.iter().filter(|(ty, _)| !ty.is_empty()).collect();
        if types.is_empty() {
            text.push_str("\n)");
        } else if let [(ty, _)] = &*types {
            text.push_str(&format!(" is {ty}\n)"));
        } else {
            // An action is done to resources of its own type alone.
            let each = types
                .iter()
                .map(|(ty, of)| format!("resource is {ty} && action {}", one_of("==", "in", of)));
            let each = each.collect::<Vec<_>>().join(" || ");
            text.push_str(&format!("\n)\nwhen {{ {each} }}"));
        }
        let resources: Vec<Ty> =
            types.iter().map(|(ty, _)| Ty::Entity(TypeName::new(ty))).collect();
        let printer = Printer { schema: &self.schema, roles: &self.roles, resources: &resources };
        text.push_str(&conditions(&policy.conditions, printer));
        text + ";\n"
    }
}

/// What is known of a policy when all cells have been looked at.
struct Gathered<'a> {
    effect: Effect,
    conditions: Vec<&'a Condition>,
    /// By the type of their resources.
    actions: BTreeMap<&'a str, Vec<String>>,
}

/// A policy's conditions, in the order in which they are looked at.
fn conditions(list: &[&Condition], printer: Printer<'_>) -> String {
    let (mut text, mut when) = (String::new(), Vec::new());
    let end_when = |text: &mut String, when: &mut Vec<&Expr>| {
        if !when.is_empty() {
            text.push_str(&format!("\nwhen {{ {} }}", printer.print_all(when)));
            when.clear();
        }
    };
    for condition in list {
        if !matches!(&*condition.part, Part::When(_)) {
            end_when(&mut text, &mut when);
        }
        match &*condition.part {
            Part::Roles(roles) => {
                let roles: Vec<_> = roles.iter().map(|name| role(name)).collect();
                let roles = one_of("in", "in", &roles);
                text.push_str(&format!("\nwhen {{ principal {roles} }}"));
            }
            Part::During(times) => {
                let window = Quoted(&times.text);
                text.push_str(&format!("\nwhen {{ context.{WINDOWS}.contains({window}) }}"));
            }
            Part::Outside(times) => {
                let window = Quoted(&times.text);
                text.push_str(&format!("\nunless {{ context.{WINDOWS}.contains({window}) }}"));
            }
            Part::When(Expr { kind: Kind::And(all), .. }) => when.extend(all),
            Part::When(expr) => when.push(expr),
            Part::Unless(expr) => {
                text.push_str(&format!("\nunless {{ {} }}", printer.print(expr)));
            }
        }
    }
    end_when(&mut text, &mut when);
    text
}

/// `== one`, or `in [several]`.
fn one_of(equal: &str, among: &str, names: &[String]) -> String {
    match names {
        [one] => format!("{equal} {one}"),
        several => format!("{among} [{}]", several.join(", ")),
    }
}

fn role(name: &str) -> String {
    format!("Role::{}", Quoted(name))
}
