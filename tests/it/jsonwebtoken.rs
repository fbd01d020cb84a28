//! `jsonwebtoken` issues and we verify, and the reverse, on one backend.
#![expect(clippy::disallowed_methods, reason = "an application may install a provider, and use it")]

use std::sync::Once;

use ::jsonwebtoken::{
    Algorithm as Theirs, DecodingKey, EncodingKey, Header, Validation,
    crypto::CryptoProvider,
    decode, encode,
    jwk::{Jwk, JwkSet, ThumbprintHash},
};
use portcullis::{
    Algorithm, AuthnErrorKind, JwtVerifier, Key, KeySet,
    authn::jwt::{KeyError, KeySetError},
    clock,
    testing::Issuer,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";
const SECRET: &[u8] = b"the issuer's secret, for tests only; HS512 takes 64 bytes or more";

/// What an application does at its start.
fn install() {
    static PROVIDER: CryptoProvider = portcullis::jsonwebtoken::ring_provider();
    static ONCE: Once = Once::new();
    ONCE.call_once(|| assert!(PROVIDER.install_default().is_ok(), "nobody else does"));
}

fn issuer(algorithm: Algorithm) -> Issuer {
    Issuer::new(ISSUER).with_algorithm(algorithm)
}

/// The issuer's own keys, as `jsonwebtoken` takes them.
fn encoding_key(algorithm: Algorithm) -> EncodingKey {
    match algorithm.name() {
        "EdDSA" => {
            EncodingKey::from_ed_der(include_bytes!("../../src/testing/keys/issuer-eddsa.der"))
        }
        "ES256" => {
            EncodingKey::from_ec_der(include_bytes!("../../src/testing/keys/issuer-es256.der"))
        }
        "ES384" => {
            EncodingKey::from_ec_der(include_bytes!("../../src/testing/keys/issuer-es384.der"))
        }
        "HS256" | "HS384" | "HS512" => EncodingKey::from_secret(SECRET),
        // RSA.
        _ => EncodingKey::from_rsa_der(include_bytes!("../../src/testing/keys/issuer-rs256.der")),
    }
}

fn jwk_set(algorithm: Algorithm) -> JwkSet {
    serde_json::from_str(&issuer(algorithm).jwks()).unwrap()
}

fn claims() -> Value {
    let now = clock::now().wall.as_secs();
    json!({"iss": ISSUER, "aud": "orders", "sub": "alice", "exp": now + 60, "iat": now})
}

#[test]
fn they_issue_and_we_verify() {
    install();
    for algorithm in Algorithm::ALL.iter().copied() {
        let header = Header::new(algorithm.into());
        let token = encode(&header, &claims(), &encoding_key(algorithm)).unwrap();
        let keys = KeySet::try_from(&jwk_set(algorithm)).unwrap();
        let verifier = JwtVerifier::new("staff", ISSUER, "orders", keys);
        let now = clock::now().wall;
        assert_eq!(verifier.verify_token(&token, now).unwrap().id(), "staff/alice", "{algorithm}");

        let other = JwtVerifier::new("staff", ISSUER, "shipping", issuer(algorithm).keys());
        let refused = other.verify_token(&token, now).unwrap_err();
        assert_eq!(refused.kind(), AuthnErrorKind::WrongAudience);
    }
}

#[test]
fn we_issue_and_they_verify() {
    install();
    for algorithm in Algorithm::ALL.iter().copied() {
        let mut rules = Validation::new(algorithm.into());
        rules.set_audience(&["orders"]);
        rules.set_issuer(&[ISSUER]);
        let set = jwk_set(algorithm);
        let key = DecodingKey::from_jwk(&set.keys[0]).unwrap();

        let now = clock::now().wall;
        let good = issuer(algorithm).token("alice").sign(now);
        assert_eq!(decode::<Value>(&good, &key, &rules).unwrap().claims["sub"], "alice");
        let forged = issuer(algorithm).token("alice").signed_by_stranger().sign(now);
        assert!(decode::<Value>(&forged, &key, &rules).is_err(), "{algorithm}");
    }
}

#[test]
fn keys_convert_under_our_rules() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let jwk = &jwk_set(algorithm).keys[0];
        assert_eq!(Key::try_from(jwk).unwrap().algorithm(), algorithm);
        let theirs = DecodingKey::from_jwk(jwk).unwrap();
        let ours = Key::try_from((Theirs::from(algorithm), &theirs)).unwrap();
        assert_eq!(ours.algorithm(), algorithm);

        let mut bare = jwk.clone();
        bare.common.key_algorithm = None;
        assert_eq!(Key::try_from(&bare).unwrap_err(), KeyError::AlgorithmMissing);
    }
    let public = DecodingKey::from_jwk(&jwk_set(Algorithm::Es256).keys[0]).unwrap();
    let mismatch = Key::try_from((Theirs::HS256, &public)).unwrap_err();
    assert_eq!(mismatch, KeyError::Mismatch(Algorithm::Hs256));
    let der = Key::try_from((Theirs::RS256, &DecodingKey::from_rsa_der(b"not DER"))).unwrap_err();
    assert!(matches!(der, KeyError::NotAKey(_)));
    let none = KeySet::try_from(&JwkSet { keys: vec![] }).unwrap_err();
    assert_eq!(none, KeySetError::NoUsableKey(vec![]));
}

#[test]
fn algorithms_convert_both_ways() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let theirs = Theirs::from(algorithm);
        assert_eq!(format!("{theirs:?}"), algorithm.name());
        assert_eq!(Algorithm::try_from(theirs), Ok(algorithm));
    }
}

#[test]
fn what_the_provider_cannot_do_is_an_error() {
    install();
    let sign = |algorithm, key: &EncodingKey| encode(&Header::new(algorithm), &claims(), key);
    assert!(sign(Theirs::HS512, &encoding_key(Algorithm::Rs512)).is_err());
    assert!(sign(Theirs::ES384, &encoding_key(Algorithm::Es256)).is_err());
    assert!(sign(Theirs::ES256, &encoding_key(Algorithm::Es384)).is_err());
    assert!(sign(Theirs::RS256, &EncodingKey::from_rsa_der(b"not DER")).is_err());
    assert!(sign(Theirs::ES256, &encoding_key(Algorithm::EdDsa)).is_err());
    let token = issuer(Algorithm::Hs256).token("alice").sign(clock::now().wall);
    let short = DecodingKey::from_secret(b"short");
    assert!(decode::<Value>(&token, &short, &Validation::new(Theirs::HS256)).is_err());
}

#[test]
fn the_provider_reads_keys() {
    install();
    for algorithm in Algorithm::ALL.iter().copied() {
        let made = Jwk::from_encoding_key(&encoding_key(algorithm), algorithm.into()).unwrap();
        assert_eq!(made.algorithm, jwk_set(algorithm).keys[0].algorithm, "{algorithm}");
        for hash in [ThumbprintHash::SHA256, ThumbprintHash::SHA384, ThumbprintHash::SHA512] {
            let theirs = jwk_set(algorithm).keys[0].thumbprint(hash.clone()).unwrap();
            assert_eq!(made.thumbprint(hash.clone()).unwrap(), theirs, "{algorithm}");
        }
        let ours = Key::try_from(&made).unwrap();
        assert_eq!(ours.algorithm(), algorithm);
    }
    // RFC 7638 section 3.1.
    let example: Jwk = serde_json::from_value(json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB"
    }))
    .unwrap();
    let thumbprint = example.thumbprint(ThumbprintHash::SHA256).unwrap();
    assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(example.thumbprint(ThumbprintHash::SHA512).unwrap().len(), 86);
}
