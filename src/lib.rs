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
#[cfg(feature = "jsonwebtoken")]
pub mod jsonwebtoken;
pub mod limit;
mod refusal;

#[cfg(feature = "http")]
pub mod http;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use authn::jwt::{Algorithm, JwtVerifier, Key, KeySet, RoleMap};
pub use authn::{
    Authenticator, AuthnError, AuthnErrorKind, Challenge, Claim, Credential, Step, Verifier,
};
pub use facts::{Facts, Headers};
pub use limit::{Exceeded, ExceededKind, LimitError, Limiter, Quota, WhenFull};
pub use net::{IpNet, IpNetError};
pub use principal::{Assertion, Attribute, Kind, Principal, PrincipalError, is_realm};
pub use refusal::{Class, CorrelationId, Reason, Refusal};
pub use secret::Secret;
pub use snapshot::Snapshot;
pub use time::{Mono, Now, UnixTime};
