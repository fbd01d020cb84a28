//! Reads what a document declares: resources with attributes and actions, principal, context.

use serde::de::IgnoredAny;

use super::{
    document::{Document, Named, Resource},
    error::{Place, Problems, hint},
    expr::RESERVED,
};
use crate::authz::{
    TypeName,
    names::{Names, nearest},
    schema::{Attributes, BUILT_IN, PRINCIPALS, Schema},
};

/// The declared names.
pub(in crate::authz) struct Declarations {
    pub(in crate::authz) schema: Schema,
    pub(in crate::authz) actions: Names,
    /// For each action, the type that it belongs to.
    pub(in crate::authz) resources: Vec<TypeName>,
}

/// More actions, roles, scopes or types than this are refused, of each.
pub(in crate::authz) const MAX_NAMES: usize = 10_000;

pub(in crate::authz) fn declare(document: &Document, problems: &mut Problems) -> Declarations {
    let root = Place::default();
    let fields = ["resources", "principal", "context", "roles", "scopes", "rule"];
    unknown_fields(&document.unknown, &root, &fields, problems);
    let mut schema = types(document, problems);
    for (name, resource) in &document.resources.0 {
        let place = root.key("resources").key(name);
        unknown_fields(&resource.unknown, &place, &["attributes", "actions"], problems);
        if resource.attributes.is_none() && resource.actions.is_empty() {
            problems.add(&place, || {
                format!("`{name}` has neither attributes nor actions; `attributes = {{}}` says so")
            });
        }
        let none = Named::default();
        let listed = resource.attributes.as_ref().unwrap_or(&none);
        let attributes = attributes(listed, &place.key("attributes"), &schema, problems);
        schema.declare(TypeName::new(name), attributes);
    }
    let place = root.key("principal");
    unknown_fields(&document.principal.unknown, &place, &["attributes"], problems);
    let listed = &document.principal.attributes;
    let principal = attributes(listed, &place.key("attributes"), &schema, problems);
    PRINCIPALS.iter().for_each(|(_, kind)| schema.declare(*kind, principal.clone()));
    schema.context = context(&document.context, &schema, problems);
    let (actions, resources) = actions(&document.resources, problems);
    Declarations { schema, actions, resources }
}

/// Fields that nobody reads would be rules that nobody follows.
pub(in crate::authz) fn unknown_fields(
    unknown: &Named<IgnoredAny>,
    place: &Place,
    fields: &[&str],
    problems: &mut Problems,
) {
    for name in unknown.0.keys() {
        problems.add(&place.key(name), || {
            format!("no field `{name}`{}", hint(nearest(name, fields.iter().copied())))
        });
    }
}

fn types(document: &Document, problems: &mut Problems) -> Schema {
    let place = Place::default().key("resources");
    if document.resources.0.is_empty() {
        problems.add(&place, || "a document declares at least one resource type".to_owned());
    }
    if document.resources.0.len() > MAX_NAMES {
        problems.add(&place, || format!("at most {MAX_NAMES} resource types"));
    }
    let words = Schema::default();
    let mut names: Vec<&str> = Vec::new();
    for name in document.resources.0.keys() {
        let place = place.key(name);
        let taken = ["User", "Service", "Device", "Role", "Action"].contains(&&**name)
            || words.declared(name).is_some();
        if taken {
            problems.add(&place, || format!("`{name}` already means something else"));
        } else if !is_identifier(name) || RESERVED.contains(&&**name) {
            problems.add(&place, || format!("`{name}` cannot name a type"));
        } else {
            names.push(name);
        }
    }
    Schema::new(names.into_iter()).unwrap_or_else(|(one, other)| {
        problems.add(&place, || {
            format!("`{one}` and `{other}` have the same number; rename one of them")
        });
        words
    })
}

fn attributes(
    listed: &Named<String>,
    place: &Place,
    schema: &Schema,
    problems: &mut Problems,
) -> Attributes {
    let mut attributes = Attributes::default();
    for (name, word) in &listed.0 {
        let place = place.key(name);
        if !is_identifier(name) || RESERVED.contains(&&**name) {
            problems.add(&place, || format!("`{name}` cannot name an attribute"));
        } else if let Some(declared) = schema.declared(word) {
            attributes.0.insert(name.clone(), declared);
        } else {
            let plain = word.strip_suffix('?').unwrap_or(word);
            let meant = || hint(nearest(plain, schema.words()));
            problems.add(&place, || format!("no type `{word}`{}", meant()));
        }
    }
    attributes
}

/// The declared members and the built-in ones. Declaring a built-in one as always there makes
/// its absence an error of the evaluation; its type is fixed.
fn context(listed: &Named<String>, schema: &Schema, problems: &mut Problems) -> Attributes {
    let place = Place::default().key("context");
    let mut members = attributes(listed, &place, schema, problems);
    for (name, built_in) in BUILT_IN {
        let declared = *members.0.entry(name.into()).or_insert(built_in);
        if declared.ty != built_in.ty {
            problems.add(&place.key(name), || {
                format!("`{name}` is built in and is `{}`", schema.ty(built_in.ty))
            });
        }
    }
    members
}

/// All actions in order, each with the one type that it belongs to.
fn actions(resources: &Named<Resource>, problems: &mut Problems) -> (Names, Vec<TypeName>) {
    let mut owners = std::collections::BTreeMap::<&str, &str>::new();
    for (resource, part) in &resources.0 {
        let place = Place::default().key("resources").key(resource).key("actions");
        for (position, action) in part.actions.iter().enumerate() {
            let place = place.position(position);
            if !is_name(action) || action.contains(['*', ' ']) {
                problems.add(&place, || format!("{action:?} cannot name an action"));
            } else if let Some(owner) = owners.insert(action, resource) {
                problems.add(&place, || format!("`{action}` already belongs to `{owner}`"));
            }
        }
    }
    if owners.len() > MAX_NAMES {
        let place = Place::default().key("resources");
        problems.add(&place, || format!("at most {MAX_NAMES} actions"));
    }
    (Names::new(owners.keys().copied()), owners.values().map(|o| TypeName::new(o)).collect())
}

/// What may name an action, a role or a scope.
pub(in crate::authz) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && !text.contains(char::is_control)
}

/// What may name an attribute or a type. Two underscores at the start mean something else to
/// Cedar, and in its JSON.
pub(in crate::authz) fn is_identifier(text: &str) -> bool {
    text.len() <= 128
        && !text.starts_with("__")
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
