//! A charge that knows what becomes of it.

use std::{fmt, hash::Hash};

use super::{Charge, Exceeded, LimitSet, Moment};

/// What becomes of a permit that is dropped without a word: a handler that was cancelled, say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDrop {
    /// The call counts.
    Commit,
    /// The call does not count.
    Refund,
}

/// A call that was charged before its outcome is known. See [`LimitSet::reserve_at`].
#[must_use = "dropped at once, a permit ends as its reservation said"]
pub struct Permit<'a, K: ?Sized> {
    set: &'a LimitSet<K>,
    charge: Option<Charge>,
    on_drop: OnDrop,
}

impl<K: Hash + ?Sized> LimitSet<K> {
    /// Charges a call like [`charge_at`](Self::charge_at), and keeps in mind to take it back.
    ///
    /// ```
    /// use portcullis::{Mono, Quota, limit::{LimitSet, OnDrop}};
    ///
    /// let uploads = LimitSet::<str>::new(Quota::per_hour(1), 1024)?;
    /// let now = Mono::from_nanos(0);
    /// let upload = uploads.reserve_at("alice", 1, now, OnDrop::Commit)?;
    /// assert!(uploads.reserve_at("alice", 1, now, OnDrop::Commit).is_err());
    /// upload.refund(); // It failed, and was ours to blame.
    /// uploads.reserve_at("alice", 1, now, OnDrop::Commit)?.commit();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`charge_at`](Self::charge_at).
    pub fn reserve_at(
        &self,
        key: &K,
        cost: u32,
        now: impl Into<Moment>,
        on_drop: OnDrop,
    ) -> Result<Permit<'_, K>, Exceeded> {
        let charge = Some(self.charge_at(key, cost, now)?);
        Ok(Permit { set: self, charge, on_drop })
    }
}

impl<K: ?Sized> Permit<'_, K> {
    /// The call counts.
    pub fn commit(mut self) {
        self.charge = None;
    }

    /// The call does not count; what that gives back, [`LimitSet::refund`] says.
    pub fn refund(mut self) {
        self.on_drop = OnDrop::Refund;
    }
}

impl<K: ?Sized> Drop for Permit<'_, K> {
    fn drop(&mut self) {
        if let (OnDrop::Refund, Some(charge)) = (self.on_drop, self.charge.take()) {
            self.set.refund(charge);
        }
    }
}

impl<K: ?Sized> fmt::Debug for Permit<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut it = f.debug_struct("Permit");
        it.field("charge", &self.charge).field("on_drop", &self.on_drop).finish_non_exhaustive()
    }
}
