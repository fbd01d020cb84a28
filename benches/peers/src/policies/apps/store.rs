//! Entities as Cedar's JSON.

use serde_json::{Value, json};

use crate::policies::random::Random;

/// The chance of a link, in a hundred.
const LINK: usize = 5;

#[derive(Default)]
pub(super) struct Store(Vec<Value>);

impl Store {
    pub(super) fn add(&mut self, uid: &Value, attributes: Value, parents: &[Value]) {
        self.0.push(json!({ "uid": uid, "attrs": attributes, "parents": parents }));
    }

    pub(super) fn json(&self) -> String {
        Value::from(self.0.clone()).to_string()
    }
}

pub(super) fn uid(kind: &str, id: &str) -> Value {
    json!({ "type": kind, "id": id })
}

/// What an attribute says that is an entity.
pub(super) fn reference(uid: &Value) -> Value {
    json!({ "__entity": uid })
}

/// `kind::"prefix0"` and so on.
pub(super) fn uids(kind: &str, prefix: &str, n: usize) -> Vec<Value> {
    (0..n).map(|nth| uid(kind, &format!("{prefix}{nth}"))).collect()
}

/// Each with the chance of a link.
pub(super) fn some(random: &mut Random, of: &[Value]) -> Vec<Value> {
    of.iter().filter(|_| random.percent(LINK)).cloned().collect()
}

/// Of those before the `nth`, each with the chance of a link: so that no circle arises.
pub(super) fn some_before(random: &mut Random, of: &[Value], nth: usize) -> Vec<Value> {
    some(random, of.get(..nth).unwrap_or_default())
}

pub(super) fn one(random: &mut Random, of: &[Value]) -> Value {
    of.get(random.below(of.len())).cloned().unwrap_or_default()
}

pub(super) fn references(uids: &[Value]) -> Value {
    uids.iter().map(reference).collect()
}
