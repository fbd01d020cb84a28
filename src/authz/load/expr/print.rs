//! Conditions as text that reads back as the same tree.

use std::fmt;

use super::{Expr, Kind, Literal, Operator, Path, RESERVED, Relation, Root};
use crate::authz::general::Function;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Literal(literal) => write!(f, "{literal}"),
            Kind::Path(path) => write!(f, "{path}"),
            Kind::Field(inner, names) => {
                write!(f, "{}", Part(inner))?;
                names.iter().try_for_each(|name| write!(f, "{}", Member(name)))
            }
            Kind::Set(parts) => {
                f.write_str("[")?;
                list(f, parts, |f, part| write!(f, "{part}"))?;
                f.write_str("]")
            }
            Kind::Record(fields) => {
                f.write_str("{")?;
                list(f, fields, |f, (name, part)| write!(f, "{}: {part}", Key(name)))?;
                f.write_str("}")
            }
            Kind::Has(inner, name) => write!(f, "{} has {}", Part(inner), Key(name)),
            Kind::HasPath(inner, names) => {
                write!(f, "{} has {}", Part(inner), names.join("."))
            }
            Kind::Call(function, parts) => call(f, *function, parts),
            Kind::Not(inner) => write!(f, "!{}", Owner(inner)),
            Kind::And(parts) => chain(f, parts, "&&"),
            Kind::Or(parts) => chain(f, parts, "||"),
            Kind::If(parts) => {
                let [condition, one, other] = &**parts;
                write!(f, "if {condition} then {one} else {other}")
            }
            Kind::Compare(relation, left, right) => {
                write!(f, "{} {relation} {}", Part(left), Part(right))
            }
            Kind::Differs(left, right) => write!(f, "{} != {}", Part(left), Part(right)),
            Kind::In(left, right) => write!(f, "{} in {}", Part(left), Part(right)),
            Kind::Is(inner, word, None) => write!(f, "{} is {}", Part(inner), word.text),
            Kind::Is(inner, word, Some(within)) => {
                write!(f, "{} is {} in {}", Part(inner), word.text, Part(within))
            }
            Kind::InRange(left, right) => write!(f, "{}.isInRange({right})", Owner(left)),
            Kind::Like(inner, pieces) => {
                write!(f, "{} like {}", Part(inner), Pattern(pieces))
            }
            Kind::Contains(how, left, right) => {
                write!(f, "{}.{}({right})", Owner(left), how.word())
            }
            Kind::IsEmpty(inner) => write!(f, "{}.isEmpty()", Owner(inner)),
            Kind::Arithmetic(operator, left, right) => {
                write!(f, "{} {operator} {}", Part(left), Part(right))
            }
            // `-(1)` is no `-1`.
            Kind::Negated(inner) => write!(f, "-({inner})"),
        }
    }
}

fn call(f: &mut fmt::Formatter<'_>, function: Function, parts: &[Expr]) -> fmt::Result {
    let arguments = match parts {
        [owner, rest @ ..] if function.is_method() => {
            write!(f, "{}.", Owner(owner))?;
            rest
        }
        _ => parts,
    };
    write!(f, "{}(", function.word())?;
    list(f, arguments, |f, part| write!(f, "{part}"))?;
    f.write_str(")")
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    parts: impl IntoIterator<Item = T>,
    print: fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (number, part) in parts.into_iter().enumerate() {
        if number > 0 {
            f.write_str(", ")?;
        }
        print(f, part)?;
    }
    Ok(())
}

fn chain(f: &mut fmt::Formatter<'_>, parts: &[Expr], operator: &str) -> fmt::Result {
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            write!(f, " {operator} ")?;
        }
        // Everything but these binds tighter than the two chains do.
        let looser = matches!(part.kind, Kind::And(_) | Kind::Or(_) | Kind::If(_));
        if looser { write!(f, "({part})")? } else { write!(f, "{part}")? }
    }
    Ok(())
}

/// An operand: in parentheses unless it is one word or in brackets.
struct Part<'a>(&'a Expr);

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = matches!(
            self.0.kind,
            Kind::Literal(_) | Kind::Path(_) | Kind::Set(_) | Kind::Record(_) | Kind::Field(..)
        );
        if whole { write!(f, "{}", self.0) } else { write!(f, "({})", self.0) }
    }
}

/// What a method is asked of, or a `!`: `-1.isEmpty()` would be the negation of all of it, and `!-1`
/// is no condition.
struct Owner<'a>(&'a Expr);

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let negative = matches!(self.0.kind, Kind::Literal(Literal::Long(..0)));
        if negative { write!(f, "({})", self.0) } else { write!(f, "{}", Part(self.0)) }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Long(value) => write!(f, "{value}"),
            Self::Str(value) => write!(f, "{}", Quoted(value)),
            Self::Ip(value) => write!(f, "ip(\"{value}\")"),
            Self::Entity(entity) => write!(f, "{}::{}", entity.kind, Quoted(&entity.id)),
        }
    }
}

/// The name of an attribute behind `has` or in a record, in quotes where it must be.
struct Key<'a>(&'a str);

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain(self.0) { f.write_str(self.0) } else { write!(f, "{}", Quoted(self.0)) }
    }
}

/// An attribute that is read.
struct Member<'a>(&'a str);

impl fmt::Display for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match is_plain(self.0) {
            true => write!(f, ".{}", self.0),
            false => write!(f, "[{}]", Quoted(self.0)),
        }
    }
}

/// Whether the name of an attribute needs no quotes.
pub(in crate::authz) fn is_plain(name: &str) -> bool {
    name != "__cedar"
        && !RESERVED.contains(&name)
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Text in quotes, escaped so that it reads back as the same text.
pub(in crate::authz) struct Quoted<'a>(pub(in crate::authz) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_debug())
    }
}

/// A pattern in quotes: stars between the pieces, and escaped ones in them.
struct Pattern<'a>(&'a [Box<str>]);

impl fmt::Display for Pattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, piece) in self.0.iter().enumerate() {
            f.write_str(if number > 0 { "*" } else { "\"" })?;
            f.write_str(&piece.escape_debug().to_string().replace('*', "\\*"))?;
        }
        f.write_str("\"")
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = match self.root {
            Root::Principal => "principal",
            Root::Resource => "resource",
            Root::Context => "context",
            Root::Action => "action",
        };
        f.write_str(root)?;
        self.attributes.iter().try_for_each(|name| write!(f, "{}", Member(name)))
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
        })
    }
}
