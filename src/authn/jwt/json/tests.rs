use proptest::prelude::*;

use super::*;

fn fault(text: &str) -> Option<&'static str> {
    read(text.as_bytes(), 64).err()
}

fn read(text: &[u8], max_values: usize) -> Result<serde_json::Value, &'static str> {
    Document::default().read(text, max_values).map(print)
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
    assert_eq!(read(b"\"\xff\"", 9), Err(SYNTAX));
}

#[test]
fn what_has_no_room_is_held_all_the_same() {
    for items in [ROOM - 2, ROOM - 1, ROOM, 3 * ROOM] {
        let text = format!("[{}1]", "1,".repeat(items - 1));
        let mut document = Document::default();
        assert_eq!(document.read(text.as_bytes(), 100).unwrap().items().unwrap().count(), items);
        assert_eq!(document.more.is_empty(), items < ROOM, "{items}");
    }
}

#[test]
fn equal_names_in_two_objects_are_no_duplicates() {
    assert_eq!(fault(r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#), None);
    assert_eq!(fault(&format!("{}1{}", "[".repeat(32), "]".repeat(32))), None);
}

#[test]
fn values_are_found() {
    let text = br#"{"a":[1,"x",{"deep":null}],"b":"y\n","c":true,"d":-7,"e":1.5}"#;
    let mut document = Document::default();
    let root = document.read(text, 64).unwrap();
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
        let mut document = Document::default();
        let value = document.read(text.as_bytes(), 1).unwrap();
        assert_eq!((value.integer(), value.float()), (None, text.parse().ok()));
        assert_eq!(print(value), rounded(serde_json::from_str(text).unwrap()));
    }
}

#[test]
fn a_number_reads_the_same_under_arbitrary_precision() {
    let number = r#"{"$serde_json::private::Number":"17"}"#;
    for items in [0, ROOM - 4, ROOM - 3, ROOM - 2, ROOM - 1, ROOM] {
        for exp in ["17", number] {
            let text = format!(r#"{{"a":[{}1],"exp":{exp},"z":{exp}}}"#, "1,".repeat(items));
            let mut document = Document::default();
            let root = document.read(text.as_bytes(), 64).unwrap();
            assert_eq!(root.member("exp").unwrap().integer(), Some(17));
            assert_eq!(root.member("z").unwrap().integer(), Some(17));
        }
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
        prop_assert_eq!(read(text.as_bytes(), 1_000), Ok(json));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, 64);
    }

    #[test]
    fn json_like_text_is_read_as_serde_json_reads_it(
        text in r#"([\[\]{}:,"a1.e\\-]|"(a|b|\\n|\\u0061)":|[0-9]{1,20}|-|null|true){0,40}"#
    ) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        match (read(text.as_bytes(), 64), theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, rounded(theirs)),
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
        match (read(&bytes, 1_000), theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, rounded(theirs)),
            (Err(fault), Ok(_)) => prop_assert_eq!(fault, DUPLICATE),
            (Ok(_), Err(_)) => prop_assert!(false, "only we read {:?}", bytes),
            (Err(_), Err(_)) => {}
        }
    }
}
