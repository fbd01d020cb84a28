//! From trees of text to the trees that are run.

use std::collections::BTreeMap;

use super::super::expr::{Expr, Kind, Path, Relation};
use crate::authz::{
    TypeName,
    general::{Datum, DatumRecord, DatumSet, Function, Node},
    program::{Attribute, Read},
};

/// The node of an expression. What is constant is worked out, unless that fails.
pub(super) fn lower(expr: &Expr) -> Node {
    let boxed = |expr: &Expr| Box::new(lower(expr));
    let pair = |left: &Expr, right: &Expr| Box::new([lower(left), lower(right)]);
    let all = |exprs: &[Expr]| exprs.iter().map(lower).collect::<Box<[Node]>>();
    match &expr.kind {
        Kind::Literal(literal) => Node::Constant(literal.into()),
        Kind::Path(path) => Node::Read(read(path, None)),
        Kind::Field(of, names) => Node::Attribute(boxed(of), names.as_slice().into()),
        Kind::Set(elements) => set(elements.iter().map(lower).collect()),
        Kind::Record(fields) => {
            record(fields.iter().map(|(name, field)| (name.clone(), lower(field))).collect())
        }
        Kind::Has(of, name) => Node::Has(boxed(of), [name.clone()].into()),
        Kind::HasPath(of, names) => Node::Has(boxed(of), names.clone()),
        Kind::Call(function, arguments) => call(*function, all(arguments)),
        Kind::Not(inner) => Node::Not(boxed(inner)),
        Kind::And(parts) => Node::And(all(parts)),
        Kind::Or(parts) => Node::Or(all(parts)),
        Kind::If(parts) => {
            let [condition, one, other] = &**parts;
            Node::If(Box::new([lower(condition), lower(one), lower(other)]))
        }
        Kind::Compare(Relation::Equal, left, right) => Node::Equal(pair(left, right)),
        Kind::Compare(Relation::Less, left, right) => Node::Less(pair(left, right)),
        Kind::Compare(Relation::AtMost, left, right) => Node::AtMost(pair(left, right)),
        Kind::Compare(Relation::More, left, right) => {
            Node::Not(Node::AtMost(pair(left, right)).into())
        }
        Kind::Compare(Relation::AtLeast, left, right) => {
            Node::Not(Node::Less(pair(left, right)).into())
        }
        Kind::Differs(left, right) => Node::Not(Node::Equal(pair(left, right)).into()),
        Kind::In(left, right) => Node::In(pair(left, right)),
        Kind::Is(inner, word, None) => Node::Is(boxed(inner), TypeName::new(&word.text)),
        Kind::Is(inner, word, Some(within)) => {
            Node::IsIn(pair(inner, within), TypeName::new(&word.text))
        }
        Kind::InRange(left, right) => Node::Call(Function::IsInRange, pair(left, right)),
        Kind::Like(inner, pieces) => Node::Like(boxed(inner), pieces.clone()),
        Kind::Contains(how, left, right) => Node::Contains(*how, pair(left, right)),
        Kind::IsEmpty(inner) => Node::IsEmpty(boxed(inner)),
        Kind::Arithmetic(operator, left, right) => Node::Arithmetic(*operator, pair(left, right)),
        Kind::Negated(inner) => Node::Negated(boxed(inner)),
    }
}

/// What is read; nothing is known of its type.
pub(super) fn read(path: &Path, asked: Option<&str>) -> Read {
    let names = path.attributes.iter().map(|name| &**name).chain(asked);
    let attributes = names.map(|name| Attribute { name: name.into(), ty: None });
    Read { root: path.root, attributes: attributes.collect() }
}

fn set(elements: Vec<Node>) -> Node {
    if elements.iter().all(|element| matches!(element, Node::Constant(_))) {
        let constant = |node| if let Node::Constant(datum) = node { Some(datum) } else { None };
        let data = elements.into_iter().filter_map(constant).collect();
        return Node::Constant(Datum::Set(DatumSet::new(data)));
    }
    Node::Set(elements.into())
}

fn record(fields: BTreeMap<Box<str>, Node>) -> Node {
    if fields.values().all(|field| matches!(field, Node::Constant(_))) {
        let constant = |(name, node)| {
            if let Node::Constant(datum) = node { Some((name, datum)) } else { None }
        };
        let data = fields.into_iter().filter_map(constant).collect();
        return Node::Constant(Datum::Record(DatumRecord::new(data)));
    }
    Node::Record(fields.into_iter().collect())
}

/// A call of constants is its result; one that fails is left to fail when it is run.
fn call(function: Function, arguments: Box<[Node]>) -> Node {
    let constants = arguments.iter().map(|argument| {
        if let Node::Constant(datum) = argument { Some(datum.value()) } else { None }
    });
    let values: Option<Vec<_>> = constants.collect();
    let result = values.and_then(|values| function.call(&values).ok());
    match result.and_then(Datum::scalar) {
        Some(datum) => Node::Constant(datum),
        None => Node::Call(function, arguments),
    }
}
