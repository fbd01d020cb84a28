//! Three more that verify: jwt-simple, and jwt-authorizer and oauth-resource-server without their
//! layers.

use std::{error::Error, pin::pin, task};

use jwt_authorizer::{Authorizer, JwtAuthorizer, Validation};
use jwt_simple::prelude::*;
use oauth_resource_server::{KeyNaming, OAuthConfig, OAuthValidator};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    runtime::Builder,
};

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

/// It has its keys from an HTTP server alone, so one on loopback hands them out, once. Secrets it
/// does not take.
pub(super) fn oauth_resource_server(
    algorithm: Algorithm,
    keys: &Keys,
) -> Result<Verify, Box<dyn Error>> {
    let jwks = keys.jwks(algorithm);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{jwks}",
        jwks.len()
    );
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let validator = runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let config = OAuthConfig {
            enabled: true,
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            resource: AUDIENCE.to_owned(),
            jwks_uri: Some(format!("http://{}/", listener.local_addr()?)),
            algorithms: vec![algorithm.name().to_owned()],
            leeway_secs: 0,
            // The others ask for no scope either.
            allow_unscoped_tokens: true,
            ..OAuthConfig::default()
        };
        let config = config.resolve(KeyNaming::Dotted("oauth"))?.ok_or("the peer is off")?;
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let _request = stream.read(&mut [0; 4096]).await?;
            stream.write_all(answer.as_bytes()).await
        });
        let validator = OAuthValidator::new(&config)?;
        validator.refresh_now().await?;
        Ok::<_, Box<dyn Error>>(validator)
    })?;
    Ok(Box::new(move |token: &str| {
        at_once(validator.validate(token)).is_some_and(|validated| validated.is_ok())
    }))
}

fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(value) => Some(value),
        task::Poll::Pending => None,
    }
}
