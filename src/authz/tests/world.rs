//! A tiny world: things with any attributes, and any conditions about them.

use std::collections::BTreeMap;

use proptest::{
    prelude::prop,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    prop_compose,
};

use super::super::{
    Attr, Entity, EvalError, Record, TypeName, Uid, Value,
    load::expr::{EntityName, Expr, How, Kind, Literal, Operator, Path, Relation, Root, TypeWord},
    schema::{Attributes, Declared, Schema, Ty},
};
use crate::IpNet;

/// A value that owns what it is made of. Absent attributes are not there at all.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::authz) enum Data {
    Bool(bool),
    Long(i64),
    Str(String),
    Ip(IpNet),
    Decimal(i64),
    Datetime(i64),
    Duration(i64),
    Name(&'static str, String),
    Thing(Thing),
    Strings(Vec<String>),
    Failed,
}

/// An entity, and a record too.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::authz) struct Thing {
    pub(in crate::authz) kind: &'static str,
    pub(in crate::authz) id: String,
    pub(in crate::authz) attributes: BTreeMap<String, Data>,
    pub(in crate::authz) parents: Vec<(&'static str, String)>,
}

impl Thing {
    pub(in crate::authz) fn new(kind: &'static str, id: &str) -> Self {
        Self { kind, id: id.into(), attributes: BTreeMap::new(), parents: Vec::new() }
    }

    pub(in crate::authz) fn with(mut self, name: &str, data: Data) -> Self {
        self.attributes.insert(name.into(), data);
        self
    }
}

impl Entity for Thing {
    fn type_name(&self) -> TypeName {
        TypeName::new(self.kind)
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn attr(&self, attr: &Attr<'_>) -> Value<'_> {
        match self.attributes.get(attr.name()) {
            None => Value::Missing,
            Some(Data::Bool(value)) => Value::Bool(*value),
            Some(Data::Long(value)) => Value::Long(*value),
            Some(Data::Str(value)) => Value::Str(value),
            Some(Data::Ip(value)) => Value::Ip(*value),
            Some(Data::Decimal(value)) => Value::Decimal(*value),
            Some(Data::Datetime(value)) => Value::Datetime(*value),
            Some(Data::Duration(value)) => Value::Duration(*value),
            Some(Data::Name(kind, id)) => Value::Ref(TypeName::new(kind), id),
            Some(Data::Thing(thing)) => Value::Entity(thing),
            Some(Data::Strings(values)) => Value::Strings(values),
            Some(Data::Failed) => Value::Error(EvalError::Unavailable),
        }
    }

    fn is_in(&self, ancestor: Uid<'_>) -> bool {
        self.parents
            .iter()
            .any(|(k, id)| (TypeName::new(k), &**id) == (ancestor.type_name, ancestor.id))
    }
}

impl Record for Thing {
    fn field(&self, attr: &Attr<'_>) -> Value<'_> {
        self.attr(attr)
    }
}

/// Who, what, under which circumstances; and the roles that are held.
#[derive(Clone, Debug)]
pub(in crate::authz) struct Scene {
    pub(in crate::authz) principal: Thing,
    pub(in crate::authz) resource: Thing,
    pub(in crate::authz) context: Thing,
    pub(in crate::authz) roles: Vec<String>,
}

/// The names of roles in tests, in order.
pub(in crate::authz) const ROLES: [&str; 3] = ["r0", "r1", "r2"];

pub(in crate::authz) fn names() -> impl Strategy<Value = (&'static str, String)> {
    let kinds = prop::sample::select(vec!["User", "Folder"]);
    (kinds, prop::sample::select(vec!["s/a", "s/b"])).prop_map(|(kind, id)| (kind, id.to_owned()))
}

fn nets() -> impl Strategy<Value = IpNet> {
    let nets = ["10.0.0.1", "10.0.0.0/8", "11.0.0.1", "::1", "::/0"];
    prop::sample::select(nets.map(|net| net.parse().unwrap()).to_vec())
}

/// The types of attributes in tests, one for each name, whatever it is an attribute of.
pub(in crate::authz) const TYPES: [(&str, Ty); 20] = [
    ("a", Ty::Long),
    ("b", Ty::Entity(TypeName::new("Folder"))),
    ("c", Ty::Bool),
    ("d", Ty::Str),
    ("e", Ty::Ip),
    ("f", Ty::Datetime),
    ("g", Ty::Strings),
    ("h", Ty::Entity(TypeName::USER)),
    ("folder", Ty::Entity(TypeName::new("Folder"))),
    ("in_shop", Ty::Entity(TypeName::new("Shop"))),
    ("label", Ty::Str),
    ("level", Ty::Long),
    ("limit", Ty::Long),
    ("open", Ty::Bool),
    ("owner", Ty::Entity(TypeName::USER)),
    ("secure", Ty::Bool),
    ("tags", Ty::Strings),
    ("team", Ty::Str),
    ("tenant", Ty::Str),
    ("total", Ty::Long),
];

/// A schema in which every type and the context have all of these attributes.
pub(in crate::authz) fn schema() -> Schema {
    let all = TYPES.map(|(name, ty)| (name.into(), Declared { ty, optional: false }));
    let all = Attributes(all.into());
    let mut schema = Schema::new(["Folder", "Doc"].into_iter()).unwrap();
    for name in ["User", "Folder", "Doc"] {
        schema.declare(TypeName::new(name), all.clone());
    }
    schema.context = all;
    schema
}

/// A value for the attribute, mostly of its type.
fn attribute(name: &'static str, inner: BoxedStrategy<Data>) -> BoxedStrategy<(String, Data)> {
    let right = match name {
        "a" => prop_oneof![6 => -1_i64..2, 1 => Just(i64::MAX), 1 => Just(i64::MIN)]
            .prop_map(Data::Long)
            .boxed(),
        "b" => inner.prop_map(folder).boxed(),
        "c" => any::<bool>().prop_map(Data::Bool).boxed(),
        "d" => prop::sample::select(vec!["x", "y"]).prop_map(|text| Data::Str(text.into())).boxed(),
        "e" => prop_oneof![3 => nets(), 1 => Just("::ffff:10.0.0.1".parse().unwrap())]
            .prop_map(Data::Ip)
            .boxed(),
        "f" => (0_i64..2).prop_map(Data::Datetime).boxed(),
        "g" => texts().prop_map(Data::Strings).boxed(),
        _ => prop::sample::select(vec!["s/a", "s/b"])
            .prop_map(|id| Data::Name("User", id.into()))
            .boxed(),
    };
    prop_oneof![6 => right, 1 => plain()].prop_map(move |data| (name.to_owned(), data)).boxed()
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::sample::select(vec!["x", "y", "xy"]).prop_map(String::from), 0..4)
}

fn folder(data: Data) -> Data {
    if let Data::Name(_, id) = data {
        Data::Name("Folder", id)
    } else if let Data::Thing(thing) = data {
        Data::Thing(Thing { kind: "Folder", ..thing })
    } else {
        data
    }
}

fn plain() -> BoxedStrategy<Data> {
    prop_oneof![
        any::<bool>().prop_map(Data::Bool),
        (-1_i64..2).prop_map(Data::Long),
        prop::sample::select(vec!["x", "y"]).prop_map(|text| Data::Str(text.into())),
        nets().prop_map(Data::Ip),
        (0_i64..2).prop_map(Data::Datetime),
        names().prop_map(|(kind, id)| Data::Name(kind, id)),
        Just(Data::Strings(vec!["x".into()])),
        Just(Data::Failed),
    ]
    .boxed()
}

prop_compose! {
    fn thing_of(inner: BoxedStrategy<Data>)(
        name in names(),
        attributes in ["a", "b", "c", "d", "e", "f", "g", "h"]
            .map(|name| prop::option::weighted(0.8, attribute(name, inner.clone()))),
        parents in prop::collection::vec(names(), 0..2),
    ) -> Thing {
        let attributes = attributes.into_iter().flatten().collect();
        Thing { kind: name.0, id: name.1, attributes, parents }
    }
}

pub(in crate::authz) fn things() -> impl Strategy<Value = Thing> {
    let name = || names().prop_map(|(kind, id)| Data::Name(kind, id)).boxed();
    let inner = prop_oneof![1 => name(), 2 => thing_of(name()).prop_map(Data::Thing)];
    thing_of(inner.boxed())
}

prop_compose! {
    pub(in crate::authz) fn scenes()(
        principal in things().prop_map(caller),
        resource in things(),
        context in things(),
        roles in prop::sample::subsequence(ROLES.map(str::to_owned).to_vec(), 0..=3),
    ) -> Scene {
        Scene { principal, resource, context, roles }
    }
}

/// Nobody who asks is of a type that the document declares for resources.
fn caller(thing: Thing) -> Thing {
    let kind = if thing.kind == "User" { "User" } else { "Robot" };
    Thing { kind, ..thing }
}

fn at(kind: Kind) -> Expr {
    Expr { kind, at: 0 }
}

fn paths() -> impl Strategy<Value = Path> {
    let roots = prop::sample::select(vec![Root::Principal, Root::Resource, Root::Context]);
    let names = prop::sample::select(vec!["a", "b", "c", "d", "e", "f", "g", "h", "secure"]);
    // Only a folder has attributes of its own.
    (roots, 0_usize..3, prop::option::of(names)).prop_map(|(root, depth, last)| {
        let names = std::iter::repeat_n("b", if last.is_some() { depth / 2 } else { depth });
        Path { root, attributes: names.chain(last).map(Box::from).collect() }
    })
}

fn is_owner(path: &Path) -> bool {
    path.attributes.last().is_none_or(|last| ["b", "h"].contains(&&**last))
}

fn entity(kind: &str, id: &str) -> Literal {
    Literal::Entity(EntityName { kind: kind.into(), type_name: TypeName::new(kind), id: id.into() })
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<bool>().prop_map(Literal::Bool),
        (-1_i64..2).prop_map(Literal::Long),
        prop::sample::select(vec!["x", "y"]).prop_map(|text| Literal::Str(text.into())),
        nets().prop_map(Literal::Ip),
        names().prop_map(|(kind, id)| entity(kind, &id)),
    ]
}

fn values() -> impl Strategy<Value = Expr> {
    prop_oneof![3 => paths().prop_map(Kind::Path), 1 => literals().prop_map(Kind::Literal)]
        .prop_map(at)
}

fn relations() -> impl Strategy<Value = Relation> {
    prop::sample::select(vec![
        Relation::Equal,
        Relation::Less,
        Relation::AtMost,
        Relation::More,
        Relation::AtLeast,
    ])
}

/// Strategies for parts of conditions, each of its type.
#[derive(Clone)]
struct Typed {
    truths: BoxedStrategy<Expr>,
    longs: BoxedStrategy<Expr>,
    texts: BoxedStrategy<Expr>,
    users: BoxedStrategy<Expr>,
    /// Of texts.
    sets: BoxedStrategy<Expr>,
    records: BoxedStrategy<Expr>,
}

fn path_to(name: &'static str) -> BoxedStrategy<Expr> {
    let roots = prop::sample::select(vec![Root::Principal, Root::Resource, Root::Context]);
    let path = move |root| at(Kind::Path(Path { root, attributes: vec![name.into()] }));
    roots.prop_map(path).boxed()
}

fn written(literal: impl Strategy<Value = Literal> + 'static) -> BoxedStrategy<Expr> {
    literal.prop_map(|literal| at(Kind::Literal(literal))).boxed()
}

fn listed(element: &BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    prop::collection::vec(element.clone(), 0..4).prop_map(|all| at(Kind::Set(all))).boxed()
}

fn pair(
    one: BoxedStrategy<Expr>,
    other: BoxedStrategy<Expr>,
) -> impl Strategy<Value = (Box<Expr>, Box<Expr>)> + Clone {
    (one, other).prop_map(|(one, other)| (one.into(), other.into()))
}

/// Values alone, without any operator.
fn simple() -> Typed {
    let numbers = prop_oneof![4 => -2_i64..3, 1 => Just(i64::MAX), 1 => Just(i64::MIN)];
    let texts = prop::sample::select(vec!["", "x", "y", "xy", "x*y"]);
    let users = prop::sample::select(vec!["s/a", "s/b"]).prop_map(|id| entity("User", id));
    let caller = Path { root: Root::Principal, attributes: Vec::new() };
    let caller = Just(at(Kind::Path(caller)));
    let texts = written(texts.prop_map(|text| Literal::Str(text.into())));
    let texts = prop_oneof![path_to("d"), texts].boxed();
    let longs = prop_oneof![path_to("a"), written(numbers.prop_map(Literal::Long))].boxed();
    let sets = prop_oneof![path_to("g"), listed(&texts)].boxed();
    Typed {
        truths: prop_oneof![path_to("c"), written(any::<bool>().prop_map(Literal::Bool))].boxed(),
        users: prop_oneof![3 => path_to("h"), 1 => written(users), 1 => caller].boxed(),
        records: record(longs.clone(), sets.clone()),
        longs,
        texts,
        sets,
    }
}

fn record(longs: BoxedStrategy<Expr>, sets: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let fields = |(a, g)| at(Kind::Record([("a".into(), a), ("g".into(), g)].into()));
    (longs, sets).prop_map(fields).boxed()
}

/// With operators over what is given.
fn typed(inner: &Typed) -> Typed {
    let choice = |values: &BoxedStrategy<Expr>| {
        (inner.truths.clone(), values.clone(), values.clone())
            .prop_map(|(condition, one, other)| at(Kind::If([condition, one, other].into())))
            .boxed()
    };
    let field = |name: &'static str, plain: &BoxedStrategy<Expr>| {
        let owners = prop_oneof![inner.records.clone(), choice(&inner.records)];
        let field = owners.prop_map(move |of| Expr::field(of, [name.into()]));
        prop_oneof![2 => plain.clone(), 1 => field].boxed()
    };
    let operators = [Operator::Add, Operator::Subtract, Operator::Multiply].to_vec();
    let sums = (prop::sample::select(operators), pair(inner.longs.clone(), inner.longs.clone()))
        .prop_map(|(operator, (l, r))| at(Kind::Arithmetic(operator, l, r)));
    let negated = inner.longs.clone().prop_map(|long| at(Kind::Negated(long.into())));
    let longs = prop_oneof![field("a", &inner.longs), sums, negated, choice(&inner.longs)].boxed();
    let sets = prop_oneof![field("g", &inner.sets), listed(&inner.texts), choice(&inner.sets)];
    let sets = sets.boxed();
    Typed {
        truths: typed_truths(inner),
        texts: prop_oneof![inner.texts.clone(), choice(&inner.texts)].boxed(),
        users: prop_oneof![3 => inner.users.clone(), 1 => choice(&inner.users)].boxed(),
        records: record(longs.clone(), sets.clone()),
        longs,
        sets,
    }
}

fn typed_truths(inner: &Typed) -> BoxedStrategy<Expr> {
    let Typed { truths, longs, texts, users, sets, records } = inner.clone();
    let how = |set: &BoxedStrategy<Expr>, element: &BoxedStrategy<Expr>| {
        let both = prop::sample::select(vec![How::All, How::Any]);
        prop_oneof![
            (Just(How::Element), set.clone(), element.clone()),
            (both, set.clone(), set.clone()),
        ]
        .prop_map(|(how, set, asked)| Kind::Contains(how, set.into(), asked.into()))
    };
    let equal = |values: &BoxedStrategy<Expr>| {
        let equal = |(l, r)| Kind::Compare(Relation::Equal, l, r);
        pair(values.clone(), values.clone()).prop_map(equal)
    };
    let pieces = prop::sample::select(vec!["", "", "x", "y", "*"]).prop_map(Box::from);
    let pieces = prop::collection::vec(pieces, 1..4);
    let word = || prop::sample::select(vec!["User", "Folder"]);
    let word = move || word().prop_map(|text| TypeWord { text: text.into(), at: 0 });
    let within = prop_oneof![users.clone(), listed(&users)];
    let roles = prop::collection::vec(prop::sample::select(ROLES.to_vec()), 0..3);
    prop_oneof![
        1 => truths.clone().prop_map(|truth| truth.kind),
        2 => (relations(), pair(longs.clone(), longs.clone()))
            .prop_map(|(relation, (l, r))| Kind::Compare(relation, l, r)),
        2 => prop_oneof![equal(&texts), equal(&sets), equal(&records), equal(&listed(&sets))],
        2 => prop_oneof![how(&sets, &texts), how(&listed(&longs), &longs)],
        1 => prop_oneof![how(&listed(&sets), &sets), how(&listed(&records), &records)],
        1 => sets.prop_map(|set| Kind::IsEmpty(set.into())),
        2 => (texts, pieces).prop_map(|(text, pieces)| Kind::Like(text.into(), pieces.into())),
        2 => (users.clone(), word(), prop::option::of(within.clone())).prop_map(
            |(user, word, within)| Kind::Is(user.into(), word, within.map(Box::new))
        ),
        1 => (users, within).prop_map(|(user, within)| Kind::In(user.into(), within.into())),
        1 => roles.prop_map(|roles| {
            let principal = Path { root: Root::Principal, attributes: Vec::new() };
            let roles = roles.into_iter().map(|role| at(Kind::Literal(entity("Role", role))));
            let roles = at(Kind::Set(roles.collect()));
            Kind::In(at(Kind::Path(principal)).into(), roles.into())
        }),
        1 => (records, prop::sample::select(vec!["a", "b"]))
            .prop_map(|(record, name)| Kind::Has(record.into(), name.into())),
        1 => prop::collection::vec(truths.clone(), 2..4).prop_map(Kind::And),
        1 => prop::collection::vec(truths.clone(), 2..4).prop_map(Kind::Or),
        1 => truths.clone().prop_map(|truth| Kind::Not(truth.into())),
        1 => (truths.clone(), truths.clone(), truths)
            .prop_map(|(condition, one, other)| Kind::If([condition, one, other].into())),
    ]
    .prop_map(at)
    .boxed()
}

/// Conditions of every operator over values of the right types.
pub(in crate::authz) fn typed_conditions() -> impl Strategy<Value = Expr> {
    let shallow = typed(&simple());
    prop_oneof![1 => shallow.truths.clone(), 2 => typed(&shallow).truths]
}

/// Any condition, whatever types it mixes up.
pub(in crate::authz) fn conditions() -> impl Strategy<Value = Expr> {
    prop_oneof![mixed_conditions(), typed_conditions()]
}

fn mixed_conditions() -> impl Strategy<Value = Expr> {
    let pair = || (values().prop_map(Box::new), values().prop_map(Box::new));
    let is_set = |expr: &Expr| matches!(&expr.kind, Kind::Path(path) if path.attributes.last().is_some_and(|n| **n == *"g"));
    let alike = || {
        pair().prop_filter("sets are compared with sets", move |(left, right)| {
            is_set(left) == is_set(right)
        })
    };
    let roles = prop::sample::select(ROLES.to_vec());
    let principal = || Path { root: Root::Principal, attributes: Vec::new() };
    let leaf = prop_oneof![
        simple().truths.prop_map(|truth| truth.kind),
        (paths(), prop::sample::select(vec!["a", "b", "c"])).prop_filter_map(
            "only entities and the context have attributes",
            |(path, name)| {
                is_owner(&path).then(|| Kind::Has(at(Kind::Path(path)).into(), name.into()))
            },
        ),
        (relations(), alike()).prop_map(|(r, (left, right))| Kind::Compare(r, left, right)),
        alike().prop_map(|(left, right)| Kind::Differs(left, right)),
        pair().prop_map(|(left, right)| Kind::In(left, right)),
        pair().prop_map(|(left, right)| Kind::InRange(left, right)),
        roles.prop_map(move |role| {
            let role = at(Kind::Literal(entity("Role", role)));
            Kind::In(at(Kind::Path(principal())).into(), role.into())
        }),
    ];
    leaf.prop_map(at).prop_recursive(4, 24, 3, |inner| {
        let pair = (inner.clone().prop_map(Box::new), inner.clone().prop_map(Box::new));
        prop_oneof![
            inner.clone().prop_map(|inner| Kind::Not(inner.into())),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Kind::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Kind::Or),
            pair.clone().prop_map(|(l, r)| Kind::Compare(Relation::Equal, l, r)),
            pair.prop_map(|(left, right)| Kind::Differs(left, right)),
        ]
        .prop_map(at)
    })
}
