//! A tiny world in Cedar's JSON, in which values are missing or of the wrong type now and then.

use portcullis_differential::Choices;
use serde_json::{Map, Value, json};

use crate::Question;

pub(crate) const ENTITIES: [(&str, &str); 8] = [
    ("User", "a"),
    ("User", "b"),
    ("NS::Team", "t"),
    ("NS::Team", "u"),
    ("Doc", "1"),
    ("Doc", "2"),
    ("Role", "clerk"),
    ("Ghost", "*\n\u{e9}"),
];

/// Attributes and tags, and members of the context.
pub(crate) const NAMES: [&str; 11] =
    ["flag", "n", "m", "s", "set", "rec", "own", "ip", "at", "span", "a b"];

pub(crate) struct World {
    pub(crate) entities: String,
}

impl World {
    pub(crate) fn new(choices: &mut Choices) -> Self {
        let mut entities = Vec::new();
        for (number, (kind, id)) in ENTITIES.iter().enumerate() {
            if choices.chance(10) || *kind == "Ghost" {
                continue;
            }
            // Only those behind it, so that none lies in itself.
            let parents = choices.some(&ENTITIES[number + 1..], 30);
            let parents: Vec<Value> = parents.into_iter().map(uid).collect();
            entities.push(json!({
                "uid": { "type": kind, "id": id },
                "attrs": record(choices, 70),
                "tags": record(choices, 40),
                "parents": parents,
            }));
        }
        for (action, groups) in
            [("read", &["any"][..]), ("write", &["any", "change"]), ("any", &[])]
        {
            let parents: Vec<_> = groups.iter().map(|group| uid(("Action", group))).collect();
            entities
                .push(json!({ "uid": uid(("Action", action)), "attrs": {}, "parents": parents }));
        }
        Self { entities: Value::from(entities).to_string() }
    }

    pub(crate) fn question(&self, choices: &mut Choices) -> Question {
        Question {
            principal: choices.pick(&ENTITIES),
            action: choices.pick(&["read", "write", "any"]),
            resource: choices.pick(&ENTITIES),
            context: record(choices, 70).to_string(),
        }
    }
}

fn uid((kind, id): (&str, &str)) -> Value {
    json!({ "type": kind, "id": id })
}

fn record(choices: &mut Choices, percent: usize) -> Value {
    let mut fields = Map::new();
    for name in NAMES {
        if choices.chance(percent) {
            fields.insert(name.to_owned(), field(choices, name));
        }
    }
    fields.into()
}

/// A value of the name's usual type, or of any.
fn field(choices: &mut Choices, name: &str) -> Value {
    let name = if choices.chance(10) { choices.pick(&NAMES) } else { name };
    match name {
        "flag" => choices.chance(50).into(),
        "n" | "m" => choices.pick(&[0, 1, 2, -1, i64::MAX, i64::MIN]).into(),
        "s" => choices.pick(&["", "a", "ab", "a*b", "\u{e9}", "1.5"]).into(),
        "set" => (0..choices.below(4)).map(|_| simple(choices)).collect(),
        "rec" => json!({ "n": simple(choices), "rec": { "a b": simple(choices) } }),
        "own" => json!({ "__entity": uid(choices.pick(&ENTITIES)) }),
        "ip" => extension("ip", choices.pick(&IPS)),
        "at" => extension("datetime", choices.pick(&MOMENTS)),
        "span" => extension("duration", choices.pick(&SPANS)),
        _ => extension("decimal", choices.pick(&DECIMALS)),
    }
}

pub(crate) const IPS: [&str; 6] =
    ["10.0.0.7", "10.0.0.0/8", "::1", "::ffff:a00:7", "127.0.0.1", "ff00::/7"];
pub(crate) const MOMENTS: [&str; 5] = [
    "2024-02-29",
    "1969-12-31T23:59:59.999Z",
    "0000-01-01",
    "2024-10-15T11:35:00+0130",
    "9999-12-31T23:59:59Z",
];
pub(crate) const SPANS: [&str; 5] =
    ["1d", "-1d2h3m4s5ms", "0ms", "-9223372036854775808ms", "9223372036854775807ms"];
pub(crate) const DECIMALS: [&str; 5] =
    ["1.5", "1.5000", "-0.1", "922337203685477.5807", "-922337203685477.5808"];

fn extension(function: &str, argument: &str) -> Value {
    json!({ "__extn": { "fn": function, "arg": argument } })
}

fn simple(choices: &mut Choices) -> Value {
    let name = choices.pick(&["flag", "n", "n", "s", "s", "own", "ip"]);
    field(choices, name)
}
