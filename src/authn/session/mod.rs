//! Sessions of browsers: a cookie that names a record on the server.
//!
//! [`Sessions`] opens a session for a principal that other means have proven, takes the cookie
//! as a credential from then on, and ends it. What it promises:
//!
//! - **An id is never taken from the caller.** There are no sessions before a log-in, every
//!   authentication makes a new id, and the old one dies in the same operation.
//! - **An id has 256 random bits and is stored only as its SHA-256**: a copy of the store is
//!   not a copy of the keys.
//! - **Two timeouts, both on the server**: 30 min idle and 12 h in all, unless said otherwise.
//! - **The cookie is `__Host-`**: only sent over TLS, only to this host, never to scripts.
//!
//! Cookies come with every request that a browser makes, wanted or not, so routes that change
//! something need a defence against forged requests besides, such as tower-http's `CsrfLayer`;
//! `SameSite=Lax` alone is not one.

mod cookie;
mod id;
mod memory;
mod record;
mod sessions;
mod store;
mod stored;

pub use id::SessionKey;
pub use memory::MemorySessions;
pub use record::{Factor, SessionRecord};
pub use sessions::{NewSession, Sessions};
pub use store::SessionStore;
pub use stored::RecordError;
