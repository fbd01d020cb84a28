//! The thread that keeps one key set fresh.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use super::{Roots, client};
use crate::{authn::jwt::RemoteKeys, clock};

/// Keeps one key set fresh for as long as it is held. Each set has a thread of its own, so an
/// issuer that hangs holds up no other.
///
/// ```no_run
/// use portcullis::{JwtVerifier, authn::jwt::{Discovery, RemoteKeys, RemoteSet}};
/// use portcullis::fetch::Refresher;
/// use std::time::Duration;
///
/// let issuer = "https://id.example";
/// let keys = RemoteKeys::new(RemoteSet::discovered(issuer, Discovery::OpenId))?;
/// let _refresher = Refresher::start(&keys)?;
/// if let Err(late) = keys.ready(Duration::from_secs(10)) {
///     eprintln!("{late}: tokens are refused with 503 until it comes");
/// }
/// let verifier = JwtVerifier::new("staff", issuer, "orders", keys);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "dropped, it keeps nothing fresh"]
pub struct Refresher(Arc<AtomicBool>);

/// The system started no thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system started no thread")]
pub struct SpawnError;

/// Nobody sleeps longer, so that the end of the handle is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

impl Refresher {
    /// Starts the thread; it fetches at once. When this handle is dropped it ends within a
    /// second, after the fetch that is under way.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(keys: &RemoteKeys) -> Result<Self, SpawnError> {
        Self::trusting(Roots::default(), keys)
    }

    /// Like [`start`](Self::start), from servers that `roots` certify.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn trusting(roots: Roots, keys: &RemoteKeys) -> Result<Self, SpawnError> {
        let this = Self(Arc::default());
        let (keys, ended) = (keys.clone(), Arc::clone(&this.0));
        let run = move || {
            let mut agent = None;
            while !ended.load(Ordering::Acquire) {
                let Some(request) = keys.need_fetch(clock::now()) else {
                    keys.sleep(clock::now(), LONGEST_SLEEP);
                    continue;
                };
                let agent = agent.get_or_insert_with(|| client::agent(request.outbound(), &roots));
                let outcome = client::fetch(agent, &request);
                keys.apply(clock::now(), &request, outcome);
            }
        };
        let thread = thread::Builder::new().name("portcullis-keys".to_owned());
        thread.spawn(run).map_err(|_| SpawnError)?;
        Ok(this)
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
