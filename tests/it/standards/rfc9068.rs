//! RFC 9068 (access tokens that are JSON Web Tokens).

use portcullis::{
    JwtVerifier, RoleMap, UnixTime,
    testing::{Issuer, TokenBuilder},
};
use serde_json::{Value, json};

use super::{ISSUER, NOW};

fn verifier() -> JwtVerifier {
    JwtVerifier::access_token("staff", ISSUER, "orders", Issuer::new(ISSUER).keys())
}

/// The example of section 2.2, with a time of our own.
fn example() -> TokenBuilder {
    Issuer::new(ISSUER)
        .token("5ba552d67")
        .claim("client_id", "s6BhdRkqt3")
        .claim("scope", "openid profile reademail")
        .claim("jti", "dbe39bf3a3ba4238a513f51d6e1691c4")
}

/// Sections 2.2 and 4: all of them must be there, and of their types.
#[test]
fn what_must_be_there() {
    assert!(verifier().verify_token(&example().sign(NOW), NOW).is_ok());
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let without = example().without_claim(name).sign(NOW);
        assert!(verifier().verify_token(&without, NOW).is_err(), "without {name}");
        for odd in [Value::Null, json!({}), json!([7]), json!(true)] {
            let token = example().claim(name, odd.clone()).sign(NOW);
            assert!(verifier().verify_token(&token, NOW).is_err(), "{name}: {odd}");
        }
    }
    for typ in ["JWT", "jwt", "application/jwt", "at", "at+jwt+x", "text/at+jwt"] {
        let token = example().header("typ", typ).sign(NOW);
        assert!(verifier().verify_token(&token, NOW).is_err(), "{typ}");
    }
    assert!(verifier().verify_token(&example().without_header("typ").sign(NOW), NOW).is_err());
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT"] {
        let token = example().header("typ", typ).sign(NOW);
        assert!(verifier().verify_token(&token, NOW).is_ok(), "{typ}");
    }
}

/// Sections 2.2.1 to 2.2.3: how the caller logged in, what the token is limited to, and what
/// the issuer says of groups, roles and entitlements (RFC 7643 section 4.1.2).
#[test]
fn what_may_be_there_is_read() {
    let token = example()
        .claim("auth_time", NOW.as_secs() - 60)
        .claim("acr", "2")
        .claim("amr", json!(["pwd", "otp"]))
        .claim("groups", json!(["clerks"]))
        .claim("roles", json!(["manager"]))
        .claim("entitlements", json!(["refunds"]))
        .sign(NOW);
    let roles = |claim: &str, only: &str| {
        let verifier = verifier().roles(RoleMap::claim(claim).only([only]));
        let alice = verifier.verify_token(&token, NOW).unwrap();
        alice.roles().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(roles("groups", "clerks"), ["clerks"]);
    assert_eq!(roles("roles", "manager"), ["manager"]);
    assert_eq!(roles("entitlements", "refunds"), ["refunds"]);

    let alice = verifier().verify_token(&token, NOW).unwrap();
    assert_eq!((alice.subject(), alice.client()), ("5ba552d67", Some("s6BhdRkqt3")));
    assert_eq!(alice.auth_time(), Some(UnixTime::from_secs(NOW.as_secs() - 60)));
    assert_eq!((alice.acr(), alice.amr().collect::<Vec<_>>()), (Some("2"), vec!["pwd", "otp"]));
    assert!(alice.scopes().unwrap().eq(["openid", "profile", "reademail"]));
    assert_eq!(alice.credential_id(), Some("dbe39bf3a3ba4238a513f51d6e1691c4"));
}
