//! Sets of keys as issuers publish them. An input that starts with `-----` is a key in PEM.

use portcullis::{
    Key, KeySet,
    authn::jwt::{Algorithm, KeySetError},
};
use serde_json::Value;

use super::plain;

const MAX_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 64;
const ASSUMED: Algorithm = Algorithm::Rs256;

/// The target.
pub fn run(input: &[u8]) -> bool {
    if input.starts_with(b"-----") {
        return pem(input);
    }
    let assuming = KeySet::from_jwks_assuming(input, ASSUMED);
    if let Ok(set) = &assuming {
        holds(input, set, Some(ASSUMED));
    }
    match KeySet::from_jwks(input) {
        Ok(set) => {
            holds(input, &set, None);
            true
        }
        Err(KeySetError::NoUsableKey(skipped)) => {
            assert!(skipped.len() <= MAX_KEYS);
            assert!(skipped.iter().map(|skipped| skipped.index).eq(0..skipped.len()));
            assuming.is_ok()
        }
        Err(error) => {
            // What is wrong with the document as a whole is so whatever is assumed of its keys.
            assert_eq!(assuming.err(), Some(error));
            false
        }
    }
}

fn holds(input: &[u8], set: &KeySet, assumed: Option<Algorithm>) {
    assert!(input.len() <= MAX_BYTES);
    let document = plain::strict_json(input).expect("an object with every name once");
    let listed = document["keys"].as_array().expect("an array of keys");
    assert!(listed.len() <= MAX_KEYS && set.keys().len() + set.skipped().len() == listed.len());

    let skipped: Vec<usize> = set.skipped().iter().map(|skipped| skipped.index).collect();
    assert!(skipped.is_sorted_by(|one, next| one < next));
    let used = listed.iter().enumerate().filter(|(index, _)| !skipped.contains(index));
    for (key, (_, told)) in set.keys().iter().zip(used) {
        is_told(key, told, assumed);
    }
    let printed = format!("{set:?}");
    for told in listed {
        let secret = told["k"].as_str().filter(|secret| secret.len() >= 43);
        assert!(secret.is_none_or(|secret| !printed.contains(secret)), "a secret is shown");
    }

    let secrets = set.keys().iter().filter(|key| is_secret(key.algorithm())).count();
    assert!(secrets == 0 || secrets == set.keys().len(), "a secret among public keys");
    for (at, key) in set.keys().iter().enumerate() {
        let same = |other: &&Key| (other.kid(), other.algorithm()) == (key.kid(), key.algorithm());
        assert!(!set.keys().iter().skip(at + 1).any(|other| same(&other)), "two of one name");
    }
    assert_eq!(KeySet::new(set.keys().iter().cloned()).map(|set| set.keys().len()), {
        Ok(set.keys().len())
    });
}

/// Holds a key against the JWK that it was read from.
fn is_told(key: &Key, told: &Value, assumed: Option<Algorithm>) {
    assert_eq!(told["kid"].as_str(), key.kid());
    let named = told["alg"].as_str().map(|name| name.parse().expect("an algorithm"));
    assert_eq!(named.or(assumed), Some(key.algorithm()));
    assert!(told["use"].as_str().is_none_or(|usage| usage == "sig"));
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        assert!(told.get(private).is_none(), "a private key");
    }
    assert_eq!(told["kty"] == "oct", is_secret(key.algorithm()));
    // The very key by itself.
    let alone = match assumed {
        Some(assumed) if named.is_none() => Key::from_jwk_assuming(told.to_string(), assumed),
        _ => Key::from_jwk(told.to_string()),
    };
    let alone = alone.expect("the same key");
    assert_eq!((alone.kid(), alone.algorithm()), (key.kid(), key.algorithm()));
}

fn is_secret(algorithm: Algorithm) -> bool {
    algorithm.name().starts_with("HS")
}

/// Whether the text is a public key, which is then for one kind of algorithm.
fn pem(input: &[u8]) -> bool {
    let kinds = ["EdDSA", "ES256", "RS256", "HS256"].map(|name| {
        let algorithm: Algorithm = name.parse().expect("an algorithm");
        let key = Key::from_pem(algorithm, input);
        assert!(key.as_ref().is_ok_and(|key| key.kid().is_none()) || key.is_err());
        key.is_ok()
    });
    assert!(!kinds[3], "a public key is no secret");
    let fitting = kinds.iter().filter(|fits| **fits).count();
    assert!(fitting <= 1, "a key of two kinds");
    fitting == 1
}
