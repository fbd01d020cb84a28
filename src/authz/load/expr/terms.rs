//! The smallest parts of a condition: values, variables, and what is asked of them.

use std::collections::BTreeMap;

use super::{
    EntityName, Expr, How, Kind, Literal, Path, Quoted, Root, SyntaxError, lex::TokenKind,
    parse::Parser,
};
use crate::{
    IpNet, IpNetError,
    authz::{
        TypeName, Value, general::Function, load::check::arguments, names::nearest,
        value::canonical,
    },
};

impl<'t> Parser<'t> {
    /// A whole number; `minus` says whether a `-` was taken.
    pub(super) fn long(&mut self, at: usize, minus: bool) -> Result<Expr, SyntaxError> {
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

    /// `["attribute"]`; the bracket is taken.
    pub(super) fn indexed(&mut self, of: Expr) -> Result<Expr, SyntaxError> {
        let TokenKind::Str(_) = self.peek() else {
            return Err(self.unexpected("the name of an attribute in quotes"));
        };
        let name = self.attribute()?;
        self.expect("]")?;
        self.field(of, name)
    }

    /// `.attribute` or a method; the dot is taken.
    pub(super) fn member(&mut self, of: Expr) -> Result<Expr, SyntaxError> {
        let (at, place) = (of.at, self.at());
        let name = self.name("the name of an attribute")?;
        if !self.take("(") {
            return self.field(self.owner(of, place)?, name);
        }
        let known = ["isInRange", "contains", "containsAll", "containsAny", "isEmpty"];
        if let Some((function, count)) = method(&name) {
            return self.call(of, function, count);
        }
        if !known.contains(&&*name) {
            let methods = Function::ALL.into_iter().map(Function::word);
            let methods = methods.filter(|name| method(name).is_some());
            let meant = nearest(&name, known.into_iter().chain(methods));
            let hint = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
            return Err(SyntaxError { at: place, message: format!("no method `{name}`{hint}") });
        }
        // Their answer has no methods: so they nest no deeper than parentheses do.
        if matches!(of.kind, Kind::InRange(..) | Kind::Contains(..) | Kind::IsEmpty(_)) {
            let message = format!("`{name}` cannot be asked of a bool");
            return Err(SyntaxError { at: place, message });
        }
        let of = of.into();
        let kind = if &*name == "isEmpty" {
            Kind::IsEmpty(of)
        } else {
            let argument = self.nested(Self::expr)?.into();
            match &*name {
                "isInRange" => Kind::InRange(of, argument),
                "contains" => Kind::Contains(How::Element, of, argument),
                "containsAll" => Kind::Contains(How::All, of, argument),
                _ => Kind::Contains(How::Any, of, argument),
            }
        };
        self.expect(")")?;
        Ok(Expr { kind, at })
    }

    /// A method of an extension type; the parenthesis is taken.
    fn call(&mut self, of: Expr, function: Function, count: usize) -> Result<Expr, SyntaxError> {
        // What it is asked of may be a call again.
        self.count_operator()?;
        let at = of.at;
        let mut arguments = vec![of];
        for _ in 0..count {
            arguments.push(self.nested(Self::expr)?);
        }
        self.expect(")")?;
        Ok(Expr { kind: Kind::Call(function, arguments), at })
    }

    pub(super) fn primary(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.at();
        if self.take("(") {
            let inner = self.nested(Self::expr)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.take("[") {
            return Ok(Expr { kind: self.set()?, at });
        }
        if self.take("{") {
            return Ok(Expr { kind: self.record()?, at });
        }
        let kind = match self.peek() {
            TokenKind::Number(_) => return self.long(at, false),
            TokenKind::Str(text) => Kind::Literal(Literal::Str(text.clone())),
            TokenKind::Name(name) => return self.named(name),
            TokenKind::Symbol(_) | TokenKind::Pattern(_) | TokenKind::End => {
                return Err(self.unexpected("a value, a variable or `(`"));
            }
        };
        self.next();
        Ok(Expr { kind, at })
    }

    /// The elements of a set; the bracket is taken.
    fn set(&mut self) -> Result<Kind, SyntaxError> {
        let mut elements = Vec::new();
        if self.take("]") {
            return Ok(Kind::Set(elements));
        }
        loop {
            elements.push(self.nested(Self::expr)?);
            if self.take("]") {
                return Ok(Kind::Set(elements));
            }
            self.expect(",")?;
        }
    }

    /// The fields of a record; the brace is taken.
    fn record(&mut self) -> Result<Kind, SyntaxError> {
        let mut fields = BTreeMap::new();
        if self.take("}") {
            return Ok(Kind::Record(fields));
        }
        loop {
            let at = self.at();
            let name = self.attribute()?;
            self.expect(":")?;
            let value = self.nested(Self::expr)?;
            let message = format!("`{name}` is there twice");
            if fields.insert(name, value).is_some() {
                return Err(SyntaxError { at, message });
            }
            if self.take("}") {
                return Ok(Kind::Record(fields));
            }
            self.expect(",")?;
        }
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
            _ => match CONSTRUCTORS.into_iter().find(|function| function.word() == name) {
                Some(function) if self.take("(") => self.constructed(function)?,
                Some(_) | None => return Err(unknown(name, at)),
            },
        };
        Ok(Expr { kind, at })
    }

    /// A value of an extension type from its text; the parenthesis is taken.
    fn constructed(&mut self, function: Function) -> Result<Kind, SyntaxError> {
        let (at, word) = (self.at(), function.word());
        let text = self.text(&format!("a {word} in quotes"))?;
        if function.call(&[Value::Str(text)]).is_err() {
            return Err(SyntaxError { at, message: format!("{} is no {word}", Quoted(text)) });
        }
        self.expect(")")?;
        let text = Expr { kind: Kind::Literal(Literal::Str(text.into())), at };
        Ok(Kind::Call(function, vec![text]))
    }

    /// What attributes are read of, unless it can have none.
    pub(super) fn owner(&self, of: Expr, at: usize) -> Result<Expr, SyntaxError> {
        match matches!(of.kind, Kind::Path(_) | Kind::Field(..) | Kind::Record(_) | Kind::If(_)) {
            true => Ok(of),
            false => Err(SyntaxError { at, message: NO_OWNER.into() }),
        }
    }
}

const CONSTRUCTORS: [Function; 3] = [Function::Decimal, Function::Datetime, Function::Duration];

/// The method of that name, and how many arguments it takes.
fn method(name: &str) -> Option<(Function, usize)> {
    let function = Function::ALL.into_iter().find(|function| function.word() == name)?;
    Some((function, arguments(function)?))
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

fn unknown(name: &str, at: usize) -> SyntaxError {
    let message = match name {
        "action" => "`action` is no variable here; a rule's actions are its field `actions`".into(),
        "if" => "`if` is put in parentheses here".into(),
        _ => match nearest(name, ["principal", "resource", "context", "true", "false"]) {
            Some(meant) => format!("no variable `{name}`; did you mean `{meant}`?"),
            None => format!("no variable `{name}`"),
        },
    };
    SyntaxError { at, message }
}

const NO_OWNER: &str = "only `principal`, `resource`, `context` and records have attributes here";
