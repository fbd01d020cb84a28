//! Policies from files, put in force anew when the files change: a thin adapter, on one plain
//! thread that reads the files at an interval.
//!
//! What counts is content: times of files may lie, and file systems that report changes do not do
//! so everywhere. A change is taken up when two looks in a row found the same, so that no file is
//! read while it is written slowly, and of several files all are of one version. Still, replace a
//! file by renaming another over it: a text that is cut between two policies is a text.
//!
//! What is wrong never takes the place of what is right. It is told by [`Reloader::health`], with
//! file, line and what was probably meant, and the policies in force stay.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use portcullis::{Gate, Routes, clock, watch::{PolicyFiles, Reloader, Watcher}};
//!
//! let mut files = PolicyFiles::cedar(["policies/orders.cedar", "policies/staff.cedar"]);
//! let gate = Gate::builder()
//!     .policies(files.load()?)
//!     .routes(Routes::new().action("GET", "/orders/{id}", "order:read"))
//!     .proven_elsewhere()
//!     .build()?;
//!
//! let policies = gate.policies();
//! let reloader = Reloader::new(files, clock::now().wall, move |set, now| policies.replace(set, now));
//! let _watcher = Watcher::start(&reloader, Duration::from_secs(5))?;
//! // In a health check:
//! if let Some(problem) = reloader.health().problem {
//!     eprintln!("old policies are in force since {}: {}", problem.since.as_secs(), problem.error);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod files;
mod reloader;
mod watcher;

pub use files::{PolicyFiles, ReloadError};
pub use reloader::{Health, Problem, Reloader};
pub use watcher::Watcher;
