//! A token that has been verified before, among 10,000 of them.
//!
//! Ours finds it by all its bytes, as the bound does, and holds the times against the clock.

use std::{error::Error, hint::black_box};

use super::kept::{EXPECTED, Kept};
use crate::{
    access_token::{Algorithm, Keys},
    measure::{Cycle, Engine, Session, Workload},
};

/// How many verified tokens are kept, and how many look-ups come before one is repeated.
const KEPT: usize = 10_000;

pub(super) fn measure(
    session: &mut Session,
    name: &str,
    algorithm: Algorithm,
    keys: &Keys,
) -> Result<(), Box<dyn Error>> {
    if !session.wants(name) {
        return Ok(());
    }
    let kept = Kept::new(KEPT, algorithm, keys)?;
    let order = Cycle::new(kept.order.clone());
    let (look_up, verify) = (|token: &str| kept.look_up(token), |token: &str| kept.verify(token));
    let bound = Engine::new("bound: hash of all bytes, expiry", kept.answers(look_up), || {
        order.ask(|token| look_up(black_box(token)))
    });
    let ours = Engine::new("portcullis", kept.answers(verify), || {
        order.ask(|token| verify(black_box(token)))
    });
    session.measure(Workload::new(name, EXPECTED).reference(bound).engine(ours))
}
