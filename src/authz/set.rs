//! The policies in force, built whole and never edited; and the decision.

use std::collections::BTreeMap;

use super::{
    Action, Coarse, Context, Decision, Entity, EvalError, Role, RuleId, Subject, TypeName, Why,
    bits::Bits,
    index::{Index, Memo, Section},
    names::Names,
    program::Outcomes,
    rules::Rules,
    schema::Schema,
    texts::Texts,
    world::{Stop, World},
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
    /// For each action, its type and id; empty where each is of the type `Action` and called by
    /// its id.
    pub(super) action_uids: Box<[(TypeName, Box<str>)]>,
    pub(super) roles: Names,
    /// For each role, itself and all that it inherits.
    pub(super) inherited: Box<[Bits]>,
    /// For each scope, the actions that it covers.
    pub(super) scopes: BTreeMap<Box<str>, Bits>,
    /// For each action, what bears on it.
    pub(super) cells: Box<[Cell]>,
    pub(super) rules: Rules,
    pub(super) index: Index,
    /// What each [`RuleId`] is called: first the roles' grants, then the rules.
    pub(super) rule_names: Texts,
    pub(super) schema: Schema,
    pub(super) skips_errors: bool,
}

/// What bears on one action.
#[derive(Debug)]
pub(super) struct Cell {
    /// The type of the resources that the action is done to, where it is declared.
    pub(super) resource: Option<TypeName>,
    /// The roles that grant the action by themselves.
    pub(super) grants: Bits,
    pub(super) forbids: Section,
    pub(super) permits: Section,
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

    /// The role called `name`.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<Role> {
        self.roles.number(name).map(|number| Role { epoch: self.epoch, number })
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
    /// However many rules are about other actions, they cost nothing, and of those about this one
    /// few are run: see [Costs](crate::authz#costs). Which of them are run, and in which order, says
    /// nothing about the decision, nor about the rule that it names: the first in the order of names.
    pub fn decide(&self, request: &AccessRequest<'_>) -> Decision {
        let cell = self.cell_for(request.subject, request.action);
        let Some(cell) = cell.filter(|_| request.context.is_for(self.epoch)) else {
            return Decision::Deny(Why::Stale);
        };
        if cell.resource.is_some_and(|resource| request.resource.type_name() != resource) {
            return Decision::Deny(Why::WrongResource);
        }
        let world = self.world(request);
        let mut memo = Memo::default();
        let forbids = self.ask(cell.forbids, &world, &mut memo);
        if let Some(rule) = forbids.applies {
            return Decision::Deny(Why::Forbidden(rule));
        }
        if let Some((rule, error)) = forbids.failed.filter(|_| !self.skips_errors) {
            return Decision::Deny(Why::ErrorInForbid(rule, error));
        }
        let permits = match cell.grants.first_common(world.roles) {
            Some(role) => Answers { applies: Some(RuleId(role)), ..Answers::default() },
            None => self.ask(cell.permits, &world, &mut memo),
        };
        Decision::Deny(match permits.applies {
            None => Why::NoRule { permit_errors: permits.failures },
            Some(_) if !request.subject.covers(request.action) => Why::InsufficientScope,
            Some(rule) => return Decision::Allow { rule },
        })
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
        let world =
            World { set: self, roles: &subject.roles, action, principal, resource: None, context };
        let closed = !self.skips_errors;
        let forbids = self.foresee(cell.forbids, &world, |o| o.is_only_yes() || closed && !o.no);
        if let Some((rule, outcomes)) = forbids.certain {
            let failed = outcomes.error.filter(|_| !outcomes.yes);
            let why = failed.map_or(Why::Forbidden(rule), |error| Why::ErrorInForbid(rule, error));
            return Coarse::No(Decision::Deny(why));
        }
        let grant = cell.grants.first_common(world.roles).map(RuleId);
        let permits = self.foresee(cell.permits, &world, Outcomes::is_only_yes);
        let rule = grant.or(permits.certain.map(|(rule, _)| rule));
        if rule.is_none() && !permits.possible {
            return Coarse::No(Decision::Deny(Why::NoRule { permit_errors: permits.failures }));
        }
        if !subject.covers(action) {
            return Coarse::No(Decision::Deny(Why::InsufficientScope));
        }
        let never = if closed { forbids.never } else { !forbids.possible };
        match rule.filter(|_| never) {
            Some(rule) => Coarse::Yes(Decision::Allow { rule }),
            None => Coarse::Resource,
        }
    }

    /// What a request is about.
    pub(super) fn world<'a>(&'a self, request: &AccessRequest<'a>) -> World<'a> {
        World {
            set: self,
            roles: &request.subject.roles,
            action: request.action,
            principal: request.principal,
            resource: Some(request.resource),
            context: request.context,
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

/// What the rules of a section answer, whatever the order in which they are asked.
#[derive(Default)]
struct Answers {
    /// The lowest that applies.
    applies: Option<RuleId>,
    /// The lowest that failed, if none applies.
    failed: Option<(RuleId, EvalError)>,
    /// How many failed, if none applies.
    failures: u16,
}

/// What they may answer, whatever the unknown turns out to be.
#[derive(Default)]
struct Foreseen {
    certain: Option<(RuleId, Outcomes)>,
    /// Some may apply.
    possible: bool,
    /// All are no, and none fails.
    never: bool,
    failures: u16,
}

impl Answers {
    fn take(&mut self, rule: RuleId, answer: Result<bool, Stop>) {
        match answer {
            Ok(true) => self.applies = Some(rule),
            Ok(false) => {}
            Err(stop) => {
                self.failures = self.failures.saturating_add(1);
                if self.failed.is_none_or(|(lowest, _)| rule < lowest) {
                    self.failed = Some((rule, stop.error()));
                }
            }
        }
    }
}

impl PolicySet {
    fn ask(&self, section: Section, world: &World<'_>, memo: &mut Memo) -> Answers {
        let mut answers = Answers::default();
        if section.all.count == 0 {
            return answers;
        }
        self.index.visit(section, world, memo, &mut |run| {
            for rule in self.rules.of(run) {
                if answers.applies.is_some_and(|lowest| lowest < rule.id) {
                    break;
                }
                answers.take(rule.id, rule.run(world));
            }
        });
        answers
    }

    /// What the rules of a section may answer. Of those that are `certain` the lowest is named.
    fn foresee(
        &self,
        section: Section,
        world: &World<'_>,
        certain: impl Fn(Outcomes) -> bool,
    ) -> Foreseen {
        let mut all = Foreseen { never: true, ..Foreseen::default() };
        self.index.visit(section, world, &mut Memo::default(), &mut |run| {
            for rule in self.rules.of(run) {
                let outcomes = rule.outcomes(world);
                if certain(outcomes) && all.certain.is_none_or(|(lowest, _)| rule.id < lowest) {
                    all.certain = Some((rule.id, outcomes));
                }
                all.possible |= outcomes.yes;
                all.never &= outcomes.is_only_no();
                all.failures = all.failures.saturating_add(outcomes.error.is_some().into());
            }
        });
        all
    }
}
