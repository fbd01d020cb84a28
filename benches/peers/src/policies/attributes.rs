//! One rule over what a request brings: a role in a set, two departments that are equal, the hour
//! within working hours, the address within the company's network. Seven requests, of which one
//! is allowed and the others each fail another condition.

mod by_hand;
mod casbin;
mod cedar;
mod gatehouse;
mod ours;
mod rego;

use std::{error::Error, net::Ipv4Addr};

use serde::Serialize;

use crate::measure::{Session, Workload};

/// What a request brings.
#[derive(Clone, Debug, Hash, Serialize)]
struct Asked {
    user: User,
    doc: Doc,
    act: &'static str,
    env: Environment,
}

#[derive(Clone, Debug, Hash, Serialize)]
struct User {
    roles: Vec<String>,
    department: String,
}

#[derive(Clone, Debug, Hash, Serialize)]
struct Doc {
    department: String,
}

#[derive(Clone, Debug, Hash, Serialize)]
struct Environment {
    hour: u8,
    ip: String,
    /// The address as the connection has it.
    #[serde(skip)]
    address: Ipv4Addr,
}

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let name = "policy/attributes";
    if !session.wants(name) {
        return Ok(());
    }
    let asked = asked();
    let expected = [true, false, false, false, false, false, false];
    let workload = cedar::add(Workload::new(name, expected), &asked)?;
    let workload = casbin::add(workload, &asked)?;
    let workload = rego::add(workload, &asked)?;
    let workload = gatehouse::add(workload, &asked)?;
    let workload = ours::add(workload, &asked)?;
    session.measure(by_hand::add(workload, &asked))
}

fn asked() -> [Asked; 7] {
    let with = |change: &dyn Fn(&mut Asked)| {
        let mut asked = Asked::good();
        change(&mut asked);
        asked
    };
    [
        Asked::good(),
        with(&|asked| asked.user.roles.retain(|role| role != "editor")),
        with(&|asked| asked.doc.department = "legal".to_owned()),
        with(&|asked| asked.act = "write"),
        with(&|asked| asked.env.hour = 8),
        with(&|asked| asked.env.hour = 18),
        with(&|asked| asked.env.come_from(Ipv4Addr::new(11, 20, 30, 40))),
    ]
}

impl Asked {
    fn good() -> Self {
        let mut env = Environment { hour: 11, ip: String::new(), address: Ipv4Addr::UNSPECIFIED };
        env.come_from(Ipv4Addr::new(10, 20, 30, 40));
        Self {
            user: User {
                roles: ["viewer", "team-lead", "editor", "on-call"].map(str::to_owned).into(),
                department: "finance".to_owned(),
            },
            doc: Doc { department: "finance".to_owned() },
            act: "read",
            env,
        }
    }
}

impl Environment {
    fn come_from(&mut self, address: Ipv4Addr) {
        (self.ip, self.address) = (address.to_string(), address);
    }
}
