//! The types of values that only conditions make: sets and records, of any types.

use std::collections::BTreeMap;

use crate::authz::schema::{Schema, Ty};

/// The type of a part of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::authz) enum Shape {
    /// Never a set: [`Ty::Strings`] is one of [`Ty::Str`].
    One(Ty),
    /// Of what; unknown of the empty one.
    Set(Option<Box<Shape>>),
    Record(BTreeMap<Box<str>, Shape>),
}

impl From<Ty> for Shape {
    fn from(ty: Ty) -> Self {
        if ty == Ty::Strings { Self::Set(Some(Self::One(Ty::Str).into())) } else { Self::One(ty) }
    }
}

impl Shape {
    /// The one type of two values that may be equal, or stand in the same place.
    pub(in crate::authz) fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::One(one), Self::One(other)) if one == other => Some(Self::One(one)),
            (Self::One(one), Self::One(other)) => {
                one.meets(other).then_some(Self::One(Ty::Principal))
            }
            (Self::Set(None), set @ Self::Set(_)) | (set @ Self::Set(_), Self::Set(None)) => {
                Some(set)
            }
            (Self::Set(Some(one)), Self::Set(Some(other))) => {
                Some(Self::Set(Some(one.join(*other)?.into())))
            }
            (Self::Record(fields), Self::Record(mut others)) if fields.len() == others.len() => {
                let join = |(name, one): (Box<str>, Self)| {
                    let other = others.remove(&name)?;
                    Some((name, one.join(other)?))
                };
                Some(Self::Record(fields.into_iter().map(join).collect::<Option<_>>()?))
            }
            (Self::One(_) | Self::Set(_) | Self::Record(_), _) => None,
        }
    }

    /// Whether there is one.
    pub(in crate::authz) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(one), Self::One(other)) => one.meets(*other),
            (Self::Set(None), Self::Set(_)) | (Self::Set(_), Self::Set(None)) => true,
            (Self::Set(Some(one)), Self::Set(Some(other))) => one.meets(other),
            (Self::Record(fields), Self::Record(others)) => {
                fields.len() == others.len()
                    && fields
                        .iter()
                        .zip(others)
                        .all(|((name, one), (of, other))| name == of && one.meets(other))
            }
            (Self::One(_) | Self::Set(_) | Self::Record(_), _) => false,
        }
    }

    pub(in crate::authz) fn is_entity(&self) -> bool {
        matches!(self, Self::One(ty) if ty.is_entity())
    }

    pub(in crate::authz) fn is_set(&self) -> bool {
        matches!(self, Self::Set(_))
    }

    /// Whether `in` may have it on its right.
    pub(in crate::authz) fn is_above(&self) -> bool {
        match self {
            Self::Set(None) => true,
            Self::Set(Some(element)) => element.is_entity(),
            Self::One(_) | Self::Record(_) => self.is_entity(),
        }
    }

    /// In words.
    pub(in crate::authz) fn text(&self, schema: &Schema) -> String {
        match self {
            Self::One(ty) => schema.ty(*ty).to_owned(),
            Self::Set(None) => "an empty set".to_owned(),
            Self::Set(Some(element)) if **element == Self::One(Ty::Str) => {
                schema.ty(Ty::Strings).to_owned()
            }
            Self::Set(Some(element)) => format!("a set of {}", element.text(schema)),
            Self::Record(fields) => {
                let fields =
                    fields.iter().map(|(name, field)| format!("{name}: {}", field.text(schema)));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authz::TypeName;

    #[test]
    fn joins() {
        let one = Shape::One;
        let set = |shape: Option<Shape>| Shape::Set(shape.map(Box::new));
        let record = |fields: &[(&str, Shape)]| {
            Shape::Record(
                fields.iter().map(|(name, shape)| ((*name).into(), shape.clone())).collect(),
            )
        };
        let check = |one: &Shape, other: &Shape, expected: Option<&Shape>| {
            assert_eq!(one.clone().join(other.clone()).as_ref(), expected, "{one:?} {other:?}");
            assert_eq!(other.clone().join(one.clone()).as_ref(), expected, "{other:?} {one:?}");
            let meets = expected.is_some();
            assert_eq!((one.meets(other), other.meets(one)), (meets, meets), "{one:?} {other:?}");
        };
        let user = one(Ty::Entity(TypeName::USER));
        let (long, text, any) = (one(Ty::Long), one(Ty::Str), one(Ty::Principal));
        check(&long, &long, Some(&long));
        check(&long, &text, None);
        check(&user, &any, Some(&any));
        check(&user, &one(Ty::Entity(TypeName::SERVICE)), None);
        check(&set(None), &set(None), Some(&set(None)));
        check(&set(None), &set(Some(long.clone())), Some(&set(Some(long.clone()))));
        check(&set(Some(text.clone())), &Ty::Strings.into(), Some(&Ty::Strings.into()));
        check(&set(Some(user.clone())), &set(Some(any.clone())), Some(&set(Some(any.clone()))));
        check(&set(Some(text.clone())), &set(Some(long.clone())), None);
        check(&set(Some(long.clone())), &long, None);
        let (a, b) = (record(&[("a", user.clone())]), record(&[("a", any.clone())]));
        check(&a, &b, Some(&b));
        check(&a, &record(&[("b", user.clone())]), None);
        check(&a, &record(&[("a", long.clone())]), None);
        check(&a, &record(&[("a", user), ("b", long)]), None);
        check(&a, &record(&[]), None);
        check(&a, &any, None);
    }
}
