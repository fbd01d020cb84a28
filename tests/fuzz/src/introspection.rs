//! Answers of an introspection endpoint, to a verifier with the rules of that of [`jwt`].

use std::future::ready;

use portcullis::{
    AuthnErrorKind, RoleMap,
    authn::introspection::{Endpoint, Introspection, Request},
};
use serde_json::Value;

use super::{jwt, plain};

const MAX_BYTES: usize = 64 * 1024;

/// The target.
pub fn run(input: &[u8]) -> bool {
    let body = input.to_vec();
    let answer = move |_: Request| ready(Ok(body.clone()));
    let endpoint = Endpoint::new("https://id.example/introspect", answer);
    let verifier = Introspection::new("staff", jwt::ISSUER, jwt::AUDIENCE, endpoint)
        .roles(RoleMap::claim("roles").only(jwt::ROLES))
        .attributes(["department", "level"]);
    let judge = || plain::block_on(verifier.verify_token("t", plain::now()));
    let (found, again) = (judge(), judge());
    assert_eq!(format!("{found:?}"), format!("{again:?}"), "what is known is answered alike");

    let answer = plain::strict_json(input).filter(|_| input.len() <= MAX_BYTES);
    let kind = found.as_ref().map(drop).map_err(|error| error.kind());
    // No answer at all is asked for again; a no is a no, and is remembered.
    let asked = if kind == Err(AuthnErrorKind::Unavailable) { 2 } else { 1 };
    assert_eq!(verifier.stats().asked, asked);
    match found {
        Ok(principal) => {
            let mut answer = answer.expect("an object with every name once");
            assert_eq!(answer["active"], true);
            let text = |name: &str| answer.get(name).map(|value| value.as_str().expect("text"));
            assert!(text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")));
            assert!(text("token_use").is_none_or(|it| ["access", "access_token"].contains(&it)));
            let members = answer.as_object_mut().expect("an object");
            members.entry("iss").or_insert(jwt::ISSUER.into());
            jwt::is_principal(&answer, &principal);
            true
        }
        Err(error) if error.kind() == AuthnErrorKind::Unavailable => {
            let told = answer.is_some_and(|answer| answer["active"].is_boolean());
            assert!(!told || is_large(input), "{error}");
            false
        }
        Err(error) => {
            let active = answer.expect("an object with every name once")["active"].clone();
            assert!(active.is_boolean(), "{error}");
            if active == Value::Bool(true) {
                jwt::is_for_cause(error, input);
            }
            false
        }
    }
}

/// Whether the answer may be nested too deeply, or hold too much.
fn is_large(input: &[u8]) -> bool {
    input.len() > 1024 || input.iter().filter(|byte| b"[{".contains(byte)).count() > 32
}
