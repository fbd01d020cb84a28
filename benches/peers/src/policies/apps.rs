//! The three applications of Cedar's OOPSLA paper of 2024, each with `n` entities of each type and
//! every possible link with a chance of 5 in 100; 200 random requests.
//!
//! Both engines read the same policies and the same entities from the same texts. The paper's
//! generator of gdrive names views' members otherwise than the views themselves, so that the first
//! policy can never be satisfied; here the names agree. The paper takes many stores and 500 requests
//! of each; here it is one store of each size.

mod cedar;
mod gdrive;
mod github;
mod ours;
mod store;
mod tinytodo;

use std::error::Error;

use self::store::Store;
use super::random::Random;
use crate::measure::{Session, Workload};

/// An application: its policies, its entities, and what is asked.
struct App {
    policies: &'static str,
    entities: Store,
    /// Who, which action, and of what: its type and id.
    asked: Vec<(String, &'static str, (&'static str, String))>,
}

/// How an application of this size is made.
type Make = fn(usize, &mut Random) -> App;

const REQUESTS: usize = 200;

pub(super) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let apps: [(&str, Make); 3] =
        [("gdrive", gdrive::app), ("github", github::app), ("tinytodo", tinytodo::app)];
    for (app, make) in apps {
        for n in [5, 10, 20, 50] {
            let name = format!("policy/{app}/{n}");
            if session.wants(&name) {
                let app = make(n, &mut Random::new(n as u64));
                let json = app.entities.json();
                let (theirs, ours) =
                    (cedar::World::new(&app, &json)?, ours::Loaded::new(&app, &json)?);
                let workload = Workload::new(name, theirs.expected());
                let workload = cedar::add(workload, &app, theirs)?;
                session.measure(ours::add(workload, &app, &ours)?)?;
            }
        }
    }
    Ok(())
}
