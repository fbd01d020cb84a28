//! One question to an introspection endpoint, and who carries it there.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use zeroize::Zeroizing;

use super::{endpoint::Address, form};
use crate::authn::Outbound;

/// One question to ask: a POST of this body with these limits (RFC 7662 section 2.1).
pub struct Request {
    address: Arc<Address>,
    body: Zeroizing<String>,
}

/// Carries a [`Request`] to its endpoint: [`Introspector`](crate::fetch::Introspector) (feature
/// `fetch`), or a client of one's own. A closure that hands back a future is one.
pub trait Transport: Send + Sync + 'static {
    /// Makes the request; resolves to the body of an answer with status 200 and to nothing else.
    ///
    /// The future must end within [`Request::timeout`], and is dropped when nobody waits for it
    /// any more.
    fn send(&self, request: Request) -> Answered;
}

/// What a [`Transport`] hands back.
pub type Answered = Pin<Box<dyn Future<Output = Result<Vec<u8>, RequestError>> + Send>>;

/// Why there is no answer. None of these says anything about the token: its bearer is told 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.detail())]
#[non_exhaustive]
pub enum RequestError {
    /// Too many questions wait already.
    Busy,
    /// The address, or one its name resolves to, is not permitted.
    Forbidden,
    /// The server does not take this service's own credentials: 401 or 403.
    Refused,
    /// The server answered with another status than 200, a redirect among these.
    Status,
    /// The body is longer than it may be.
    TooLarge,
    /// No answer in time.
    TimedOut,
    /// No connection, or one that broke.
    Unreachable,
}

impl Request {
    pub(super) fn new(address: Arc<Address>, token: &str) -> Self {
        let mut body = form::room(&[TOKEN, HINT], &[token.as_bytes()]);
        body.push_str(TOKEN);
        form::encode(token.as_bytes(), &mut body);
        body.push_str(HINT);
        Self { address, body }
    }

    /// Where to POST to. Follow no redirect: the token is for this address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address.url
    }

    /// The value of `Authorization`, where the endpoint has been told a client: a secret.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.address.authorization.as_ref().map(|value| value.as_str())
    }

    /// The body, `application/x-www-form-urlencoded`: a secret, since it holds the token.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// How long all of it may take: looking up, connecting, and the answer's body.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.address.timeout
    }

    /// More of the answer's body is not to be read.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        MAX_ANSWER
    }

    /// Where the request may lead: ask it about every resolved address.
    pub fn outbound(&self) -> &Outbound {
        &self.address.outbound
    }
}

/// A longer answer is not read.
pub(super) const MAX_ANSWER: usize = 64 * 1024;

const TOKEN: &str = "token=";
const HINT: &str = "&token_type_hint=access_token";

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl<F, A> Transport for F
where
    F: Fn(Request) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Vec<u8>, RequestError>> + Send + 'static,
{
    fn send(&self, request: Request) -> Answered {
        Box::pin(self(request))
    }
}

impl RequestError {
    /// The same as a text for the record.
    pub(super) fn detail(self) -> &'static str {
        match self {
            Self::Busy => "too many questions wait for the introspection endpoint",
            Self::Forbidden => "the introspection endpoint's address is not permitted",
            Self::Refused => "the introspection endpoint does not take this service's credentials",
            Self::Status => "the introspection endpoint answered with another status than 200",
            Self::TooLarge => "the introspection endpoint's answer is too large",
            Self::TimedOut => "the introspection endpoint did not answer in time",
            Self::Unreachable => "the introspection endpoint cannot be reached",
        }
    }
}
