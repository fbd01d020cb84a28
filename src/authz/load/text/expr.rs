//! Expressions of policy text, by recursive descent, with Cedar's precedences.

use super::{
    super::expr::{Expr, Kind, Operator, Relation, SyntaxError, TypeWord, lex::TokenKind},
    parse::Parser,
};

/// Cedar takes no more of `!` or `-` one behind the other.
const MAX_SIGNS: usize = 4;

impl Parser<'_> {
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
        operator: &str,
        join: fn(Vec<Expr>) -> Kind,
        part: fn(&mut Self) -> Result<Expr, SyntaxError>,
    ) -> Result<Expr, SyntaxError> {
        let first = part(self)?;
        if !self.is(operator) {
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
            "is" => self.is_type(left)?,
            _ => return Ok(left),
        };
        Ok(Expr { kind, at })
    }

    fn compare(&mut self, relation: Relation, left: Expr) -> Result<Kind, SyntaxError> {
        self.next();
        Ok(Kind::Compare(relation, left.into(), self.sum()?.into()))
    }

    /// `has name`, `has "name"`, or `has a.b`, which asks for each by all before it.
    fn has(&mut self, of: Expr) -> Result<Kind, SyntaxError> {
        self.next();
        if let TokenKind::Str(name) = self.peek() {
            self.next();
            return Ok(Kind::Has(of.into(), name.clone()));
        }
        let mut names: Vec<Box<str>> = vec![self.identifier("the name of an attribute")?.into()];
        while self.take(".") {
            names.push(self.identifier("the name of an attribute")?.into());
        }
        match <[Box<str>; 1]>::try_from(names) {
            Ok([name]) => Ok(Kind::Has(of.into(), name)),
            Err(names) => Ok(Kind::HasPath(of.into(), names.into())),
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

    fn is_type(&mut self, entity: Expr) -> Result<Kind, SyntaxError> {
        self.next();
        let at = self.at();
        let word = TypeWord { text: self.type_name()?.into(), at };
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
        let mut first = true;
        while let Some((_, operator)) = operators.iter().find(|(symbol, _)| self.take(symbol)) {
            if !first {
                self.chained()?;
            }
            first = false;
            let at = left.at;
            let right = part(self)?;
            left = Expr { kind: Kind::Arithmetic(*operator, left.into(), right.into()), at };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.at();
        let TokenKind::Symbol(sign @ ("!" | "-")) = *self.peek() else { return self.members() };
        let mut signs = Vec::new();
        while self.is(sign) {
            signs.push(self.at());
            self.next();
        }
        if signs.len() > MAX_SIGNS {
            let message = format!("more than {MAX_SIGNS} of `{sign}` one behind the other");
            return Err(SyntaxError { at, message });
        }
        let mut expr = match (sign, self.peek()) {
            ("-", TokenKind::Number(number)) if !self.is_accessed() => {
                let at = signs.pop().unwrap_or(at);
                self.next();
                self.long(0_i64.checked_sub_unsigned(*number), *number, at)?
            }
            _ => self.members()?,
        };
        for at in signs.into_iter().rev() {
            let kind = if sign == "!" { Kind::Not } else { Kind::Negated };
            expr = Expr { kind: kind(expr.into()), at };
        }
        Ok(expr)
    }

    /// Whether something is asked of the number: then a `-` before it is for all of that.
    fn is_accessed(&self) -> bool {
        matches!(self.ahead(1), TokenKind::Symbol("." | "[" | "("))
    }

    fn members(&mut self) -> Result<Expr, SyntaxError> {
        let mut expr = self.primary()?;
        let mut first = true;
        loop {
            if self.take(".") {
                expr = self.member(expr)?;
            } else if self.take("[") {
                let name = self.text("the name of an attribute in quotes")?;
                self.expect("]")?;
                expr = Expr::field(expr, [name.into()]);
            } else if self.is("(") {
                return Err(self.error("only a function or a method can be called"));
            } else {
                return Ok(expr);
            }
            if !matches!(expr.kind, Kind::Path(_) | Kind::Field(..)) {
                if !first {
                    self.chained()?;
                }
                first = false;
            }
        }
    }
}
