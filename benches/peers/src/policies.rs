//! Decisions.
//!
//! The reference is cedar-policy in its best form for the work, where a policy is one rule over
//! attributes rather than one policy for each role; that form stands beside it.
//!
//! In `role/handle` everything that can be made beforehand is: requests, entities, handles of
//! actions, subjects with their roles. In `role/names` a call starts from the names of action and
//! caller, as in a handler. In `attributes` all that a request brings is new in each call.

mod apps;
mod attributes;
mod casbin;
mod cedar;
mod gatehouse;
mod grants;
mod hospital;
mod random;
mod roles;

use std::error::Error;

use crate::measure::Session;

pub(crate) fn measure(session: &mut Session) -> Result<(), Box<dyn Error>> {
    roles::measure(session)?;
    attributes::measure(session)?;
    grants::measure(session)?;
    apps::measure(session)?;
    hospital::measure(session)
}
