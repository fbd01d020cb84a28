//! From policies to the rules in force.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use super::{
    super::{
        build::assemble,
        clauses::clauses,
        error::{Place, PolicyErrors, Problems},
        expr::{Expr, Kind, Literal, Path, Relation, Root, TypeWord},
        rules::{Checked, Compiled},
    },
    branch::program,
    known::Known,
    policies::CedarPolicies,
    policy::{Scope, Slot, Written},
};
use crate::authz::{
    PolicySet,
    bits::Bits,
    explain::Part,
    index::{Builder, FEW},
    names::Names,
    rules::Condition,
};

impl PolicySet {
    /// Reads and compiles [Cedar's policy text](https://docs.cedarpolicy.com/policies/syntax-policy.html).
    ///
    /// Policies mean what they mean in Cedar; but an error in a forbid denies, unless
    /// [`cedar_compat`](Self::cedar_compat) is chosen. A principal's roles are parents of it, as
    /// `principal in Role::"clerk"`. No types are declared, so values are of the types that a
    /// request brings. For templates, groups of actions and ids of one's own see
    /// [`CedarPolicies`].
    ///
    /// ```
    /// use portcullis::{Principal, UnixTime, authz::{AccessRequest, Context, PolicySet}};
    ///
    /// struct Order { id: String, owner: String }
    /// portcullis::entity! { Order as "Order" by id { owner: "User" } }
    ///
    /// let policies = PolicySet::from_cedar(r#"
    ///     permit (principal, action == Action::"read", resource is Order)
    ///     when { resource.owner == principal };
    /// "#)?;
    /// let alice = Principal::assertion("staff", "alice").finish()?;
    /// let may_read = |owner: &str| {
    ///     policies
    ///         .decide(&AccessRequest {
    ///             subject: &policies.subject(&alice),
    ///             principal: &alice,
    ///             action: policies.action("read").unwrap(),
    ///             resource: &Order { id: "7".into(), owner: owner.into() },
    ///             context: &Context::new(UnixTime::from_secs(0)),
    ///         })
    ///         .is_allow()
    /// };
    /// assert!(may_read("staff/alice"));
    /// assert!(!may_read("staff/bob"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`CedarPolicies::parse`] and [`from_policies`](Self::from_policies).
    pub fn from_cedar(text: &str) -> Result<Self, PolicyErrors> {
        Self::from_policies(CedarPolicies::parse(text)?)
    }

    /// Compiles policies. Templates have no effect but through the policies that are linked.
    ///
    /// An action is known if a policy names it, or if it was
    /// [declared](CedarPolicies::action). It is called by its id; if its type is in a namespace, as
    /// it is written, `Shop::Action::"read"`.
    ///
    /// # Errors
    /// When two types have the same number or two actions the same name; when a condition needs
    /// more than 1,024 steps; when there are more than 10,000 actions, roles or types.
    pub fn from_policies(policies: CedarPolicies) -> Result<Self, PolicyErrors> {
        let mut problems = Problems::default();
        let known = Known::of(&policies, &mut problems);
        let mut pool = Pool { builder: Builder::new(FEW), known: HashMap::new() };
        let mut rules = Vec::new();
        for named in policies.all {
            if named.written.is_template() || problems.is_full() {
                continue;
            }
            let actions = known.actions_of(&named.written.actions);
            let effect = named.written.effect;
            match pool.conditions(named.written) {
                Some(conditions) => rules.push(Checked {
                    name: named.id,
                    effect,
                    compiled: vec![Compiled { actions, conditions }],
                }),
                None => problems.add(&Place::default(), || {
                    format!("a condition of `{}` is too long", named.id)
                }),
            }
        }
        problems.finish(None)?;
        let roles = known.roles();
        let resources = vec![None; known.actions.len()];
        let (rule_names, cells) = assemble(rules, &roles, &resources, &mut pool.builder);
        let (rules, index) = pool.builder.finish();
        Ok(Self {
            epoch: RandomState::new().hash_one(0),
            scopes: own_scopes(&known.actions),
            actions: known.actions,
            action_uids: known.uids,
            roles: roles.names,
            inherited: roles.inherited,
            cells,
            rules,
            index,
            rule_names,
            schema: known.schema,
            skips_errors: false,
        })
    }
}

/// Without a table of scopes, the actions are the scopes.
fn own_scopes(actions: &Names) -> BTreeMap<Box<str>, Bits> {
    let only = |action| {
        let mut bits = Bits::none(actions.len());
        bits.add(action);
        bits
    };
    (0..).zip(actions.iter()).map(|(at, name)| (name.into(), only(at))).collect()
}

/// All conditions of a set, each different one once.
struct Pool {
    builder: Builder,
    known: HashMap<Arc<Part>, u32>,
}

impl Pool {
    /// The numbers of a rule's conditions; `None` where one is too long.
    fn conditions(&mut self, written: Written) -> Option<Vec<u32>> {
        parts(written).into_iter().map(|part| self.condition(part)).collect()
    }

    fn condition(&mut self, part: Part) -> Option<u32> {
        if let Some(number) = self.known.get(&part) {
            return Some(*number);
        }
        let (program, part) = (program(&part)?, Arc::new(part));
        let number = self.builder.condition(Condition { program, part: Arc::clone(&part) });
        self.known.insert(part, number);
        Some(number)
    }
}

/// What is and-ed: the scope of principal and resource, each part of a `when`, each `unless`.
fn parts(written: Written) -> Vec<Part> {
    let scopes = [(Root::Principal, written.principal), (Root::Resource, written.resource)];
    let scopes = scopes.into_iter().filter_map(|(root, scope)| of_scope(root, scope));
    let mut parts: Vec<Part> = scopes.map(Part::When).collect();
    for clause in written.conditions {
        if clause.unless {
            parts.push(Part::Unless(clause.expr));
        } else {
            parts.extend(clauses(clause.expr).into_iter().map(Part::When));
        }
    }
    parts
}

/// A scope as a condition: `None` where it says nothing.
fn of_scope(root: Root, scope: Scope) -> Option<Expr> {
    let expr = |kind| Expr { kind, at: 0 };
    let variable = || Box::new(expr(Kind::Path(Path { root, attributes: Vec::new() })));
    let entity = |slot| match slot {
        Slot::Filled(name) => Some(Box::new(expr(Kind::Literal(Literal::Entity(name))))),
        Slot::Open => None,
    };
    let word = |text| TypeWord { text, at: 0 };
    Some(expr(match scope {
        Scope::Any => return None,
        Scope::Equal(slot) => Kind::Compare(Relation::Equal, variable(), entity(slot)?),
        Scope::In(slot) => Kind::In(variable(), entity(slot)?),
        Scope::Is(text) => Kind::Is(variable(), word(text), None),
        Scope::IsIn(text, slot) => Kind::Is(variable(), word(text), Some(entity(slot)?)),
    }))
}
