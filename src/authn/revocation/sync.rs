//! The atomics and the lock of the table: the standard ones, or loom's when its models run.

#[cfg(not(all(loom, test)))]
pub(super) use std::sync::{Mutex, atomic::AtomicU64};

// An application's own loom models are built with the same flag, but without our loom.
#[cfg(all(loom, test))]
pub(super) use loom::sync::{Mutex, atomic::AtomicU64};
