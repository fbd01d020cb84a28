//! Roles that may do things to kinds of resources, in two worlds.
//!
//! `casbin-…` are the worlds that casbin measures itself in: user `i` has the role `group(i/10)`,
//! and role `j` may read what is called `data(j/10)`. `growth/…` has so many rules, each of a role,
//! an action and a type of its own: rule `i` is of role `i/200`, action `i%20` and type `i/20%10`.
//! Ours are grants in a role document, where each kind is a type of resource with actions of its
//! own. Requests are 64, at strides without a factor in common with what they walk over.

mod by_hand;
mod casbin;
mod cedar;
mod flat;
mod ours;

use std::error::Error;

use crate::measure::{Session, Workload};

/// Who has which role, what roles may do, and what is asked.
struct World {
    /// Users and their roles.
    users: Vec<(String, String)>,
    rules: Vec<Rule>,
    asked: Vec<Asked>,
    /// casbin's own world: kinds are names of one type.
    is_casbins: bool,
}

struct Rule {
    role: String,
    kind: String,
    act: String,
}

/// A user, the user's role, and what is asked for.
struct Asked {
    user: String,
    role: String,
    kind: String,
    act: String,
}

const REQUESTS: usize = 64;

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    for (size, roles) in [("small", 100), ("medium", 1_000), ("large", 10_000)] {
        for allow in [true, false] {
            let word = if allow { "allow" } else { "deny" };
            let name = format!("policy/casbin-{size}/{word}");
            if session.wants(&name) {
                run(session, &name, &World::casbins(roles, allow), allow)?;
            }
        }
    }
    for rules in [10, 1_000, 100_000] {
        let name = format!("policy/growth/{rules}");
        if session.wants(&name) {
            run(session, &name, &World::growth(rules), true)?;
        }
    }
    flat::measure(session)
}

fn run(
    session: &mut Session,
    name: &str,
    world: &World,
    allow: bool,
) -> Result<(), Box<dyn Error>> {
    let workload = Workload::new(name, vec![allow; world.asked.len()]);
    let workload = cedar::add(workload, world)?;
    let workload = casbin::add(workload, world)?;
    let workload = ours::add(workload, world)?;
    session.measure(by_hand::add(workload, world))
}

impl World {
    fn casbins(roles: usize, allow: bool) -> Self {
        let (users, kinds) = (roles * 10, roles / 10);
        let role = |nth: usize| format!("group{nth}");
        let rule = |nth| Rule { role: role(nth), kind: data(nth / 10), act: "read".to_owned() };
        let asked = |nth: usize| {
            let user = nth * 7_919 % users;
            let kind = (user / 100 + usize::from(!allow)) % kinds;
            let (user, role) = (format!("user{user}"), role(user / 10));
            Asked { user, role, kind: data(kind), act: "read".to_owned() }
        };
        Self {
            users: (0..users).map(|user| (format!("user{user}"), role(user / 10))).collect(),
            rules: (0..roles).map(rule).collect(),
            asked: (0..REQUESTS).map(asked).collect(),
            is_casbins: true,
        }
    }

    fn growth(count: usize) -> Self {
        let rule = |nth: usize| Rule {
            role: format!("role{}", nth / 200),
            kind: format!("Type{}", nth / 20 % 10),
            act: format!("act{}", nth % 20),
        };
        let asked = |nth: usize| {
            let nth = nth * 7_919 % count;
            let Rule { role, kind, act } = rule(nth);
            Asked { user: format!("user{}", nth / 200), role, kind, act }
        };
        let roles = 0..count.div_ceil(200);
        Self {
            users: roles.map(|role| (format!("user{role}"), format!("role{role}"))).collect(),
            rules: (0..count).map(rule).collect(),
            asked: (0..REQUESTS).map(asked).collect(),
            is_casbins: false,
        }
    }
}

fn data(nth: usize) -> String {
    format!("data{nth}")
}
