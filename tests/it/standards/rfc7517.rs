//! RFC 7517 (JSON Web Key), with RFC 7518 section 6, RFC 8037 and RFC 9864: which keys count.

use portcullis::{
    Algorithm, JwtVerifier, Key, KeySet, UnixTime,
    authn::jwt::{KeyError, KeySetError},
    testing::Issuer,
};
use serde_json::{Value, json};

use super::{ISSUER, NOW};

fn jwk(algorithm: Algorithm) -> Value {
    let set = Issuer::new(ISSUER).with_algorithm(algorithm).jwks();
    serde_json::from_str::<Value>(&set).unwrap()["keys"][0].take()
}

fn with(mut jwk: Value, name: &str, value: impl Into<Value>) -> Value {
    jwk[name] = value.into();
    jwk
}

fn load(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::from_jwks(json!({ "keys": keys }).to_string())
}

/// Section 5: what is of an unknown type, lacks a member or is for something else is passed over,
/// and the key beside it counts.
#[test]
fn one_key_never_takes_the_set_away() {
    let good = jwk(Algorithm::Es256);
    let rsa = jwk(Algorithm::Rs256);
    let mut short = rsa.clone();
    short.as_object_mut().unwrap().remove("n");
    for (other, why) in [
        (json!({}), "`kty` is missing"),
        (json!(null), "not an object"),
        (json!(["EC"]), "not an object"),
        (json!({"kty": "AKP", "alg": "ML-DSA-65", "kid": "x"}), "is none of"),
        (json!({"kty": 7}), "`kty` is missing or not a string"),
        (short, "a number of the key is missing"),
        (with(rsa.clone(), "kid", 7), "`kid` is not a string"),
        (with(rsa.clone(), "kid", Value::Null), "`kid` is not a string"),
        (with(rsa.clone(), "alg", 7), "`alg` is not a string"),
        (with(rsa.clone(), "use", "enc"), "`use` is not `sig`"),
        (with(rsa.clone(), "key_ops", json!(["sign"])), "without `verify`"),
        (with(rsa.clone(), "alg", "RSA-OAEP"), "is none of"),
        (with(rsa.clone(), "d", "AQAB"), "private key"),
        (with(rsa.clone(), "n", "AQAB"), "2048 to 8192 bits"),
        (with(rsa.clone(), "e", "AQ"), "odd, 3 or more"),
        (with(rsa, "e", "AAEAAQ"), "odd, 3 or more"),
        (with(with(good.clone(), "kid", "x"), "x", "AAAA"), "32 bytes on P-256"),
        (jwk(Algorithm::Hs256), "does not belong among public keys"),
    ] {
        let set = load(&[other.clone(), good.clone()]).unwrap();
        assert_eq!(set.keys().len(), 1, "{other}");
        let told = set.skipped()[0].to_string();
        assert!(told.contains(why), "{told}");
    }
}

/// RFC 7518 section 3.1, RFC 8037: names of what is not verified here are told as such.
#[test]
fn what_is_not_supported_is_called_so() {
    for alg in ["ES512", "ES256K", "Ed448", "HS1", "RS1", "ML-DSA-44", "none"] {
        let refused = Key::from_jwk(with(jwk(Algorithm::Es256), "alg", alg).to_string());
        assert!(matches!(refused, Err(KeyError::AlgorithmUnknown(_))), "{alg}: {refused:?}");
    }
    for (key, crv) in [
        (Algorithm::Es256, "P-521"),
        (Algorithm::Es256, "secp256k1"),
        (Algorithm::EdDsa, "Ed448"),
        (Algorithm::EdDsa, "X25519"),
    ] {
        let refused = Key::from_jwk(with(jwk(key), "crv", crv).to_string()).unwrap_err();
        assert!(refused.to_string().contains("`crv` is none of"), "{crv}: {refused}");
    }
}

/// RFC 9864 section 2.2: `Ed25519` is what `EdDSA` is with a key on that curve, in the key and in
/// the token, each way.
#[test]
fn eddsa_and_ed25519_are_one() {
    let issuer = Issuer::new(ISSUER).with_algorithm(Algorithm::EdDsa);
    for in_key in ["EdDSA", "Ed25519"] {
        let keys = load(&[with(jwk(Algorithm::EdDsa), "alg", in_key)]).unwrap();
        let verifier = JwtVerifier::new("staff", ISSUER, "orders", keys);
        let check = |alg: &str| {
            verifier.verify_token(&issuer.token("alice").header("alg", alg).sign(NOW), NOW)
        };
        assert!(check("EdDSA").is_ok() && check("Ed25519").is_ok(), "{in_key}");
        for alg in ["Ed448", "ed25519", "EDDSA", "ES256", "HS256"] {
            assert!(check(alg).is_err(), "{in_key} {alg}");
        }
    }
    let twice = [jwk(Algorithm::EdDsa), with(jwk(Algorithm::EdDsa), "alg", "Ed25519")];
    assert!(load(&twice).is_err(), "one key under both names is two of one algorithm");
}

/// Section 4.5: a `kid` may be of two keys of different types, and is told apart by them; of one
/// algorithm neither counts.
#[test]
fn one_kid_for_two_keys() {
    let named = |algorithm| with(jwk(algorithm), "kid", "k");
    let set = load(&[named(Algorithm::Es256), named(Algorithm::Rs256)]).unwrap();
    let verifier = JwtVerifier::new("staff", ISSUER, "orders", set);
    let token = |algorithm, now: UnixTime| {
        let issuer = Issuer::new(ISSUER).with_algorithm(algorithm);
        issuer.token("alice").header("kid", "k").sign(now)
    };
    for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
        assert!(verifier.verify_token(&token(algorithm, NOW), NOW).is_ok(), "{algorithm}");
    }
    assert!(verifier.verify_token(&token(Algorithm::Ps256, NOW), NOW).is_err());
    let same = load(&[named(Algorithm::Es256), named(Algorithm::Es256)]);
    assert!(matches!(same, Err(KeySetError::NoUsableKey(skipped)) if skipped.len() == 2));
}
