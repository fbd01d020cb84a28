//! What a verification takes beyond the signature.

use std::{error::Error, hint::black_box};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::clock;
use serde_json::json;

use super::ring::ring;

use crate::{
    access_token::{Algorithm, BorrowedClaims, Claims, Keys, open},
    measure::{Engine, Session, Workload},
};

/// A good token, and one that is signed well and says nothing.
const EXPECTED: [bool; 2] = [true, false];

pub(super) fn measure(
    session: &mut Session,
    name: &str,
    algorithm: Algorithm,
    keys: &Keys,
) -> Result<(), Box<dyn Error>> {
    if !session.wants(name) {
        return Ok(());
    }
    let token = keys.sign(algorithm, &Claims::of(1))?;
    let empty = keys.sign(algorithm, &json!({}))?;
    let ask = |verify: &dyn Fn(&str) -> bool| [verify(&token), verify(&empty)];
    let ours = super::ours(algorithm, keys)?;
    let ours = |token: &str| ours.verify_token(token, clock::now().wall).is_ok();

    let (signed, signature) = token.rsplit_once('.').ok_or("a token has dots")?;
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    let is_signature = ring(algorithm, keys);
    if !is_signature(signed.as_bytes(), &signature) {
        return Err("ring does not take the signature".into());
    }
    let workload = Workload::new(name, EXPECTED)
        .reference(Engine::new("bound: base64-simd, borrowed serde_json", ask(&parse), || {
            parse(black_box(&token))
        }))
        .base(Engine::new("ring", EXPECTED, || {
            is_signature(black_box(signed.as_bytes()), &signature)
        }))
        .engine(Engine::new("portcullis", ask(&ours), || ours(black_box(&token))).beyond_base());
    session.measure(workload)
}

/// Decodes all parts and parses the payload.
fn parse(token: &str) -> bool {
    let parsed = open(token, |_, header, payload, signature| {
        black_box((header, signature));
        serde_json::from_slice::<BorrowedClaims<'_>>(payload).ok().map(|claims| claims.exp)
    });
    parsed.is_some()
}
