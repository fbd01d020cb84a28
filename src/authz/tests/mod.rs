//! What the parts do together.

mod cedar;
mod documents;
mod explanations;
mod hits;
mod hostile;
mod indexes;
mod operators;
pub(super) mod oracle;
mod programs;
mod semantics;
mod sets;
mod types;
pub(super) mod world;
