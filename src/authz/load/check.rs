//! The types of conditions: what cannot be true of any request does not load.

mod calls;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    error::hint,
    expr::{EntityName, Expr, How, Kind, Literal, Path, Relation, Root, TypeWord},
    grants::unknown_role,
    settled::{reached, role_of, settled},
    shape::Shape,
};
pub(in crate::authz) use calls::arguments;

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
                for part in self.reached(parts, false) {
                    let gained = self.truth(part, &known);
                    if !gained.is_empty() {
                        known.to_mut().extend(gained.iter().cloned());
                        all.extend(gained);
                    }
                }
                all
            }
            Kind::Or(parts) => {
                let parts = self.reached(parts, true).iter();
                let gained = parts.map(|part| self.truth(part, present));
                gained.reduce(|all, gained| &all & &gained).unwrap_or_default()
            }
            Kind::If(parts) => self.either(parts, present),
            Kind::Has(of, name) => self.has(expr.at, of, name, present),
            Kind::Literal(_)
            | Kind::Path(_)
            | Kind::Field(..)
            | Kind::Set(_)
            | Kind::Record(_)
            | Kind::Compare(..)
            | Kind::Differs(..)
            | Kind::In(..)
            | Kind::Is(..)
            | Kind::InRange(..)
            | Kind::Like(..)
            | Kind::Contains(..)
            | Kind::IsEmpty(_)
            | Kind::HasPath(..)
            | Kind::Call(..)
            | Kind::Arithmetic(..)
            | Kind::Negated(_) => {
                if let Some(shape) = self.value(expr, present)
                    && shape != Shape::One(Ty::Bool)
                {
                    let word = self.text(&shape);
                    self.error(expr.at, format!("`{expr}` is {word}, a condition is bool"));
                }
                Present::new()
            }
        }
    }

    /// What is known where the condition that an `if` chooses is true.
    fn either(&mut self, parts: &[Expr; 3], present: &Present) -> Present {
        let (known, settled) = self.branch(parts, present);
        let [_, one, other] = parts;
        match settled {
            Some(true) => &known | &self.truth(one, &known),
            Some(false) => self.truth(other, present),
            None => {
                let gained = &known | &self.truth(one, &known);
                &gained & &self.truth(other, present)
            }
        }
    }

    /// The parts up to the first whose types alone make it `end`: no other is ever evaluated.
    fn reached<'e>(&self, parts: &'e [Expr], end: bool) -> &'e [Expr] {
        reached(parts, end, self.schema, self.resource)
    }

    /// Checks what an `if` asks; what is known where it is true, and which it is if types tell.
    fn branch(&mut self, parts: &[Expr; 3], present: &Present) -> (Present, Option<bool>) {
        let [condition, ..] = parts;
        let gained = self.truth(condition, present);
        (present | &gained, settled(condition, self.schema, self.resource))
    }

    /// The type of a part, unless something in it is wrong.
    pub(in crate::authz) fn value(&mut self, expr: &Expr, present: &Present) -> Option<Shape> {
        match &expr.kind {
            Kind::Literal(literal) => return self.literal(expr.at, literal).map(Shape::One),
            Kind::Path(path) => return self.path(expr.at, path, present).map(Shape::from),
            Kind::Field(of, names) => {
                let owner = self.value(of, present)?;
                return names
                    .iter()
                    .try_fold(owner, |owner, name| self.field(expr.at, owner, name));
            }
            Kind::Set(elements) => return self.set(elements, present),
            Kind::Record(fields) => return self.record(fields, present),
            Kind::If(parts) => return self.choice(expr, parts, present),
            Kind::Compare(Relation::Equal, left, right) | Kind::Differs(left, right) => {
                self.equal(left, right, present);
            }
            Kind::Compare(_, left, right) => {
                let ordered = [Ty::Long, Ty::Datetime, Ty::Duration].map(Shape::One);
                let rule = "this needs two of long, datetime or duration";
                self.pair(expr, (left, right), present, rule, |one, other| {
                    one == other && ordered.contains(one)
                });
            }
            Kind::In(left, right) => self.membership(expr, left, right, present),
            Kind::Is(inner, word, within) => self.is(expr, inner, word, within.as_deref(), present),
            Kind::InRange(left, right) => {
                let rule = "`isInRange` needs two of ip";
                let ip = Shape::One(Ty::Ip);
                self.pair(expr, (left, right), present, rule, |one, other| {
                    *one == ip && *other == ip
                });
            }
            Kind::Like(inner, _) => self.needs(inner, present, "`like` needs string", |shape| {
                *shape == Shape::One(Ty::Str)
            }),
            Kind::Contains(how, set, asked) => self.contains(*how, set, asked, present),
            Kind::IsEmpty(set) => self.needs(set, present, "`isEmpty` needs a set", Shape::is_set),
            Kind::Arithmetic(operator, left, right) => {
                let rule = format!("`{operator}` needs two of long");
                let long = Shape::One(Ty::Long);
                self.pair(expr, (left, right), present, &rule, |one, other| {
                    *one == long && *other == long
                });
                return Some(long);
            }
            Kind::Negated(inner) => {
                let long = Shape::One(Ty::Long);
                self.needs(inner, present, "`-` needs long", |shape| *shape == long);
                return Some(long);
            }
            Kind::Call(function, of) => return self.call(expr.at, *function, of, present),
            // No document has it.
            Kind::HasPath(..) => return None,
            Kind::Not(_) | Kind::And(_) | Kind::Or(_) | Kind::Has(..) => {
                self.truth(expr, present);
            }
        }
        Some(Shape::One(Ty::Bool))
    }

    /// One part that must be of a certain type.
    fn needs(
        &mut self,
        inner: &Expr,
        present: &Present,
        rule: &str,
        fits: impl Fn(&Shape) -> bool,
    ) {
        if let Some(shape) = self.value(inner, present)
            && !fits(&shape)
        {
            let word = self.text(&shape);
            self.error(inner.at, format!("{rule}, not {word}"));
        }
    }

    /// Two parts that must be of certain types.
    fn pair(
        &mut self,
        whole: &Expr,
        (left, right): (&Expr, &Expr),
        present: &Present,
        rule: &str,
        fit: impl Fn(&Shape, &Shape) -> bool,
    ) {
        let shapes = (self.value(left, present), self.value(right, present));
        if let (Some(one), Some(other)) = shapes
            && !fit(&one, &other)
        {
            let (one, other) = (self.text(&one), self.text(&other));
            self.error(whole.at, format!("{rule}, not {one} and {other}"));
        }
    }

    fn set(&mut self, elements: &[Expr], present: &Present) -> Option<Shape> {
        let mut all: Option<Shape> = None;
        let mut whole = true;
        for element in elements {
            let shape = self.value(element, present);
            let Some(shape) = shape.and_then(|shape| self.storable(element.at, shape)) else {
                whole = false;
                continue;
            };
            all = match all {
                Some(one) if !one.meets(&shape) => {
                    let (before, word) = (self.text(&one), self.text(&shape));
                    let message = format!("`{element}` is {word} in a set of {before}");
                    self.error(element.at, message);
                    return None;
                }
                Some(one) => one.join(shape),
                None => Some(shape),
            };
        }
        whole.then(|| Shape::Set(all.map(Box::new)))
    }

    fn record(&mut self, fields: &BTreeMap<Box<str>, Expr>, present: &Present) -> Option<Shape> {
        let shapes = fields.iter().map(|(name, field)| {
            let shape = self.value(field, present)?;
            self.storable(field.at, shape).map(|shape| (name.clone(), shape))
        });
        // All of them are looked at, even behind one that is wrong.
        let shapes: Vec<_> = shapes.collect();
        Some(Shape::Record(shapes.into_iter().collect::<Option<_>>()?))
    }

    /// What may be kept in a set or a record: anything but the context.
    fn storable(&mut self, at: usize, shape: Shape) -> Option<Shape> {
        if shape == Shape::One(Ty::Context) {
            self.error(at, "the context cannot be put into a set or a record".to_owned());
            return None;
        }
        Some(shape)
    }

    fn choice(&mut self, whole: &Expr, parts: &[Expr; 3], present: &Present) -> Option<Shape> {
        let (known, settled) = self.branch(parts, present);
        let [_, one, other] = parts;
        match settled {
            Some(true) => self.value(one, &known),
            Some(false) => self.value(other, present),
            None => {
                let shapes = (self.value(one, &known), self.value(other, present));
                let (Some(one), Some(other)) = shapes else { return None };
                if !one.meets(&other) {
                    let (one, other) = (self.text(&one), self.text(&other));
                    self.error(whole.at, format!("`then` is {one} and `else` is {other}"));
                }
                one.join(other)
            }
        }
    }

    fn contains(&mut self, how: How, set: &Expr, asked: &Expr, present: &Present) {
        let name = how.word();
        let shapes = (self.value(set, present), self.value(asked, present));
        let (Some(of), Some(what)) = shapes else { return };
        if !of.is_set() {
            let word = self.text(&of);
            self.error(set.at, format!("`{name}` needs a set, not {word}"));
        } else if how != How::Element && !what.is_set() {
            let word = self.text(&what);
            self.error(asked.at, format!("`{name}` needs two sets, not {word}"));
        } else {
            let kept = if how == How::Element {
                Shape::Set(Some(what.clone().into()))
            } else {
                what.clone()
            };
            if !of.meets(&kept) {
                let (of, what) = (self.text(&of), self.text(&what));
                let message =
                    format!("`{asked}` is {what} and `{set}` is {of}: it holds none of it");
                self.error(asked.at, message);
            }
        }
    }

    fn equal(&mut self, left: &Expr, right: &Expr, present: &Present) {
        let shapes = (self.value(left, present), self.value(right, present));
        let (Some(one), Some(other)) = shapes else { return };
        let context = Shape::One(Ty::Context);
        if one == context || other == context {
            self.error(left.at, "the context cannot be compared".to_owned());
        } else if !one.meets(&other) {
            let (one, other) = (self.text(&one), self.text(&other));
            let message =
                format!("`{left}` is {one} and `{right}` is {other}: they are never equal");
            self.error(left.at, message);
        }
    }

    fn membership(&mut self, whole: &Expr, left: &Expr, right: &Expr, present: &Present) {
        let lower = self.value(left, present);
        if let Kind::Set(listed) = &right.kind {
            for one in listed {
                self.below(whole, (left, lower.as_ref()), one, present, Shape::is_entity);
            }
            if let Some(lower) = lower.filter(|lower| !lower.is_entity()) {
                let word = self.text(&lower);
                self.error(left.at, format!("`in` needs an entity, not {word}"));
            }
        } else {
            self.below(whole, (left, lower.as_ref()), right, present, Shape::is_above);
        }
    }

    /// `principal in Role::"clerk"` asks for a role; all else is about entities.
    fn below(
        &mut self,
        whole: &Expr,
        (left, lower): (&Expr, Option<&Shape>),
        right: &Expr,
        present: &Present,
        is_above: fn(&Shape) -> bool,
    ) {
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
        let (Some(one), Some(other)) = (lower, self.value(right, present)) else { return };
        if !one.is_entity() || !is_above(&other) {
            let (one, other) = (self.text(one), self.text(&other));
            self.error(whole.at, format!("`in` needs two entities, not {one} and {other}"));
        }
    }

    fn is(
        &mut self,
        whole: &Expr,
        inner: &Expr,
        word: &TypeWord,
        within: Option<&Expr>,
        present: &Present,
    ) {
        self.entity_type(word.at, &word.text);
        match within {
            None => self.needs(inner, present, "`is` needs an entity", Shape::is_entity),
            Some(within) => self.membership(whole, inner, within, present),
        }
    }

    fn has(&mut self, at: usize, of: &Expr, name: &str, present: &Present) -> Present {
        let Kind::Path(path) = &of.kind else {
            match self.value(of, present) {
                Some(Shape::One(ty)) => drop(self.attribute(at, ty, name)),
                Some(owner @ Shape::Set(_)) => drop(self.field(at, owner, name)),
                Some(Shape::Record(_)) | None => {}
            }
            return Present::new();
        };
        if let Some(ty) = self.path(at, path, present)
            && self.attribute(at, ty, name).is_some()
        {
            let mut asked = path.clone();
            asked.attributes.push(name.into());
            return Present::from([Rc::new(asked)]);
        }
        Present::new()
    }

    /// The type of what is read of a value of that type.
    fn field(&mut self, at: usize, owner: Shape, name: &str) -> Option<Shape> {
        match owner {
            Shape::One(ty) => {
                let declared = self.attribute(at, ty, name)?;
                if declared.optional {
                    let message = format!(
                        "`{name}` may be absent: ask for it with `has` before, of a variable"
                    );
                    self.error(at, message);
                }
                Some(declared.ty.into())
            }
            Shape::Record(mut fields) => {
                let field = fields.remove(name);
                if field.is_none() {
                    let meant = hint(nearest(name, fields.keys().map(|name| &**name)));
                    self.error(at, format!("the record has no `{name}`{meant}"));
                }
                field
            }
            Shape::Set(_) => {
                let word = self.text(&owner);
                self.error(at, format!("`{name}` cannot be read of {word}"));
                None
            }
        }
    }

    fn path(&mut self, at: usize, path: &Path, present: &Present) -> Option<Ty> {
        let mut ty = path.root.ty(self.resource);
        let mut so_far = Path { root: path.root, attributes: Vec::new() };
        for name in &path.attributes {
            let declared = self.attribute(at, ty, name)?;
            so_far.attributes.push(name.clone());
            if declared.optional && !present.contains(&so_far) {
                let mut before = so_far.clone();
                before.attributes.pop();
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
        if !self.entity_type(at, &entity.kind) {
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

    /// Whether there is such a type.
    fn entity_type(&mut self, at: usize, name: &str) -> bool {
        let known = self.schema.knows(name) && name != "Role";
        if !known {
            let meant = hint(nearest(name, self.schema.type_texts()));
            self.error(at, format!("no entity type `{name}`{meant}"));
        }
        known
    }

    fn text(&self, shape: &Shape) -> String {
        shape.text(self.schema)
    }

    fn error(&mut self, at: usize, message: String) {
        self.errors.insert((at, message));
    }
}
