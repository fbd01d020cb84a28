//! JWT-SVIDs and the bundles of their keys (SPIFFE JWT-SVID, SPIFFE Trust Domain and Bundle).

use std::sync::Arc;

use super::*;
use crate::{
    Credential, Facts, Key, Mono, Now, Verifier,
    authn::{
        jwt::{KeyError, KeySetError, Loader},
        revocation::{Denylist, Revocation, Revocations, Target},
    },
};

#[test]
fn jwt_svid_of_spiffe() {
    let good = || issuer().token(WORKLOAD).header("typ", "JWT");
    let check = |token: TokenBuilder, why: &str| {
        let answer = svids().verify_token(&token.sign(NOW), NOW);
        assert_eq!(answer.err().map(AuthnError::detail).unwrap_or_default(), why);
    };
    check(good(), "");
    check(good().header("typ", "JOSE"), "");
    check(good().without_header("typ").without_claim("iss").without_claim("iat"), "");
    check(good().header("typ", "at+jwt"), "`typ` is that of another kind of token");
    check(good().without_claim("aud"), "the token has no `aud`");
    check(good().for_audience("shipping"), "`aud` names another audience");
    check(good().without_claim("exp"), "the token has no `exp`");
    check(good().expired(), "`exp` is over");
    check(
        good().claim("cnf", json!({})),
        "`cnf` binds the token to a proof that is not checked here",
    );
    let stranger = "`sub` is no workload of the trust domain";
    check(good().without_claim("sub"), stranger);
    check(good().claim("sub", ALICE), stranger);
    check(good().claim("sub", "spiffe://prod.example"), stranger);
    check(good().claim("sub", "spiffe://prod.example.evil/billing"), stranger);
    check(good().claim("sub", "spiffe://test.example/billing"), stranger);
    for algorithm in Algorithm::ALL.iter().copied() {
        let issuer = Issuer::new(ISSUER).with_algorithm(algorithm);
        let svids = JwtSvids::new("workloads", "prod.example", "orders", issuer.keys());
        let token = issuer.token(WORKLOAD).header("typ", "JWT").sign(NOW);
        let other = algorithm.is_symmetric() || algorithm == Algorithm::EdDsa;
        let expected = other.then_some("`alg` is none of those of JWT-SVIDs");
        let answer = svids.verify_token(&token, NOW).err().map(AuthnError::detail);
        assert_eq!(answer, expected, "{algorithm}");
    }
}

#[test]
fn only_what_says_it_is_a_workload_is_asked_for_it() {
    let now = Now::new(NOW, Mono::from_nanos(0));
    let ask = |token: &str| svids().verify(&Credential::Bearer(token), &Facts::default(), now);
    assert!(ask(&issuer().token(ALICE).sign(NOW)).is_none());
    assert!(ask("key_0123").is_none() && ask("a.b").is_none());
    let token = issuer().token("spiffe://test.example/x").header("typ", "JWT");
    assert!(ask(&token.clone().sign(NOW)).is_none(), "of another trust domain");
    let odd = token.clone().claim("sub", "spiffe://prod.example/a/../b");
    assert!(ask(&odd.sign(NOW)).unwrap().is_err());
    assert!(ask(&token.signed_by_stranger().claim("sub", WORKLOAD).sign(NOW)).unwrap().is_err());
    let good = ask(&issuer().token(WORKLOAD).header("typ", "JWT").sign(NOW)).unwrap().unwrap();
    assert_eq!((good.subject(), good.kind()), (WORKLOAD, crate::Kind::Service));
}

#[test]
fn attack_header_that_says_more_than_a_svid_may() {
    let good = || issuer().token(WORKLOAD).header("typ", "JWT");
    let detail = |token: TokenBuilder| {
        svids().verify_token(&token.sign(NOW), NOW).err().map(AuthnError::detail)
    };
    assert_eq!(detail(good().without_header("typ")), None);
    assert_eq!(detail(good().without_header("kid")), None, "optional, with one key");
    let more = Some("the header of a JWT-SVID has `alg`, `kid` and `typ`, and nothing else");
    for name in ["jwk", "jku", "x5c", "x5t", "x5t#S256", "crit", "cty", "iss", "private", "Kid"] {
        assert_eq!(detail(good().header(name, "x")), more, "{name}");
    }
    assert_eq!(detail(good().header("a", 1).header("b", 2)), more);
}

#[test]
fn attack_revoked_workload() {
    let list = Arc::new(Denylist::new(100));
    let svids = svids().revocations(Arc::clone(&list));
    let until = NOW.saturating_add(Duration::from_secs(300));
    let token = |id: &str, jti: Value| {
        let token = issuer().token(id).header("typ", "JWT").claim("jti", jti);
        svids.verify_token(&token.sign(NOW), NOW).map(drop).map_err(AuthnError::kind)
    };
    assert_eq!(token(WORKLOAD, "a".into()), Ok(()));
    let mut one = Revocation::subject("prod.example", "nobody", until);
    one.target = Target::Token("a");
    list.revoke(&one, NOW).unwrap();
    assert_eq!(token(WORKLOAD, "a".into()), Err(AuthnErrorKind::Revoked));
    assert_eq!(token(WORKLOAD, "b".into()), Ok(()));
    assert_eq!(token(WORKLOAD, json!(["a"])), Err(AuthnErrorKind::Invalid), "met by none");
    list.revoke(&Revocation::subject("prod.example", WORKLOAD, until), NOW).unwrap();
    assert_eq!(token(WORKLOAD, "b".into()), Err(AuthnErrorKind::Revoked));
    assert_eq!(token("spiffe://prod.example/shop", "b".into()), Ok(()));
}

/// The entry of a bundle for the issuer's key, with some members replaced; `null` takes one away.
fn entry(algorithm: Algorithm, members: Value) -> Value {
    let jwks = Issuer::new("").with_algorithm(algorithm).jwks();
    let mut jwk = serde_json::from_str::<Value>(&jwks).unwrap()["keys"][0].take();
    jwk["use"] = "jwt-svid".into();
    jwk.as_object_mut().unwrap().remove("alg");
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            jwk.as_object_mut().unwrap().remove(name);
        } else {
            jwk[name] = value.clone();
        }
    }
    jwk
}

fn bundle(keys: &[Value]) -> Result<SpiffeBundle, KeySetError> {
    let document = json!({ "spiffe_sequence": 12, "spiffe_refresh_hint": 60, "keys": keys });
    Loader::new().spiffe_bundle(document.to_string())
}

#[test]
fn a_bundle_has_the_keys_of_its_svids() {
    let x509 = json!({"use": "x509-svid", "kty": "RSA", "n": "AQAB", "e": "AQAB", "x5c": ["MIIB"]});
    let keys = [x509, entry(Algorithm::Es256, json!({})), entry(Algorithm::Rs256, json!({}))];
    let found = bundle(&keys).unwrap();
    assert_eq!((found.sequence(), found.refresh_hint()), (Some(12), Some(Duration::from_secs(60))));
    assert_eq!(found.keys().skipped(), [], "a key of X.509-SVIDs is no news");
    let algorithms: Vec<_> = found.keys().keys().iter().map(Key::algorithm).collect();
    assert_eq!(algorithms, [Algorithm::Es256, Algorithm::Rs256]);
    let svids = JwtSvids::new("workloads", "prod.example", "orders", found.into_keys());
    for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
        let issuer = Issuer::new("").with_algorithm(algorithm);
        let token = issuer.token(WORKLOAD).header("typ", "JWT").without_claim("iss").sign(NOW);
        assert!(svids.verify_token(&token, NOW).is_ok(), "{algorithm}");
    }
    let loader = Loader::new().assuming(Algorithm::Ps256);
    let rsa =
        json!({ "keys": [entry(Algorithm::Rs256, json!({})), entry(Algorithm::Es384, json!({}))] });
    let found = loader.spiffe_bundle(rsa.to_string()).unwrap();
    let algorithms: Vec<_> = found.keys().keys().iter().map(Key::algorithm).collect();
    assert_eq!(algorithms, [Algorithm::Ps256, Algorithm::Es384]);
    assert_eq!((found.sequence(), found.refresh_hint()), (None, None));
}

#[test]
fn attack_key_of_a_bundle_that_is_for_something_else() {
    let why = |key: Value| {
        let found = bundle(&[key]).unwrap();
        assert_eq!(found.keys().keys().len(), 0);
        found.keys().skipped()[0].reason.clone()
    };
    let es256 = |members| entry(Algorithm::Es256, members);
    let other = KeyError::OtherPurpose("`use` is not `jwt-svid`");
    for purpose in [json!("sig"), json!("JWT-SVID"), json!("wit-svid"), Value::Null] {
        assert_eq!(why(es256(json!({ "use": purpose }))), other);
    }
    assert_eq!(why(es256(json!({ "kid": null }))), KeyError::NotAKey("`kid` is missing"));
    assert!(matches!(why(es256(json!({ "kid": "" }))), KeyError::NotAKey(_)));
    assert_eq!(why(es256(json!({ "d": "AQAB" }))), KeyError::Private);
    assert_eq!(why(es256(json!({ "alg": "ES384" }))), KeyError::Mismatch(Algorithm::Es384));
    assert!(matches!(why(es256(json!({ "crv": "P-521" }))), KeyError::NotAKey(_)));
    let none = KeyError::OtherPurpose("`alg` is none of those of JWT-SVIDs");
    assert_eq!(why(entry(Algorithm::EdDsa, json!({}))), none);
    assert_eq!(why(entry(Algorithm::Hs256, json!({ "alg": "HS256" }))), none);
    assert_eq!(why(entry(Algorithm::Hs256, json!({}))), KeyError::SecretAmongPublic);
    let plain = json!({ "keys": [es256(json!({ "alg": "ES256" }))] }).to_string();
    assert!(Loader::new().jwks(plain).is_err(), "nor is its key one of a plain set");
}

#[test]
fn a_bundle_without_keys_withdraws_all() {
    let found = bundle(&[]).unwrap();
    let svids = JwtSvids::new("workloads", "prod.example", "orders", found.into_keys());
    for token in [issuer().token(WORKLOAD), issuer().token(WORKLOAD).without_header("kid")] {
        let token = token.header("typ", "JWT").sign(NOW);
        assert!(svids.verify_token(&token, NOW).is_err());
    }
    let duplicate = entry(Algorithm::Es256, json!({}));
    let found = bundle(&[duplicate.clone(), duplicate]).unwrap();
    assert_eq!((found.keys().keys().len(), found.keys().skipped().len()), (0, 2));
}

#[test]
fn documents_that_are_no_bundle() {
    let refused = |text: &str| Loader::new().spiffe_bundle(text).unwrap_err();
    for text in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[],"spiffe_sequence":"1"}"#,
        r#"{"keys":[],"spiffe_sequence":1.5}"#,
        r#"{"keys":[],"spiffe_sequence":-1}"#,
        r#"{"keys":[],"spiffe_sequence":null}"#,
        r#"{"keys":[],"spiffe_refresh_hint":[60]}"#,
        r#"{"keys":[],"spiffe_sequence":1,"spiffe_sequence":2}"#,
    ] {
        assert!(matches!(refused(text), KeySetError::NotAKeySet(_)), "{text}");
    }
    let most = Loader::new().spiffe_bundle(r#"{"keys":[],"spiffe_sequence":9223372036854775807}"#);
    assert_eq!(most.unwrap().sequence(), Some(i64::MAX as u64));
}
