//! What stores promise, held against an application's own.

mod keys;
#[cfg(feature = "password")]
mod passwords;
mod recovery;
mod revocations;
mod sessions;
mod steps;

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Barrier},
    thread,
};

use crate::{
    authn::{Answer, StoreError},
    crypto::random,
};

/// Holds stores against the promises of their traits, under threads too, and names those that
/// are broken.
///
/// A store that passes may still break its promises: each race is run twenty-five times. The
/// checks write accounts, users and keys with random names that start with `check-`, and leave
/// them there: let them run over a table for tests.
///
/// ```
/// use std::ops::RangeInclusive;
/// use portcullis::authn::{Answer, otp::{Advance, MemorySteps, StepStore}};
/// use portcullis::testing::StoreChecks;
///
/// /// Remembers nothing.
/// #[derive(Debug)]
/// struct Forgetful;
///
/// impl StepStore for Forgetful {
///     fn advance(&self, _: &str, _: RangeInclusive<u64>) -> Answer<Advance> {
///         Answer::done(Advance::Taken)
///     }
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// let checks = StoreChecks::new(move |future| runtime.block_on(future));
/// assert!(checks.steps(&MemorySteps::new(100)).is_ok());
///
/// let broken = checks.steps(&Forgetful).unwrap_err();
/// assert_eq!(broken.iter().next().unwrap().name(), "used-once");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "no store is checked yet"]
pub struct StoreChecks {
    run: Arc<dyn Run>,
}

/// Runs futures to their end.
trait Run: Send + Sync {
    fn run<'a>(&self, future: Pin<Box<dyn Future<Output = ()> + Send + 'a>>);
}

impl<F: for<'a> Fn(Pin<Box<dyn Future<Output = ()> + Send + 'a>>) + Send + Sync> Run for F {
    fn run<'a>(&self, future: Pin<Box<dyn Future<Output = ()> + Send + 'a>>) {
        self(future);
    }
}

/// Everything a store broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenPromises(Vec<BrokenPromise>);

/// A promise that a store broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenPromise {
    name: &'static str,
    told: &'static str,
}

/// So many threads ask at once, and so often.
const THREADS: usize = 8;
const ROUNDS: usize = 25;

impl StoreChecks {
    /// Checks stores with `run`, which runs a future to its end on the thread that calls it. It
    /// is called from several threads at once, as `Handle::block_on` of tokio may be.
    pub fn new(
        run: impl for<'a> Fn(Pin<Box<dyn Future<Output = ()> + Send + 'a>>) + Send + Sync + 'static,
    ) -> Self {
        Self { run: Arc::new(run) }
    }

    /// What a future comes to; `None` when it was not run to its end.
    fn finish<T: Send>(&self, future: impl Future<Output = T> + Send) -> Option<T> {
        let mut result = None;
        self.run.run(Box::pin(async { result = Some(future.await) }));
        result
    }

    /// What a store answers. It is asked where it is waited for.
    fn ask<T: Send>(&self, ask: impl FnOnce() -> Answer<T> + Send) -> Result<T, StoreError> {
        self.finish(async { ask().await }).unwrap_or(Err(StoreError))
    }

    /// What each of several threads comes to that start at once, each with its number.
    fn race<T: Send>(
        &self,
        work: impl Fn(usize) -> Result<T, StoreError> + Sync,
    ) -> Result<Vec<T>, StoreError> {
        let (start, work) = (&Barrier::new(THREADS), &work);
        thread::scope(|scope| {
            let run = |number| {
                scope.spawn(move || {
                    start.wait();
                    work(number)
                })
            };
            let threads: Vec<_> = (0..THREADS).map(run).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(Err(StoreError))).collect()
        })
    }
}

impl BrokenPromises {
    /// Each, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &BrokenPromise> {
        self.0.iter()
    }
}

impl BrokenPromise {
    /// Its name, such as `used-once`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the store did.
    #[must_use]
    pub const fn told(&self) -> &'static str {
        self.told
    }
}

/// What is found while a store is checked.
#[derive(Default)]
struct Findings(Vec<BrokenPromise>);

impl Findings {
    /// Notes that the promise `name` is broken unless it is `kept`; `otherwise` says what the
    /// store did then.
    fn promise(
        &mut self,
        name: &'static str,
        otherwise: &'static str,
        kept: impl FnOnce() -> Result<bool, StoreError>,
    ) {
        let told = match kept() {
            Ok(true) => return,
            Ok(false) => otherwise,
            Err(StoreError) => "it could not answer",
        };
        self.0.push(BrokenPromise { name, told });
    }

    fn end(self) -> Result<(), BrokenPromises> {
        if self.0.is_empty() { Ok(()) } else { Err(BrokenPromises(self.0)) }
    }
}

/// A name that no store has.
fn fresh() -> Result<String, StoreError> {
    let bytes: [u8; 12] = random().ok_or(StoreError)?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("check-{hex}"))
}

/// Whether a race that `round` runs ends well every time.
fn every_time(round: impl FnMut(usize) -> Result<bool, StoreError>) -> Result<bool, StoreError> {
    (0..ROUNDS).map(round).try_fold(true, |all, kept| kept.map(|kept| all && kept))
}

/// One line for each.
impl fmt::Display for BrokenPromises {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store breaks its promises")?;
        self.0.iter().try_for_each(|one| write!(f, "\n- {}: {}", one.name, one.told))
    }
}

impl std::error::Error for BrokenPromises {}

impl fmt::Debug for StoreChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreChecks").finish_non_exhaustive()
    }
}
