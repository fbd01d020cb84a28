//! Two more that verify: jwt-simple, and jwt-authorizer's verification without its layer.

use std::{error::Error, pin::pin, task};

use jwt_authorizer::{Authorizer, JwtAuthorizer, Validation};
use jwt_simple::prelude::*;

use crate::access_token::{AUDIENCE, Algorithm, Claims, ISSUER, Keys};

type Verify = Box<dyn Fn(&str) -> bool>;

/// What our token says besides the claims that jwt-simple knows.
#[derive(Deserialize, Serialize)]
struct Custom {
    scope: String,
    roles: Vec<String>,
    ctx: serde_json::Value,
}

/// It takes its options by value, so that each call has to copy them.
pub(super) fn jwt_simple(algorithm: Algorithm, keys: &Keys) -> Result<Verify, Box<dyn Error>> {
    let jwk = keys.jwk(algorithm).to_string();
    let options = VerificationOptions {
        allowed_issuers: Some(HashSet::from_strings(&[ISSUER])),
        allowed_audiences: Some(HashSet::from_strings(&[AUDIENCE])),
        time_tolerance: Some(Duration::from_secs(0)),
        ..Default::default()
    };
    macro_rules! verify {
        ($key:expr) => {{
            let key = $key;
            Box::new(move |token: &str| {
                key.verify_token::<Custom>(token, Some(options.clone())).is_ok()
            })
        }};
    }
    Ok(match algorithm {
        Algorithm::Hs256 => verify!(HS256Key::from_bytes(&keys.public(algorithm))),
        Algorithm::Rs256 => verify!(RS256PublicKey::from_jwk(&jwk)?),
        Algorithm::Es256 => verify!(ES256PublicKey::from_jwk(&jwk)?),
        Algorithm::EdDsa => verify!(Ed25519PublicKey::from_jwk(&jwk)?),
    })
}

/// Nothing of it waits when the key is given, so one poll has to be enough.
pub(super) fn jwt_authorizer(algorithm: Algorithm, keys: &Keys) -> Result<Verify, Box<dyn Error>> {
    let authorizer: JwtAuthorizer<Claims> = match algorithm {
        Algorithm::Hs256 => JwtAuthorizer::from_secret(str::from_utf8(&keys.public(algorithm))?),
        Algorithm::Rs256 => JwtAuthorizer::from_rsa_pem_text(&keys.pem(algorithm)),
        Algorithm::Es256 => JwtAuthorizer::from_ec_pem_text(&keys.pem(algorithm)),
        Algorithm::EdDsa => JwtAuthorizer::from_ed_pem_text(&keys.pem(algorithm)),
    };
    let validation = Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]).leeway(0);
    let authorizer = at_once(authorizer.validation(validation).build());
    let authorizer: Authorizer<Claims> = authorizer.ok_or("the peer waits")??;
    Ok(Box::new(move |token: &str| {
        at_once(authorizer.check_auth(token)).is_some_and(|checked| checked.is_ok())
    }))
}

fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(value) => Some(value),
        task::Poll::Pending => None,
    }
}
