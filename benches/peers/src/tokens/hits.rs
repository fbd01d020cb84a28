//! Tokens that have been verified before, on one thread and on two at once.
//!
//! An operation is one look-up on each thread, so two threads that do not hinder each other take
//! as long as one.

use std::{collections::HashMap, error::Error, hint::black_box, sync::Arc};

use foldhash::fast::RandomState;
use portcullis::clock;

use crate::{
    access_token::{Algorithm, Claims, Keys, unix_seconds},
    measure::{Engine, Session, Workload},
};

/// A token that is kept, and one that is not.
const EXPECTED: [bool; 2] = [true, false];

pub(super) fn measure(
    session: &mut Session,
    name: &str,
    kept: usize,
    keys: &Keys,
) -> Result<(), Box<dyn Error>> {
    if !session.wants(name) {
        return Ok(());
    }
    let tokens = (0..kept as u64).map(|user| keys.sign(Algorithm::Hs256, &Claims::of(user)));
    let tokens: Vec<String> = tokens.collect::<Result<_, _>>()?;
    // Looked up are copies, as a request brings its own, in an order that no cache of the
    // processor could foresee. Each thread starts somewhere else.
    let order: Vec<String> =
        (0..kept).filter_map(|at| tokens.get(at * 7919 % kept)).cloned().collect();
    let asked = |thread: usize, call: u64| {
        order.get((call as usize + thread * kept / 2) % kept).map_or("", String::as_str)
    };
    let mut map: HashMap<String, Arc<Claims>, RandomState> = HashMap::default();
    map.extend(tokens.iter().map(|token| (token.clone(), Arc::new(Claims::of(0)))));
    let look_up = |token: &str| {
        map.get(token).filter(|claims| claims.exp > unix_seconds()).map(Arc::clone).is_some()
    };
    let ours = super::ours(Algorithm::Hs256, keys)?.cache(4 * kept);
    let verify = |token: &str| ours.verify_token(token, clock::now().wall).is_ok();
    if !tokens.iter().all(|token| verify(token)) {
        return Err("a good token is refused".into());
    }
    let known = [asked(0, 0), "unknown"];
    let mut workload = Workload::new(name, EXPECTED);
    for (threads, of) in [(1, "1 thread"), (2, "2 threads")] {
        let engine = Engine::on_threads(format!("portcullis+{of}"), known.map(verify), threads, {
            |thread, call| verify(black_box(asked(thread, call)))
        });
        let bound = format!("bound: hash of all bytes, expiry, {of}");
        let bound = Engine::on_threads(bound, known.map(look_up), threads, |thread, call| {
            look_up(black_box(asked(thread, call)))
        });
        workload = if threads == 1 { workload.reference(engine) } else { workload.engine(engine) };
        workload = workload.engine(bound);
    }
    session.measure(workload)
}
