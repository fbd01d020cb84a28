//! A token that nobody has seen before.

use std::{error::Error, hint::black_box};

use jsonwebtoken::{DecodingKey, Validation, decode, jwk::Jwk};
use portcullis::{authn::jwt::Backend, clock};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{peers, ring::ring};
use crate::{
    access_token::{AUDIENCE, Algorithm, Claims, ISSUER, Keys, Verifier, unix_seconds},
    measure::{Engine, Session, Workload},
    versions::peer,
};

/// Whether each of the tokens that are asked about is good.
const EXPECTED: [bool; 7] = [true, false, false, false, false, false, false];

pub(super) fn measure(
    session: &mut Session,
    name: &str,
    algorithm: Algorithm,
    keys: &Keys,
) -> Result<(), Box<dyn Error>> {
    if !session.wants(name) {
        return Ok(());
    }
    let tokens = tokens(algorithm, keys)?;
    let token = keys.sign(algorithm, &Claims::of(1))?;
    let token = token.as_str();
    let ask = |verify: &dyn Fn(&str) -> bool| tokens.each_ref().map(|token| verify(token));

    let ours = super::ours(algorithm, keys)?;
    let ours = |token: &str| ours.verify_token(token, clock::now().wall).is_ok();
    let on_aws_lc = super::ours_on(Backend::AwsLcRs, algorithm, keys)?;
    let on_aws_lc = |token: &str| on_aws_lc.verify_token(token, clock::now().wall).is_ok();
    let typed = jsonwebtoken::<Claims>(algorithm, keys)?;
    let value = jsonwebtoken::<Value>(algorithm, keys)?;
    let simple = peers::jwt_simple(algorithm, keys)?;
    let authorizer = peers::jwt_authorizer(algorithm, keys)?;
    let by_hand = |verifier: Verifier| {
        move |token: &str| {
            verifier.verify(token, unix_seconds(), |claims| black_box(claims.roles.len())).is_some()
        }
    };
    let bound = by_hand(Verifier::new(algorithm, keys)?);
    let bound_on_ring = by_hand(Verifier::with(algorithm, ring(algorithm, keys)));

    let jsonwebtoken = format!("{} aws_lc_rs", peer("jsonwebtoken")?);
    let workload = Workload::new(name, EXPECTED)
        .reference(Engine::new(format!("{jsonwebtoken} typed"), ask(&typed), || {
            typed(black_box(token))
        }))
        .engine(Engine::new(format!("{jsonwebtoken} value"), ask(&value), || {
            value(black_box(token))
        }))
        .engine(Engine::new(format!("{} pure-rust", peer("jwt-simple")?), ask(&simple), || {
            simple(black_box(token))
        }))
        .engine(Engine::new(peer("jwt-authorizer")?, ask(&authorizer), || {
            authorizer(black_box(token))
        }))
        .engine(Engine::new("portcullis", ask(&ours), || ours(black_box(token))))
        .engine(Engine::new("portcullis+aws-lc-rs", ask(&on_aws_lc), || {
            on_aws_lc(black_box(token))
        }))
        .engine(Engine::new(
            "bound: aws-lc-rs, base64-simd, borrowed serde_json",
            ask(&bound),
            || bound(black_box(token)),
        ))
        .engine(Engine::new(
            "bound: ring, base64-simd, borrowed serde_json",
            ask(&bound_on_ring),
            || bound_on_ring(black_box(token)),
        ));
    if algorithm == Algorithm::Hs256 {
        return session.measure(workload);
    }
    let server = peers::oauth_resource_server(algorithm, keys)?;
    let name = peer("oauth-resource-server")?;
    session.measure(workload.engine(Engine::new(name, ask(&server), || server(black_box(token)))))
}

/// A good token and six that are not: forged, expired, of another issuer, for another audience,
/// under another algorithm, and none at all.
fn tokens(algorithm: Algorithm, keys: &Keys) -> Result<[String; 7], Box<dyn Error>> {
    let sign = |change: &dyn Fn(Claims) -> Claims| keys.sign(algorithm, &change(Claims::of(1)));
    let good = sign(&|claims| claims)?;
    let other = sign(&|claims| Claims { sub: "somebody-else".to_owned(), ..claims })?;
    let (_, signature) = good.rsplit_once('.').ok_or("a token has dots")?;
    let (signed, _) = other.rsplit_once('.').ok_or("a token has dots")?;
    let forged = format!("{signed}.{signature}");
    let another = match algorithm {
        Algorithm::Hs256 => Algorithm::EdDsa,
        Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => Algorithm::Hs256,
    };
    Ok([
        good,
        forged,
        sign(&Claims::expired)?,
        sign(&|claims| Claims { iss: "https://evil.example".to_owned(), ..claims })?,
        sign(&|claims| Claims { aud: "https://other.example".to_owned(), ..claims })?,
        keys.sign(another, &Claims::of(1))?,
        "no.token.atall".to_owned(),
    ])
}

/// The peer, told to demand what ours demands.
pub(super) fn jsonwebtoken<C: DeserializeOwned + Clone>(
    algorithm: Algorithm,
    keys: &Keys,
) -> Result<impl Fn(&str) -> bool + use<C>, Box<dyn Error>> {
    let jwk: Jwk = serde_json::from_value(keys.jwk(algorithm))?;
    let key = DecodingKey::from_jwk(&jwk)?;
    let mut validation = Validation::new(algorithm.name().parse()?);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.leeway = 0;
    Ok(move |token: &str| decode::<C>(token, &key, &validation).is_ok())
}
