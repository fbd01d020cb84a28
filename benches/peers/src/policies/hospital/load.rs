//! Reading 9,905 policies, and what is kept of them: bytes of each policy go to standard error.

use std::error::Error;

use cedar_policy::PolicySet as CedarPolicySet;
use portcullis::authz::PolicySet;

use super::Hospital;
use crate::{
    measure::{Engine, Session, Workload},
    versions::peer,
};

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let name = "policy/load/9905";
    if !session.wants(name) {
        return Ok(());
    }
    let text = Hospital::new(300).policies;
    let mut kept = None;
    let heap = allocation_counter::measure(|| kept = PolicySet::from_cedar(&text).ok());
    eprintln!("{name}: portcullis keeps {} bytes a policy", heap.bytes_current / 9_905);
    drop(kept);
    let theirs = || text.parse::<CedarPolicySet>().is_ok();
    let ours = || PolicySet::from_cedar(&text).is_ok();
    let workload = Workload::new(name, [true])
        .reference(Engine::new(peer("cedar-policy")?, [theirs()], theirs))
        .engine(Engine::new("portcullis", [ours()], ours));
    session.measure(workload)
}
