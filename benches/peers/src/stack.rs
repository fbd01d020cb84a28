//! A whole service: axum, one route with a parameter, a token for each request.
//!
//! Each side limits clients by address, verifies the token and asks for a role. The reference is
//! jwt-authorizer with tower_governor and a role check by hand; the bound is one layer by hand.
//! Figures of `gate` are what is added to the bare router, which is asked in the same rounds and
//! stands in `gate/none`; a layer that does nothing adds what stands in `gate/layer`. Those of `http` are whole requests over loopback: client, server and
//! connections all on one thread, so that both sides' work is counted and none waits for a core.
//!
//! In `hit` ours has a cache of verified tokens and the token is in it; the others verify it as in
//! `miss`, for they have none. In `http` that is `+cached`, and there is a bound beside it that
//! looks tokens up in a map behind a lock.

mod by_hand;
mod http;
mod ours;
mod peers;

use std::{error::Error, hint::black_box, net::SocketAddr, pin::pin, sync::Arc, task};

use ::http::{
    HeaderValue, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST},
};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Path},
    response::Response,
    routing::get,
};
use tower::{ServiceExt as _, util::MapRequestLayer};

use crate::{
    access_token::{Algorithm, Claims, Keys},
    measure::{Engine, Session, Workload},
    versions::peer,
};

/// Whom the route is for.
const ROLE: &str = "editor";

/// A caller in the role, one outside of it, a forged token, and none.
const EXPECTED: [bool; 4] = [true, false, false, false];

pub(crate) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let keys = Keys::generate()?;
    let bare = format!("bound: {} alone", peer("axum")?);
    if session.wants("gate/none") {
        let router = router();
        let bearer = bearers(Algorithm::Hs256, &keys)?;
        let workload = Workload::new("gate/none", [true]);
        let answers = [answer(&router, &bearer[0])];
        let alone = Engine::new(bare.as_str(), answers, || answer(&router, &bearer[0]));
        session.measure(workload.reference(alone))?;
    }
    nothing(session)?;
    http::measure_bare(session, &bare)?;
    for (name, algorithm) in [("hs256", Algorithm::Hs256), ("rs256", Algorithm::Rs256)] {
        for (kind, entries) in [("miss", 0), ("hit", 64)] {
            gate(session, &format!("gate/{name}/{kind}"), algorithm, &keys, entries)?;
        }
        http::measure(session, &format!("http/{name}"), algorithm, &keys)?;
    }
    Ok(())
}

/// A layer with settings that does nothing: what axum takes for any.
fn nothing(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let name = "gate/layer";
    if !session.wants(name) {
        return Ok(());
    }
    let (bare, settings, bearer) = (router(), Arc::new(()), HeaderValue::from_static(""));
    let layer = MapRequestLayer::new(move |request: Request<Body>| {
        black_box(&settings);
        request
    });
    let layered = router().layer(layer);
    let base = Engine::new("axum", [true], || answer(&bare, &bearer));
    let engine =
        Engine::new("bound: a layer that does nothing", [answer(&layered, &bearer)], || {
            answer(&layered, &bearer)
        });
    session.measure(Workload::new(name, [true]).base(base).reference(engine.beyond_base()))
}

fn gate(
    session: &mut Session,
    name: &str,
    algorithm: Algorithm,
    keys: &Keys,
    entries: usize,
) -> Result<(), Box<dyn Error>> {
    if !session.wants(name) {
        return Ok(());
    }
    let bearers = bearers(algorithm, keys)?;
    let good = bearers[0].clone();
    let bare = router();
    let base = Engine::new("axum", EXPECTED, || answer(&bare, &good));
    let mut workload = Workload::new(name, EXPECTED).base(base);
    for (at, (name, router)) in guarded(algorithm, keys, entries)?.into_iter().enumerate() {
        let answers = bearers.each_ref().map(|bearer| answer(&router, bearer));
        let good = good.clone();
        let engine = Engine::new(name, answers, move || answer(&router, &good)).beyond_base();
        workload = if at == 0 { workload.reference(engine) } else { workload.engine(engine) };
    }
    session.measure(workload)
}

/// The router behind each kind of guard, the reference first; ours with so many entries of a cache.
fn guarded(
    algorithm: Algorithm,
    keys: &Keys,
    entries: usize,
) -> Result<[(String, Router); 3], Box<dyn Error>> {
    let peers = format!("{} + {} + role check", peer("jwt-authorizer")?, peer("tower_governor")?);
    Ok([
        (peers, peers::guard(router(), algorithm, keys)?),
        ("portcullis".to_owned(), ours::guard(router(), algorithm, keys, entries)?),
        ("bound: one layer by hand".to_owned(), by_hand::guard(router(), algorithm, keys, false)?),
    ])
}

fn router() -> Router {
    let show = async |Path(id): Path<u64>| {
        let body = format!(r#"{{"id":{id},"state":"open","total":"129.90"}}"#);
        ([(CONTENT_TYPE, "application/json")], body)
    };
    Router::new().route("/api/orders/{id}", get(show))
}

/// The `Authorization` of the callers that are asked about.
fn bearers(algorithm: Algorithm, keys: &Keys) -> Result<[HeaderValue; 4], Box<dyn Error>> {
    let token = keys.sign(algorithm, &Claims::of(1))?;
    let outsider = Claims { roles: vec!["viewer".to_owned()], ..Claims::of(2) };
    let outsider = keys.sign(algorithm, &outsider)?;
    let (signed, _) = outsider.rsplit_once('.').ok_or("a token has dots")?;
    let (_, signature) = token.rsplit_once('.').ok_or("a token has dots")?;
    let forged = format!("{signed}.{signature}");
    let bearer = |token: &str| format!("Bearer {token}").parse();
    Ok([bearer(&token)?, bearer(&outsider)?, bearer(&forged)?, HeaderValue::from_static("")])
}

/// Whether a request gets through.
fn answer(router: &Router, bearer: &HeaderValue) -> bool {
    response(router, bearer).is_some_and(|response| response.status() == StatusCode::OK)
}

fn response(router: &Router, bearer: &HeaderValue) -> Option<Response> {
    let mut request = Request::get("/api/orders/42")
        .header(HOST, "localhost")
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, bearer)
        .body(Body::empty())
        .ok()?;
    let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
    request.extensions_mut().insert(ConnectInfo(peer));
    // Nothing here waits, so one poll has to be enough.
    let polled = pin!(router.clone().oneshot(request))
        .poll(&mut task::Context::from_waker(task::Waker::noop()));
    match polled {
        task::Poll::Ready(Ok(response)) => Some(response),
        task::Poll::Pending => None,
    }
}
