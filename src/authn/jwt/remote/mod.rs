//! Key sets that are fetched: when, from where, and for how long they count.

mod config;
mod discovery;
mod keys;
mod machine;
mod request;

pub use config::{RemoteSet, RemoteSetError};
pub use discovery::Discovery;
pub use keys::{KeysHealth, NotReady, RemoteKeys};
pub use request::{FetchError, FetchOutcome, FetchRequest, freshness};
