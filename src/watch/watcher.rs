//! The thread that looks at the files.

use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use super::Reloader;
use crate::clock;

/// Looks at the files at an interval, for as long as it is held. See [the module](super).
#[derive(Debug)]
#[must_use = "dropped, it watches nothing"]
pub struct Watcher(#[expect(dead_code, reason = "its drop is the sign to end")] Sender<()>);

impl Watcher {
    /// Starts a thread that [looks](Reloader::look) `every` so often, at most a hundred times a
    /// second. A change is in force after two looks; each reads the files whole. When this handle
    /// is dropped, the thread ends, after the look that is under way.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(reloader: &Reloader, every: Duration) -> io::Result<Self> {
        let reloader = reloader.clone();
        let every = every.max(SHORTEST);
        let (held, dropped) = mpsc::channel();
        let run = move || {
            while dropped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                reloader.look(clock::now().wall);
            }
        };
        thread::Builder::new().name("portcullis-policies".to_owned()).spawn(run)?;
        Ok(Self(held))
    }
}

const SHORTEST: Duration = Duration::from_millis(10);
