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

/// A parsed text: its values in the order they were written, each before those inside it.
#[derive(Debug)]
pub(super) struct Document<'a>(Vec<Node<'a>>);

/// One value within a document, and after it those inside it. Of a value that is not there, or
/// not of the type asked for, there is nothing to be had.
#[derive(Clone, Copy, Default)]
pub(super) struct Value<'a>(&'a [Node<'a>]);

#[derive(Debug)]
struct Node<'a> {
    /// The member's name; empty where the value is no member.
    name: Cow<'a, str>,
    scalar: Scalar<'a>,
    /// How many of the following nodes lie inside this one.
    inside: usize,
}

#[derive(Debug)]
enum Scalar<'a> {
    Array,
    Bool(bool),
    Float(f64),
    Integer(i64),
    Null,
    Object,
    Text(Cow<'a, str>),
}

impl<'a> Document<'a> {
    /// Reads `text`, which may hold `max_values` values in all; or says what is wrong with it.
    pub(super) fn parse(text: &'a [u8], max_values: usize) -> Result<Self, &'static str> {
        let text = str::from_utf8(text).map_err(|_| SYNTAX)?;
        // A member of a token has some sixteen bytes or more, so that most texts fit at once.
        let room = max_values.min(text.len() / 16 + 2);
        let mut builder = Builder { nodes: Vec::with_capacity(room), max_values, fault: SYNTAX };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let root = Element { builder: &mut builder, name: Cow::Borrowed(""), depth: 0 };
        match root.deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
            Ok(()) => Ok(Self(builder.nodes)),
            Err(_) => Err(builder.fault),
        }
    }

    /// The outermost value.
    pub(super) fn root(&'a self) -> Value<'a> {
        Value(&self.0)
    }
}

impl<'a> Value<'a> {
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
    pub(super) fn items(self) -> Option<impl Iterator<Item = Value<'a>>> {
        let (Node { scalar: Scalar::Array, .. }, inside) = self.0.split_first()? else {
            return None;
        };
        Some(Children(inside).map(|(_, value)| value))
    }

    /// The items of an array that holds text and nothing else.
    pub(super) fn texts(self) -> Option<impl Iterator<Item = &'a str>> {
        let plain = self.items()?.all(|item| item.text().is_some());
        self.items().filter(|_| plain).map(|items| items.filter_map(Value::text))
    }
}

/// Walks a list of nodes from sibling to sibling.
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

struct Builder<'a> {
    nodes: Vec<Node<'a>>,
    max_values: usize,
    fault: &'static str,
}

impl<'a> Builder<'a> {
    /// Appends a value; hands back where it stands.
    // Out of line, the node would be put together on the stack, piece by piece, and copied.
    #[inline(always)]
    fn push<E: Error>(&mut self, name: Cow<'a, str>, scalar: Scalar<'a>) -> Result<usize, E> {
        if self.nodes.len() >= self.max_values {
            return Err(self.fail(SIZE));
        }
        self.nodes.push(Node { name, scalar, inside: 0 });
        Ok(self.nodes.len() - 1)
    }

    /// Ends the array or object at `index`: what came since lies inside it.
    fn close(&mut self, index: usize) {
        let inside = self.nodes.len().saturating_sub(index + 1);
        if let Some(node) = self.nodes.get_mut(index) {
            node.inside = inside;
        }
    }

    /// Whether the open object at `index` has a member `name` already.
    fn has_member(&self, index: usize, name: &str) -> bool {
        let members = self.nodes.get(index + 1..).unwrap_or_default();
        Children(members).any(|(member, _)| member.name == name)
    }

    /// Reads the object at `index` as the number it may stand for.
    fn restore_number<E: Error>(&mut self, index: usize) -> Result<(), E> {
        let Some([object, member]) = self.nodes.get_mut(index..) else { return Ok(()) };
        let (NUMBER, Scalar::Text(text)) = (&*member.name, &member.scalar) else { return Ok(()) };
        let Some(number) = number(text) else { return Err(self.fail(SYNTAX)) };
        object.scalar = number;
        object.inside = 0;
        self.nodes.truncate(index + 1);
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
struct Element<'b, 'a> {
    builder: &'b mut Builder<'a>,
    name: Cow<'a, str>,
    depth: usize,
}

impl<'de> Element<'_, 'de> {
    fn scalar<E: Error>(self, scalar: Scalar<'de>) -> Result<(), E> {
        self.builder.push(self.name, scalar).map(drop)
    }

    fn open<E: Error>(&mut self, scalar: Scalar<'de>) -> Result<usize, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.builder.fail(DEPTH));
        }
        self.builder.push(std::mem::take(&mut self.name), scalar)
    }

    fn inner(&mut self, name: Cow<'de, str>) -> Element<'_, 'de> {
        Element { builder: self.builder, name, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_, 'de> {
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> Option<&'static str> {
        Document::parse(text.as_bytes(), 64).err()
    }

    /// Writes a value back, names and all, in the form `serde_json` prints.
    fn print(value: Value<'_>) -> serde_json::Value {
        if let Some(members) = value.members() {
            return members.map(|(name, value)| (name.to_owned(), print(value))).collect();
        }
        if let Some(items) = value.items() {
            return items.map(print).collect();
        }
        match &value.0[0].scalar {
            Scalar::Bool(value) => (*value).into(),
            Scalar::Float(value) => (*value).into(),
            Scalar::Integer(value) => (*value).into(),
            Scalar::Text(text) => text.as_ref().into(),
            Scalar::Array | Scalar::Null | Scalar::Object => serde_json::Value::Null,
        }
    }

    #[test]
    fn refused() {
        let check = |text: &str, expected: &str| assert_eq!(fault(text), Some(expected), "{text}");
        check("", SYNTAX);
        check("{} {}", SYNTAX);
        check("\u{feff}{}", SYNTAX);
        check("{\"a\":1,}", SYNTAX);
        check("{\"a\":NaN}", SYNTAX);
        check("{\"a\":1e999}", SYNTAX);
        check("{a:1}", SYNTAX);
        check("\"\\ud800\"", SYNTAX);
        check("{\"a\":1,\"a\":1}", DUPLICATE);
        check("{\"exp\":1,\"e\\u0078p\":2}", DUPLICATE);
        check("{\"a\":{\"b\":[1,{\"c\":1,\"c\":2}]}}", DUPLICATE);
        check(&format!("[{}1]", "1,".repeat(64)), SIZE);
        check(&"[".repeat(33), DEPTH);
        check(&"{\"a\":".repeat(100_000), DEPTH);
        assert_eq!(Document::parse(b"\"\xff\"", 9).unwrap_err(), SYNTAX);
    }

    #[test]
    fn the_room_made_at_first_is_measured_by_the_text_and_bounded() {
        let room = |text: &str| Document::parse(text.as_bytes(), 64).unwrap().0.capacity();
        assert_eq!(room("{}"), 2);
        assert_eq!(room(&format!("[{}]", " ".repeat(158))), 12);
        assert_eq!(room(&format!("[{}]", " ".repeat(9_998))), 64);
    }

    #[test]
    fn equal_names_in_two_objects_are_no_duplicates() {
        assert_eq!(fault(r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#), None);
        assert_eq!(fault(&format!("{}1{}", "[".repeat(32), "]".repeat(32))), None);
    }

    #[test]
    fn values_are_found() {
        let text = br#"{"a":[1,"x",{"deep":null}],"b":"y\n","c":true,"d":-7,"e":1.5}"#;
        let document = Document::parse(text, 64).unwrap();
        let root = document.root();
        assert_eq!(root.member("a").unwrap().items().unwrap().count(), 3);
        assert!(root.member("a").unwrap().texts().is_none());
        assert_eq!(root.member("b").unwrap().text(), Some("y\n"));
        assert_eq!(root.member("c").unwrap().boolean(), Some(true));
        assert_eq!(root.member("d").unwrap().integer(), Some(-7));
        assert_eq!(root.member("e").unwrap().float(), Some(1.5));
        assert!(root.member("deep").is_none());
        assert!(root.member("b").unwrap().member("b").is_none());
    }

    #[test]
    fn a_whole_number_beyond_64_bits_is_a_float() {
        for text in ["9223372036854775808", "18446744073709551615"] {
            let document = Document::parse(text.as_bytes(), 1).unwrap();
            assert_eq!(document.root().integer(), None);
            assert_eq!(document.root().float(), text.parse().ok());
            assert_eq!(print(document.root()), rounded(serde_json::from_str(text).unwrap()));
        }
    }

    #[test]
    fn a_number_reads_the_same_under_arbitrary_precision() {
        for text in [r#"{"exp":17}"#, r#"{"exp":{"$serde_json::private::Number":"17"}}"#] {
            let document = Document::parse(text.as_bytes(), 64).unwrap();
            assert_eq!(document.root().member("exp").unwrap().integer(), Some(17));
        }
    }

    /// What `serde_json` read, with whole numbers beyond 64 bits and a sign as we keep them.
    fn rounded(mut json: serde_json::Value) -> serde_json::Value {
        use serde_json::Value as Json;
        match &mut json {
            Json::Array(items) => items.iter_mut().for_each(|item| *item = rounded(item.take())),
            Json::Object(members) => {
                members.values_mut().for_each(|value| *value = rounded(value.take()));
            }
            Json::Number(number) if number.as_i64().is_none() => return number.as_f64().into(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
        json
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<i32>().prop_map(|n| (f64::from(n) + 0.5).into()),
            ".{0,6}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::btree_map(".{0,4}", inner, 0..5)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_reads(json in any_json()) {
            let text = json.to_string();
            let document = Document::parse(text.as_bytes(), 1_000).unwrap();
            prop_assert_eq!(print(document.root()), json);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Document::parse(&bytes, 64).map(|document| print(document.root()));
        }

        #[test]
        fn json_like_text_is_read_as_serde_json_reads_it(
            text in r#"([\[\]{}:,"a1.e\\-]|"(a|b|\\n|\\u0061)":|[0-9]{1,20}|-|null|true){0,40}"#
        ) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match (Document::parse(text.as_bytes(), 64), theirs) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(print(ours.root()), rounded(theirs)),
                (Ok(_), Err(_)) => prop_assert!(false, "only we read {}", text),
                // What only serde_json reads is too much of it, or names a member twice.
                (Err(fault), Ok(_)) => prop_assert!([DEPTH, DUPLICATE, SIZE].contains(&fault)),
                (Err(_), Err(_)) => {}
            }
        }

        #[test]
        fn a_changed_byte_is_read_as_serde_json_reads_it(
            json in any_json(), at in any::<prop::sample::Index>(), to in any::<u8>(),
        ) {
            let mut bytes = json.to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = to;
            let theirs = serde_json::from_slice::<serde_json::Value>(&bytes);
            match (Document::parse(&bytes, 1_000), theirs) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(print(ours.root()), rounded(theirs)),
                (Err(fault), Ok(_)) => prop_assert_eq!(fault, DUPLICATE),
                (Ok(_), Err(_)) => prop_assert!(false, "only we read {:?}", bytes),
                (Err(_), Err(_)) => {}
            }
        }
    }
}
