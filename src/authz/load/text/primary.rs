//! The smallest parts of an expression: values, variables, and what is asked of them.

use std::collections::BTreeMap;

use super::{
    super::{
        error::hint,
        expr::{Expr, How, Kind, Literal, Path, Root, SyntaxError, lex::TokenKind},
    },
    parse::{Parser, entity},
};
use crate::authz::{general::Function, names::nearest};

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.at();
        if self.take("(") {
            let inner = self.nested(Self::expr)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.take("[") {
            return Ok(Expr { kind: Kind::Set(self.elements("]")?), at });
        }
        if self.take("{") {
            return Ok(Expr { kind: self.record()?, at });
        }
        let kind = match self.peek() {
            TokenKind::Number(number) => {
                self.next();
                return self.long(i64::try_from(*number).ok(), *number, at);
            }
            TokenKind::Str(text) => {
                self.next();
                Kind::Literal(Literal::Str(text.clone()))
            }
            TokenKind::Name(_) => self.named()?,
            TokenKind::Symbol("?principal" | "?resource") => {
                return Err(self.error("a slot stands in the scope alone, behind `==` or `in`"));
            }
            TokenKind::Symbol(_) | TokenKind::Pattern(_) | TokenKind::End => {
                return Err(self.unexpected("a value, a variable or `(`"));
            }
        };
        Ok(Expr { kind, at })
    }

    pub(super) fn long(
        &self,
        value: Option<i64>,
        number: u64,
        at: usize,
    ) -> Result<Expr, SyntaxError> {
        let message = || format!("`{number}` is no long");
        let value = value.ok_or_else(|| SyntaxError { at, message: message() })?;
        Ok(Expr { kind: Kind::Literal(Literal::Long(value)), at })
    }

    /// The fields of a record; the brace is taken.
    fn record(&mut self) -> Result<Kind, SyntaxError> {
        let mut fields = BTreeMap::new();
        self.list("}", |parser| {
            let at = parser.at();
            let quoted = matches!(parser.peek(), TokenKind::Str(_));
            let read = if quoted { Self::text } else { Self::identifier };
            let name: Box<str> = read(parser, "the name of a field")?.into();
            parser.expect(":")?;
            let value = parser.nested(Self::expr)?;
            let message = format!("`{name}` is there twice");
            let before = fields.insert(name, value);
            before.map_or(Ok(()), |_| Err(SyntaxError { at, message }))
        })?;
        Ok(Kind::Record(fields))
    }

    /// A variable, a truth value, a function or an entity.
    fn named(&mut self) -> Result<Kind, SyntaxError> {
        for value in [true, false] {
            if self.take_word(if value { "true" } else { "false" }) {
                return Ok(Kind::Literal(Literal::Bool(value)));
            }
        }
        let at = self.at();
        let (name, open) = self.path("a value or a variable")?;
        if open {
            let id = self.text("the entity's id in quotes")?;
            return Ok(Kind::Literal(Literal::Entity(entity(&name, id))));
        }
        let root = match &*name {
            "principal" => Root::Principal,
            "action" => Root::Action,
            "resource" => Root::Resource,
            "context" => Root::Context,
            _ => return self.function(&name, at),
        };
        Ok(Kind::Path(Path { root, attributes: Vec::new() }))
    }

    fn function(&mut self, name: &str, at: usize) -> Result<Kind, SyntaxError> {
        let functions = || Function::ALL.into_iter().filter(|function| !function.is_method());
        if !self.take("(") {
            let known = ["principal", "action", "resource", "context", "true", "false"];
            let message = format!("no variable `{name}`{}", hint(nearest(name, known)));
            return Err(SyntaxError { at, message });
        }
        let Some(function) = functions().find(|function| function.word() == name) else {
            let meant = hint(nearest(name, functions().map(Function::word)));
            return Err(SyntaxError { at, message: format!("no function `{name}`{meant}") });
        };
        Ok(Kind::Call(function, self.elements(")")?))
    }

    /// `.attribute` or a method; the dot is taken.
    pub(super) fn member(&mut self, of: Expr) -> Result<Expr, SyntaxError> {
        let (at, place) = (of.at, self.at());
        let name = self.identifier("the name of an attribute")?;
        if !self.take("(") {
            return Ok(Expr::field(of, [name.into()]));
        }
        let mut arguments = self.elements(")")?;
        let count = arguments.len();
        let set = |parser: &Self, how, arguments: Vec<Expr>| {
            let [argument] = parser.exactly(name, place, arguments)?;
            Ok(Kind::Contains(how, of.clone().into(), argument.into()))
        };
        let kind = match name {
            "contains" => set(self, How::Element, arguments)?,
            "containsAll" => set(self, How::All, arguments)?,
            "containsAny" => set(self, How::Any, arguments)?,
            "isEmpty" => {
                let [] = self.exactly(name, place, arguments)?;
                Kind::IsEmpty(of.into())
            }
            _ => {
                let function = method(name, place)?;
                if matches!(function, Function::GetTag | Function::HasTag) && count != 1 {
                    let message = format!("`{name}` takes 1 argument, not {count}");
                    return Err(SyntaxError { at: place, message });
                }
                arguments.insert(0, of);
                Kind::Call(function, arguments)
            }
        };
        Ok(Expr { kind, at })
    }

    fn exactly<const N: usize>(
        &self,
        name: &str,
        at: usize,
        arguments: Vec<Expr>,
    ) -> Result<[Expr; N], SyntaxError> {
        let count = arguments.len();
        let message = || format!("`{name}` takes {N} arguments, not {count}");
        arguments.try_into().map_err(|_| SyntaxError { at, message: message() })
    }
}

fn method(name: &str, at: usize) -> Result<Function, SyntaxError> {
    let methods = || Function::ALL.into_iter().filter(|function| function.is_method());
    methods().find(|function| function.word() == name).ok_or_else(|| {
        let sets = ["contains", "containsAll", "containsAny", "isEmpty"];
        let meant = hint(nearest(name, methods().map(Function::word).chain(sets)));
        SyntaxError { at, message: format!("no method `{name}`{meant}") }
    })
}
