//! Other quotas for keys that are being counted.

use std::hash::Hash;

use super::{
    LimitError, LimitSet, Limiter, Moment, Quota,
    bucket::{END, Pace},
    window::Window,
};
use crate::Mono;

/// What a key brings along when another quota takes the place of the one it was counted by.
///
/// By whichever of them, in any stretch of time in which only the new quota is asked, no key is
/// admitted more often than that quota says. What may come together in a stretch that begins
/// under the old quota and ends under the new one, each word says.
///
/// The examples are of a key that has 40 of 100 per minute left.
///
/// | | 200 per minute | 20 per minute | 100 per hour |
/// |---|---:|---:|---:|
/// | `KeepDebt` | 80 | 8 | 99 |
/// | `KeepTokens` | 40 | 20 | 40 |
/// | `Reset` | 200 | 20 | 100 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inheritance {
    /// The time until its bucket is full stays as it is; among quotas of one period it keeps the
    /// share of the bucket that it has. Nothing is copied, both quotas count on the same buckets,
    /// and no call is lost between them.
    ///
    /// Each call taken as the interval of the quota that admitted it, the calls of a stretch take
    /// no longer than the stretch and the time in which the slower bucket refills. After a change
    /// to a much shorter period a key may have to wait for longer than the new quota takes to
    /// refill.
    KeepDebt,
    /// The calls it has left stay as they are, rounded down, and are at most those of a full
    /// bucket; a full bucket stays full.
    ///
    /// In a stretch across the change it is admitted at most the larger burst, and what either
    /// rate regains in its part. The buckets are copied: calls that are still counted by the old
    /// quota after the copy has begun do not count by the new one.
    KeepTokens,
    /// Nothing: all buckets are full.
    ///
    /// In a stretch across the change it is admitted at most both bursts, and what either rate
    /// regains in its part.
    Reset,
}

impl<K: Hash + ?Sized> Limiter<K> {
    /// The limiter that is to take the place of this one, under another quota, with as many slots.
    ///
    /// Neither one changes. Keep a limiter whose quota may change in a
    /// [`Snapshot`](crate::Snapshot), and put the new one in force there.
    ///
    /// ```
    /// use portcullis::{Mono, Quota, Snapshot, limit::{Inheritance, Limiter}};
    ///
    /// let now = Mono::from_nanos(0);
    /// let limiter = Snapshot::new(Limiter::<str>::new(Quota::per_minute(2), 1024)?);
    /// limiter.load().check_at("alice", now)?;
    /// limiter.load().check_at("alice", now)?;
    /// assert!(limiter.load().check_at("alice", now).is_err());
    ///
    /// let wider = Quota::per_minute(6);
    /// limiter.replace(limiter.load().successor(wider, Inheritance::KeepDebt, now)?);
    /// // Spent it was, and spent it is; but calls come back three times as fast.
    /// let no = limiter.load().check_at("alice", now).unwrap_err();
    /// assert_eq!((no.quota(), no.retry_after_secs()), (wider, 10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the quota cannot be kept, goes by the calendar, or there is no memory for a copy.
    pub fn successor(
        &self,
        quota: Quota,
        inheritance: Inheritance,
        now: Mono,
    ) -> Result<Self, LimitError> {
        quota.without_calendar()?;
        let window = self.window.successor(quota, inheritance, now.into())?;
        Ok(Self { window, hashing: self.hashing.clone(), keys: self.keys })
    }
}

impl<K: Hash + ?Sized> LimitSet<K> {
    /// The set that is to take the place of this one, under other quotas, with as many slots; as
    /// [`Limiter::successor`]. Each quota inherits from the one at its place; those that come
    /// after the last place find all buckets full.
    ///
    /// Two quotas by the calendar of one zone, and of days or months both, inherit like others: what
    /// is used stays used by [`KeepDebt`](Inheritance::KeepDebt). Between quotas of two clocks
    /// nothing can be inherited.
    ///
    /// Refund a charge to the set that charged it. A successor gives it back too where it keeps
    /// the debt and has no more quotas than this one, and otherwise nothing.
    ///
    /// # Errors
    /// When there is no quota or more than four, one cannot be kept or inherit, or there is no
    /// memory for a copy.
    pub fn successor(
        &self,
        quotas: impl IntoIterator<Item = Quota>,
        inheritance: Inheritance,
        now: impl Into<Moment>,
    ) -> Result<Self, LimitError> {
        let (first, now) = (self.windows.first(), now.into());
        let heir = |(place, quota): (usize, Quota)| match (self.windows.get(place), first) {
            (Some(window), _) => window.successor(quota, inheritance, now),
            (None, Some(window)) => window.successor(quota, Inheritance::Reset, now),
            (None, None) => Err(LimitError::Quotas { count: 0 }),
        };
        let windows = quotas.into_iter().enumerate().map(heir).collect::<Result<_, _>>()?;
        let mut heir = Self::of(windows, self.hashing.clone())?;
        if inheritance == Inheritance::KeepDebt && heir.windows.len() <= self.windows.len() {
            heir.own = self.own;
        }
        Ok(heir)
    }
}

impl Window {
    fn successor(
        &self,
        quota: Quota,
        inheritance: Inheritance,
        now: Moment,
    ) -> Result<Self, LimitError> {
        let (old, new) = (self.pace, quota.pace()?);
        let other_clock = LimitError::Calendar { quota };
        if inheritance != Inheritance::Reset && self.quota.calendar() != quota.calendar() {
            return Err(other_clock);
        }
        let table = match inheritance {
            Inheritance::Reset => self.table.emptied(),
            Inheritance::KeepDebt => return Ok(Self { quota, pace: new, ..self.clone() }),
            Inheritance::KeepTokens => {
                let now = self.reading(now).map_err(|_| other_clock)?;
                self.table.replaced(|stands| match stands.checked_sub(now) {
                    None | Some(0) => stands,
                    Some(debt) => now.saturating_add(kept_tokens(old, new, debt)).min(END - 1),
                })
            }
        };
        let slots = self.table.slots();
        Self::of(quota, table.ok_or(LimitError::Slots { slots })?)
    }
}

/// The debt that leaves as many calls of `new` as `debt` leaves of `old`, or that lacks as many.
fn kept_tokens(old: Pace, new: Pace, debt: u64) -> u64 {
    let (from, to) = (u128::from(old.interval()), u128::from(new.interval()));
    let nanos = |it: u128| u64::try_from(it).unwrap_or(u64::MAX);
    match old.tolerance().checked_sub(debt) {
        Some(left) => new.tolerance().saturating_sub(nanos(u128::from(left) * to / from)),
        None => {
            let lacking = u128::from(debt - old.tolerance());
            new.tolerance().saturating_add(nanos((lacking * to).div_ceil(from)))
        }
    }
}
