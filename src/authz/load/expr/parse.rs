//! From words to a tree, by recursive descent.

use super::{
    EntityName, Expr, Kind, Literal, Path, RESERVED, Relation, Root, SyntaxError,
    lex::{Token, TokenKind, lex},
};
use crate::{
    IpNet, IpNetError,
    authz::{TypeName, names::nearest, value::canonical},
};

/// Longer conditions are refused, in bytes.
const MAX_LENGTH: usize = 8 * 1024;
/// Deeper nesting is refused; so are longer chains of attributes.
const MAX_DEPTH: usize = 64;

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
    let mut parser = Parser { tokens: &tokens, depth: 0 };
    let expr = parser.or()?;
    if *parser.peek() == TokenKind::End {
        Ok(expr)
    } else {
        Err(parser.unexpected("an operator or the end"))
    }
}

struct Parser<'t> {
    /// What is left; the last one is the end and is never taken.
    tokens: &'t [Token],
    depth: usize,
}

impl<'t> Parser<'t> {
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
        let left = self.unary()?;
        let at = left.at;
        let operator = match self.peek() {
            TokenKind::Symbol(symbol) => symbol,
            TokenKind::Name(name) => &**name,
            TokenKind::Number(_) | TokenKind::Str(_) | TokenKind::End => return Ok(left),
        };
        let kind = match operator {
            "==" => self.compare(Relation::Equal, left)?,
            "<" => self.compare(Relation::Less, left)?,
            "<=" => self.compare(Relation::AtMost, left)?,
            ">" => self.compare(Relation::More, left)?,
            ">=" => self.compare(Relation::AtLeast, left)?,
            "!=" => {
                self.next();
                Kind::Differs(left.into(), self.unary()?.into())
            }
            "in" => {
                self.next();
                Kind::In(left.into(), self.unary()?.into())
            }
            "has" => {
                let place = self.at();
                self.next();
                Kind::Has(path_of(left, place)?, self.name("the name of an attribute")?)
            }
            _ => return Ok(left),
        };
        Ok(Expr { kind, at })
    }

    fn compare(&mut self, relation: Relation, left: Expr) -> Result<Kind, SyntaxError> {
        self.next();
        Ok(Kind::Compare(relation, left.into(), self.unary()?.into()))
    }

    fn unary(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.at();
        if self.take("!") {
            let inner = self.nested(Self::unary)?;
            return Ok(Expr { kind: Kind::Not(inner.into()), at });
        }
        let mut expr = self.primary()?;
        let mut members = 0;
        while self.take(".") {
            members += 1;
            if members > MAX_DEPTH {
                return Err(self.too_deep());
            }
            expr = self.member(expr)?;
        }
        Ok(expr)
    }

    /// A whole number; `minus` says whether a `-` was taken.
    fn long(&mut self, at: usize, minus: bool) -> Result<Expr, SyntaxError> {
        let TokenKind::Number(number) = self.peek() else {
            return Err(self.unexpected("a number behind `-`"));
        };
        self.next();
        let value =
            if minus { 0_i64.checked_sub_unsigned(*number) } else { i64::try_from(*number).ok() };
        let message = || format!("`{number}` is no long");
        let value = value.ok_or_else(|| SyntaxError { at, message: message() })?;
        Ok(Expr { kind: Kind::Literal(Literal::Long(value)), at })
    }

    /// `.attribute` or `.isInRange(…)`; the dot is taken.
    fn member(&mut self, of: Expr) -> Result<Expr, SyntaxError> {
        let (at, place) = (of.at, self.at());
        let name = self.name("the name of an attribute")?;
        if self.take("(") {
            if &*name != "isInRange" {
                let hint =
                    nearest(&name, ["isInRange"]).map_or("", |_| "; did you mean `isInRange`?");
                let message = format!("no method `{name}`{hint}");
                return Err(SyntaxError { at: place, message });
            }
            let range = self.nested(Self::or)?;
            self.expect(")")?;
            return Ok(Expr { kind: Kind::InRange(of.into(), range.into()), at });
        }
        let mut path = path_of(of, place)?;
        path.attributes.push(name);
        Ok(Expr { kind: Kind::Path(path), at })
    }

    fn primary(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.at();
        if self.take("(") {
            let inner = self.nested(Self::or)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.take("-") {
            return self.long(at, true);
        }
        let kind = match self.peek() {
            TokenKind::Number(_) => return self.long(at, false),
            TokenKind::Str(text) => Kind::Literal(Literal::Str(text.clone())),
            TokenKind::Name(name) => return self.named(name),
            TokenKind::Symbol(_) | TokenKind::End => {
                return Err(self.unexpected("a value, a variable or `(`"));
            }
        };
        self.next();
        Ok(Expr { kind, at })
    }

    /// A variable, a truth value, `ip("…")` or `Type::"id"`.
    fn named(&mut self, name: &'t str) -> Result<Expr, SyntaxError> {
        let at = self.at();
        self.next();
        if self.take("::") {
            let id = self.text("the entity's id in quotes")?;
            let entity =
                EntityName { kind: name.into(), type_name: TypeName::new(name), id: id.into() };
            return Ok(Expr { kind: Kind::Literal(Literal::Entity(entity)), at });
        }
        let root = |root| Kind::Path(Path { root, attributes: Vec::new() });
        let kind = match name {
            "true" => Kind::Literal(Literal::Bool(true)),
            "false" => Kind::Literal(Literal::Bool(false)),
            "principal" => root(Root::Principal),
            "resource" => root(Root::Resource),
            "context" => root(Root::Context),
            "ip" if self.take("(") => {
                let place = self.at();
                let text = self.text("an address in quotes")?;
                let net = range(text).map_err(|message| SyntaxError { at: place, message })?;
                self.expect(")")?;
                Kind::Literal(Literal::Ip(net))
            }
            _ => return Err(unknown(name, at)),
        };
        Ok(Expr { kind, at })
    }

    fn name(&mut self, expected: &str) -> Result<Box<str>, SyntaxError> {
        if let TokenKind::Name(name) = self.peek()
            && !RESERVED.contains(&&**name)
        {
            self.next();
            return Ok(name.clone());
        }
        Err(self.unexpected(expected))
    }

    fn text(&mut self, expected: &str) -> Result<&'t str, SyntaxError> {
        let TokenKind::Str(text) = self.peek() else { return Err(self.unexpected(expected)) };
        self.next();
        Ok(text)
    }

    fn nested(
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

    fn peek(&self) -> &'t TokenKind {
        self.tokens.first().map_or(&TokenKind::End, |token| &token.kind)
    }

    fn at(&self) -> usize {
        self.tokens.first().map_or(0, |token| token.at)
    }

    fn next(&mut self) {
        if let [_, rest @ ..] = self.tokens
            && !rest.is_empty()
        {
            self.tokens = rest;
        }
    }

    fn take(&mut self, symbol: &str) -> bool {
        let there = matches!(self.peek(), TokenKind::Symbol(found) if *found == symbol);
        if there {
            self.next();
        }
        there
    }

    fn expect(&mut self, symbol: &str) -> Result<(), SyntaxError> {
        match self.take(symbol) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{symbol}`"))),
        }
    }

    fn unexpected(&self, expected: &str) -> SyntaxError {
        let found = match self.peek() {
            TokenKind::Name(name) => format!("`{name}`"),
            TokenKind::Number(value) => format!("`{value}`"),
            TokenKind::Str(_) => "text".into(),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end".into(),
        };
        SyntaxError { at: self.at(), message: format!("expected {expected}, found {found}") }
    }

    fn too_deep(&self) -> SyntaxError {
        SyntaxError { at: self.at(), message: format!("nested more than {MAX_DEPTH} deep") }
    }
}

/// An address or a range; one of IPv4-mapped addresses is the IPv4 range that it carries.
fn range(text: &str) -> Result<IpNet, String> {
    let written: IpNet = text.parse().map_err(|error: IpNetError| error.to_string())?;
    let net = canonical(written);
    if net.address().to_canonical() == net.address() {
        return Ok(net);
    }
    Err(format!(
        "`{written}` is wider than the IPv4-mapped addresses, `::ffff:0.0.0.0/96`; \
         write one range for IPv4 and one for IPv6"
    ))
}

/// Attributes are read of variables and their attributes alone.
fn path_of(expr: Expr, at: usize) -> Result<Path, SyntaxError> {
    if let Kind::Path(path) = expr.kind {
        return Ok(path);
    }
    let message = "only `principal`, `resource` and `context` have attributes here".into();
    Err(SyntaxError { at, message })
}

fn unknown(name: &str, at: usize) -> SyntaxError {
    let message = match name {
        "action" => "`action` is no variable here; a rule's actions are its field `actions`".into(),
        "if" | "like" | "is" => format!("`{name}` is not supported"),
        _ => match nearest(name, ["principal", "resource", "context", "true", "false"]) {
            Some(meant) => format!("no variable `{name}`; did you mean `{meant}`?"),
            None => format!("no variable `{name}`"),
        },
    };
    SyntaxError { at, message }
}
