//! Who is calling, what may they do, how often may they do it.

// In reading order: the vocabulary, the three questions, the one "no", the record, the gate.
pub mod clock;
mod facts;
mod net;
mod principal;
mod secret;
mod snapshot;
mod time;

pub mod audit;
pub mod authn;
pub mod authz;
mod crypto;
pub mod limit;

pub use authn::{Authenticator, AuthnError, AuthnErrorKind, Challenge, Credential, Step, Verifier};
pub use facts::{Facts, Headers};
pub use limit::{Exceeded, ExceededKind, LimitError, Limiter, Quota, WhenFull};
pub use net::{IpNet, IpNetError};
pub use principal::{Assertion, Attribute, Kind, Principal, PrincipalError, is_realm};
pub use secret::Secret;
pub use snapshot::Snapshot;
pub use time::{Mono, Now, UnixTime};
