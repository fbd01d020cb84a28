//! What a client is asked to fetch, and how its answer is read.

use std::{fmt, time::Duration};

use super::{
    super::{KeyError, KeySetError, Loader, SkippedKey},
    discovery,
};
use crate::{KeySet, authn::Outbound, crypto::sha256};

/// One fetch to make: a GET with these limits. Made by
/// [`RemoteKeys::need_fetch`](super::RemoteKeys::need_fetch), answered to
/// [`apply`](super::RemoteKeys::apply).
#[derive(Clone, Debug)]
#[must_use = "no other fetch is asked for until this one is answered"]
pub struct FetchRequest {
    pub(super) number: u64,
    pub(super) url: String,
    pub(super) about: Asked,
    pub(super) etag: Option<Box<str>>,
    pub(super) timeout: Duration,
    pub(super) outbound: Outbound,
    pub(super) loader: Loader,
}

#[derive(Clone, Debug)]
pub(super) enum Asked {
    Keys,
    /// The discovery document of this issuer.
    Location(String),
}

/// What came of a fetch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FetchOutcome {
    /// 200 with this body.
    Document {
        /// The body, at most [`max_bytes`](FetchRequest::max_bytes) of it.
        body: Vec<u8>,
        /// The value of `ETag` (RFC 9110 section 8.8.3), as it was sent.
        etag: Option<String>,
        /// For how long the answer is fresh: [`freshness`] of its `Cache-Control`.
        max_age: Option<Duration>,
    },
    /// 304, which answers an `If-None-Match` only.
    NotModified {
        /// As for a document.
        max_age: Option<Duration>,
    },
    /// Anything else.
    Failed(FetchError),
}

/// Why a fetch brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchError {
    /// The address, one it redirects to, or one its name resolves to is not permitted.
    Forbidden,
    /// The document is not of the form it should have, or holds no usable key.
    Garbage,
    /// The discovery document is about another issuer.
    OtherIssuer,
    /// The bundle is older than the one held.
    Outdated,
    /// The set holds a shared secret, which everybody who can fetch it has now, and no public key.
    /// One among public keys is [skipped](KeySet::skipped).
    SharedSecret,
    /// The server answered with neither 200 nor 304.
    Status,
    /// The body is longer than it may be.
    TooLarge,
    /// No answer in time.
    TimedOut,
    /// No connection, or one that broke.
    Unreachable,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forbidden => "the address, or where it leads, is not permitted",
            Self::Garbage => "the document is of another form, or has no usable key",
            Self::OtherIssuer => "the discovery document is about another issuer",
            Self::Outdated => "the bundle is older than the one held",
            Self::SharedSecret => "the set holds a shared secret",
            Self::Status => "the server answered with an error",
            Self::TooLarge => "the document is too large",
            Self::TimedOut => "no answer in time",
            Self::Unreachable => "the server cannot be reached",
        })
    }
}

impl std::error::Error for FetchError {}

/// An outcome, read.
#[derive(Debug)]
pub(super) enum Reading {
    Keys {
        keys: KeySet,
        digest: [u8; 32],
        etag: Option<Box<str>>,
        max_age: Option<Duration>,
        /// A number that grows with every change, where there is one.
        sequence: Option<u64>,
    },
    Located(String),
    Unchanged {
        max_age: Option<Duration>,
    },
    Failed(FetchError),
}

/// A longer `ETag` is not sent back.
const MAX_ETAG: usize = 256;

impl FetchRequest {
    /// What to GET.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The value of `If-None-Match`, if one is to be sent (RFC 9110 section 13.1.2).
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// How long all of it may take: looking up, connecting, redirects and the body.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// More of the body is not to be read.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        match self.about {
            Asked::Keys => 256 * 1024,
            Asked::Location(_) => discovery::MAX_BYTES,
        }
    }

    /// Where the fetch may lead: ask it about every redirect and every resolved address.
    pub fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    pub(super) fn read(&self, outcome: FetchOutcome) -> Reading {
        match (outcome, &self.about) {
            (FetchOutcome::Document { body, .. }, Asked::Location(issuer)) => {
                discovery::keys_of(issuer, &body, &self.outbound)
                    .map_or_else(Reading::Failed, Reading::Located)
            }
            (FetchOutcome::Document { body, etag, max_age }, Asked::Keys) => {
                let bundle = match self.loader.fetched(&body) {
                    Ok(bundle) => bundle,
                    Err(refused) => return Reading::Failed(why(&refused)),
                };
                let max_age = max_age.into_iter().chain(bundle.refresh_hint()).min();
                let sequence = bundle.sequence();
                let keys = bundle.into_keys();
                let plain = |etag: &String| {
                    etag.len() <= MAX_ETAG && etag.bytes().all(|byte| byte.is_ascii_graphic())
                };
                let etag = etag.filter(plain).map(String::into_boxed_str);
                Reading::Keys { keys, digest: sha256(&body), etag, max_age, sequence }
            }
            (FetchOutcome::NotModified { max_age }, _) if self.etag.is_some() => {
                Reading::Unchanged { max_age }
            }
            (FetchOutcome::NotModified { .. }, _) => Reading::Failed(FetchError::Status),
            (FetchOutcome::Failed(error), _) => Reading::Failed(error),
        }
    }
}

/// A set of secrets alone is told apart: its server gives away what it signs with.
fn why(refused: &KeySetError) -> FetchError {
    let KeySetError::NoUsableKey(skipped) = refused else { return FetchError::Garbage };
    if secrets(skipped) > 0 { FetchError::SharedSecret } else { FetchError::Garbage }
}

/// How many of these keys are shared secrets, which are none any more.
pub(super) fn secrets(skipped: &[SkippedKey]) -> usize {
    skipped.iter().filter(|key| key.reason == KeyError::SecretAmongPublic).count()
}

/// For how long an answer with this `Cache-Control` and `Age` is fresh (RFC 9111 sections 4.2 and
/// 5.2.2); `None` where it does not say. What cannot be read is not fresh at all.
///
/// ```
/// use portcullis::authn::jwt::freshness;
/// use std::time::Duration;
///
/// let check = |control, age, secs: Option<u64>| {
///     assert_eq!(freshness(control, age), secs.map(Duration::from_secs), "{control:?}");
/// };
/// check(Some("public, max-age=60"), Some("15"), Some(45));
/// check(Some("no-store"), None, Some(0));
/// check(Some("max-age=soon"), None, Some(0));
/// check(None, Some("15"), None);
/// ```
#[must_use]
pub fn freshness(cache_control: Option<&str>, age: Option<&str>) -> Option<Duration> {
    let mut max_age = None;
    for directive in cache_control?.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let name = name.trim();
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            let secs = value.trim().trim_matches('"').parse().unwrap_or(0);
            max_age = Some(max_age.map_or(secs, |other: u64| other.min(secs)));
        }
    }
    let age = age.map_or(0, |age| age.trim().parse().unwrap_or(u64::MAX));
    max_age.map(|secs| Duration::from_secs(secs.saturating_sub(age)))
}
