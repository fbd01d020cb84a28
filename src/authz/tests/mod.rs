//! What the parts do together.

mod calls;
mod cedar;
mod cedar_sets;
mod documents;
mod explanations;
mod hierarchies;
mod hits;
mod hostile;
mod indexes;
mod joined;
mod operators;
pub(super) mod oracle;
mod programs;
mod round_trip;
mod semantics;
mod sets;
mod types;
pub(super) mod world;
