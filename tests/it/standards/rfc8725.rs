//! RFC 8725 (best current practices for JSON Web Tokens) and the draft that follows it; RFC 7519.

use portcullis::{AuthnErrorKind, Snapshot};

use super::{CLAIMS, HEADER, ISSUER, NOW, hs256, refused, signed, verifier, who};

/// Draft, section "Format Confusion": ASCII letters, digits, `-`, `_` and dots, and nothing else.
#[test]
fn of_all_bytes_only_those_of_a_token_are_taken() {
    let good = signed(HEADER, CLAIMS);
    for byte in 0..=127_u8 {
        let symbol = char::from(byte);
        for at in [0, 5, good.len() / 2, good.len() - 1, good.len()] {
            let mut token = good.clone();
            token.insert(at, symbol);
            assert!(who(&token).is_err(), "{symbol:?} at {at}");
        }
    }
    for odd in ["é", "\u{200b}", "\u{ff21}", "\u{0}"] {
        assert!(who(&format!("{good}{odd}")).is_err(), "{odd:?}");
    }
}

/// Section 3.1 and the draft: a key has one algorithm, and it is held against `alg` whenever the
/// key is used; spelled another way it is another one.
#[test]
fn the_algorithm_is_that_of_the_key() {
    for alg in ["none", "None", "NONE", "noNE", "hs256", "HS256 ", "HS384", "RS256", ""] {
        let token = signed(format!(r#"{{"alg":{alg:?}}}"#), CLAIMS);
        assert_eq!(refused(&token), Some("no key is for the token's `alg`"), "{alg}");
    }
}

/// Section 3.8: the key must be the issuer's, whoever the token says has issued it.
#[test]
fn a_key_speaks_for_its_issuer_alone() {
    let strange = CLAIMS.replace(ISSUER, "https://other.example");
    let refused = who(&signed(HEADER, strange)).unwrap_err();
    assert_eq!(refused.0, AuthnErrorKind::WrongIssuer);
}

/// Section 3.9, and the draft's MUST: without an audience, or for another, it is refused.
#[test]
fn an_audience_is_asked_for() {
    for aud in [
        "null",
        "7",
        "{}",
        "[]",
        r#""""#,
        r#""ORDERS""#,
        r#""orders ""#,
        r#"["shipping"]"#,
        r#"["orders",7]"#,
        r#"[["orders"]]"#,
    ] {
        let token = signed(HEADER, CLAIMS.replace(r#""orders""#, aud));
        assert_eq!(who(&token).unwrap_err().0, AuthnErrorKind::WrongAudience, "{aud}");
    }
    let none = signed(HEADER, CLAIMS.replace(r#""aud":"orders","#, ""));
    assert_eq!(refused(&none), Some("the token has no `aud`"));
}

/// RFC 7519 section 7.2: the payload is one object, in UTF-8, with nothing behind it.
#[test]
fn a_payload_is_one_object_and_nothing_else() {
    for payload in ["null", "7", "[]", r#""alice""#, &format!("[{CLAIMS}]")] {
        let why = Some("the payload is not an object");
        assert_eq!(refused(&signed(HEADER, payload)), why, "{payload}");
    }
    for payload in [format!("{CLAIMS}{{}}"), format!("\u{feff}{CLAIMS}"), format!("{CLAIMS}\0")] {
        assert_eq!(refused(&signed(HEADER, &payload)), Some("not JSON"), "{payload}");
    }
    let mut latin = CLAIMS.as_bytes().to_vec();
    latin.splice(1..1, *b"\"x\":\"\xff\",");
    assert_eq!(refused(&signed(HEADER, latin)), Some("not JSON"));
}

/// RFC 7519 sections 4.1.4 and 4.1.5: `exp` is the first moment that is too late, `nbf` the first
/// that is not too early, to the millisecond.
#[test]
fn times_begin_and_end_where_they_say() {
    let check = |exp: &str, expected: bool| {
        let token = signed(HEADER, CLAIMS.replace("1700000300", exp));
        assert_eq!(who(&token).is_ok(), expected, "{exp}");
    };
    check("1700000000", false);
    check("1700000001", true);
    check("1700000000.001", true);
    check("1700000000.000", false);
    check("1.700000001e9", true);
    check("253402300799", true);
    for absurd in ["253402300800", "1e18", "18446744073709551615", "-1", "-0.5", "1e300"] {
        check(absurd, false);
    }
    for (nbf, expected) in
        [("1700000000", true), ("1700000000.000", true), ("1700000000.001", false), ("0", true)]
    {
        let token = signed(HEADER, CLAIMS.replace("\"sub\"", &format!("\"nbf\":{nbf},\"sub\"")));
        assert_eq!(who(&token).is_ok(), expected, "nbf {nbf}");
    }
}

/// RFC 7519 section 4.1: claims of another type refuse, and are never taken for missing.
#[test]
fn claims_are_of_their_types() {
    for (claim, why) in [
        (r#""sub":7"#, "`sub` is not a string"),
        (r#""sub":null"#, "`sub` is not a string"),
        (r#""sub":"a","jti":7"#, "`jti` is not a string"),
        (r#""sub":"a","jti":null"#, "`jti` is not a string"),
        (r#""sub":"a","nbf":"1""#, "`nbf` is not a time"),
        (r#""sub":"a","nbf":null"#, "`nbf` is not a time"),
        (r#""sub":"a","iat":[1]"#, "`iat` is not a time"),
        (r#""sub":"a","iat":true"#, "`iat` is not a time"),
        (r#""sub":"a","sub":"b""#, "the JSON names a member twice"),
        (r#""sub":"a","\u0073ub":"b""#, "the JSON names a member twice"),
    ] {
        let token = signed(HEADER, CLAIMS.replace(r#""sub":"alice""#, claim));
        assert_eq!(refused(&token), Some(why), "{claim}");
    }
}

/// Draft: a `kid` is a name to look up, and never leads anywhere; nor does `jku` or `x5u`.
#[test]
fn nothing_in_a_header_leads_anywhere() {
    for kid in ["../../etc/passwd", "x' OR '1'='1", "*)(uid=*", "http://169.254.169.254/", "%00"] {
        let header = serde_json::json!({"alg": "HS256", "kid": kid}).to_string();
        assert_eq!(refused(&signed(header, CLAIMS)), Some("no key has the token's `kid`"));
    }
    for name in ["jku", "x5u", "jwk", "x5c", "x5t", "x5t#S256"] {
        let header = serde_json::json!({"alg": "HS256", name: "http://169.254.169.254/"});
        assert!(who(&signed(header.to_string(), CLAIMS)).is_ok(), "{name} is not looked at");
    }
}

/// Section 3.10: however many keys were held, a withdrawn one counts no more.
#[test]
fn a_set_is_replaced_whole() {
    let keys = Snapshot::new(hs256().keys());
    let verifier = portcullis::JwtVerifier::new("staff", ISSUER, "orders", keys.clone());
    let token = signed(HEADER, CLAIMS);
    assert!(verifier.verify_token(&token, NOW).is_ok());
    keys.replace(portcullis::testing::Issuer::new(ISSUER).keys());
    assert!(verifier.verify_token(&token, NOW).is_err());
    assert!(self::verifier().verify_token(&token, NOW).is_ok());
}
