//! A hundred roles, a thousand users, ten kinds of documents; 64 random requests, half of them
//! denied. It is the smallest of the worlds that casbin measures itself in: user `i` has the role
//! `group(i/10)`, and role `j` may read documents of kind `j/10`.

mod by_hand;
mod casbin;
mod cedar;
mod gatehouse;
mod ours;

use std::error::Error;

use crate::measure::{Session, Workload};

const ROLES: usize = 100;
const USERS: usize = 1_000;
const KINDS: usize = 10;

/// A user, a kind of document, and whether the user may read it.
struct Asked {
    user: String,
    role: String,
    kind: usize,
    expected: bool,
}

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let asked = asked();
    let expected: Vec<bool> = asked.iter().map(|asked| asked.expected).collect();
    for (name, form) in [("handle", Form::Handles), ("names", Form::Names)] {
        let name = format!("policy/role/{name}");
        if session.wants(&name) {
            let workload = cedar::add(Workload::new(name, expected.clone()), form, &asked)?;
            let workload = casbin::add(workload, &asked)?;
            let workload = gatehouse::add(workload, form, &asked)?;
            let workload = ours::add(workload, form, &asked)?;
            session.measure(by_hand::add(workload, &asked))?;
        }
    }
    Ok(())
}

/// What a call starts from.
#[derive(Clone, Copy, Debug)]
enum Form {
    Handles,
    Names,
}

/// Every other one is denied. The strides have no factor in common with what they walk over.
fn asked() -> Vec<Asked> {
    let user = |nth: usize| nth * 389 % USERS;
    let allowed = |user: usize| user / 10 * KINDS / ROLES;
    (0..64)
        .map(|nth| {
            let (user, denied) = (user(nth), nth % 2);
            Asked {
                user: format!("user{user}"),
                role: role(user / 10),
                kind: (allowed(user) + denied * (1 + nth % 7)) % KINDS,
                expected: denied == 0,
            }
        })
        .collect()
}

fn role(nth: usize) -> String {
    format!("group{nth}")
}

/// The kind of document that a role may read.
fn kind_of(role: usize) -> usize {
    role * KINDS / ROLES
}
