use std::collections::BTreeMap;

use super::{Datum, DatumRecord, DatumSet, Function, moments};
use crate::authz::{Attr, EvalError, Record, TypeName, Value, ValueSet};

#[test]
fn decimals() {
    let check = |text, expected| assert_eq!(moments::decimal(text), expected, "{text}");
    check("1.5", Some(15_000));
    check("-0.0001", Some(-1));
    check("007.10", Some(71_000));
    check("922337203685477.5807", Some(i64::MAX));
    check("922337203685477.5808", None);
    check("-922337203685477.5808", Some(i64::MIN));
    for wrong in ["", "1", "1.", ".1", "+1.0", "1.00000", "--1.0", "1.5 ", "1.5.5", "\u{661}.0"] {
        check(wrong, None);
    }
}

#[test]
fn spans() {
    let check = |text, expected| assert_eq!(moments::duration(text), expected, "{text}");
    check("1d2h3m4s5ms", Some(93_784_005));
    check("-1d2h3m4s5ms", Some(-93_784_005));
    check("5m", Some(300_000));
    check("5ms", Some(5));
    check("1h5ms", Some(3_600_005));
    check("-9223372036854775808ms", Some(i64::MIN));
    check("9223372036854775808ms", None);
    check("-0ms", Some(0));
    for wrong in ["", "-", "1", "1x", "d", "1h1d", "1d1d", "1s1m", "+1d", "1d ", "1 d"] {
        check(wrong, None);
    }
    check("99999999999999999999d", None);
}

#[test]
fn moments_in_time() {
    let check = |text, expected| assert_eq!(moments::datetime(text), expected, "{text}");
    check("1970-01-01", Some(0));
    check("1969-12-31T23:59:59.999Z", Some(-1));
    check("0000-01-01", Some(-62_167_219_200_000));
    check("9999-12-31T23:59:59.999Z", Some(253_402_300_799_999));
    check("2024-02-29T00:00:00Z", Some(1_709_164_800_000));
    check("1970-01-01T01:30:00+0130", Some(0));
    check("1970-01-01T00:00:00.500-2359", Some(86_340_500));
    for wrong in [
        "",
        "1970",
        "1970-1-1",
        "2023-02-29",
        "1900-02-29",
        "1970-13-01",
        "1970-01-00",
        "1970-01-01T",
        "1970-01-01T00:00:00",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:00:60Z",
        "1970-01-01T00:00:00.5Z",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+2400",
        "1970-01-01T00:00:00+0060",
        "1970-01-01 00:00:00Z",
        "1970-01-01T00:00:00Zz",
        "\u{661}970-01-01",
    ] {
        check(wrong, None);
    }
}

#[test]
fn a_function_takes_its_own_arguments_alone() {
    let text = Value::Str("::1");
    let Ok(ip @ Value::Ip(_)) = Function::Ip.call(&[text]) else { panic!("an address") };
    let wrong = |result: Result<Value<'_>, EvalError>| result.err() == Some(EvalError::WrongType);
    for function in Function::ALL {
        assert!(wrong(function.call(&[])), "{function:?}");
        assert!(wrong(function.call(&[text, text, text])), "{function:?}");
        assert!(wrong(function.call(&[Value::Long(1)])), "{function:?}");
        assert!(wrong(function.call(&[text, ip])), "{function:?}");
    }
    assert!(matches!(Function::IsLoopback.call(&[ip]), Ok(Value::Bool(true))));
    let unreadable = Function::Ip.call(&[Value::Str("::ffff:10.0.0.7")]);
    assert_eq!(unreadable.err(), Some(EvalError::NotReadable));
}

#[test]
fn a_kept_set_holds_what_was_put_in_and_nothing_else() {
    let [one, other] = ["User", "Group"].map(TypeName::new);
    let all = [
        Value::Bool(true),
        Value::Long(-1),
        Value::Long(7),
        Value::Str("7"),
        Value::Str("a"),
        Value::Ref(one, "a"),
        Value::Ref(one, "b"),
        Value::Ref(other, "a"),
        Value::Ip("10.0.0.0/8".parse().unwrap()),
        Value::Ip("10.0.0.0/9".parse().unwrap()),
        Value::Decimal(7),
        Value::Datetime(7),
        Value::Duration(7),
    ];
    for mask in [0, 0b1_0101_0101_0101, 0b0_1010_1010_1010, 0b1_1111_1111_1111] {
        let is_in = |at: usize| mask >> at & 1 == 1;
        let kept = all.iter().enumerate().filter(|(at, _)| is_in(*at));
        let set = DatumSet::new(kept.filter_map(|(_, value)| Datum::scalar(*value)).collect());
        for (at, value) in all.iter().enumerate() {
            assert_eq!(set.holds(*value), is_in(at), "{mask:b} {value:?}");
        }
        assert!(!set.holds(Value::Missing) && !set.holds(Value::Strings(&[])));
    }
    // A set of sets is no set of what is neither.
    assert!(!DatumSet::new(vec![Datum::Set(DatumSet::default())]).holds(Value::Strings(&[])));
}

#[test]
fn a_kept_record_finds_each_field_however_many_there_are() {
    for count in [0, 1, 8, 9, 30] {
        let name = |at: i64| "n".repeat(1 + at as usize / 3) + &at.to_string();
        let fields = (0..count).map(|at| (name(at).into(), Datum::Long(at)));
        let record = DatumRecord::new(fields.collect::<BTreeMap<_, _>>());
        for at in 0..count {
            let found = record.field(&Attr::new(&name(at)));
            assert!(matches!(found, Value::Long(value) if value == at), "{count} {at}");
        }
        assert!(matches!(record.field(&Attr::new(&name(count))), Value::Missing), "{count}");
    }
}
