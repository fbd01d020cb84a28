//! The types of conditions: what cannot be true of any request does not load.

use std::{borrow::Cow, collections::BTreeSet, rc::Rc};

use super::{
    error::hint,
    expr::{EntityName, Expr, Kind, Literal, Path, Relation, Root},
    grants::unknown_role,
};
use crate::authz::{
    names::{Names, nearest},
    schema::{Declared, PRINCIPALS, Schema, Ty},
};

/// What a condition is checked against.
pub(in crate::authz) struct Checker<'a> {
    pub(in crate::authz) schema: &'a Schema,
    pub(in crate::authz) roles: &'a Names,
    /// The type of `resource`.
    pub(in crate::authz) resource: Ty,
    /// What is wrong, and at which byte of the text.
    pub(in crate::authz) errors: &'a mut BTreeSet<(usize, String)>,
}

/// The paths that are known to be present where a condition is true.
type Present = BTreeSet<Rc<Path>>;

impl Checker<'_> {
    /// Checks a whole condition; `present` is known before it, and what it adds is kept there.
    pub(in crate::authz) fn condition(&mut self, expr: &Expr, present: &mut Present) {
        let gained = self.truth(expr, present);
        present.extend(gained);
    }

    /// A part that must be true or false.
    fn truth(&mut self, expr: &Expr, present: &Present) -> Present {
        match &expr.kind {
            Kind::Not(inner) => {
                self.truth(inner, present);
                Present::new()
            }
            Kind::And(parts) => {
                // What is known is copied only where a part adds to it.
                let mut known = Cow::Borrowed(present);
                let mut all = Present::new();
                for part in parts {
                    let gained = self.truth(part, &known);
                    if !gained.is_empty() {
                        known.to_mut().extend(gained.iter().cloned());
                        all.extend(gained);
                    }
                }
                all
            }
            Kind::Or(parts) => {
                let gained = parts.iter().map(|part| self.truth(part, present));
                gained.reduce(|all, gained| &all & &gained).unwrap_or_default()
            }
            Kind::Has(path, name) => self.has(expr.at, path, name, present),
            Kind::Literal(_)
            | Kind::Path(_)
            | Kind::Compare(..)
            | Kind::Differs(..)
            | Kind::In(..)
            | Kind::InRange(..) => {
                if let Some(ty) = self.value(expr, present)
                    && ty != Ty::Bool
                {
                    let word = self.schema.ty(ty);
                    self.error(expr.at, format!("`{expr}` is {word}, a condition is bool"));
                }
                Present::new()
            }
        }
    }

    /// The type of a part, unless something in it is wrong.
    fn value(&mut self, expr: &Expr, present: &Present) -> Option<Ty> {
        match &expr.kind {
            Kind::Literal(literal) => return self.literal(expr.at, literal),
            Kind::Path(path) => return self.path(expr.at, path, present),
            Kind::Compare(Relation::Equal, left, right) | Kind::Differs(left, right) => {
                self.equal(left, right, present);
            }
            Kind::Compare(_, left, right) => {
                let types = (self.value(left, present)?, self.value(right, present)?);
                let ordered = [Ty::Long, Ty::Datetime, Ty::Duration];
                if types.0 != types.1 || !ordered.contains(&types.0) {
                    self.mismatch(expr, types, "this needs two of long, datetime or duration");
                }
            }
            Kind::In(left, right) => self.membership(expr, left, right, present),
            Kind::InRange(left, right) => {
                let types = (self.value(left, present)?, self.value(right, present)?);
                if types != (Ty::Ip, Ty::Ip) {
                    self.mismatch(expr, types, "`isInRange` needs two of ip");
                }
            }
            Kind::Not(_) | Kind::And(_) | Kind::Or(_) | Kind::Has(..) => {
                self.truth(expr, present);
            }
        }
        Some(Ty::Bool)
    }

    fn equal(&mut self, left: &Expr, right: &Expr, present: &Present) {
        let types = (self.value(left, present), self.value(right, present));
        let (Some(one), Some(other)) = types else { return };
        let sets = [Ty::Strings, Ty::Context];
        if sets.contains(&one) || sets.contains(&other) {
            self.error(left.at, "sets and the context cannot be compared".to_owned());
        } else if !one.meets(other) {
            let (one, other) = (self.schema.ty(one), self.schema.ty(other));
            let message =
                format!("`{left}` is {one} and `{right}` is {other}: they are never equal");
            self.error(left.at, message);
        }
    }

    /// `principal in Role::"clerk"` asks for a role; all else is about entities.
    fn membership(&mut self, whole: &Expr, left: &Expr, right: &Expr, present: &Present) {
        if let Some(role) = role_of(right) {
            let principal = Path { root: Root::Principal, attributes: Vec::new() };
            if !matches!(&left.kind, Kind::Path(path) if *path == principal) {
                self.error(left.at, "only `principal` is in a role".to_owned());
            }
            if self.roles.number(role).is_none() {
                self.error(right.at, unknown_role(role, self.roles));
            }
            return;
        }
        let types = (self.value(left, present), self.value(right, present));
        let (Some(one), Some(other)) = types else { return };
        if !one.is_entity() || !other.is_entity() {
            self.mismatch(whole, (one, other), "`in` needs two entities");
        }
    }

    fn has(&mut self, at: usize, path: &Path, name: &str, present: &Present) -> Present {
        if let Some(ty) = self.path(at, path, present)
            && self.attribute(at, ty, name).is_some()
        {
            let mut asked = path.clone();
            asked.attributes.push(name.into());
            return Present::from([Rc::new(asked)]);
        }
        Present::new()
    }

    fn path(&mut self, at: usize, path: &Path, present: &Present) -> Option<Ty> {
        let mut ty = path.root.ty(self.resource);
        let mut so_far = Path { root: path.root, attributes: Vec::new() };
        for name in &path.attributes {
            let declared = self.attribute(at, ty, name)?;
            let before = so_far.clone();
            so_far.attributes.push(name.clone());
            if declared.optional && !present.contains(&so_far) {
                let message =
                    format!("`{so_far}` may be absent: ask `{before} has {name} && …` first");
                self.error(at, message);
            }
            ty = declared.ty;
        }
        Some(ty)
    }

    fn attribute(&mut self, at: usize, of: Ty, name: &str) -> Option<Declared> {
        let owner = self.schema.ty(of);
        let Some(attributes) = self.schema.attributes(of) else {
            self.error(at, format!("`{name}` cannot be read of {owner}"));
            return None;
        };
        let declared = attributes.get(name);
        if declared.is_none() {
            let meant = hint(nearest(name, attributes.names()));
            self.error(at, format!("`{owner}` has no attribute `{name}`{meant}"));
        }
        declared
    }

    fn literal(&mut self, at: usize, literal: &Literal) -> Option<Ty> {
        Some(match literal {
            Literal::Bool(_) => Ty::Bool,
            Literal::Long(_) => Ty::Long,
            Literal::Str(_) => Ty::Str,
            Literal::Ip(_) => Ty::Ip,
            Literal::Entity(entity) => return self.entity(at, entity),
        })
    }

    fn entity(&mut self, at: usize, entity: &EntityName) -> Option<Ty> {
        if &*entity.kind == "Role" {
            self.error(at, "a role is only asked for as `principal in Role::\"…\"`".to_owned());
            return None;
        }
        if !self.schema.knows(&entity.kind) {
            let meant = hint(nearest(&entity.kind, self.schema.type_texts()));
            self.error(at, format!("no entity type `{}`{meant}", entity.kind));
            return None;
        }
        let principal = PRINCIPALS.iter().any(|(_, kind)| *kind == entity.type_name);
        let realm = entity.id.split_once('/').map(|(realm, _)| realm);
        if principal && !realm.is_some_and(crate::is_realm) {
            let message = format!("a {}'s id is `realm/subject`", entity.kind);
            self.error(at, message);
        }
        Some(Ty::Entity(entity.type_name))
    }

    fn mismatch(&mut self, expr: &Expr, types: (Ty, Ty), rule: &str) {
        let (one, other) = (self.schema.ty(types.0), self.schema.ty(types.1));
        self.error(expr.at, format!("{rule}, not {one} and {other}"));
    }

    fn error(&mut self, at: usize, message: String) {
        self.errors.insert((at, message));
    }
}

impl Root {
    /// The variable's type; `resource` is that of the resource.
    pub(in crate::authz) fn ty(self, resource: Ty) -> Ty {
        match self {
            Self::Principal => Ty::Principal,
            Self::Resource => resource,
            Self::Context => Ty::Context,
        }
    }
}

/// The role that the literal names.
pub(in crate::authz) fn role_of(expr: &Expr) -> Option<&str> {
    let Kind::Literal(Literal::Entity(entity)) = &expr.kind else { return None };
    (&*entity.kind == "Role").then_some(&*entity.id)
}
