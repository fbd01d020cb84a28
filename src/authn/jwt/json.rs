//! Strict JSON for headers, claims and key documents: names unique at every depth, text borrowed,
//! depth and size bounded, all values in one flat list.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
};

/// Objects and arrays may be nested this deep.
const MAX_DEPTH: usize = 32;

/// Under its feature `arbitrary_precision`, which anybody's dependency may switch on, `serde_json`
/// hands a number over as an object with this one member.
const NUMBER: &str = "$serde_json::private::Number";

const DEPTH: &str = "the JSON is nested too deeply";
const DUPLICATE: &str = "the JSON names a member twice";
const SIZE: &str = "the JSON holds too much";
const SYNTAX: &str = "not JSON";

/// So many values are held without allocating; most tokens have fewer.
const ROOM: usize = 32;

/// A parsed text: its values in the order they were written, each before those inside it.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    room: [Node<'a>; ROOM],
    used: usize,
    /// All values, once there is no room.
    more: Vec<Node<'a>>,
}

/// One value within a document, and after it those inside it. Of a value that is not of the type
/// asked for, there is nothing to be had.
#[derive(Clone, Copy, Default)]
pub(super) struct Value<'a>(&'a [Node<'a>]);

#[derive(Debug, Default)]
struct Node<'a> {
    /// The member's name; empty where the value is no member.
    name: Cow<'a, str>,
    scalar: Scalar<'a>,
    /// How many of the following nodes lie inside this one.
    inside: usize,
}

#[derive(Debug, Default)]
enum Scalar<'a> {
    Array,
    Bool(bool),
    Float(f64),
    Integer(i64),
    #[default]
    Null,
    Object,
    Text(Cow<'a, str>),
}

impl<'a> Document<'a> {
    /// Reads `text`, which may hold `max_values` values in all, into an empty document; or says
    /// what is wrong with it.
    pub(super) fn read(
        &mut self,
        text: &'a [u8],
        max_values: usize,
    ) -> Result<Value<'_>, &'static str> {
        let text = str::from_utf8(text).map_err(|_| SYNTAX)?;
        let mut builder = Builder { document: self, max_values, fault: SYNTAX };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let root = Element { builder: &mut builder, name: Cow::Borrowed(""), depth: 0 };
        match root.deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
            Ok(()) => Ok(Value(self.nodes())),
            Err(_) => Err(builder.fault),
        }
    }

    fn nodes(&self) -> &[Node<'a>] {
        let room = self.room.get(..self.used).unwrap_or_default();
        if self.more.is_empty() { room } else { &self.more }
    }

    fn nodes_mut(&mut self) -> &mut [Node<'a>] {
        let room = self.room.get_mut(..self.used).unwrap_or_default();
        if self.more.is_empty() { room } else { &mut self.more }
    }

    // Out of line, the node would be put together on the stack, piece by piece, and copied.
    #[inline(always)]
    fn push(&mut self, node: Node<'a>) {
        match self.room.get_mut(self.used) {
            Some(free) => *free = node,
            None => {
                if self.more.is_empty() {
                    self.more.extend(self.room.iter_mut().map(std::mem::take));
                }
                self.more.push(node);
            }
        }
        self.used += 1;
    }
}

impl<'a> Value<'a> {
    pub(super) fn is_null(self) -> bool {
        matches!(self.0, [Node { scalar: Scalar::Null, .. }, ..])
    }

    pub(super) fn text(self) -> Option<&'a str> {
        let Scalar::Text(text) = &self.0.first()?.scalar else { return None };
        Some(text)
    }

    pub(super) fn boolean(self) -> Option<bool> {
        let Scalar::Bool(value) = self.0.first()?.scalar else { return None };
        Some(value)
    }

    pub(super) fn integer(self) -> Option<i64> {
        let Scalar::Integer(value) = self.0.first()?.scalar else { return None };
        Some(value)
    }

    /// A number with a fraction, or too large for an integer.
    pub(super) fn float(self) -> Option<f64> {
        let Scalar::Float(value) = self.0.first()?.scalar else { return None };
        Some(value)
    }

    /// The members of an object, by name.
    pub(super) fn members(self) -> Option<impl Iterator<Item = (&'a str, Value<'a>)>> {
        let (Node { scalar: Scalar::Object, .. }, inside) = self.0.split_first()? else {
            return None;
        };
        Some(Children(inside).map(|(node, value)| (&*node.name, value)))
    }

    /// The member of an object with that name.
    pub(super) fn member(self, name: &str) -> Option<Value<'a>> {
        self.members()?.find_map(|(found, value)| (found == name).then_some(value))
    }

    /// The items of an array.
    pub(super) fn items(self) -> Option<impl Iterator<Item = Value<'a>> + Clone> {
        let (Node { scalar: Scalar::Array, .. }, inside) = self.0.split_first()? else {
            return None;
        };
        Some(Children(inside).map(|(_, value)| value))
    }

    /// The items of an array that holds text and nothing else.
    pub(super) fn texts(self) -> Option<impl Iterator<Item = &'a str> + Clone> {
        let plain = self.items()?.all(|item| item.text().is_some());
        self.items().filter(|_| plain).map(|items| items.filter_map(Value::text))
    }

    /// What the spaces of a text divide, or the items of an array of texts.
    pub(super) fn words(self) -> Option<impl Iterator<Item = &'a str> + Clone> {
        let (text, texts) = (self.text(), self.texts());
        if text.is_none() && texts.is_none() {
            return None;
        }
        let words = text.into_iter().flat_map(|text| text.split(' ')).filter(|it| !it.is_empty());
        Some(words.chain(texts.into_iter().flatten()))
    }
}

/// Walks a list of nodes from sibling to sibling.
#[derive(Clone)]
struct Children<'a>(&'a [Node<'a>]);

impl<'a> Iterator for Children<'a> {
    type Item = (&'a Node<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.0.first()?;
        let (value, rest) = self.0.split_at_checked(node.inside + 1)?;
        self.0 = rest;
        Some((node, Value(value)))
    }
}

struct Builder<'d, 'a> {
    document: &'d mut Document<'a>,
    max_values: usize,
    fault: &'static str,
}

impl<'a> Builder<'_, 'a> {
    /// Appends a value; hands back where it stands.
    #[inline(always)]
    fn push<E: Error>(&mut self, name: Cow<'a, str>, scalar: Scalar<'a>) -> Result<usize, E> {
        let index = self.document.used;
        if index >= self.max_values {
            return Err(self.fail(SIZE));
        }
        self.document.push(Node { name, scalar, inside: 0 });
        Ok(index)
    }

    /// Ends the array or object at `index`: what came since lies inside it.
    fn close(&mut self, index: usize) {
        if let Some([node, inside @ ..]) = self.document.nodes_mut().get_mut(index..) {
            node.inside = inside.len();
        }
    }

    /// Whether the open object at `index` has a member `name` already.
    fn has_member(&self, index: usize, name: &str) -> bool {
        let members = self.document.nodes().get(index + 1..).unwrap_or_default();
        Children(members).any(|(member, _)| member.name == name)
    }

    /// Reads the object at `index` as the number it may stand for.
    fn restore_number<E: Error>(&mut self, index: usize) -> Result<(), E> {
        let nodes = self.document.nodes_mut().get_mut(index..);
        let Some([object, member]) = nodes else { return Ok(()) };
        let (NUMBER, Scalar::Text(text)) = (&*member.name, &member.scalar) else { return Ok(()) };
        let Some(number) = number(text) else { return Err(self.fail(SYNTAX)) };
        (object.scalar, object.inside) = (number, 0);
        self.document.used = index + 1;
        self.document.more.truncate(index + 1);
        Ok(())
    }

    fn fail<E: Error>(&mut self, fault: &'static str) -> E {
        self.fault = fault;
        E::custom("")
    }
}

fn number(text: &str) -> Option<Scalar<'static>> {
    let integer = text.parse().map(Scalar::Integer).ok();
    integer.or_else(|| text.parse().ok().filter(|f: &f64| f.is_finite()).map(Scalar::Float))
}

/// Reads one value, and by itself those inside it, into the builder.
struct Element<'b, 'd, 'a> {
    builder: &'b mut Builder<'d, 'a>,
    name: Cow<'a, str>,
    depth: usize,
}

impl<'d, 'de> Element<'_, 'd, 'de> {
    fn scalar<E: Error>(self, scalar: Scalar<'de>) -> Result<(), E> {
        self.builder.push(self.name, scalar).map(drop)
    }

    fn open<E: Error>(&mut self, scalar: Scalar<'de>) -> Result<usize, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.builder.fail(DEPTH));
        }
        self.builder.push(std::mem::take(&mut self.name), scalar)
    }

    fn inner(&mut self, name: Cow<'de, str>) -> Element<'_, 'd, 'de> {
        Element { builder: self.builder, name, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar(Scalar::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Scalar::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.scalar(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.scalar(Scalar::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.scalar(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.scalar(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let index = self.open(Scalar::Array)?;
        while items.next_element_seed(self.inner(Cow::Borrowed("")))?.is_some() {}
        self.builder.close(index);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let index = self.open(Scalar::Object)?;
        while let Some(Name(name)) = members.next_key()? {
            if self.builder.has_member(index, &name) {
                return Err(self.builder.fail(DUPLICATE));
            }
            members.next_value_seed(self.inner(name))?;
        }
        self.builder.close(index);
        self.builder.restore_number(index)
    }
}

/// A member's name, escapes resolved: `"e\u0078p"` is `exp`.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests;
