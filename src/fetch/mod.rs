//! Fetches key sets and asks introspection endpoints over HTTP: thin adapters over `ureq`, on plain
//! threads and without a runtime.
//!
//! TLS is rustls with ring, handed over by value: nothing is installed for the process. The roots
//! are those of Mozilla (`webpki-roots`), or [your own](Roots). What may be asked is decided by
//! [`Outbound`](crate::authn::Outbound), for every redirect and every resolved address; no proxy
//! of the environment is used, since it would resolve the names itself.

mod client;
mod introspector;
mod refresher;
mod roots;

pub use introspector::Introspector;
pub use refresher::{Refresher, SpawnError};
pub use roots::{Roots, RootsError};
