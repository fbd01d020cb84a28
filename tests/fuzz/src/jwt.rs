//! Tokens. An input of one line is a token as a caller presents it, to a verifier with a secret
//! and to one with public keys. One of two lines is a header and a payload that the issuer signs,
//! so that what stands behind the signature is reached.

use std::{collections::BTreeSet, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::{
    AuthnError, AuthnErrorKind, Credential, Facts, JwtVerifier, KeySet, Principal, RoleMap,
    UnixTime, Verifier, authn::jwt::Algorithm, testing::Issuer,
};
use ring::hmac;
use serde_json::{Value, json};

use super::plain;

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "orders";
pub(crate) const ROLES: [&str; 2] = ["clerk", "manager"];
const MAX_BYTES: usize = 8 * 1024;

/// A verifier and what is known of its keys.
struct Subject {
    verifier: JwtVerifier,
    /// Id and algorithm of each.
    keys: Vec<(String, String)>,
    secret: Option<hmac::Key>,
}

/// The target.
pub fn run(input: &[u8]) -> bool {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    match (parts.next(), parts.next()) {
        (Some(header), Some(payload)) => {
            let token = SECRET.sign(header, payload);
            let found = SECRET.verifier.verify_token(&token, plain::now().wall);
            found.err().inspect(|error| is_for_cause(*error, payload));
            SECRET.check(&token)
        }
        _ => {
            std::str::from_utf8(input).is_ok_and(|token| SECRET.check(token) | PUBLIC.check(token))
        }
    }
}

impl Subject {
    fn of(algorithms: &[Algorithm]) -> Self {
        let issuers = algorithms.iter().map(|one| Issuer::new(ISSUER).with_algorithm(*one));
        let documents = issuers.map(|issuer| serde_json::from_str::<Value>(&issuer.jwks()));
        let jwks: Vec<Value> = documents.map(|it| it.expect("JSON")["keys"][0].clone()).collect();
        let text = |jwk: &Value, name: &str| jwk[name].as_str().map(str::to_owned);
        let secret = text(&jwks[0], "k").map(|secret| {
            let secret = URL_SAFE_NO_PAD.decode(secret).expect("base64url");
            hmac::Key::new(hmac::HMAC_SHA256, &secret)
        });
        let named = |jwk| text(jwk, "kid").zip(text(jwk, "alg")).expect("a named key");
        let keys = jwks.iter().map(named).collect();
        let set = KeySet::from_jwks(json!({ "keys": jwks }).to_string()).expect("good keys");
        let verifier = JwtVerifier::new("staff", ISSUER, AUDIENCE, set)
            .roles(RoleMap::claim("roles").only(ROLES))
            .attributes(["department", "level"]);
        Self { verifier, keys, secret }
    }

    fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let encode = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", encode(header), encode(payload));
        let key = self.secret.as_ref().expect("the verifier with the secret");
        let signature = hmac::sign(key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Whether the token is taken; it must be what a plain reading of it says.
    fn check(&self, token: &str) -> bool {
        let found = self.verifier.verify_token(token, plain::now().wall);
        let asked = Credential::Bearer(token);
        let asked = Verifier::verify(&self.verifier, &asked, &Facts::default(), plain::now());
        match (&found, asked) {
            (Ok(one), Some(Ok(again))) => assert_eq!(format!("{one:?}"), format!("{again:?}")),
            (Err(one), Some(Err(again))) => assert_eq!(*one, again),
            (Err(_), None) => assert!(!token.contains('.') || names_another(token)),
            (one, other) => panic!("{one:?}, then {other:?}"),
        }
        let large = token.len() > MAX_BYTES;
        assert_eq!(large, found.is_err_and(|error| error.kind() == AuthnErrorKind::TooLarge));
        if let Ok(principal) = &self.verifier.verify_token(token, plain::now().wall) {
            self.holds(token, principal);
            return true;
        }
        false
    }

    fn holds(&self, token: &str, principal: &Principal) {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else { panic!("three parts") };
        let bytes = [header, payload, signature].map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
            assert_eq!(URL_SAFE_NO_PAD.encode(&bytes), part, "the one text of these bytes");
            bytes
        });
        if let Some(key) = &self.secret {
            let signed = format!("{header}.{payload}");
            hmac::verify(key, signed.as_bytes(), &bytes[2]).expect("the issuer's signature");
        }
        self.is_header(&plain::strict_json(&bytes[0]).expect("names that stand once"));
        let claims = plain::strict_json(&bytes[1]).expect("names that stand once");
        is_principal(&claims, principal);
    }

    fn is_header(&self, header: &Value) {
        let alg = header["alg"].as_str().expect("an algorithm");
        let alg = if alg == "Ed25519" { "EdDSA" } else { alg };
        let fitting = self.keys.iter().filter(|(kid, algorithm)| {
            algorithm == alg && header.get("kid").is_none_or(|named| named == kid)
        });
        assert_eq!(fitting.count(), 1, "one key that fits");
        for name in ["crit", "b64", "enc", "zip"] {
            assert!(header.get(name).is_none(), "{name}");
        }
        let media = |name: &str| {
            let text = header.get(name)?.as_str().expect("a media type").to_lowercase();
            Some(text.strip_prefix("application/").unwrap_or(&text).to_owned())
        };
        assert!(media("typ").is_none_or(|typ| typ == "jwt" || typ == "at+jwt"));
        assert!(media("cty").is_none_or(|cty| cty != "jwt"));
    }
}

/// Holds the refusal of a token that the issuer signed against its claims.
pub(crate) fn is_for_cause(error: AuthnError, payload: &[u8]) {
    assert_ne!(error.detail(), "the signature is not the key's");
    let claims = plain::strict_json(payload).unwrap_or_default();
    let secs = |name: &str| claims[name].as_f64().unwrap_or(f64::NAN);
    let now = plain::NOW as f64;
    let holds = match error.kind() {
        AuthnErrorKind::Expired => secs("exp") < now + 0.001,
        AuthnErrorKind::NotYetValid => ["nbf", "iat", "auth_time"].iter().any(|at| secs(at) > now),
        AuthnErrorKind::WrongAudience => !is_for_us(&claims["aud"]),
        AuthnErrorKind::WrongIssuer => claims["iss"] != ISSUER,
        _ => true,
    };
    assert!(holds, "{error}");
}

fn is_for_us(aud: &Value) -> bool {
    let ours = |aud: &Value| aud == AUDIENCE;
    ours(aud) || aud.as_array().is_some_and(|all| all.iter().any(ours))
}

/// Holds what was proven against the claims.
pub(crate) fn is_principal(claims: &Value, principal: &Principal) {
    assert_eq!(claims["iss"], ISSUER);
    assert!(is_for_us(&claims["aud"]));
    assert!(claims.get("cnf").is_none());
    let now = plain::NOW as f64;
    assert!(claims["exp"].as_f64().is_some_and(|exp| exp > now));
    for name in ["nbf", "iat", "auth_time"] {
        let begun = |at: &Value| at.as_f64().is_some_and(|at| at < now + 0.001);
        assert!(claims.get(name).is_none_or(begun), "{name}");
    }
    assert!(principal.expires_at() > Some(UnixTime::from_secs(plain::NOW)));
    assert_eq!(principal.realm(), "staff");
    assert_eq!(claims["sub"], principal.subject());
    assert_eq!(principal.issuer(), Some(ISSUER));

    let listed = words(&claims["roles"]).unwrap_or_default();
    let granted: BTreeSet<&str> = ROLES.into_iter().filter(|role| listed.contains(role)).collect();
    assert_eq!(principal.roles().collect::<BTreeSet<_>>(), granted);
    let scopes = match (claims.get("scope").map(words), claims.get("scp").map(words)) {
        (Some(one), Some(other)) => Some(&one.expect("scopes") & &other.expect("scopes")),
        (one, other) => one.or(other).map(|scopes| scopes.expect("scopes")),
    };
    assert_eq!(principal.scopes().map(BTreeSet::from_iter), scopes);
    for (name, _) in principal.attributes() {
        assert!(["department", "level"].contains(&name) && claims.get(name).is_some());
    }
    for name in ["department", "level"] {
        assert_eq!(claims.get(name).is_some(), principal.attribute(name).is_some(), "{name}");
    }
}

/// Words in a text or an array; `None` for anything else.
fn words(value: &Value) -> Option<BTreeSet<&str>> {
    match value {
        Value::String(text) => Some(text.split(' ').filter(|word| !word.is_empty()).collect()),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Whether the token says that somebody else issued it; whatever its other claims are like.
fn names_another(token: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Named {
        iss: String,
    }
    let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let named = payload.and_then(|payload| serde_json::from_slice::<Named>(&payload).ok());
    named.is_some_and(|named| named.iss != ISSUER)
}

static SECRET: LazyLock<Subject> = LazyLock::new(|| Subject::of(&[Algorithm::Hs256]));

static PUBLIC: LazyLock<Subject> =
    LazyLock::new(|| Subject::of(&[Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256]));
