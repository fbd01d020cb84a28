//! Which test holds which line of which standard, and the tests of lines that no other test
//! reads as the standard does: from the outside, one file for each.

mod ledger;
mod rfc6750;
mod rfc7515;
mod rfc7517;
mod rfc8725;
mod rfc9068;
mod rfc9449;

use std::{convert::Infallible, net::IpAddr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response, header::WWW_AUTHENTICATE};
use http_body_util::{Empty, Full};
use portcullis::{
    Algorithm, AuthnErrorKind, Gate, JwtVerifier, Now, Refusal, Routes, UnixTime,
    testing::{Issuer, RequestBuilder},
    tower::GateLayer,
};
use ring::hmac;
use tower::{Layer, ServiceExt, service_fn};

use crate::kit::block_on;

const ISSUER: &str = "https://id.example";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

const HEADER: &str = r#"{"alg":"HS256"}"#;
const CLAIMS: &str =
    r#"{"iss":"https://id.example","aud":"orders","sub":"alice","exp":1700000300}"#;

fn hs256() -> Issuer {
    Issuer::new(ISSUER).with_algorithm(Algorithm::Hs256)
}

fn verifier() -> JwtVerifier {
    hs256().verifier("staff")
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of any header and payload, which the issuer has signed.
fn signed(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let set: serde_json::Value = serde_json::from_str(&hs256().jwks()).unwrap();
    let secret = URL_SAFE_NO_PAD.decode(set["keys"][0]["k"].as_str().unwrap()).unwrap();
    let message = format!("{}.{}", encode(header), encode(payload));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
    format!("{message}.{}", encode(tag))
}

/// Who a token proves, or of which kind its refusal is, and why.
fn who(token: &str) -> Result<String, (AuthnErrorKind, &'static str)> {
    let found = verifier().verify_token(token, NOW);
    found.map(|who| who.id().to_owned()).map_err(|error| (error.kind(), error.detail()))
}

fn refused(token: &str) -> Option<&'static str> {
    who(token).err().map(|(_, why)| why)
}

/// What a caller sees of an answer, and what the record does.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    challenges: Vec<String>,
    reason: Option<&'static str>,
}

/// Asks a gate with this one verifier.
fn ask(verifier: JwtVerifier, request: RequestBuilder, now: Now) -> Answer {
    let routes = Routes::new().authenticated("*", "/me").scope("GET", "/reports", "reports.read");
    let gate = Gate::builder().authenticate(verifier).routes(routes).build().unwrap();
    let layer = GateLayer::new(gate)
        .now(|extensions| extensions.get::<Now>().copied())
        .peer(|extensions| extensions.get::<IpAddr>().copied());
    let handler = service_fn(async |_: Request<Empty<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let here: IpAddr = [127, 0, 0, 1].into();
    let request = request.at(now).extension(here).build();
    let response = block_on(layer.layer(handler).oneshot(request)).unwrap();
    let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
    Answer {
        status: response.status().as_u16(),
        challenges: challenges.map(|value| value.to_str().unwrap().to_owned()).collect(),
        reason: response.extensions().get().map(|refusal: &Refusal| refusal.reason().as_str()),
    }
}
