//! The policies in force, built whole and never edited; and the decision.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    Action, Coarse, Context, Decision, Entity, Role, RuleId, Subject, TypeName, Why,
    bits::Bits,
    explain::Part,
    names::Names,
    program::{Outcomes, Program, Stop, World},
    schema::Schema,
};
use crate::Principal;

/// A set of policies: a document that was checked whole and compiled.
///
/// ```
/// use portcullis::{Principal, UnixTime, authz::{AccessRequest, Context, Decision, Document, PolicySet}};
///
/// struct Order { id: String, owner: String }
/// portcullis::entity! { Order as "Order" by id { owner: "User" } }
///
/// let policies = PolicySet::from_document(Document::from_toml(r#"
///     [resources.Order]
///     attributes = { owner = "User" }
///     actions = ["order:read"]
///     [[rule]]
///     id = "owner-reads-own"
///     effect = "permit"
///     actions = ["order:read"]
///     when = "resource.owner == principal"
/// "#)?)?;
/// policies.check::<Order>()?;
///
/// let alice = Principal::assertion("staff", "alice").finish()?;
/// let read = policies.action("order:read").ok_or("no such action")?;
/// let may_read = |owner: &str| {
///     policies.decide(&AccessRequest {
///         subject: &policies.subject(&alice),
///         principal: &alice,
///         action: read,
///         resource: &Order { id: "7".into(), owner: owner.into() },
///         context: &Context::new(UnixTime::from_secs(0)),
///     })
/// };
/// assert!(may_read("staff/alice").is_allow());
/// assert!(matches!(may_read("partners/alice"), Decision::Deny(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The default is the empty set, which declares nothing and permits nothing.
#[derive(Default)]
pub struct PolicySet {
    /// Differs from every other set's, so that handles cannot be used where they mean nothing.
    pub(super) epoch: u64,
    pub(super) actions: Names,
    pub(super) roles: Names,
    /// For each role, itself and all that it inherits.
    pub(super) inherited: Box<[Bits]>,
    /// For each scope, the actions that it covers.
    pub(super) scopes: BTreeMap<Box<str>, Bits>,
    /// For each action, what bears on it.
    pub(super) cells: Box<[Cell]>,
    /// What each [`RuleId`] is called: first the roles' grants, then the rules.
    pub(super) rule_names: Box<[Box<str>]>,
    pub(super) schema: Schema,
    pub(super) skips_errors: bool,
}

/// What bears on one action.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) resource: TypeName,
    /// The roles that grant the action by themselves.
    pub(super) grants: Bits,
    /// In the order of their ids.
    pub(super) forbids: Vec<Arc<Rule>>,
    pub(super) permits: Vec<Arc<Rule>>,
}

/// Applies where all of its conditions hold. They are asked in their order, up to the first that
/// does not.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: RuleId,
    pub(super) conditions: Box<[Arc<Condition>]>,
}

/// One of those that are and-ed; shared by all rules that have it.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) program: Program,
    /// In words, for explanations.
    pub(super) part: Arc<Part>,
}

/// One question: may this principal do this to that, under these circumstances?
#[derive(Clone, Copy)]
pub struct AccessRequest<'a> {
    /// The principal's roles and scopes; see [`PolicySet::subject`].
    pub subject: &'a Subject,
    /// Who wants it; the one that `subject` was made of. A `User`, `Service` or `Device`: a
    /// condition that asks whether it is of another type is false.
    pub principal: &'a dyn Entity,
    /// What is wanted.
    pub action: Action,
    /// What it is wanted of.
    pub resource: &'a dyn Entity,
    /// Under which circumstances.
    pub context: &'a Context<'a>,
}

impl PolicySet {
    /// Skips every rule that cannot be evaluated, as Cedar does; the default is to fail closed.
    ///
    /// Failing closed, an error in a forbid denies. Under Cedar's rule such a forbid is as if it
    /// were not there, so that what it was written against may be allowed. Choose it to answer as
    /// a service did that moves over from Cedar, or to compare answers; see
    /// [`to_cedar`](Self::to_cedar).
    ///
    /// ```
    /// use portcullis::{Principal, UnixTime, authz::{AccessRequest, Context, Document, PolicySet}};
    ///
    /// struct Order { id: String }
    /// portcullis::entity! { Order as "Order" by id {} }
    ///
    /// let document = Document::from_toml(r#"
    ///     [resources.Order]
    ///     actions = ["order:read"]
    ///     [context]
    ///     client = "ip"
    ///     [roles]
    ///     clerk = { may = ["order:read"] }
    ///     [[rule]]
    ///     id = "from-the-office-only"
    ///     effect = "forbid"
    ///     actions = ["order:read"]
    ///     unless = 'context.client.isInRange(ip("10.0.0.0/8"))'
    /// "#)?;
    /// let closed = PolicySet::from_document(document)?;
    ///
    /// let clerk = Principal::assertion("staff", "alice").roles(["clerk"]).finish()?;
    /// // Nobody says where the request came from.
    /// let allows = |policies: &PolicySet| {
    ///     policies
    ///         .decide(&AccessRequest {
    ///             subject: &policies.subject(&clerk),
    ///             principal: &clerk,
    ///             action: policies.action("order:read").unwrap(),
    ///             resource: &Order { id: "7".into() },
    ///             context: &Context::new(UnixTime::from_secs(0)),
    ///         })
    ///         .is_allow()
    /// };
    /// assert!(!allows(&closed));
    /// assert!(allows(&closed.cedar_compat()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cedar_compat(self) -> Self {
        Self { skips_errors: true, ..self }
    }

    /// The action called `name`. Look it up once, at start: that finds a typo early.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<Action> {
        self.actions.number(name).map(|number| Action { epoch: self.epoch, number })
    }

    /// What an action is called; `None` for another set's action.
    #[must_use]
    pub fn action_name(&self, action: Action) -> Option<&str> {
        self.actions.name(action.number).filter(|_| action.epoch == self.epoch)
    }

    /// The role called `name`.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<Role> {
        self.roles.number(name).map(|number| Role { epoch: self.epoch, number })
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
        self.schema.type_text(self.cell(action)?.resource)
    }

    /// What a rule is called; a role's grants are called `role:` and the role's name.
    #[must_use]
    pub fn rule_name(&self, rule: RuleId) -> Option<&str> {
        self.rule_names.get(rule.0 as usize).map(|name| &**name)
    }

    /// The caller as this set sees it. Roles and scopes that the set does not know count for
    /// nothing.
    #[must_use]
    pub fn subject(&self, principal: &Principal) -> Subject {
        let mut roles = Bits::none(self.roles.len());
        for role in principal.roles().filter_map(|role| self.roles.number(role)) {
            if let Some(inherited) = self.inherited.get(role as usize) {
                roles.add_all(inherited);
            }
        }
        let covered = principal.scopes().map(|scopes| {
            let mut covered = Bits::none(self.actions.len());
            scopes.filter_map(|scope| self.scopes.get(scope)).for_each(|s| covered.add_all(s));
            covered
        });
        Subject { epoch: self.epoch, roles, covered }
    }

    /// Decides. Everything is denied that nothing permits; a forbid overrides every permit;
    /// an error in a forbid denies, unless the set skips it ([`cedar_compat`](Self::cedar_compat));
    /// scopes limit what is permitted. Allocates nothing.
    ///
    /// However many rules are about other actions, they cost nothing. The cost grows with the
    /// rules about this one: they are run one after another.
    pub fn decide(&self, request: &AccessRequest<'_>) -> Decision {
        let Some(cell) = self.cell_for(request.subject, request.action) else {
            return Decision::Deny(Why::Stale);
        };
        if request.resource.type_name() != cell.resource {
            return Decision::Deny(Why::WrongResource);
        }
        let world = World {
            roles: &request.subject.roles,
            principal: request.principal,
            resource: Some(request.resource),
            context: request.context,
        };
        match forbidden(cell, &world) {
            Some(Why::ErrorInForbid(..)) if self.skips_errors => {}
            Some(why) => return Decision::Deny(why),
            None => {}
        }
        match permitted(cell, &world) {
            Ok(_) if !request.subject.covers(request.action) => {
                Decision::Deny(Why::InsufficientScope)
            }
            Ok(rule) => Decision::Allow { rule },
            Err(permit_errors) => Decision::Deny(Why::NoRule { permit_errors }),
        }
    }

    /// Decides as far as that is possible before a handler runs: could anything be permitted?
    ///
    /// Roles, scopes and the built-in members of the context apply in full. The resource is not
    /// known yet, and neither are the application's own members, which a handler may still add;
    /// those that `context` holds already are not looked at. A permit whose condition depends on
    /// the unknown counts as possible; a forbid counts if it applies, or fails, whatever the
    /// unknown turns out to be. "No" and "yes" are what [`decide`](Self::decide) answers for
    /// every resource of the action's type and all own members.
    pub fn could(
        &self,
        subject: &Subject,
        principal: &dyn Entity,
        action: Action,
        context: &Context<'_>,
    ) -> Coarse {
        let Some(cell) = self.cell_for(subject, action) else {
            return Coarse::No(Decision::Deny(Why::Stale));
        };
        let world = World { roles: &subject.roles, principal, resource: None, context };
        let never_forbidden = match forbidden_for_all(cell, &world, self.skips_errors) {
            Ok(never) => never,
            Err(why) => return Coarse::No(Decision::Deny(why)),
        };
        match permitted_for_some(cell, &world) {
            Err(permit_errors) => Coarse::No(Decision::Deny(Why::NoRule { permit_errors })),
            Ok(_) if !subject.covers(action) => Coarse::No(Decision::Deny(Why::InsufficientScope)),
            Ok(Some(rule)) if never_forbidden => Coarse::Yes(Decision::Allow { rule }),
            Ok(_) => Coarse::Resource,
        }
    }

    /// What bears on the action; nothing if subject or action belong to another set.
    pub(super) fn cell_for(&self, subject: &Subject, action: Action) -> Option<&Cell> {
        self.cell(action).filter(|_| subject.epoch == self.epoch)
    }

    pub(super) fn cell(&self, action: Action) -> Option<&Cell> {
        self.cells.get(action.number as usize).filter(|_| action.epoch == self.epoch)
    }
}

impl Rule {
    pub(super) fn run(&self, world: &World<'_>) -> Result<bool, Stop> {
        for condition in &self.conditions {
            if !condition.program.run(world)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// All ways in which [`run`](Self::run) may end.
    fn outcomes(&self, world: &World<'_>) -> Outcomes {
        let mut all = Outcomes { yes: true, ..Outcomes::default() };
        for condition in &self.conditions {
            if !all.yes {
                break;
            }
            let one = condition.program.outcomes(world);
            all = Outcomes {
                yes: one.yes,
                no: all.no || one.no,
                error: all.error.or(one.error),
                unknown: all.unknown || one.unknown,
            };
        }
        all
    }
}

/// The first forbid that applies; or else the first that failed.
fn forbidden(cell: &Cell, world: &World<'_>) -> Option<Why> {
    let mut failed = None;
    for rule in &cell.forbids {
        match rule.run(world) {
            Ok(true) => return Some(Why::Forbidden(rule.id)),
            Ok(false) => {}
            Err(stop) => failed = failed.or(Some(Why::ErrorInForbid(rule.id, stop.error()))),
        }
    }
    failed
}

/// The first grant or permit that applies, or how many permits failed.
fn permitted(cell: &Cell, world: &World<'_>) -> Result<RuleId, u16> {
    if let Some(role) = cell.grants.first_common(world.roles) {
        return Ok(RuleId(role));
    }
    let mut errors = 0_u16;
    for rule in &cell.permits {
        match rule.run(world) {
            Ok(true) => return Ok(rule.id),
            Ok(false) => {}
            Err(_) => errors = errors.saturating_add(1),
        }
    }
    Err(errors)
}

/// Why everything is denied; or whether nothing is ever forbidden.
fn forbidden_for_all(cell: &Cell, world: &World<'_>, skips_errors: bool) -> Result<bool, Why> {
    let mut never = true;
    for rule in &cell.forbids {
        match rule.outcomes(world) {
            // What may fail may be skipped: only what cannot fail forbids for certain.
            outcomes if skips_errors && !outcomes.is_only_yes() => never &= !outcomes.yes,
            Outcomes { no: false, yes: false, error: Some(error), .. } => {
                return Err(Why::ErrorInForbid(rule.id, error));
            }
            Outcomes { no: false, .. } => return Err(Why::Forbidden(rule.id)),
            outcomes => never &= outcomes.is_only_no(),
        }
    }
    Ok(never)
}

/// A grant or permit that applies whatever the unknown is, if one may apply; or how many
/// permits failed.
fn permitted_for_some(cell: &Cell, world: &World<'_>) -> Result<Option<RuleId>, u16> {
    if let Some(role) = cell.grants.first_common(world.roles) {
        return Ok(Some(RuleId(role)));
    }
    let mut possible = false;
    let mut errors = 0_u16;
    for rule in &cell.permits {
        let outcomes = rule.outcomes(world);
        if outcomes.is_only_yes() {
            return Ok(Some(rule.id));
        }
        possible |= outcomes.yes;
        errors = errors.saturating_add(outcomes.error.is_some().into());
    }
    if possible { Ok(None) } else { Err(errors) }
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
