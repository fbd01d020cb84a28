//! A token that has been verified before, among 10,000 of them.

use std::{error::Error, hint::black_box, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

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
    let tokens = tokens(keys.sign(algorithm, &Claims::of(0))?);
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
    let order = Cycle::new(order);
    let engine = Engine::new("bound: hash of all bytes, expiry", answers, || {
        order.ask(|token| look_up(black_box(token)))
    });
    session.measure(Workload::new(name, EXPECTED).reference(engine))
}

/// Texts like `token` that differ in their last bytes. The signatures are not looked at.
fn tokens(token: String) -> Vec<String> {
    let stem = token.get(..token.len() - 8).unwrap_or_default();
    (0..KEPT).map(|nth| format!("{stem}{nth:08}")).collect()
}
