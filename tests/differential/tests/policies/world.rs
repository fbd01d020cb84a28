//! Entities that agree with each other, with values missing, wrong, or known by name only.

use std::collections::BTreeMap;

use portcullis::{
    IpNet,
    authz::{Attr, Entity, EvalError, Record, TypeName, Uid, Value},
};
use portcullis_differential::Choices;

#[derive(Clone, Debug)]
pub(crate) enum Data {
    Bool(bool),
    Long(i64),
    Str(String),
    Strings(Vec<String>),
    Ip(IpNet),
    Decimal(i64),
    Datetime(i64),
    Duration(i64),
    Name(&'static str, String),
    Thing(Thing),
    Failed,
}

/// An entity, and the application's own context too.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    attributes: BTreeMap<&'static str, Data>,
    /// Everything that it lies in.
    above: Vec<(&'static str, String)>,
}

pub(crate) struct World {
    pub(crate) principal: Thing,
    pub(crate) doc: Thing,
    pub(crate) folders: Vec<Thing>,
    pub(crate) context: Thing,
}

impl World {
    pub(crate) fn new(choices: &mut Choices) -> Self {
        let mut users = Vec::new();
        for id in ["s/a", "s/b"] {
            let mut user = Thing::new("User", id);
            user.put(choices, "level", long);
            user.put(choices, "team", text);
            user.file_into(choices, &Thing::new("Folder", "f0"));
            users.push(user);
        }
        let mut folders: Vec<Thing> = Vec::new();
        for id in ["f0", "f1", "f2"] {
            let mut folder = Thing::new("Folder", id);
            folder.put(choices, "level", long);
            folder.owned_by(choices, &users);
            if let Some(up) = link(choices, &folders) {
                folder.file_into(choices, &up);
                folder.attributes.insert("up", shown(choices, up));
            }
            folders.push(folder);
        }
        // No condition reads the home of anybody else.
        let mut principal = users[0].clone();
        if let Some(home) = link(choices, &folders) {
            principal.attributes.insert("home", shown(choices, home));
        }
        let doc = doc(choices, &folders, &users);
        let mut context = Thing::new("Context", "");
        context.put(choices, "tenant", text);
        context.put(choices, "limit", long);
        if let Some(about) = link(choices, &folders) {
            let about = shown(choices, about);
            context.attributes.insert("about", about);
        }
        Self { principal, doc, folders, context }
    }
}

fn doc(choices: &mut Choices, folders: &[Thing], users: &[Thing]) -> Thing {
    let mut doc = Thing::new("Doc", choices.pick(&["d0", "d1"]));
    doc.owned_by(choices, users);
    doc.put(choices, "level", long);
    doc.put(choices, "label", text);
    doc.put(choices, "tags", |choices| Data::Strings(texts(choices)));
    doc.put(choices, "open", |choices| Data::Bool(choices.chance(50)));
    doc.put(choices, "net", |choices| Data::Ip(net(choices)));
    doc.put(choices, "placed", |choices| Data::Datetime(moment(choices)));
    doc.put(choices, "changed", |choices| Data::Datetime(moment(choices)));
    doc.put(choices, "span", |choices| Data::Duration(moment(choices)));
    doc.put(choices, "price", |choices| Data::Decimal(moment(choices)));
    doc.put(choices, "cost", |choices| Data::Decimal(moment(choices)));
    if choices.chance(50) {
        doc.put(choices, "note", text);
    }
    if let Some(folder) = link(choices, folders) {
        doc.file_into(choices, &folder);
        doc.attributes.insert("folder", shown(choices, folder));
    }
    doc
}

fn link(choices: &mut Choices, among: &[Thing]) -> Option<Thing> {
    (!among.is_empty() && choices.chance(85)).then(|| among[choices.below(among.len())].clone())
}

/// The thing itself, or its name.
fn shown(choices: &mut Choices, thing: Thing) -> Data {
    if choices.chance(75) { Data::Thing(thing) } else { Data::Name(thing.kind, thing.id) }
}

fn long(choices: &mut Choices) -> Data {
    Data::Long(if choices.chance(5) {
        choices.pick(&[i64::MIN, i64::MAX])
    } else {
        choices.pick(&[0, 1, 2, -1])
    })
}

fn text(choices: &mut Choices) -> Data {
    Data::Str(choices.pick(&["x", "y", "x*y", "\"\\\n\u{301}\u{1f600}"]).to_owned())
}

fn texts(choices: &mut Choices) -> Vec<String> {
    choices.some(&["x", "y", "x", "z"], 40).into_iter().map(str::to_owned).collect()
}

pub(crate) fn net(choices: &mut Choices) -> IpNet {
    let nets = ["10.0.0.1", "10.0.0.7/8", "11.0.0.1", "::ffff:10.0.0.1", "::1", "2001:db8::/32"];
    choices.pick(&nets).parse().unwrap()
}

fn moment(choices: &mut Choices) -> i64 {
    choices.pick(&[0, 1, -1, 86_400_000, i64::MAX, i64::MIN])
}

impl Thing {
    fn new(kind: &'static str, id: &str) -> Self {
        Self { kind, id: id.to_owned(), attributes: BTreeMap::new(), above: Vec::new() }
    }

    /// Mostly the value; sometimes none, or one that cannot be told to Cedar.
    fn put(&mut self, choices: &mut Choices, name: &'static str, value: fn(&mut Choices) -> Data) {
        if choices.chance(90) {
            let broken = choices.chance(2);
            let unfit =
                if choices.chance(50) { Data::Failed } else { Data::Name("Doc", "d9".into()) };
            let value = if broken { unfit } else { value(choices) };
            self.attributes.insert(name, value);
        }
    }

    fn owned_by(&mut self, choices: &mut Choices, users: &[Thing]) {
        if let Some(owner) = link(choices, users) {
            self.attributes.insert("owner", shown(choices, owner));
        }
    }

    fn file_into(&mut self, choices: &mut Choices, above: &Thing) {
        if choices.chance(60) {
            self.above.push((above.kind, above.id.clone()));
            self.above.extend(above.above.iter().cloned());
        }
    }

    fn value(&self, name: &str) -> Value<'_> {
        match self.attributes.get(name) {
            None => Value::Missing,
            Some(Data::Bool(value)) => Value::Bool(*value),
            Some(Data::Long(value)) => Value::Long(*value),
            Some(Data::Str(value)) => Value::Str(value),
            Some(Data::Strings(values)) => Value::Strings(values),
            Some(Data::Ip(value)) => Value::Ip(*value),
            Some(Data::Decimal(value)) => Value::Decimal(*value),
            Some(Data::Datetime(value)) => Value::Datetime(*value),
            Some(Data::Duration(value)) => Value::Duration(*value),
            Some(Data::Name(kind, id)) => Value::Ref(TypeName::new(kind), id),
            Some(Data::Thing(thing)) => Value::Entity(thing),
            Some(Data::Failed) => Value::Error(EvalError::Unavailable),
        }
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
        self.value(attr.name())
    }

    fn is_in(&self, ancestor: Uid<'_>) -> bool {
        let above = |(kind, id): &(&str, String)| {
            (TypeName::new(kind), id.as_str()) == (ancestor.type_name, ancestor.id)
        };
        self.above.iter().any(above)
    }
}

impl Record for Thing {
    fn field(&self, attr: &Attr<'_>) -> Value<'_> {
        self.value(attr.name())
    }
}
