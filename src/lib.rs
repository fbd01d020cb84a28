#![cfg_attr(feature = "tower", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "tower"),
    doc = "Who is calling, what may they do, how often may they do it: one gate for a service."
)]

// In reading order: the vocabulary, the three questions, the one "no", the record, the gate.
pub mod clock;
mod facts;
mod forwarded;
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
mod refusal;

pub mod gate;

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "tower")]
pub mod tower;

#[cfg(feature = "fetch")]
pub mod fetch;
#[cfg(feature = "jsonwebtoken")]
pub mod jsonwebtoken;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(feature = "tracing")]
pub mod tracing;
#[cfg(feature = "watch")]
pub mod watch;

pub use authn::api_key::{ApiKeys, KeyGrant, MemoryKeys};
pub use authn::jwt::{Algorithm, JwtIssuers, JwtVerifier, Key, KeySet, RoleMap};
pub use authn::{
    Authenticator, AuthnError, AuthnErrorKind, Challenge, Claim, Credential, Source, Step, Verifier,
};
pub use authz::{Document, PolicySet};
pub use facts::{Facts, Headers};
pub use forwarded::{ForwardedError, TrustedProxies};
pub use gate::{
    Access, Admission, Caller, Gate, GateBuilder, GateError, GateErrors, Outcome, Outcomes,
    RouteError, Routes, StepUp, Unchecked,
};
pub use limit::Quota;
pub use net::{IpNet, IpNetError};
pub use principal::{Assertion, Attribute, Kind, Principal, PrincipalError, is_realm};
pub use refusal::{Class, CorrelationId, Reason, Refusal};
pub use secret::{Secret, SecretText};
pub use snapshot::Snapshot;
pub use time::{Mono, Now, UnixTime};
