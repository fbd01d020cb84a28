//! From words to a tree, by recursive descent.

use super::{
    Expr, Kind, Operator, Path, Quoted, RESERVED, Relation, SyntaxError, TypeWord,
    lex::{Token, TokenKind, lex},
};
use crate::authz::load::declare::is_identifier;

/// Longer conditions are refused, in bytes.
const MAX_LENGTH: usize = 8 * 1024;
/// Deeper nesting is refused.
const MAX_DEPTH: usize = 64;
/// Longer chains of attributes are refused: `has` asks for each by all before it.
const MAX_CHAIN: usize = 16;
/// More of `+`, `-`, `*` and of calls are refused: each may nest the others.
const MAX_OPERATORS: usize = 64;

/// Reads a condition.
///
/// # Errors
/// At the first word that does not fit, and where the text is too long or too deeply nested.
pub(in crate::authz) fn parse(text: &str) -> Result<Expr, SyntaxError> {
    if text.len() > MAX_LENGTH {
        let message = format!("a condition has at most {MAX_LENGTH} bytes");
        return Err(SyntaxError { at: 0, message });
    }
    let tokens = lex(text)?;
    let mut parser = Parser { tokens: &tokens, depth: 0, operators: 0 };
    let expr = parser.expr()?;
    if *parser.peek() == TokenKind::End {
        Ok(expr)
    } else {
        Err(parser.unexpected("an operator or the end"))
    }
}

pub(super) struct Parser<'t> {
    /// What is left; the last one is the end and is never taken.
    tokens: &'t [Token<'t>],
    depth: usize,
    operators: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn expr(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.at();
        if !self.take_word("if") {
            return self.or();
        }
        let condition = self.nested(Self::expr)?;
        self.expect_word("then")?;
        let one = self.nested(Self::expr)?;
        self.expect_word("else")?;
        let other = self.nested(Self::expr)?;
        Ok(Expr { kind: Kind::If([condition, one, other].into()), at })
    }

    fn or(&mut self) -> Result<Expr, SyntaxError> {
        self.chain("||", Kind::Or, Self::and)
    }

    fn and(&mut self) -> Result<Expr, SyntaxError> {
        self.chain("&&", Kind::And, Self::relation)
    }

    fn chain(
        &mut self,
        operator: &'static str,
        join: fn(Vec<Expr>) -> Kind,
        part: fn(&mut Self) -> Result<Expr, SyntaxError>,
    ) -> Result<Expr, SyntaxError> {
        let first = part(self)?;
        if *self.peek() != TokenKind::Symbol(operator) {
            return Ok(first);
        }
        let at = first.at;
        let mut parts = vec![first];
        while self.take(operator) {
            parts.push(part(self)?);
        }
        Ok(Expr { kind: join(parts), at })
    }

    /// One comparison: they do not chain.
    fn relation(&mut self) -> Result<Expr, SyntaxError> {
        let left = self.sum()?;
        let at = left.at;
        let operator = match self.peek() {
            TokenKind::Symbol(symbol) => symbol,
            TokenKind::Name(name) => &**name,
            TokenKind::Number(_) | TokenKind::Str(_) | TokenKind::Pattern(_) | TokenKind::End => {
                return Ok(left);
            }
        };
        let kind = match operator {
            "==" => self.compare(Relation::Equal, left)?,
            "<" => self.compare(Relation::Less, left)?,
            "<=" => self.compare(Relation::AtMost, left)?,
            ">" => self.compare(Relation::More, left)?,
            ">=" => self.compare(Relation::AtLeast, left)?,
            "!=" => {
                self.next();
                Kind::Differs(left.into(), self.sum()?.into())
            }
            "in" => {
                self.next();
                Kind::In(left.into(), self.sum()?.into())
            }
            "has" => self.has(left)?,
            "like" => self.like(left)?,
            "is" => self.is(left)?,
            _ => return Ok(left),
        };
        Ok(Expr { kind, at })
    }

    fn compare(&mut self, relation: Relation, left: Expr) -> Result<Kind, SyntaxError> {
        self.next();
        Ok(Kind::Compare(relation, left.into(), self.sum()?.into()))
    }

    /// `has a.b` asks for `a` first, and then for `b` of it.
    fn has(&mut self, of: Expr) -> Result<Kind, SyntaxError> {
        let place = self.at();
        let of = self.owner(of, place)?;
        self.next();
        let first = self.attribute()?;
        if *self.peek() != TokenKind::Symbol(".") {
            return Ok(Kind::Has(of.into(), first));
        }
        let Kind::Path(_) = of.kind else {
            let message = "only of a variable's attributes is more than one asked for".into();
            return Err(SyntaxError { at: place, message });
        };
        let mut owner = of;
        let mut name = first;
        let mut parts = Vec::new();
        loop {
            let at = owner.at;
            parts.push(Expr { kind: Kind::Has(owner.clone().into(), name.clone()), at });
            if !self.take(".") {
                return Ok(Kind::And(parts));
            }
            owner = self.field(owner, name)?;
            name = self.attribute()?;
        }
    }

    fn like(&mut self, text: Expr) -> Result<Kind, SyntaxError> {
        self.next();
        let TokenKind::Pattern(pieces) = self.peek() else {
            return Err(self.unexpected("a pattern in quotes"));
        };
        self.next();
        Ok(Kind::Like(text.into(), pieces.clone()))
    }

    fn is(&mut self, entity: Expr) -> Result<Kind, SyntaxError> {
        self.next();
        let at = self.at();
        let word = TypeWord { text: self.name("the name of an entity type")?, at };
        let within = if self.take_word("in") { Some(self.sum()?.into()) } else { None };
        Ok(Kind::Is(entity.into(), word, within))
    }

    fn sum(&mut self) -> Result<Expr, SyntaxError> {
        self.arithmetic(&[("+", Operator::Add), ("-", Operator::Subtract)], Self::product)
    }

    fn product(&mut self) -> Result<Expr, SyntaxError> {
        self.arithmetic(&[("*", Operator::Multiply)], Self::unary)
    }

    fn arithmetic(
        &mut self,
        operators: &[(&str, Operator)],
        part: fn(&mut Self) -> Result<Expr, SyntaxError>,
    ) -> Result<Expr, SyntaxError> {
        let mut left = part(self)?;
        while let Some((_, operator)) = operators.iter().find(|(symbol, _)| self.take(symbol)) {
            self.count_operator()?;
            let at = left.at;
            let right = part(self)?;
            left = Expr { kind: Kind::Arithmetic(*operator, left.into(), right.into()), at };
        }
        Ok(left)
    }

    pub(super) fn count_operator(&mut self) -> Result<(), SyntaxError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            let message = format!("more than {MAX_OPERATORS} of `+`, `-`, `*` and calls");
            return Err(SyntaxError { at: self.at(), message });
        }
        Ok(())
    }

    pub(super) fn unary(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.at();
        if self.take("!") {
            let inner = self.nested(Self::unary)?;
            return Ok(Expr { kind: Kind::Not(inner.into()), at });
        }
        if self.take("-") {
            if matches!(self.peek(), TokenKind::Number(_)) {
                return self.long(at, true);
            }
            self.count_operator()?;
            let inner = self.nested(Self::unary)?;
            return Ok(Expr { kind: Kind::Negated(inner.into()), at });
        }
        let mut expr = self.primary()?;
        loop {
            let bracket = *self.peek() == TokenKind::Symbol("[");
            if !bracket && *self.peek() != TokenKind::Symbol(".") {
                return Ok(expr);
            }
            self.next();
            expr = if bracket { self.indexed(expr)? } else { self.member(expr)? };
        }
    }

    /// What is read of it.
    pub(super) fn field(&self, of: Expr, name: Box<str>) -> Result<Expr, SyntaxError> {
        let expr = Expr::field(of, [name]);
        if let Kind::Path(Path { attributes: names, .. }) | Kind::Field(_, names) = &expr.kind
            && names.len() > MAX_CHAIN
        {
            let message = format!("more than {MAX_CHAIN} attributes, one of the other");
            return Err(SyntaxError { at: self.at(), message });
        }
        Ok(expr)
    }

    pub(super) fn name(&mut self, expected: &str) -> Result<Box<str>, SyntaxError> {
        if let TokenKind::Name(name) = self.peek()
            && !RESERVED.contains(&&**name)
        {
            self.next();
            return Ok((*name).into());
        }
        Err(self.unexpected(expected))
    }

    /// The name of an attribute, in quotes or not.
    pub(super) fn attribute(&mut self) -> Result<Box<str>, SyntaxError> {
        let TokenKind::Str(text) = self.peek() else {
            return self.name("the name of an attribute");
        };
        if !is_identifier(text) || RESERVED.contains(&&**text) {
            let message = format!("{} cannot name an attribute", Quoted(text));
            return Err(SyntaxError { at: self.at(), message });
        }
        self.next();
        Ok(text.clone())
    }

    pub(super) fn text(&mut self, expected: &str) -> Result<&'t str, SyntaxError> {
        let TokenKind::Str(text) = self.peek() else { return Err(self.unexpected(expected)) };
        self.next();
        Ok(text)
    }

    pub(super) fn nested(
        &mut self,
        part: fn(&mut Self) -> Result<Expr, SyntaxError>,
    ) -> Result<Expr, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        let expr = part(self);
        self.depth -= 1;
        expr
    }

    pub(super) fn peek(&self) -> &'t TokenKind<'t> {
        self.tokens.first().map_or(&TokenKind::End, |token| &token.kind)
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

    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let there = matches!(self.peek(), TokenKind::Symbol(found) if *found == symbol);
        if there {
            self.next();
        }
        there
    }

    fn take_word(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), TokenKind::Name(found) if **found == *word);
        if there {
            self.next();
        }
        there
    }

    fn expect_word(&mut self, word: &str) -> Result<(), SyntaxError> {
        match self.take_word(word) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{word}`"))),
        }
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), SyntaxError> {
        match self.take(symbol) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{symbol}`"))),
        }
    }

    pub(super) fn unexpected(&self, expected: &str) -> SyntaxError {
        let found = match self.peek() {
            TokenKind::Name(name) => format!("`{name}`"),
            TokenKind::Number(value) => format!("`{value}`"),
            TokenKind::Str(_) | TokenKind::Pattern(_) => "text".into(),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end".into(),
        };
        SyntaxError { at: self.at(), message: format!("expected {expected}, found {found}") }
    }

    pub(super) fn too_deep(&self) -> SyntaxError {
        SyntaxError { at: self.at(), message: format!("nested more than {MAX_DEPTH} deep") }
    }
}
