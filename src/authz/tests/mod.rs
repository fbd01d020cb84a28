//! What the parts do together.

mod cedar;
mod documents;
mod explanations;
mod hostile;
mod oracle;
mod programs;
mod semantics;
mod sets;
pub(super) mod world;
