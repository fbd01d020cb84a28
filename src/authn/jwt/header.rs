//! The protected header (RFC 7515 section 4): read to find the key, never to choose how to check.

use super::{
    encrypted, invalid,
    json::{Document, Value},
    malformed,
};
use crate::authn::AuthnError;

/// A header may hold this many values. It is read before the signature, so it is kept cheap.
const MAX_VALUES: usize = 64;

/// The longest `kid` that is looked up.
pub(super) const MAX_KID: usize = 256;

/// What a header says. `jwk`, `jku`, `x5u` and `x5c` are not even looked at: a key that comes with
/// the token proves nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) alg: &'a str,
    pub(super) kid: Option<&'a str>,
    pub(super) typ: Option<&'a str>,
}

impl<'a> Header<'a> {
    /// Reads a decoded header with the room that an empty document has.
    pub(super) fn read<'t: 'a>(
        text: &'t [u8],
        document: &'a mut Document<'t>,
    ) -> Result<Self, AuthnError> {
        let header = document.read(text, MAX_VALUES).map_err(malformed)?;
        let members = header.members().ok_or(malformed("the header is not an object"))?;
        let (mut alg, mut kid, mut typ) = (None, None, None);
        for (name, value) in members {
            match name {
                "alg" => alg = Some(value.text().ok_or(malformed("`alg` is not a string"))?),
                "kid" => kid = Some(read_kid(value)?),
                "typ" => typ = Some(value.text().ok_or(malformed("`typ` is not a string"))?),
                // RFC 7515 section 4.1.11: what must be understood and is not, refuses the token.
                "crit" => return Err(malformed("`crit` asks for an unknown extension")),
                // RFC 7797 section 7: not for JSON Web Tokens.
                "b64" => return Err(malformed("`b64` is not for tokens")),
                "enc" | "zip" => return Err(encrypted()),
                // RFC 7519 section 5.2: `JWT` says that the payload is a token itself.
                "cty" if value.text().is_none_or(|cty| is_media(cty, "JWT")) => {
                    return Err(malformed("tokens within tokens are not taken"));
                }
                _ => {}
            }
        }
        let alg = alg.ok_or(malformed("the header has no `alg`"))?;
        Ok(Self { alg, kid, typ })
    }
}

fn read_kid(value: Value<'_>) -> Result<&str, AuthnError> {
    let kid = value.text().ok_or(malformed("`kid` is not a string"))?;
    if kid.len() > MAX_KID {
        return Err(malformed("`kid` is too long"));
    }
    Ok(kid)
}

/// Which `typ` a token may have. One that is made for another use says so, and is refused (RFC
/// 8725 section 3.11).
#[derive(Clone, Debug)]
pub(super) struct Types {
    pub(super) named: Vec<String>,
    /// Whether it may have none.
    pub(super) untyped: bool,
}

impl Types {
    pub(super) fn new<const N: usize>(named: [&str; N], untyped: bool) -> Self {
        Self { named: named.map(str::to_owned).into(), untyped }
    }

    pub(super) fn check(&self, typ: Option<&str>) -> Result<(), AuthnError> {
        match typ {
            None if self.untyped => Ok(()),
            None => Err(invalid("the header has no `typ`")),
            Some(typ) if self.named.iter().any(|named| is_media(typ, named)) => Ok(()),
            Some(_) => Err(invalid("`typ` is that of another kind of token")),
        }
    }
}

/// Compares media types: without regard to case, `application/` implied (RFC 7515 section 4.1.9).
pub(super) fn is_media(found: &str, expected: &str) -> bool {
    let (prefix, rest) = found.split_once('/').unwrap_or(("application", found));
    prefix.eq_ignore_ascii_case("application") && rest.eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, Option<String>), &'static str> {
        let mut document = Document::default();
        let header = Header::read(text.as_bytes(), &mut document).map_err(AuthnError::detail)?;
        Types::new(["JWT", "at+jwt"], true).check(header.typ).map_err(AuthnError::detail)?;
        Ok((header.alg.to_owned(), header.kid.map(str::to_owned)))
    }

    #[test]
    fn accepted() {
        let check = |text: &str, alg: &str, kid: Option<&str>| {
            assert_eq!(read(text), Ok((alg.to_owned(), kid.map(str::to_owned))), "{text}");
        };
        check(r#"{"alg":"ES256"}"#, "ES256", None);
        check(r#"{"typ":"JWT","alg":"ES256","kid":"k1"}"#, "ES256", Some("k1"));
        check(r#"{"typ":"at+jwt","alg":"ES256"}"#, "ES256", None);
        check(r#"{"typ":"application/AT+JWT","alg":"ES256"}"#, "ES256", None);
        check(r#"{"typ":"Application/jwt","alg":"\u0045S256"}"#, "ES256", None);
        check(r#"{"alg":"ES256","x5t":"x","more":[1,{"a":null}]}"#, "ES256", None);
    }

    #[test]
    fn refused() {
        let check = |text: &str, expected: &str| assert_eq!(read(text), Err(expected), "{text}");
        check("[]", "the header is not an object");
        check("\"alg\"", "the header is not an object");
        check("{", "not JSON");
        check("{} ", "the header has no `alg`");
        check("{\"alg\":1}", "`alg` is not a string");
        check("{\"alg\":[\"ES256\"]}", "`alg` is not a string");
        check("{\"alg\":null}", "`alg` is not a string");
    }

    #[test]
    fn attack_duplicate_header_names() {
        let expected = Err("the JSON names a member twice");
        assert_eq!(read(r#"{"alg":"ES256","alg":"none"}"#), expected);
        assert_eq!(read(r#"{"alg":"ES256","\u0061lg":"none"}"#), expected);
        assert_eq!(read(r#"{"alg":"ES256","x":1,"x":1}"#), expected);
    }

    #[test]
    fn attack_kid_null_number_or_huge() {
        assert_eq!(read(r#"{"alg":"ES256","kid":null}"#), Err("`kid` is not a string"));
        assert_eq!(read(r#"{"alg":"ES256","kid":7}"#), Err("`kid` is not a string"));
        let long = |length| format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(length));
        assert_eq!(read(&long(257)), Err("`kid` is too long"));
        assert!(read(&long(256)).is_ok());
    }

    #[test]
    fn attack_crit_and_b64() {
        let expected = Err("`crit` asks for an unknown extension");
        for crit in [r#"["exp"]"#, "[]", "null", r#"["b64"]"#, r#""exp""#] {
            assert_eq!(read(&format!(r#"{{"alg":"ES256","crit":{crit}}}"#)), expected);
        }
        assert_eq!(read(r#"{"alg":"ES256","b64":false}"#), Err("`b64` is not for tokens"));
    }

    #[test]
    fn attack_token_of_another_type() {
        for typ in ["dpop+jwt", "logout+jwt", "secevent+jwt", "JWE", "", "x/jwt", "application/"] {
            let text = format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#);
            assert_eq!(read(&text), Err("`typ` is that of another kind of token"), "{typ}");
        }
        assert_eq!(read(r#"{"alg":"ES256","typ":null}"#), Err("`typ` is not a string"));
    }

    #[test]
    fn attack_header_that_looks_encrypted_or_nested() {
        let jwe = Err("encrypted tokens (JWE) are not taken");
        assert_eq!(read(r#"{"alg":"dir","enc":"A256GCM"}"#), jwe);
        assert_eq!(read(r#"{"alg":"ES256","zip":"DEF"}"#), jwe);
        let nested = Err("tokens within tokens are not taken");
        assert_eq!(read(r#"{"alg":"ES256","cty":"JWT"}"#), nested);
        assert_eq!(read(r#"{"alg":"ES256","cty":"application/jwt"}"#), nested);
        assert!(read(r#"{"alg":"ES256","cty":"json"}"#).is_ok());
    }

    #[test]
    fn attack_header_with_half_a_million_items() {
        let giant = format!(r#"{{"alg":"ES256","x":[{}1]}}"#, "1,".repeat(500_000));
        assert_eq!(read(&giant), Err("the JSON holds too much"));
        assert_eq!(read(&"[".repeat(100_000)), Err("the JSON is nested too deeply"));
    }
}
