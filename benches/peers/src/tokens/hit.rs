//! A token that has been verified before, among 10,000 of them.
//!
//! Ours has four places for each, so that none is without one. It finds a token by all its bytes,
//! as the bound does, and holds the times against the clock.

use std::{error::Error, hint::black_box, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use portcullis::clock;

use crate::{
    access_token::{Algorithm, Claims, Keys, unix_seconds},
    measure::{Cycle, Engine, Session, Workload},
};

/// How many verified tokens are kept, and how many look-ups come before one is repeated.
const KEPT: usize = 10_000;

/// A token that is kept, one that is not, and one that has expired since.
const EXPECTED: [bool; 3] = [true, false, false];

pub(super) fn measure(
    session: &mut Session,
    name: &str,
    algorithm: Algorithm,
    keys: &Keys,
) -> Result<(), Box<dyn Error>> {
    if !session.wants(name) {
        return Ok(());
    }
    // Looked up are copies, as a request brings its own; every 7919th, so that none is near the one
    // before.
    let tokens = (0..KEPT as u64).map(|user| keys.sign(algorithm, &Claims::of(user)));
    let tokens: Vec<String> = tokens.collect::<Result<_, _>>()?;
    let order: Vec<String> =
        (0..KEPT).filter_map(|at| tokens.get(at * 7919 % KEPT)).cloned().collect();
    let mut kept: HashMap<String, Arc<Claims>, RandomState> = HashMap::default();
    kept.extend(tokens.into_iter().map(|token| (token, Arc::new(Claims::of(0)))));
    kept.insert("expired".to_owned(), Arc::new(Claims::of(0).expired()));
    let look_up = |token: &str| {
        kept.get(token).filter(|claims| claims.exp > unix_seconds()).map(Arc::clone).is_some()
    };
    let first = order.first().ok_or("no token")?.as_str();
    let answers = Cycle::new([first, "unknown", "expired"]).answers(|token| look_up(token));
    let ours = super::ours(algorithm, keys)?.cache(4 * KEPT);
    let verify = |token: &str| ours.verify_token(token, clock::now().wall).is_ok();
    if !order.iter().all(|token| verify(token)) {
        return Err("a good token is refused".into());
    }
    let expired = keys.sign(algorithm, &Claims::of(0).expired())?;
    let known = Cycle::new([first, "unknown", expired.as_str()]).answers(|token| verify(token));
    let order = Cycle::new(order.clone());
    let engine = Engine::new("bound: hash of all bytes, expiry", answers, || {
        order.ask(|token| look_up(black_box(token)))
    });
    let cached = Engine::new("portcullis", known, || order.ask(|token| verify(black_box(token))));
    session.measure(Workload::new(name, EXPECTED).reference(engine).engine(cached))
}
