//! Policies as text and by themselves: parsed, linked, named, not yet compiled.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    super::{
        error::{Place, PolicyErrors, Problems, hint},
        expr::{
            EntityName, SyntaxError,
            lex::{Token, TokenKind, lex_policy},
        },
        locate::position,
    },
    parse::{Parser, entity, is_type_name},
    policy::{Slot, Written},
};
use crate::authz::{Entities, names::nearest};

/// Longer texts are refused, in bytes.
const MAX_TEXT: usize = 32 * 1024 * 1024;
/// Longer policies are refused, in bytes.
const MAX_POLICY: usize = 1024 * 1024;
/// More policies than this are refused, linked ones among them.
pub(super) const MAX_POLICIES: usize = 100_000;

/// Policies in [Cedar's policy text](https://docs.cedarpolicy.com/policies/syntax-policy.html),
/// before they are put in force.
///
/// For text alone, [`PolicySet::from_cedar`](super::super::super::PolicySet::from_cedar) is
/// enough. This is for templates, which are linked to principals and resources; for actions in
/// groups, which Cedar takes from entities and not from policies; and for ids of one's own.
/// Printed, it is Cedar's text again.
///
/// A policy is called `policy0`, `policy1` and so on by its place in the text, templates counted.
///
/// ```
/// use portcullis::authz::{CedarPolicies, PolicySet, Slots};
///
/// let policies = CedarPolicies::parse(r#"
///     permit (principal == ?principal, action in Action::"handle", resource in ?resource);
/// "#)?
///     .link("policy0", "alice-and-x", Slots::default().principal("User", "alice").resource("Box", "x"))?
///     .action(r#"Action::"read""#, [r#"Action::"handle""#])?;
/// let set = PolicySet::from_policies(policies.clone())?;
/// assert!(set.action("read").is_some());
///
/// let wrong = policies.link("policy1", "bob", Slots::default()).unwrap_err();
/// assert_eq!(wrong.to_string(), "no template `policy1`; did you mean `policy0`?");
/// # Ok::<(), portcullis::authz::PolicyErrors>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CedarPolicies {
    pub(super) all: Vec<Named>,
    /// What is known of actions: the groups that each is in.
    pub(super) groups: BTreeMap<Uid, BTreeSet<Uid>>,
    /// Names of types that entities have.
    pub(super) types: BTreeSet<Box<str>>,
}

/// An entity by the text of its type and its id.
pub(super) type Uid = (Box<str>, Box<str>);

/// A policy, a template or a linked policy.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) id: Box<str>,
    pub(super) written: Written,
    /// The template that it was linked from.
    template: Option<Box<str>>,
}

/// What a template is linked to.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Slots {
    principal: Option<EntityName>,
    resource: Option<EntityName>,
}

impl Slots {
    /// The entity for `?principal`.
    pub fn principal(self, type_name: &str, id: &str) -> Self {
        Self { principal: Some(entity(type_name, id)), ..self }
    }

    /// The entity for `?resource`.
    pub fn resource(self, type_name: &str, id: &str) -> Self {
        Self { resource: Some(entity(type_name, id)), ..self }
    }
}

impl CedarPolicies {
    /// Reads policies and templates.
    ///
    /// At most 32 MiB of text, 100,000 policies of 1 MiB each, 64 levels of nesting, and, in one
    /// policy, 64 of `+`, `-`, `*` and methods that stand behind another of their chain; of `!` and `-` at most four, as Cedar has it.
    ///
    /// # Errors
    /// Lists what is wrong, the first of each policy, with line and column.
    pub fn parse(text: &str) -> Result<Self, PolicyErrors> {
        let mut problems = Problems::default();
        let mut policies = Self::default();
        if text.len() > MAX_TEXT {
            problems.add(&Place::default(), || format!("more than {MAX_TEXT} bytes"));
        }
        let mut rest = if text.len() > MAX_TEXT { "" } else { text };
        let refuse = |problems: &mut Problems, error: SyntaxError| {
            problems.add_at(position(text, error.at), error.message);
        };
        let mut tokens = Vec::new();
        while !problems.is_full() {
            let tail = match lex_policy(text, rest, &mut tokens) {
                Ok(tail) => tail,
                // What follows cannot be told from what is inside a text.
                Err(error) => {
                    refuse(&mut problems, error);
                    break;
                }
            };
            if matches!(tokens.as_slice(), [Token { kind: TokenKind::End, .. }]) {
                break;
            }
            let at = text.len() - rest.len();
            let too_many = policies.all.len() == MAX_POLICIES;
            let too_long = rest.len() - tail.len() > MAX_POLICY;
            if too_many || too_long {
                let most = if too_many { "policies" } else { "bytes in one policy" };
                let count = if too_many { MAX_POLICIES } else { MAX_POLICY };
                refuse(
                    &mut problems,
                    SyntaxError { at, message: format!("more than {count} {most}") },
                );
                break;
            }
            match Parser::new(&tokens).policy() {
                Ok(written) => policies.push(written),
                Err(error) => refuse(&mut problems, error),
            }
            rest = tail;
        }
        problems.finish(None)?;
        Ok(policies)
    }

    /// Calls each policy and template by its annotation `@id`, where it has one.
    ///
    /// # Errors
    /// When two have the same id.
    pub fn named_by_id(mut self) -> Result<Self, PolicyErrors> {
        for named in &mut self.all {
            if let Some(id) = named.written.annotation("id") {
                named.id = id.into();
            }
        }
        self.differently_named()
    }

    /// Adds the policies, templates and actions of another text. What is called by its place in
    /// that text is called by its place among all.
    ///
    /// ```
    /// use portcullis::authz::{CedarPolicies, PolicySet};
    ///
    /// let read = |text: &str| CedarPolicies::parse(text);
    /// let permit = read(r#"permit (principal, action == Action::"read", resource);"#)?;
    /// let forbid = read(r#"forbid (principal == User::"eve", action, resource);"#)?;
    /// let set = PolicySet::from_policies(permit.and(forbid)?)?;
    /// let read = set.action("read").unwrap();
    /// let names = set.bearing_on(read).map(|one| set.rule_name(one.rule));
    /// assert!(names.eq([Some("policy1"), Some("policy0")]));
    /// # Ok::<(), portcullis::authz::PolicyErrors>(())
    /// ```
    ///
    /// # Errors
    /// When two then have the same id, or when they are more than 100,000.
    pub fn and(mut self, other: Self) -> Result<Self, PolicyErrors> {
        let before = self.all.len();
        if before + other.all.len() > MAX_POLICIES {
            let mut problems = Problems::default();
            problems.add(&Place::default(), || format!("more than {MAX_POLICIES} policies"));
            problems.finish(None)?;
        }
        let placed = other.all.iter().enumerate().filter(|(at, named)| named.id == by_place(*at));
        let ids: BTreeMap<Box<str>, Box<str>> =
            placed.map(|(at, named)| (named.id.clone(), by_place(before + at))).collect();
        for mut named in other.all {
            let Named { id, template, .. } = &mut named;
            for id in template.iter_mut().chain([id]) {
                if let Some(new) = ids.get(id) {
                    *id = new.clone();
                }
            }
            self.all.push(named);
        }
        for (action, groups) in other.groups {
            self.groups.entry(action).or_default().extend(groups);
        }
        self.types.extend(other.types);
        self.differently_named()
    }

    /// Makes a policy called `id` of a template.
    ///
    /// # Errors
    /// When there is no such template, when something is called `id` already, or when the slots
    /// are not those of the template.
    pub fn link(mut self, template: &str, id: &str, slots: Slots) -> Result<Self, PolicyErrors> {
        let mut problems = Problems::default();
        let refuse = |message: String| {
            problems.add(&Place::default(), || message);
            problems
        };
        let Some(found) = self.all.iter().find(|named| named.is_template(template)) else {
            let templates = self.all.iter().filter(|named| named.is_template(&named.id));
            let meant = hint(nearest(template, templates.map(|named| &*named.id)));
            return refuse(format!("no template `{template}`{meant}")).finish(None).map(|()| self);
        };
        if self.all.iter().any(|named| &*named.id == id) {
            return refuse(format!("a policy is called `{id}` already"))
                .finish(None)
                .map(|()| self);
        }
        let mut written = found.written.clone();
        let both = [
            (&mut written.principal, slots.principal, "?principal"),
            (&mut written.resource, slots.resource, "?resource"),
        ];
        for (scope, filling, name) in both {
            let message = match (scope.is_open(), filling) {
                (false, None) => continue,
                (true, Some(filling)) if is_type_name(&filling.kind) => {
                    if let Some(slot) = scope.slot_mut() {
                        *slot = Slot::Filled(filling);
                    }
                    continue;
                }
                (true, Some(filling)) => format!("{:?} is no name of a type", filling.kind),
                (true, None) => format!("nothing is given for `{name}`"),
                (false, Some(_)) => format!("the template has no `{name}`"),
            };
            return refuse(message).finish(None).map(|()| self);
        }
        let template = Some(template.into());
        self.all.push(Named { id: id.into(), written, template });
        Ok(self)
    }

    /// Says that there is an action, and in which groups it is; each is written as in policies.
    ///
    /// Actions that a policy names need not be declared.
    ///
    /// # Errors
    /// When one is not written as `Action::"name"`.
    pub fn action<'a>(
        mut self,
        action: &str,
        groups: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PolicyErrors> {
        let mut problems = Problems::default();
        let mut read = |text: &str| {
            let mut tokens = Vec::new();
            let named = lex_policy(text, text, &mut tokens).and_then(|_| {
                let mut parser = Parser::new(&tokens);
                parser.entity().and_then(|name| match tokens.len() {
                    4.. => Ok(name),
                    _ => Err(parser.unexpected("an action")),
                })
            });
            match named {
                Ok(name) => Some((name.kind, name.id)),
                Err(error) => {
                    problems.add_in(&Place::default(), text, error.at, error.message);
                    None
                }
            }
        };
        let action = read(action);
        let groups: BTreeSet<Uid> = groups.into_iter().filter_map(read).collect();
        problems.finish(None)?;
        if let Some(action) = action {
            self.groups.entry(action).or_default().extend(groups);
        }
        Ok(self)
    }

    /// Takes the actions among the entities, and the groups that they are in.
    pub fn actions_of(mut self, entities: &Entities) -> Self {
        let owned = |(kind, id): (&str, &str)| (Box::from(kind), Box::from(id));
        for (action, groups) in entities.actions() {
            let known = self.groups.entry(owned(action)).or_default();
            known.extend(groups.into_iter().map(owned));
        }
        self.types.extend(entities.types().map(Box::from));
        self
    }

    fn push(&mut self, written: Written) {
        let id = by_place(self.all.len());
        self.all.push(Named { id, written, template: None });
    }

    fn differently_named(self) -> Result<Self, PolicyErrors> {
        let mut problems = Problems::default();
        let mut ids = BTreeSet::new();
        for id in self.all.iter().map(|named| &*named.id).filter(|id| !ids.insert(*id)) {
            problems.add(&Place::default(), || format!("two policies are called `{id}`"));
        }
        problems.finish(None)?;
        Ok(self)
    }
}

impl Named {
    fn is_template(&self, id: &str) -> bool {
        *self.id == *id && self.written.is_template()
    }
}

fn by_place(place: usize) -> Box<str> {
    format!("policy{place}").into()
}

/// Templates and policies; linked policies as if they had been written so.
impl fmt::Display for CedarPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, named) in self.all.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            if let Some(template) = &named.template {
                writeln!(f, "// {:?}, linked from {template:?}", named.id)?;
            }
            writeln!(f, "{}", named.written)?;
        }
        Ok(())
    }
}
