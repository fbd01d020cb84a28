//! The one door to the atomic swap: a value that is replaced whole, never edited.

use std::{fmt, ops::Deref, sync::Arc};

use arc_swap::{ArcSwap, ArcSwapOption};

/// A value that readers take without waiting and a writer replaces whole.
///
/// Clones share the same value, so one clone can be kept by whatever reloads key sets or
/// policies while another serves requests.
///
/// ```
/// use portcullis::Snapshot;
///
/// let serving = Snapshot::new("first");
/// let reloading = serving.clone();
/// let before = serving.load();
/// let displaced = reloading.replace("second");
/// assert_eq!((*before, *displaced, *serving.load()), ("first", "first", "second"));
/// ```
pub struct Snapshot<T>(Arc<ArcSwap<T>>);

impl<T> Snapshot<T> {
    /// Starts with `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(value)))
    }

    /// The value of this moment; it stays whole for as long as it is held.
    #[must_use]
    pub fn load(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// The same, to look at and let go: threads that only look share nothing that they write.
    pub(crate) fn peek(&self) -> impl Deref<Target = Arc<T>> {
        self.0.load()
    }

    /// Puts `value` in force and hands back the one it displaces, for a rollback.
    pub fn replace(&self, value: T) -> Arc<T> {
        self.0.swap(Arc::new(value))
    }

    /// Puts what `edit` makes of the value in its place, if it makes anything. It is called again
    /// where another writer came between.
    pub(crate) fn update(&self, mut edit: impl FnMut(&T) -> Option<T>) -> bool {
        let mut edited = false;
        self.0.rcu(|value| {
            let new = edit(value).map(Arc::new);
            edited = new.is_some();
            new.unwrap_or_else(|| Arc::clone(value))
        });
        edited
    }
}

impl<T> Clone for Snapshot<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<T> for Snapshot<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Snapshot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Snapshot").field(&*self.load()).finish()
    }
}

/// A place for one value, or for none, that readers look at without waiting.
pub(crate) struct Slot<T>(ArcSwapOption<T>);

impl<T> Slot<T> {
    /// What is there; it stays whole for as long as it is looked at.
    pub(crate) fn load(&self) -> impl Deref<Target = Option<Arc<T>>> {
        self.0.load()
    }

    pub(crate) fn store(&self, value: T) {
        self.0.store(Some(Arc::new(value)));
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(ArcSwapOption::empty())
    }
}
