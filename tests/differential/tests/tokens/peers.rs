//! Two other implementations, told to demand what ours demands.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use jwt_simple::{Error, claims::NoCustomClaims, prelude::*};
use serde_json::Value;

use crate::{AUDIENCE, ISSUER, LEEWAY};

/// Says whom a token names, if it is good.
pub(crate) trait Peer {
    fn name(&self) -> &'static str;

    fn subject(&self, token: &str) -> Result<String, String>;
}

pub(crate) fn all(algorithm: Algorithm, jwk: &Value) -> [Box<dyn Peer>; 2] {
    [Box::new(JsonWebToken::new(algorithm, jwk)), Box::new(JwtSimple::new(algorithm, jwk))]
}

struct JsonWebToken {
    key: DecodingKey,
    rules: Validation,
}

impl JsonWebToken {
    fn new(algorithm: Algorithm, jwk: &Value) -> Self {
        let jwk = serde_json::from_value(jwk.clone()).unwrap();
        let mut rules = Validation::new(algorithm);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Self { key: DecodingKey::from_jwk(&jwk).unwrap(), rules }
    }
}

impl Peer for JsonWebToken {
    fn name(&self) -> &'static str {
        "jsonwebtoken"
    }

    fn subject(&self, token: &str) -> Result<String, String> {
        let found = decode::<Value>(token, &self.key, &self.rules);
        let claims = found.map_err(|error| error.to_string())?.claims;
        claims["sub"].as_str().map(str::to_owned).ok_or_else(|| "no subject".to_owned())
    }
}

type Verify = Box<dyn Fn(&str, VerificationOptions) -> Result<JWTClaims<NoCustomClaims>, Error>>;

struct JwtSimple(Verify);

impl JwtSimple {
    fn new(algorithm: Algorithm, jwk: &Value) -> Self {
        macro_rules! verify {
            ($key:expr) => {{
                let key = $key;
                Box::new(move |token: &str, options| key.verify_token(token, Some(options)))
            }};
        }
        macro_rules! with {
            ($key:ty) => {
                verify!(<$key>::from_jwk(&jwk.to_string()).unwrap())
            };
        }
        macro_rules! shared {
            ($key:ty) => {
                verify!(<$key>::from_bytes(
                    &URL_SAFE_NO_PAD.decode(jwk["k"].as_str().unwrap()).unwrap()
                ))
            };
        }
        Self(match algorithm {
            Algorithm::HS256 => shared!(HS256Key),
            Algorithm::HS384 => shared!(HS384Key),
            Algorithm::HS512 => shared!(HS512Key),
            Algorithm::ES256 => with!(ES256PublicKey),
            Algorithm::ES384 => with!(ES384PublicKey),
            Algorithm::RS256 => with!(RS256PublicKey),
            Algorithm::RS384 => with!(RS384PublicKey),
            Algorithm::RS512 => with!(RS512PublicKey),
            Algorithm::PS256 => with!(PS256PublicKey),
            Algorithm::PS384 => with!(PS384PublicKey),
            Algorithm::PS512 => with!(PS512PublicKey),
            Algorithm::EdDSA => with!(Ed25519PublicKey),
            _ => panic!("{algorithm:?}"),
        })
    }
}

impl Peer for JwtSimple {
    fn name(&self) -> &'static str {
        "jwt-simple"
    }

    fn subject(&self, token: &str) -> Result<String, String> {
        let options = VerificationOptions {
            allowed_issuers: Some(HashSet::from_strings(&[ISSUER])),
            allowed_audiences: Some(HashSet::from_strings(&[AUDIENCE])),
            time_tolerance: Some(Duration::from_secs(LEEWAY)),
            ..Default::default()
        };
        let claims = (self.0)(token, options).map_err(|error| error.to_string())?;
        claims.subject.ok_or_else(|| "no subject".to_owned())
    }
}
