//! The threads that ask introspection endpoints.

use std::{fmt, sync::Arc, time::Duration};

use ureq::{
    Agent,
    http::{HeaderValue, StatusCode, header},
};

use super::{Roots, SpawnError, client};
use crate::{
    Mono,
    authn::{
        Outbound,
        introspection::{Answered, Request, RequestError, Transport},
        jwt::FetchError,
        pool::{Busy, Pool},
    },
    clock,
};

/// Carries the questions of [introspections](crate::authn::introspection) over HTTP, on threads
/// of its own. Clones share them; they end when the last clone is gone.
///
/// No redirect is followed, and each question has a connection of its own. A question whose callers
/// have all gone away before a thread began it is not asked.
///
/// ```no_run
/// use portcullis::{JwtVerifier, Secret, fetch::Introspector};
/// use portcullis::authn::introspection::{Endpoint, Introspection};
///
/// let secret = Secret::new(std::env::var("INTROSPECTION_SECRET")?.into_bytes());
/// let endpoint = Endpoint::new("https://id.example/introspect", Introspector::start(4)?)
///     .client("orders", &secret);
/// let opaque = Introspection::new("staff", "https://id.example", "orders", endpoint);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Introspector(Arc<Pool<Client>>);

struct Client {
    roots: Roots,
    /// The rules that it was made for, and what was made; nothing before the first question.
    made: Option<(Outbound, Agent)>,
}

/// Nobody needs more threads for one endpoint.
const MOST_THREADS: usize = 256;

/// So many questions wait for each thread.
const PLACES: usize = 16;

impl Introspector {
    /// With this many threads, or the nearest number from 1 to 256: as many questions are asked at
    /// a time, and 16 times as many may wait. The next one fails as [`Busy`](RequestError::Busy).
    ///
    /// # Errors
    /// When the system has no threads to give.
    pub fn start(threads: usize) -> Result<Self, SpawnError> {
        Self::trusting(Roots::default(), threads)
    }

    /// Like [`start`](Self::start), of servers that `roots` certify.
    ///
    /// # Errors
    /// When the system has no threads to give.
    pub fn trusting(roots: Roots, threads: usize) -> Result<Self, SpawnError> {
        let threads = threads.clamp(1, MOST_THREADS);
        let client = || Client { roots: roots.clone(), made: None };
        let clients = (0..threads).map(|_| client()).collect();
        let pool = Pool::start("portcullis-ask", clients, threads * PLACES);
        pool.map(|pool| Self(Arc::new(pool))).map_err(|_| SpawnError)
    }
}

impl Transport for Introspector {
    fn send(&self, request: Request) -> Answered {
        let begun = clock::mono();
        let waiting = Arc::new(());
        let wanted = Arc::downgrade(&waiting);
        let asked = self.0.submit(move |client| {
            let wanted = wanted.strong_count() > 0;
            if wanted { ask(client, &request, begun) } else { Err(RequestError::TimedOut) }
        });
        Box::pin(async move {
            let answer = asked.map_err(|Busy| RequestError::Busy)?.await;
            drop(waiting);
            answer.unwrap_or(Err(RequestError::Unreachable))
        })
    }
}

impl fmt::Debug for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Introspector(..)")
    }
}

/// The time in the queue counts too.
fn ask(client: &mut Client, request: &Request, begun: Mono) -> Result<Vec<u8>, RequestError> {
    if !request.outbound().permits_url(request.url()) {
        return Err(RequestError::Forbidden);
    }
    let spent = clock::mono().as_nanos().saturating_sub(begun.as_nanos());
    let left = request.timeout().checked_sub(Duration::from_nanos(spent));
    let left = left.filter(|left| !left.is_zero()).ok_or(RequestError::TimedOut)?;
    let post = client
        .agent(request.outbound())
        .post(request.url())
        .config()
        .timeout_global(Some(left))
        .build();
    let mut post = post
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(value) = request.authorization() {
        let value = HeaderValue::from_str(value).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        post = post.header(header::AUTHORIZATION, value.map_err(|_| RequestError::Refused)?);
    }
    let failed = |error: &ureq::Error| RequestError::from(client::kind(error));
    let mut response = post.send(request.body()).map_err(|error| failed(&error))?;
    match response.status() {
        StatusCode::OK => {
            let limit = u64::try_from(request.max_bytes()).unwrap_or(u64::MAX);
            let body = response.body_mut().with_config().limit(limit).read_to_vec();
            body.map_err(|error| failed(&error))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(RequestError::Refused),
        _ => Err(RequestError::Status),
    }
}

impl Client {
    /// Connects only where `outbound` permits. Several endpoints may share the threads.
    fn agent(&mut self, outbound: &Outbound) -> &Agent {
        let Self { roots, made } = self;
        if made.as_ref().is_some_and(|(rules, _)| rules != outbound) {
            *made = None;
        }
        &made.get_or_insert_with(|| (outbound.clone(), client::agent(outbound, roots))).1
    }
}

impl From<FetchError> for RequestError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Forbidden => Self::Forbidden,
            FetchError::TimedOut => Self::TimedOut,
            FetchError::TooLarge => Self::TooLarge,
            FetchError::Garbage
            | FetchError::OtherIssuer
            | FetchError::Outdated
            | FetchError::SharedSecret
            | FetchError::Status
            | FetchError::Unreachable => Self::Unreachable,
        }
    }
}
