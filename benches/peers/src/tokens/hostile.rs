//! A token of a million bytes: how much it costs to say no.

use std::{error::Error, hint::black_box};

use portcullis::clock;

use super::miss::jsonwebtoken;
use crate::{
    access_token::{Algorithm, Claims, Keys},
    measure::{Engine, Session, Workload},
    versions::peer,
};

const LENGTH: usize = 1 << 20;

pub(super) fn measure(
    session: &mut Session,
    name: &str,
    keys: &Keys,
) -> Result<(), Box<dyn Error>> {
    if !session.wants(name) {
        return Ok(());
    }
    let good = keys.sign(Algorithm::Hs256, &Claims::of(1))?;
    let hostile = format!("{}.{}.c2ln", "e".repeat(LENGTH / 2), "e".repeat(LENGTH / 2));
    let ours = super::ours(Algorithm::Hs256, keys)?;
    let ours = |token: &str| ours.verify_token(token, clock::now().wall).is_ok();
    let theirs = jsonwebtoken::<Claims>(Algorithm::Hs256, keys)?;
    let ask = |verify: &dyn Fn(&str) -> bool| [verify(&good), verify(&hostile)];
    let workload = Workload::new(name, [true, false])
        .reference(Engine::new(
            format!("{} aws_lc_rs typed", peer("jsonwebtoken")?),
            ask(&theirs),
            || theirs(black_box(&hostile)),
        ))
        .engine(Engine::new("portcullis", ask(&ours), || ours(black_box(&hostile))));
    session.measure(workload)
}
