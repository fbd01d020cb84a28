//! RFC 7515 (JSON Web Signature), with RFC 7516 and RFC 7797: what a token may look like.

use portcullis::AuthnErrorKind;

use super::{CLAIMS, HEADER, encode, refused, signed, who};

#[test]
fn the_token_that_all_others_are_changed_from() {
    assert_eq!(who(&signed(HEADER, CLAIMS)), Ok("staff/alice".to_owned()));
}

/// Section 4: the header is the UTF-8 text of one JSON object.
#[test]
fn a_header_is_one_object_and_nothing_else() {
    for text in [
        "",
        "{",
        r#"{"alg":"HS256"}x"#,
        r#"{"alg":"HS256"}{}"#,
        "\u{feff}{\"alg\":\"HS256\"}",
        r#"{"alg":"HS256",}"#,
        r#"{'alg':'HS256'}"#,
        r#"{alg:"HS256"}"#,
        r#"{"alg":"HS256","x":NaN}"#,
    ] {
        let why = if text.is_empty() { "a part of the token is empty" } else { "not JSON" };
        assert_eq!(refused(&signed(text, CLAIMS)), Some(why), "{text}");
    }
    let latin = b"{\"alg\":\"HS256\",\"x\":\"\xe9\"}";
    assert_eq!(refused(&signed(latin, CLAIMS)), Some("not JSON"), "not UTF-8");
    for text in ["null", "[]", r#""HS256""#, r#"[{"alg":"HS256"}]"#, "7"] {
        let why = Some("the header is not an object");
        assert_eq!(refused(&signed(text, CLAIMS)), why, "{text}");
    }
    let spaced = " {\n\"alg\" :\t\"HS256\" }\r\n";
    assert!(who(&signed(spaced, CLAIMS)).is_ok(), "white space is JSON's own");
}

/// Section 4: no name stands twice, however it is written and however deep.
#[test]
fn a_name_stands_once() {
    for text in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT","typ":"JWT"}"#,
        r#"{"alg":"HS256","x":{"y":1,"y":1}}"#,
        r#"{"alg":"HS256","x":[{"y":1,"\u0079":2}]}"#,
    ] {
        let why = Some("the JSON names a member twice");
        assert_eq!(refused(&signed(text, CLAIMS)), why, "{text}");
    }
}

/// Section 4.1.11: what must be understood is not, so that it refuses, of whatever form it is.
#[test]
fn whatever_must_be_understood_refuses() {
    for crit in [
        r#"["exp"]"#,
        r#"["b64"]"#,
        r#"["alg"]"#,
        r#"["x","x"]"#,
        r#"["missing"]"#,
        "[]",
        "{}",
        "null",
        r#""x""#,
        "[1]",
    ] {
        let header = format!(r#"{{"alg":"HS256","x":1,"crit":{crit}}}"#);
        let why = Some("`crit` asks for an unknown extension");
        assert_eq!(refused(&signed(header, CLAIMS)), why, "{crit}");
    }
}

/// RFC 7797 section 7: a JSON Web Token is never with an unencoded payload.
#[test]
fn a_payload_is_encoded() {
    for b64 in ["false", "true", "null", "0"] {
        let header = format!(r#"{{"alg":"HS256","b64":{b64}}}"#);
        assert_eq!(refused(&signed(header, CLAIMS)), Some("`b64` is not for tokens"), "{b64}");
    }
    let crit_first = r#"{"alg":"HS256","crit":["b64"],"b64":false}"#;
    assert_eq!(refused(&signed(crit_first, CLAIMS)), Some("`crit` asks for an unknown extension"));
}

/// Section 4.1.9: `typ` is a media type, without regard to case, `application/` implied.
#[test]
fn a_type_is_a_media_type() {
    let typed = |typ: &str| refused(&signed(format!(r#"{{"alg":"HS256","typ":{typ}}}"#), CLAIMS));
    for typ in ["JWT", "jwt", "application/jwt", "APPLICATION/JWT", "at+jwt", "Application/At+JWT"]
    {
        assert_eq!(typed(&format!("{typ:?}")), None, "{typ}");
    }
    for typ in ["JOSE", "text/jwt", "application/application/jwt", "jwt ", "jwt;v=1", "at", ""] {
        let why = Some("`typ` is that of another kind of token");
        assert_eq!(typed(&format!("{typ:?}")), why, "{typ}");
    }
    for typ in ["1", "null", r#"["JWT"]"#] {
        assert_eq!(typed(typ), Some("`typ` is not a string"), "{typ}");
    }
}

/// Section 7.2, and RFC 7519 section 1: a token is in the compact form, never in JSON.
#[test]
fn the_json_forms_are_none() {
    let token = signed(HEADER, CLAIMS);
    let parts: Vec<&str> = token.split('.').collect();
    let [protected, payload, signature] = parts[..] else { panic!("{token}") };
    let one = format!(r#""protected":"{protected}","signature":"{signature}""#);
    for json in [
        format!(r#"{{"payload":"{payload}",{one}}}"#),
        format!(r#"{{"payload":"{payload}","signatures":[{{{one}}}]}}"#),
    ] {
        assert!(who(&json).is_err(), "{json}");
    }
}

/// RFC 7516 section 9: five parts, or `enc`, say that a token is encrypted. That is told apart
/// from what has no form at all.
#[test]
fn an_encrypted_token_is_told_apart() {
    let encrypted = Err((AuthnErrorKind::Encrypted, "encrypted tokens (JWE) are not taken"));
    let jwe = encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    assert_eq!(who(&format!("{jwe}.QUJD.QUJD.QUJD.QUJD")), encrypted);
    assert_eq!(who(&format!("{jwe}..QUJD.QUJD.QUJD")), encrypted, "direct: no encrypted key");
    for header in [
        r#"{"alg":"HS256","enc":"A256GCM"}"#,
        r#"{"alg":"HS256","zip":"DEF"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"enc":"A256GCM"}"#,
    ] {
        assert_eq!(who(&signed(header, CLAIMS)), encrypted, "{header}");
    }
    for token in ["a.b.c.d", "a.b.c.d.e.f"] {
        assert_eq!(who(token).unwrap_err().0, AuthnErrorKind::Malformed, "{token}");
    }
}
