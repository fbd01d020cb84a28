//! Where a remote key set is, and how often it is asked for.

use std::time::Duration;

use super::{super::Loader, Discovery};
use crate::{Algorithm, authn::Outbound, crypto::Backend};

/// A key set at an address, or wherever its issuer says.
///
/// Unless said otherwise it is fetched every 5 minutes, used for at most an hour after the last
/// time that its server could be asked, and an unknown `kid` brings a fetch forward at most every
/// 30 s. A server may shorten the 5 minutes with `Cache-Control`, and never lengthen them.
#[derive(Clone, Debug)]
#[must_use = "a description fetches nothing"]
pub struct RemoteSet {
    pub(super) at: At,
    pub(super) every: Duration,
    pub(super) max_stale: Duration,
    pub(super) cooldown: Duration,
    pub(super) retry: Duration,
    pub(super) timeout: Duration,
    pub(super) outbound: Outbound,
    pub(super) loader: Loader,
}

#[derive(Clone, Debug)]
pub(super) enum At {
    Address(String),
    Issuer(String, Discovery),
}

/// Why a remote set cannot be described so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteSetError {
    /// The address may not be asked.
    #[error(
        "`{0}` may not be asked: it is no `https` URL of a public host; for tests on this machine \
         use `Outbound::allow_loopback`"
    )]
    Address(String),
    /// Times that contradict each other.
    #[error("times of a key set: {0}")]
    Times(&'static str),
    /// The system has no random bytes.
    #[error("the system has no random bytes")]
    Random,
}

impl RemoteSet {
    /// The key set at this address.
    pub fn at(url: impl Into<String>) -> Self {
        Self::new(At::Address(url.into()))
    }

    /// The key set that the discovery document of `issuer` names. The document is asked for
    /// before the first fetch, again after `max_stale`, and after every fetch that failed.
    pub fn discovered(issuer: impl Into<String>, discovery: Discovery) -> Self {
        Self::new(At::Issuer(issuer.into(), discovery))
    }

    /// The bundle that a SPIFFE trust domain publishes at this address, authenticated as any
    /// `https` server is (`https_web`), for the tokens that a
    /// [`JwtSvids`](crate::authn::jwt::profile::JwtSvids) verifies; see
    /// [`Loader::spiffe_bundle`]. Its `spiffe_refresh_hint` may shorten the time between fetches,
    /// as a server's `Cache-Control` does. A bundle without keys withdraws all of them; one whose
    /// `spiffe_sequence` is lower than that of the one held counts as a failure for as long as
    /// that one counts.
    pub fn spiffe_bundle(url: impl Into<String>) -> Self {
        let mut set = Self::at(url);
        set.loader = set.loader.bundles();
        set
    }

    fn new(at: At) -> Self {
        Self {
            at,
            every: Duration::from_secs(300),
            max_stale: Duration::from_secs(3600),
            cooldown: Duration::from_secs(30),
            retry: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
            outbound: Outbound::default(),
            loader: Loader::new().public_only(),
        }
    }

    /// How long a set is used before the next one is fetched; fetches are spread over the last
    /// fifth of it. A key that was withdrawn is refused after this time and one fetch at most,
    /// while the server answers.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// How long a set is used while its server fails, counted from when it was asked last with
    /// success. After that, tokens are refused with 503.
    pub fn max_stale(mut self, max_stale: Duration) -> Self {
        self.max_stale = max_stale;
        self
    }

    /// The least time between two fetches that unknown `kid`s bring about, however many come.
    pub fn cooldown(mut self, cooldown: Duration) -> Self {
        self.cooldown = cooldown;
        self
    }

    /// The time until a failed fetch is repeated; it doubles with each failure, up to `cooldown`.
    pub fn retry(mut self, retry: Duration) -> Self {
        self.retry = retry;
        self
    }

    /// How long one fetch may take in all.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Where fetches may lead.
    pub fn outbound(mut self, outbound: Outbound) -> Self {
        self.outbound = outbound;
        self
    }

    /// Takes keys without `alg` for this algorithm, as
    /// [`KeySet::from_jwks_assuming`](crate::KeySet::from_jwks_assuming) does.
    pub fn assuming(mut self, algorithm: Algorithm) -> Self {
        self.loader = self.loader.assuming(algorithm);
        self
    }

    /// Prepares keys for this library, as [`Loader::backend`] does.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.loader = self.loader.backend(backend);
        self
    }

    pub(super) fn check(&self) -> Result<(), RemoteSetError> {
        let url = match &self.at {
            At::Address(url) => Some(url.clone()),
            At::Issuer(issuer, discovery) => discovery.url(issuer),
        };
        if !url.is_some_and(|url| self.outbound.permits_url(&url)) {
            let (At::Address(named) | At::Issuer(named, _)) = &self.at;
            return Err(RemoteSetError::Address(named.clone()));
        }
        let demand =
            |met: bool, otherwise| met.then_some(()).ok_or(RemoteSetError::Times(otherwise));
        let zero = [self.every, self.cooldown, self.retry, self.timeout].contains(&Duration::ZERO);
        demand(!zero, "none may be 0")?;
        demand(self.every < self.max_stale, "`max_stale` is to be longer than `every`")
    }
}
