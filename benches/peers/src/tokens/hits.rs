//! Tokens that have been verified before, on one thread and on two at once.
//!
//! An operation is one look-up on each thread, so two threads that do not hinder each other take
//! as long as one.

use std::{error::Error, hint::black_box};

use super::kept::{EXPECTED, Kept};
use crate::{
    access_token::{Algorithm, Keys},
    measure::{Engine, Session, Workload},
};

pub(super) fn measure(
    session: &mut Session,
    name: &str,
    count: usize,
    keys: &Keys,
) -> Result<(), Box<dyn Error>> {
    if !session.wants(name) {
        return Ok(());
    }
    let kept = Kept::new(count, Algorithm::Hs256, keys)?;
    // Each thread starts somewhere else.
    let asked = |thread: usize, call: u64| {
        let at = (call as usize + thread * count / 2) % count;
        kept.order.get(at).map_or("", String::as_str)
    };
    let (look_up, verify) = (|token: &str| kept.look_up(token), |token: &str| kept.verify(token));
    let mut workload = Workload::new(name, EXPECTED);
    for (threads, of) in [(1, "1 thread"), (2, "2 threads")] {
        let engine =
            Engine::on_threads(format!("portcullis+{of}"), kept.answers(verify), threads, {
                |thread, call| verify(black_box(asked(thread, call)))
            });
        let bound = format!("bound: hash of all bytes, expiry, {of}");
        let bound = Engine::on_threads(bound, kept.answers(look_up), threads, |thread, call| {
            look_up(black_box(asked(thread, call)))
        });
        workload = if threads == 1 { workload.reference(engine) } else { workload.engine(engine) };
        workload = workload.engine(bound);
    }
    session.measure(workload)
}
