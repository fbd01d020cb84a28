//! Takes words, one after another. All that read policy text build on it.

use super::super::expr::{
    EntityName, Expr, RESERVED, SyntaxError,
    lex::{Token, TokenKind},
};
use crate::authz::TypeName;

/// Deeper nesting of parentheses, brackets, `if`s and signs is refused.
const MAX_NESTING: usize = 64;
/// More of `+`, `-`, `*` and methods that stand behind another of their chain are refused, in one
/// policy: each is one level more for the evaluator.
const MAX_CHAINED: usize = 64;

pub(super) struct Parser<'t> {
    /// What is left; the last one is the end and is never taken.
    tokens: &'t [Token<'t>],
    nesting: usize,
    chained: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn new(tokens: &'t [Token<'t>]) -> Self {
        Self { tokens, nesting: 0, chained: 0 }
    }

    pub(super) fn peek(&self) -> &'t TokenKind<'t> {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, count: usize) -> &'t TokenKind<'t> {
        self.tokens.get(count).map_or(&TokenKind::End, |token| &token.kind)
    }

    pub(super) fn at(&self) -> usize {
        self.tokens.first().map_or(0, |token| token.at)
    }

    pub(super) fn next(&mut self) {
        if let [_, rest @ ..] = self.tokens
            && !rest.is_empty()
        {
            self.tokens = rest;
        }
    }

    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), TokenKind::Symbol(found) if *found == symbol)
    }

    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let there = self.is(symbol);
        if there {
            self.next();
        }
        there
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), TokenKind::Name(found) if **found == *word);
        if there {
            self.next();
        }
        there
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), SyntaxError> {
        if self.take(symbol) { Ok(()) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), SyntaxError> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    pub(super) fn unexpected(&self, expected: &str) -> SyntaxError {
        let found = match self.peek() {
            TokenKind::Name(name) => format!("`{name}`"),
            TokenKind::Number(value) => format!("`{value}`"),
            TokenKind::Str(_) | TokenKind::Pattern(_) => "text".into(),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end".into(),
        };
        self.error(format!("expected {expected}, found {found}"))
    }

    pub(super) fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError { at: self.at(), message: message.into() }
    }

    /// A word that may name an attribute, a type or a method.
    pub(super) fn identifier(&mut self, expected: &str) -> Result<&'t str, SyntaxError> {
        let TokenKind::Name(name) = self.peek() else { return Err(self.unexpected(expected)) };
        if is_reserved(name) {
            return Err(self.error(format!("`{name}` is reserved and cannot name anything")));
        }
        self.next();
        Ok(name)
    }

    pub(super) fn text(&mut self, expected: &str) -> Result<&'t str, SyntaxError> {
        let TokenKind::Str(text) = self.peek() else { return Err(self.unexpected(expected)) };
        self.next();
        Ok(text)
    }

    /// `Name::Of::Type`, up to what is no name; whether a `::` was taken behind it.
    pub(super) fn path(&mut self, expected: &str) -> Result<(String, bool), SyntaxError> {
        let mut path = self.identifier(expected)?.to_owned();
        while self.take("::") {
            let TokenKind::Name(_) = self.peek() else { return Ok((path, true)) };
            path.push_str("::");
            path.push_str(self.identifier(expected)?);
        }
        Ok((path, false))
    }

    pub(super) fn type_name(&mut self) -> Result<String, SyntaxError> {
        let (path, open) = self.path("the name of an entity type")?;
        if open { Err(self.unexpected("the name of an entity type")) } else { Ok(path) }
    }

    /// `Type::"id"`
    pub(super) fn entity(&mut self) -> Result<EntityName, SyntaxError> {
        let (kind, open) = self.path("an entity such as `User::\"alice\"`")?;
        if !open {
            return Err(self.unexpected(&format!("`::` and an id in quotes behind `{kind}`")));
        }
        let id = self.text("the entity's id in quotes")?;
        Ok(entity(&kind, id))
    }

    pub(super) fn nested<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.error(format!("nested more than {MAX_NESTING} deep")));
        }
        let part = part(self);
        self.nesting -= 1;
        part
    }

    /// One more behind another in a chain.
    pub(super) fn chained(&mut self) -> Result<(), SyntaxError> {
        self.chained += 1;
        match self.chained > MAX_CHAINED {
            true => Err(self.error(format!("more than {MAX_CHAINED} behind others in chains"))),
            false => Ok(()),
        }
    }

    /// Parts between commas, of which one may stand behind the last; the opening is taken.
    pub(super) fn list<T>(
        &mut self,
        closing: &str,
        mut part: impl FnMut(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        let mut parts = Vec::new();
        while !self.take(closing) {
            parts.push(part(self)?);
            if !self.take(",") {
                self.expect(closing)?;
                break;
            }
        }
        Ok(parts)
    }

    pub(super) fn elements(&mut self, closing: &str) -> Result<Vec<Expr>, SyntaxError> {
        self.list(closing, |parser| parser.nested(Self::expr))
    }
}

pub(super) fn entity(kind: &str, id: &str) -> EntityName {
    EntityName { kind: kind.into(), type_name: TypeName::new(kind), id: id.into() }
}

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name == "__cedar"
}

/// Whether the text is the name of a type as Cedar prints it: identifiers with `::` between.
pub(in crate::authz) fn is_type_name(text: &str) -> bool {
    text.split("::").all(|part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '_');
        rest.len() < part.len()
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !is_reserved(part)
    })
}
