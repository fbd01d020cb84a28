//! Whom a request is counted as.

use std::hash::{Hash, Hasher};

use crate::{
    IpNet, Principal, Reason, Refusal,
    gate::{limit::By, visit::Visit},
    limit::client_key,
    principal::Attribute,
};

/// What a request is counted by. All keys of one limit are of one kind.
pub(super) struct Key<'a> {
    pub(super) line: Option<usize>,
    pub(super) who: Who<'a>,
}

pub(super) enum Who<'a> {
    Anybody,
    Client(IpNet),
    Principal(&'a str),
    /// Of a realm.
    Credential(&'a str, &'a str),
    /// Of a realm.
    Attribute(&'a str, Option<Value<'a>>),
}

#[derive(Hash)]
pub(super) enum Value<'a> {
    Bool(bool),
    Long(i64),
    Str(&'a str),
    Strings(&'a [String]),
}

/// Only what tells the keys of one limit apart: two of different form differ in length.
impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(line) = self.line {
            line.hash(state);
        }
        match &self.who {
            Who::Anybody => {}
            Who::Client(net) => net.hash(state),
            Who::Principal(id) => id.hash(state),
            Who::Credential(realm, id) => (realm, id).hash(state),
            Who::Attribute(realm, value) => (realm, value).hash(state),
        }
    }
}

impl<'a> From<Attribute<'a>> for Value<'a> {
    fn from(attribute: Attribute<'a>) -> Self {
        match attribute {
            Attribute::Bool(it) => Self::Bool(it),
            Attribute::Long(it) => Self::Long(it),
            Attribute::Str(it) => Self::Str(it),
            Attribute::Strings(it) => Self::Strings(it),
        }
    }
}

impl<'a> Who<'a> {
    /// `None` where nobody is known who could be counted.
    pub(super) fn of(
        by: &By,
        visit: &Visit,
        principal: Option<&'a Principal>,
    ) -> Result<Option<Self>, Refusal> {
        Ok(match by {
            By::Client => {
                Some(Self::Client(client_key(visit.client.ok_or(Reason::AddressUnknown)?)))
            }
            By::Route => Some(Self::Anybody),
            By::Principal => principal.map(|it| Self::Principal(it.id())),
            By::Credential => principal.map(|it| match it.credential_id() {
                Some(id) => Self::Credential(it.realm(), id),
                None => Self::Principal(it.id()),
            }),
            By::Attribute(name) => {
                principal.map(|it| Self::Attribute(it.realm(), it.attribute(name).map(Value::from)))
            }
        })
    }
}
