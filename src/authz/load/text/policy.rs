//! A policy: annotations, effect, scope, conditions.

use super::{
    super::expr::{EntityName, Expr, SyntaxError, lex::TokenKind},
    parse::Parser,
};
use crate::authz::Effect;

/// A policy, or a template of policies where its scope has slots.
#[derive(Clone, Debug)]
pub(in crate::authz) struct Written {
    pub(in crate::authz) annotations: Vec<Annotation>,
    pub(in crate::authz) effect: Effect,
    pub(in crate::authz) principal: Scope,
    pub(in crate::authz) actions: Actions,
    pub(in crate::authz) resource: Scope,
    pub(in crate::authz) conditions: Vec<Clause>,
}

/// `@key("value")`
#[derive(Clone, Debug, PartialEq)]
pub(in crate::authz) struct Annotation {
    pub(in crate::authz) key: Box<str>,
    pub(in crate::authz) value: Option<Box<str>>,
}

/// `when { … }`, or `unless { … }`.
#[derive(Clone, Debug)]
pub(in crate::authz) struct Clause {
    pub(in crate::authz) unless: bool,
    pub(in crate::authz) expr: Expr,
}

/// What the scope says of principal or resource.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::authz) enum Scope {
    Any,
    Equal(Slot),
    In(Slot),
    Is(Box<str>),
    IsIn(Box<str>, Slot),
}

/// An entity, or the place for one.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::authz) enum Slot {
    Filled(EntityName),
    Open,
}

/// What the scope says of the action.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::authz) enum Actions {
    Any,
    Equal(EntityName),
    In(Vec<EntityName>),
}

impl Written {
    pub(in crate::authz) fn is_template(&self) -> bool {
        self.principal.is_open() || self.resource.is_open()
    }

    pub(in crate::authz) fn annotation(&self, key: &str) -> Option<&str> {
        let found = self.annotations.iter().find(|annotation| &*annotation.key == key);
        found.map(|annotation| annotation.value.as_deref().unwrap_or_default())
    }
}

impl Scope {
    pub(in crate::authz) fn slot(&self) -> Option<&Slot> {
        match self {
            Self::Equal(slot) | Self::In(slot) | Self::IsIn(_, slot) => Some(slot),
            Self::Any | Self::Is(_) => None,
        }
    }

    pub(in crate::authz) fn slot_mut(&mut self) -> Option<&mut Slot> {
        match self {
            Self::Equal(slot) | Self::In(slot) | Self::IsIn(_, slot) => Some(slot),
            Self::Any | Self::Is(_) => None,
        }
    }

    pub(in crate::authz) fn is_open(&self) -> bool {
        self.slot() == Some(&Slot::Open)
    }

    pub(in crate::authz) fn type_word(&self) -> Option<&str> {
        match self {
            Self::Is(word) | Self::IsIn(word, _) => Some(word),
            Self::Any | Self::Equal(_) | Self::In(_) => None,
        }
    }
}

impl Parser<'_> {
    /// A whole policy with its semicolon.
    pub(super) fn policy(&mut self) -> Result<Written, SyntaxError> {
        let annotations = self.annotations()?;
        let effect = self.effect()?;
        self.expect("(")?;
        self.expect_word("principal")?;
        let principal = self.scope("?principal")?;
        self.expect(",")?;
        self.expect_word("action")?;
        let actions = self.actions()?;
        self.expect(",")?;
        self.expect_word("resource")?;
        let resource = self.scope("?resource")?;
        self.take(",");
        self.expect(")")?;
        let mut conditions = Vec::new();
        while matches!(self.peek(), TokenKind::Name(_)) {
            conditions.push(self.clause()?);
        }
        // The last word of all that were cut off, which is never taken.
        if !self.is(";") {
            return Err(self.unexpected("`when`, `unless` or `;`"));
        }
        Ok(Written { annotations, effect, principal, actions, resource, conditions })
    }

    fn annotations(&mut self) -> Result<Vec<Annotation>, SyntaxError> {
        let mut annotations: Vec<Annotation> = Vec::new();
        while self.take("@") {
            let TokenKind::Name(key) = self.peek() else {
                return Err(self.unexpected("the name of an annotation"));
            };
            if annotations.iter().any(|before| *before.key == **key) {
                return Err(self.error(format!("the annotation `{key}` is there twice")));
            }
            self.next();
            let mut value = None;
            if self.take("(") {
                value = Some(self.text("an annotation's text in quotes")?.into());
                self.expect(")")?;
            }
            annotations.push(Annotation { key: (*key).into(), value });
        }
        Ok(annotations)
    }

    fn effect(&mut self) -> Result<Effect, SyntaxError> {
        let effects = [Effect::Permit, Effect::Forbid];
        let effect = effects.into_iter().find(|effect| self.take_word(effect.word()));
        effect.ok_or_else(|| self.unexpected("`permit` or `forbid`"))
    }

    fn scope(&mut self, slot: &str) -> Result<Scope, SyntaxError> {
        if self.take_word("is") {
            let word = self.type_name()?.into();
            return match self.take_word("in") {
                true => Ok(Scope::IsIn(word, self.slot(slot)?)),
                false => Ok(Scope::Is(word)),
            };
        }
        if self.take("==") {
            return self.slot(slot).map(Scope::Equal);
        }
        if self.take_word("in") {
            return self.slot(slot).map(Scope::In);
        }
        Ok(Scope::Any)
    }

    fn slot(&mut self, name: &str) -> Result<Slot, SyntaxError> {
        if self.take("(") {
            let slot = self.nested(|parser| parser.slot(name))?;
            self.expect(")")?;
            return Ok(slot);
        }
        if self.take(name) { Ok(Slot::Open) } else { self.entity().map(Slot::Filled) }
    }

    fn actions(&mut self) -> Result<Actions, SyntaxError> {
        if self.take("==") {
            return self.action().map(Actions::Equal);
        }
        if self.take_word("in") {
            return self.action_list().map(Actions::In);
        }
        Ok(Actions::Any)
    }

    fn action_list(&mut self) -> Result<Vec<EntityName>, SyntaxError> {
        if self.take("[") {
            return self.list("]", Self::action);
        }
        // As in Cedar, a list may stand in parentheses.
        if self.take("(") {
            let list = self.nested(Self::action_list)?;
            self.expect(")")?;
            return Ok(list);
        }
        self.action().map(|action| vec![action])
    }

    fn action(&mut self) -> Result<EntityName, SyntaxError> {
        if self.take("(") {
            let action = self.nested(Self::action)?;
            self.expect(")")?;
            return Ok(action);
        }
        let at = self.at();
        let action = self.entity()?;
        if &*action.kind == "Action" || action.kind.ends_with("::Action") {
            return Ok(action);
        }
        let message = format!("an action is of the type `Action`, not `{}`", action.kind);
        Err(SyntaxError { at, message })
    }

    fn clause(&mut self) -> Result<Clause, SyntaxError> {
        let unless = self.take_word("unless");
        if !unless && !self.take_word("when") {
            return Err(self.unexpected("`when`, `unless` or `;`"));
        }
        self.expect("{")?;
        let expr = self.nested(Self::expr)?;
        self.expect("}")?;
        Ok(Clause { unless, expr })
    }
}
