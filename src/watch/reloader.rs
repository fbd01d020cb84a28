//! What was seen, what was made of it, and how things are.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::files::{Contents, PolicyFiles, Print, ReloadError};
use crate::{UnixTime, authz::PolicySet};

/// Puts the policies of files in force when they change; by call, or from a
/// [`Watcher`](super::Watcher). Clones are the same.
///
/// ```
/// use portcullis::{PolicySet, Snapshot, UnixTime, watch::{PolicyFiles, Reloader}};
///
/// // Without a gate: a snapshot that the service asks.
/// let serving = Snapshot::new(PolicySet::default());
/// let files = PolicyFiles::document("no/such/roles.toml");
/// let now = UnixTime::from_secs(1_700_000_000);
/// let target = serving.clone();
/// let reloader = Reloader::new(files, now, move |set, _| {
///     target.replace(set);
///     Ok::<(), String>(())
/// });
/// assert!(reloader.reload(now).unwrap_err().to_string().starts_with("no/such/roles.toml: "));
/// assert_eq!(reloader.health().problem.unwrap().since, now);
/// ```
#[derive(Clone)]
pub struct Reloader(Arc<Shared>);

struct Shared {
    work: Mutex<Work>,
    /// Apart, so that nobody waits for a load to learn how things are.
    health: Mutex<Health>,
}

struct Work {
    files: PolicyFiles,
    apply: Box<Apply>,
    /// What was put in force last.
    in_force: Option<Print>,
    /// What was last taken up, or refused.
    settled: Option<Seen>,
    /// What the last look saw, if that is to be seen again first.
    pending: Option<Seen>,
}

type Apply = dyn FnMut(PolicySet, UnixTime) -> Result<(), String> + Send;

/// What a look may see: files of some content, or why there are none.
type Seen = Result<Print, ReloadError>;

/// How things are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// When policies of the files were put in force last; `None` before the first.
    pub loaded: Option<UnixTime>,
    /// When the files were looked at last.
    pub looked: Option<UnixTime>,
    /// Why what is in the files is not in force; `None` where all is well.
    pub problem: Option<Problem>,
}

/// What is wrong, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// When it was seen first; that it changed its words does not count.
    pub since: UnixTime,
    /// What is wrong now.
    pub error: ReloadError,
}

impl Reloader {
    /// Puts policies in force with `apply`: [`Policies::replace`](crate::gate::Policies::replace),
    /// [`Policies::shadow`](crate::gate::Policies::shadow), or one's own. An error means that
    /// those in force stay.
    ///
    /// Files that were [loaded](PolicyFiles::load) are taken to be in force since `now`.
    pub fn new<E: fmt::Display>(
        files: PolicyFiles,
        now: UnixTime,
        mut apply: impl FnMut(PolicySet, UnixTime) -> Result<(), E> + Send + 'static,
    ) -> Self {
        let in_force = files.loaded.clone();
        let loaded = in_force.as_ref().map(|_| now);
        let apply = move |policies, now| apply(policies, now).map_err(|error| error.to_string());
        let (settled, pending) = (in_force.clone().map(Ok), None);
        let work = Work { files, apply: Box::new(apply), in_force, settled, pending };
        let health = Health { loaded, ..Health::default() };
        Self(Arc::new(Shared { work: Mutex::new(work), health: Mutex::new(health) }))
    }

    /// Reads the files and puts their policies in force now, changed or not.
    ///
    /// # Errors
    /// Why that was not done; the policies in force stay.
    pub fn reload(&self, now: UnixTime) -> Result<(), ReloadError> {
        let mut work = lock(&self.0.work);
        let contents = work.files.read();
        let result = work.take(contents, now);
        self.tell(now, Some((&result, Some(now))));
        result
    }

    /// Looks once, as the watcher does at its interval: what two looks in a row have seen alike is
    /// put in force, if it is not.
    pub fn look(&self, now: UnixTime) {
        let mut work = lock(&self.0.work);
        let contents = work.files.read();
        let seen = seen(&contents);
        if work.settled.as_ref() == Some(&seen) {
            work.pending = None;
            self.tell(now, None);
        } else if work.pending.as_ref() != Some(&seen) {
            work.pending = Some(seen);
            self.tell(now, None);
        } else if work.in_force.is_some() && seen.as_ref().ok() == work.in_force.as_ref() {
            // What is in force is back, after something else.
            (work.settled, work.pending) = (Some(seen), None);
            self.tell(now, Some((&Ok(()), None)));
        } else {
            let result = work.take(contents, now);
            self.tell(now, Some((&result, Some(now))));
        }
    }

    /// How things are.
    #[must_use]
    pub fn health(&self) -> Health {
        lock(&self.0.health).clone()
    }

    /// Notes a look, and what came of it: whether all is well, and when it was put in force.
    fn tell(&self, now: UnixTime, outcome: Option<(&Result<(), ReloadError>, Option<UnixTime>)>) {
        let mut health = lock(&self.0.health);
        health.looked = Some(now);
        match outcome {
            None => {}
            Some((Ok(()), loaded)) => {
                health.loaded = loaded.or(health.loaded);
                health.problem = None;
            }
            Some((Err(error), _)) => {
                let since = health.problem.as_ref().map_or(now, |problem| problem.since);
                health.problem = Some(Problem { since, error: error.clone() });
            }
        }
    }
}

impl Work {
    /// Puts what was read in force, if all is well with it.
    fn take(
        &mut self,
        contents: Result<Contents, ReloadError>,
        now: UnixTime,
    ) -> Result<(), ReloadError> {
        (self.settled, self.pending) = (Some(seen(&contents)), None);
        let contents = contents?;
        let policies = self.files.build(&contents)?;
        (self.apply)(policies, now).map_err(ReloadError::Refused)?;
        self.in_force = Some(contents.print);
        Ok(())
    }
}

fn seen(contents: &Result<Contents, ReloadError>) -> Seen {
    contents.as_ref().map(|contents| contents.print.clone()).map_err(Clone::clone)
}

/// A load that panicked has put nothing in force, so what is behind its lock is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Reloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloader").field("health", &self.health()).finish_non_exhaustive()
    }
}
