//! What Cedar's semantics say of a condition, told by walking the tree, as plainly as possible.
#![expect(clippy::wildcard_enum_match_arm, reason = "the rest is an error, whatever it is")]

use std::collections::BTreeMap;

use super::{
    super::{
        EvalError, TypeName,
        load::expr::{Expr, Kind, Literal, Path, Relation, Root},
        schema::Ty,
    },
    world::{Data, Scene, TYPES},
};
use crate::IpNet;

/// The condition's answer by Cedar's rules.
pub(super) fn answer(expr: &Expr, scene: &Scene) -> Result<bool, EvalError> {
    let Seen::Data(Data::Bool(value)) = walk(expr, scene)? else {
        return Err(EvalError::WrongType);
    };
    Ok(value)
}

/// What a value in the tree is, while it is walked.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Data(Data),
    Context,
}

fn walk(expr: &Expr, scene: &Scene) -> Result<Seen, EvalError> {
    let bool = |value| Ok(Seen::Data(Data::Bool(value)));
    match &expr.kind {
        Kind::Literal(literal) => Ok(Seen::Data(data(literal))),
        Kind::Path(path) => read(path, scene),
        Kind::Has(path, name) => match read(path, scene)? {
            Seen::Data(Data::Name(..)) => Err(EvalError::NameOnly),
            seen => match attributes(&seen, scene)?.remove(&**name) {
                None => bool(false),
                Some(data) => typed(name, data).and_then(|_| bool(true)),
            },
        },
        Kind::Not(inner) => bool(!answer(inner, scene)?),
        Kind::And(parts) => {
            for part in parts {
                if !answer(part, scene)? {
                    return bool(false);
                }
            }
            bool(true)
        }
        Kind::Or(parts) => {
            for part in parts {
                if answer(part, scene)? {
                    return bool(true);
                }
            }
            bool(false)
        }
        Kind::Compare(relation, left, right) => {
            bool(compare(*relation, walk(left, scene)?, walk(right, scene)?)?)
        }
        Kind::Differs(left, right) => {
            bool(!compare(Relation::Equal, walk(left, scene)?, walk(right, scene)?)?)
        }
        Kind::In(_, right) if role(right).is_some() => {
            bool(role(right).is_some_and(|role| scene.roles.contains(&role)))
        }
        Kind::In(left, right) => {
            let (left, right) = (walk(left, scene)?, walk(right, scene)?);
            let (lower, upper) = (uid(&left)?, uid(&right)?);
            let known = [&scene.principal, &scene.resource];
            let named =
                known.into_iter().find(|thing| (thing.kind, &thing.id) == (lower.0, &lower.1));
            match (left, named) {
                _ if lower == upper => bool(true),
                (Seen::Data(Data::Thing(thing)), _) => bool(thing.parents.contains(&upper)),
                (_, Some(thing)) => bool(thing.parents.contains(&upper)),
                (_, None) => Err(EvalError::NameOnly),
            }
        }
        Kind::InRange(left, right) => match (walk(left, scene)?, walk(right, scene)?) {
            (Seen::Data(Data::Ip(inner)), Seen::Data(Data::Ip(outer))) => {
                bool(carried(outer).contains_net(carried(inner)))
            }
            _ => Err(EvalError::WrongType),
        },
    }
}

fn role(expr: &Expr) -> Option<String> {
    match &expr.kind {
        Kind::Literal(Literal::Entity(entity)) if &*entity.kind == "Role" => {
            Some(entity.id.to_string())
        }
        _ => None,
    }
}

fn data(literal: &Literal) -> Data {
    match literal {
        Literal::Bool(value) => Data::Bool(*value),
        Literal::Long(value) => Data::Long(*value),
        Literal::Str(value) => Data::Str(value.to_string()),
        Literal::Ip(value) => Data::Ip(*value),
        Literal::Entity(entity) => Data::Name(kind(&entity.kind), entity.id.to_string()),
    }
}

fn read(path: &Path, scene: &Scene) -> Result<Seen, EvalError> {
    let mut seen = match path.root {
        Root::Principal => Seen::Data(Data::Thing(scene.principal.clone())),
        Root::Resource => Seen::Data(Data::Thing(scene.resource.clone())),
        Root::Context => Seen::Context,
    };
    for name in &path.attributes {
        if let Seen::Data(Data::Name(..)) = seen {
            return Err(EvalError::NameOnly);
        }
        seen = match attributes(&seen, scene)?.remove(&**name) {
            None => return Err(EvalError::Missing),
            Some(data) => Seen::Data(typed(name, data)?),
        };
    }
    Ok(seen)
}

/// The value of an attribute, if it is of the one type that attributes of this name have.
fn typed(name: &str, data: Data) -> Result<Data, EvalError> {
    let ty = match &data {
        Data::Failed => return Err(EvalError::Unavailable),
        Data::Bool(_) => Ty::Bool,
        Data::Long(_) => Ty::Long,
        Data::Str(_) => Ty::Str,
        Data::Ip(_) => Ty::Ip,
        Data::Datetime(_) => Ty::Datetime,
        Data::Name(kind, _) => Ty::Entity(TypeName::new(kind)),
        Data::Thing(thing) => Ty::Entity(TypeName::new(thing.kind)),
        Data::Strings(_) => Ty::Strings,
    };
    TYPES.contains(&(name, ty)).then_some(data).ok_or(EvalError::WrongType)
}

fn attributes(seen: &Seen, scene: &Scene) -> Result<BTreeMap<String, Data>, EvalError> {
    match seen {
        Seen::Data(Data::Thing(thing)) => Ok(thing.attributes.clone()),
        Seen::Data(_) => Err(EvalError::WrongType),
        Seen::Context => {
            let mut members = scene.context.attributes.clone();
            members.insert("secure".into(), Data::Bool(false));
            Ok(members)
        }
    }
}

fn compare(relation: Relation, left: Seen, right: Seen) -> Result<bool, EvalError> {
    let many = |seen: &Seen| matches!(seen, Seen::Context | Seen::Data(Data::Strings(_)));
    if relation == Relation::Equal {
        if many(&left) || many(&right) {
            return Err(EvalError::WrongType);
        }
        return Ok(match (uid(&left), uid(&right)) {
            (Ok(left), Ok(right)) => left == right,
            _ => match (left, right) {
                (Seen::Data(Data::Ip(left)), Seen::Data(Data::Ip(right))) => {
                    carried(left) == carried(right)
                }
                (left, right) => left == right,
            },
        });
    }
    let (left, right) = match (left, right) {
        (Seen::Data(Data::Long(left)), Seen::Data(Data::Long(right)))
        | (Seen::Data(Data::Datetime(left)), Seen::Data(Data::Datetime(right))) => (left, right),
        _ => return Err(EvalError::WrongType),
    };
    Ok(match relation {
        Relation::Equal => left == right,
        Relation::Less => left < right,
        Relation::AtMost => left <= right,
        Relation::More => left > right,
        Relation::AtLeast => left >= right,
    })
}

/// The address that an IPv4-mapped one carries.
fn carried(net: IpNet) -> IpNet {
    let text = net.to_string();
    text.strip_prefix("::ffff:").map_or(net, |carried| carried.parse().unwrap())
}

fn uid(seen: &Seen) -> Result<(&'static str, String), EvalError> {
    match seen {
        Seen::Data(Data::Thing(thing)) => Ok((thing.kind, thing.id.clone())),
        Seen::Data(Data::Name(kind, id)) => Ok((kind, id.clone())),
        _ => Err(EvalError::WrongType),
    }
}

fn kind(text: &str) -> &'static str {
    ["User", "Folder", "Doc"].into_iter().find(|kind| *kind == text).unwrap_or("Other")
}
