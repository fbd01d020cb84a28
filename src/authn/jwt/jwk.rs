//! One JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037 section 2) into one [`Key`].

use super::{
    compact::base64url,
    error::KeyError,
    json::{Document, Value},
    key::Key,
    loader::Loader,
};
use crate::{
    Secret,
    crypto::{Algorithm, Curve, Material},
};

/// One JWK may have this many bytes and values; a certificate chain may be among them.
const MAX_BYTES: usize = 32 * 1024;
const MAX_VALUES: usize = 128;

/// Members that only a private key has (RFC 7518 sections 6.2.2, 6.3.2), and the secret's own.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const UNKNOWN_CURVE: KeyError =
    KeyError::NotAKey("`crv` is none of P-256, P-384 (EC), Ed25519 (OKP)");

/// Parses the text of one JWK.
pub(super) fn parse(text: &[u8], loader: &Loader) -> Result<Key, KeyError> {
    if text.len() > MAX_BYTES {
        return Err(KeyError::NotAKey("the JWK is longer than 32 KiB"));
    }
    let mut room = Document::default();
    read(room.read(text, MAX_VALUES).map_err(KeyError::NotAKey)?, loader)
}

/// Reads one JWK. Members that are not known are passed over.
pub(super) fn read(jwk: Value<'_>, loader: &Loader) -> Result<Key, KeyError> {
    if jwk.members().is_none() {
        return Err(KeyError::NotAKey("the JWK is not an object"));
    }
    let kty = required(jwk, "kty", "`kty` is missing or not a string")?;
    // A secret is what `k` says; what else is private belongs to no key that is asked for here.
    let private = |name: &&&str| kty != "oct" || **name != "k";
    if PRIVATE.iter().filter(private).any(|name| jwk.member(name).is_some()) {
        return Err(KeyError::Private);
    }
    check_purpose(jwk, loader)?;
    let algorithm = match optional(jwk, "alg", "`alg` is not a string")? {
        Some(alg) => alg.parse()?,
        None => {
            let crv = jwk.member("crv").and_then(Value::text);
            loader.unsaid(kty, crv).ok_or(KeyError::AlgorithmMissing)?
        }
    };
    loader.check_algorithm(algorithm)?;
    let key = from_members(jwk, kty, algorithm, loader)?;
    match optional(jwk, "kid", "`kid` is not a string")? {
        Some(kid) => key.with_kid(kid),
        None if loader.needs_kid() => Err(KeyError::NotAKey("`kid` is missing")),
        None => Ok(key),
    }
}

fn from_members(
    jwk: Value<'_>,
    kty: &str,
    algorithm: Algorithm,
    loader: &Loader,
) -> Result<Key, KeyError> {
    match kty {
        "EC" => {
            let (curve, size) = match crv(jwk)? {
                "P-256" => (Curve::P256, 32),
                "P-384" => (Curve::P384, 48),
                _ => return Err(UNKNOWN_CURVE),
            };
            let (x, y) = (number(jwk, "x")?, number(jwk, "y")?);
            // RFC 7518 section 6.2.1.2: a coordinate has the full size of the field.
            if x.len() != size || y.len() != size {
                return Err(KeyError::Unfit("a coordinate has 32 bytes on P-256, 48 on P-384"));
            }
            let point = [&[0x04], &*x, &*y].concat();
            loader.key(algorithm, &Material::Ec(curve, &point))
        }
        "OKP" if crv(jwk)? != "Ed25519" => Err(UNKNOWN_CURVE),
        "OKP" => loader.key(algorithm, &Material::Ed25519(&number(jwk, "x")?)),
        "RSA" => {
            let (modulus, exponent) = (number(jwk, "n")?, number(jwk, "e")?);
            loader.key(algorithm, &Material::Rsa { modulus: &modulus, exponent: &exponent })
        }
        "oct" => loader.secret(algorithm, &Secret::new(number(jwk, "k")?)),
        _ => Err(KeyError::NotAKey("`kty` is none of EC, OKP, RSA, oct")),
    }
}

/// RFC 7517 sections 4.2 and 4.3: a key that says it is for something else is not for this.
fn check_purpose(jwk: Value<'_>, loader: &Loader) -> Result<(), KeyError> {
    loader.check_use(optional(jwk, "use", "`use` is not a string")?)?;
    if let Some(operations) = jwk.member("key_ops") {
        let operations =
            operations.texts().ok_or(KeyError::NotAKey("`key_ops` is not an array of strings"))?;
        let operations: Vec<&str> = operations.collect();
        let times = |operation| operations.iter().filter(|other| **other == operation).count();
        if operations.iter().any(|operation| times(*operation) > 1) {
            return Err(KeyError::NotAKey("`key_ops` names an operation twice"));
        }
        if times("verify") == 0 {
            return Err(KeyError::OtherPurpose("`key_ops` is without `verify`"));
        }
    }
    Ok(())
}

fn crv(jwk: Value<'_>) -> Result<&str, KeyError> {
    required(jwk, "crv", "`crv` is missing or not a string")
}

fn number(jwk: Value<'_>, name: &str) -> Result<Vec<u8>, KeyError> {
    let refused = KeyError::NotAKey("a number of the key is missing or not base64url");
    jwk.member(name).and_then(Value::text).and_then(base64url).ok_or(refused)
}

fn required<'a>(jwk: Value<'a>, name: &str, problem: &'static str) -> Result<&'a str, KeyError> {
    jwk.member(name).and_then(Value::text).ok_or(KeyError::NotAKey(problem))
}

fn optional<'a>(
    jwk: Value<'a>,
    name: &str,
    problem: &'static str,
) -> Result<Option<&'a str>, KeyError> {
    jwk.member(name).map(|_| required(jwk, name, problem)).transpose()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Issuer;

    /// The issuer's own JWK for `algorithm`, with some members replaced; `null` takes one away.
    fn jwk(algorithm: Algorithm, members: serde_json::Value) -> String {
        let jwks = Issuer::new("i").with_algorithm(algorithm).jwks();
        let mut jwk = serde_json::from_str::<serde_json::Value>(&jwks).unwrap()["keys"][0].take();
        for (name, value) in members.as_object().unwrap() {
            if value.is_null() {
                jwk.as_object_mut().unwrap().remove(name);
            } else {
                jwk[name] = value.clone();
            }
        }
        jwk.to_string()
    }

    fn refused(algorithm: Algorithm, members: serde_json::Value) -> Option<KeyError> {
        Key::from_jwk(jwk(algorithm, members)).err()
    }

    #[test]
    fn good_keys() {
        for algorithm in Algorithm::ALL.iter().copied() {
            let key =
                Key::from_jwk(jwk(algorithm, serde_json::json!({"x5c": ["a"], "z": {}}))).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            assert!(key.kid().unwrap().starts_with("test-"));
            assert_eq!(
                refused(algorithm, serde_json::json!({"key_ops": ["sign", "verify"]})),
                None
            );
            assert_eq!(refused(algorithm, serde_json::json!({"use": null, "kid": null})), None);
        }
        assert_eq!(refused(Algorithm::EdDsa, serde_json::json!({"alg": "Ed25519"})), None);
    }

    #[test]
    fn a_key_without_alg_needs_one_from_the_caller() {
        let bare = jwk(Algorithm::Rs256, serde_json::json!({"alg": null}));
        assert_eq!(Key::from_jwk(&bare).unwrap_err(), KeyError::AlgorithmMissing);
        let key = Key::from_jwk_assuming(&bare, Algorithm::Rs256).unwrap();
        assert_eq!(key.algorithm(), Algorithm::Rs256);
        for algorithm in Algorithm::ALL.iter().copied() {
            let key = Key::from_jwk_assuming(&bare, algorithm).map(|key| key.algorithm());
            let rsa = algorithm.name().starts_with(['R', 'P']);
            let expected = if rsa { Ok(algorithm) } else { Err(KeyError::Mismatch(algorithm)) };
            assert_eq!(key, expected, "six algorithms fit, and only the caller's counts");
        }
        let says = jwk(Algorithm::Rs256, serde_json::json!({}));
        let contradicted = Key::from_jwk_assuming(says, Algorithm::Es256).unwrap_err();
        let (expected, found) = (Algorithm::Es256, Algorithm::Rs256);
        assert_eq!(contradicted, KeyError::AlgorithmContradicted { expected, found });
    }

    #[test]
    fn attack_jwk_for_another_use() {
        let other = |members| refused(Algorithm::Es256, members).unwrap();
        let purpose = KeyError::OtherPurpose("`use` is not `sig`");
        assert_eq!(other(serde_json::json!({"use": "enc"})), purpose);
        assert_eq!(other(serde_json::json!({"use": "SIG"})), purpose);
        let operations = KeyError::OtherPurpose("`key_ops` is without `verify`");
        assert_eq!(other(serde_json::json!({"key_ops": ["encrypt"]})), operations);
        assert_eq!(other(serde_json::json!({"key_ops": []})), operations);
        let twice = KeyError::NotAKey("`key_ops` names an operation twice");
        assert_eq!(other(serde_json::json!({"key_ops": ["verify", "sign", "verify"]})), twice);
        let strings = KeyError::NotAKey("`key_ops` is not an array of strings");
        assert_eq!(other(serde_json::json!({"key_ops": "verify"})), strings);
    }

    #[test]
    fn attack_jwk_whose_alg_contradicts_its_type() {
        let check = |key: Algorithm, alg: &str, says: Algorithm| {
            let refused = refused(key, serde_json::json!({"alg": alg}));
            assert_eq!(refused, Some(KeyError::Mismatch(says)), "{key} {alg}");
        };
        check(Algorithm::Rs256, "ES256", Algorithm::Es256);
        check(Algorithm::Rs256, "HS256", Algorithm::Hs256);
        check(Algorithm::Es256, "EdDSA", Algorithm::EdDsa);
        check(Algorithm::Hs256, "RS256", Algorithm::Rs256);
        check(Algorithm::Es256, "ES384", Algorithm::Es384);
        check(Algorithm::Es384, "ES256", Algorithm::Es256);
        check(Algorithm::Rs256, "ES384", Algorithm::Es384);
        for alg in ["none", "A256GCM", "RSA-OAEP", "ES512", "rs256", ""] {
            let refused = refused(Algorithm::Rs256, serde_json::json!({"alg": alg}));
            assert!(matches!(refused, Some(KeyError::AlgorithmUnknown(_))), "{alg}");
        }
    }

    #[test]
    fn attack_jwk_on_another_curve_or_with_odd_coordinates() {
        let curve = KeyError::NotAKey("`crv` is none of P-256, P-384 (EC), Ed25519 (OKP)");
        for crv in ["P-521", "secp256k1", "Ed25519", "p-256", "P-256 ", ""] {
            for algorithm in [Algorithm::Es256, Algorithm::Es384] {
                let refused = refused(algorithm, serde_json::json!({"crv": crv}));
                assert_eq!(refused, Some(curve.clone()), "{crv}");
            }
        }
        assert_eq!(refused(Algorithm::EdDsa, serde_json::json!({"crv": "Ed448"})), Some(curve));
        let size = Some(KeyError::Unfit("a coordinate has 32 bytes on P-256, 48 on P-384"));
        for (algorithm, crv, digits, off) in [
            (Algorithm::Es256, "P-256", 43, "the point is not on P-256"),
            (Algorithm::Es384, "P-384", 64, "the point is not on P-384"),
        ] {
            let other = if crv == "P-256" { "P-384" } else { "P-256" };
            let mut short = vec![serde_json::json!({"crv": other})];
            for name in ["x", "y"] {
                let off_curve = refused(algorithm, serde_json::json!({name: "A".repeat(digits)}));
                assert_eq!(off_curve, Some(KeyError::Unfit(off)));
                short.push(serde_json::json!({name: "AQAB"}));
                short.push(serde_json::json!({name: "A".repeat(107 - digits)}));
            }
            for members in short {
                assert_eq!(refused(algorithm, members.clone()), size, "{members}");
            }
        }
        let number = KeyError::NotAKey("a number of the key is missing or not base64url");
        for x in [serde_json::json!(null), 7.into(), "a b".into(), "AQA=".into(), "AR".into()] {
            let refused = refused(Algorithm::EdDsa, serde_json::json!({"x": x}));
            assert_eq!(refused, Some(number.clone()));
        }
    }

    #[test]
    fn attack_private_key_in_the_open() {
        for algorithm in Algorithm::ALL.iter().copied().filter(|one| !one.is_symmetric()) {
            for name in PRIVATE {
                let refused = refused(algorithm, serde_json::json!({name: "AQAB"}));
                assert_eq!(refused, Some(KeyError::Private), "{algorithm} {name}");
            }
        }
        for name in PRIVATE.iter().filter(|name| **name != "k") {
            let refused = refused(Algorithm::Hs256, serde_json::json!({*name: "AQAB"}));
            assert_eq!(refused, Some(KeyError::Private), "HS256 {name}");
        }
    }

    #[test]
    fn attack_short_secret_in_a_jwk() {
        let expected = "a secret must have 32 bytes or more for HS256, 48 for HS384, 64 for HS512";
        for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
            for k in ["AQAB", "", &"A".repeat(42)] {
                let refused = refused(algorithm, serde_json::json!({"k": k}));
                assert_eq!(refused, Some(KeyError::Unfit(expected)), "{algorithm} {k}");
            }
        }
    }

    #[test]
    fn what_is_no_jwk() {
        let check = |text: &str, expected: &'static str| {
            assert_eq!(Key::from_jwk(text).unwrap_err(), KeyError::NotAKey(expected), "{text}");
        };
        check("", "not JSON");
        check("[]", "the JWK is not an object");
        check("{}", "`kty` is missing or not a string");
        check(r#"{"kty":"RSA","kty":"oct"}"#, "the JSON names a member twice");
        check(r#"{"kty":"AKP","alg":"HS256"}"#, "`kty` is none of EC, OKP, RSA, oct");
        let good = jwk(Algorithm::Es256, serde_json::json!({}));
        let largest = format!("{good}{}", " ".repeat(32 * 1024 - good.len()));
        assert!(Key::from_jwk(&largest).is_ok());
        check(&format!("{largest} "), "the JWK is longer than 32 KiB");
        let kid = refused(Algorithm::Es256, serde_json::json!({"kid": 7}));
        assert_eq!(kid, Some(KeyError::NotAKey("`kid` is not a string")));
        let kid = refused(Algorithm::Es256, serde_json::json!({"kid": "k".repeat(257)}));
        assert_eq!(kid, Some(KeyError::NotAKey("`kid` must have 1 to 256 bytes")));
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_or_refused(text in r#"(\{|\}|"kty":|"(EC|RSA|oct|OKP)"|,|"(k|n|e|x|y)":|"[A-Za-z0-9_-]{0,44}"|"alg":"[ERH]S256"){0,12}"#) {
            let _ = Key::from_jwk(text);
        }
    }
}
