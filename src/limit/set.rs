//! Several quotas, all or nothing.

use std::{
    fmt,
    hash::{BuildHasher, Hash, RandomState},
    marker::PhantomData,
    mem,
};

use super::{
    Allowance, Exceeded, LimitError, Moment, Quota, WhenFull,
    hashing::Hashing,
    table::{Debit, Refunds},
    window::{Window, fewer},
};

/// Counts calls by key against up to four quotas at once: a second's and a day's, for example.
///
/// A call that one of them refuses burns nothing in the others. It is charged before its outcome
/// is known, so that parallel calls cannot slip through together, and can be refunded after;
/// that is also how a call is counted by several keys, all or nothing.
///
/// As exact as a [`Limiter`](super::Limiter): no key is ever admitted beyond any quota, refunds
/// or not. A refund gives back what time has not: of a bucket that refilled meanwhile, nothing.
/// While a call that one quota will refuse is being charged and refunded, another call may be
/// refused early; never is one admitted in excess.
///
/// ```
/// use portcullis::{Mono, limit::{LimitSet, Quota}};
///
/// let by_client = LimitSet::<str>::new([Quota::per_second(10)], 1024)?;
/// let by_account =
///     LimitSet::<str>::new([Quota::per_minute(2), Quota::per_day(100)], 1024)?;
/// let log_in = |client: &str, account: &str, now: Mono| {
///     let charge = by_client.charge_at(client, 1, now)?;
///     match by_account.charge_at(account, 1, now) {
///         Ok(_) => Ok(()),
///         Err(no) => {
///             by_client.refund(charge);
///             Err(no)
///         }
///     }
/// };
/// let now = Mono::from_nanos(0);
/// for _ in 0..2 {
///     log_in("192.0.2.7", "alice", now)?;
/// }
/// for _ in 0..100 {
///     let no = log_in("192.0.2.7", "alice", now).unwrap_err();
///     assert_eq!((no.quota(), no.retry_after_secs()), (Quota::per_minute(2), 30));
/// }
/// log_in("192.0.2.7", "bob", now)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "limits count only the calls they are asked about"]
pub struct LimitSet<K: ?Sized> {
    pub(super) windows: Box<[Window]>,
    pub(super) hashing: Hashing,
    /// A number that few others have, 1 in 2^32, so that a charge of the same tables is known again.
    pub(super) own: u32,
    keys: PhantomData<fn(&K)>,
}

/// What one call was charged; dropped, it stands.
// Not more than 128 bytes: those are moved without a call.
#[derive(Debug)]
pub struct Charge {
    hash: u64,
    at: Moment,
    cost: u32,
    set: u32,
    /// One for each quota of the set, unless the cost is 0.
    debits: [Debit; MOST_QUOTAS],
}

impl Charge {
    /// The calls that were counted.
    #[must_use]
    pub const fn cost(&self) -> u32 {
        self.cost
    }

    /// Takes what is to be settled; whom it counted is still known after.
    pub(crate) const fn take(&mut self) -> Self {
        let settled = Self { cost: 0, ..*self };
        mem::replace(self, settled)
    }
}

impl<K: Hash + ?Sized> LimitSet<K> {
    /// A set with a table of its own for each quota, each with room for at least `slots` keys, 24
    /// bytes each; the [module](super#how-many-slots) says how many to take.
    ///
    /// # Errors
    /// When there is no quota or more than four, one cannot be kept, or there cannot be that many
    /// slots.
    pub fn new(quotas: impl IntoIterator<Item = Quota>, slots: usize) -> Result<Self, LimitError> {
        let windows = quotas.into_iter().map(|quota| Window::new(quota, slots, Refunds::Given));
        Self::of(windows.collect::<Result<_, _>>()?, Hashing::default())
    }

    pub(super) fn of(windows: Box<[Window]>, hashing: Hashing) -> Result<Self, LimitError> {
        if windows.is_empty() || windows.len() > MOST_QUOTAS {
            return Err(LimitError::Quotas { count: windows.len() });
        }
        let own = RandomState::new().hash_one(()) as u32;
        Ok(Self { windows, hashing, own, keys: PhantomData })
    }

    /// What to do with new keys while a table is full; [`WhenFull::Inherit`] if not said.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        for window in &mut self.windows {
            window.table.when_full = when_full;
        }
        self
    }

    /// The quotas in force, in the order given.
    pub fn quotas(&self) -> impl Iterator<Item = Quota> {
        self.windows.iter().map(|window| window.quota)
    }

    /// The first quota whose burst is less than `cost`: no call of that cost could ever pass.
    #[must_use]
    pub fn too_small_for(&self, cost: u32) -> Option<Quota> {
        self.windows.iter().find(|window| !window.holds(cost)).map(|window| window.quota)
    }

    /// Counts a call by `key` at `now` as `cost` calls, against every quota or none. A call of
    /// cost 0 is not counted. Quotas by the calendar want a [`Now`](crate::Now): by a
    /// [`Mono`](crate::Mono) alone they refuse every call.
    ///
    /// # Errors
    /// When a quota is spent or cannot be counted: the one with the longest wait.
    #[inline]
    pub fn charge_at(
        &self,
        key: &K,
        cost: u32,
        now: impl Into<Moment>,
    ) -> Result<Charge, Exceeded> {
        self.charge(self.hashing.hash(key), cost, now.into())
    }

    /// Whether a call of that cost would be counted at this moment; counts nothing.
    ///
    /// # Errors
    /// What [`charge_at`](Self::charge_at) would answer, if no other call came first.
    pub fn peek_at(&self, key: &K, cost: u32, now: impl Into<Moment>) -> Result<(), Exceeded> {
        self.peek(self.hashing.hash(key), cost, now.into())
    }

    /// Counts as many of `most` calls as every quota still has room for; [`Charge::cost`] says how
    /// many. For work that comes in pieces, of which some are better than none.
    ///
    /// # Errors
    /// When there is no room for one: what a call of cost 1 is told.
    pub fn take_at_most_at(
        &self,
        key: &K,
        most: u32,
        now: impl Into<Moment>,
    ) -> Result<Charge, Exceeded> {
        let (mut cost, now) = (most, now.into());
        loop {
            match self.charge_at(key, cost, now) {
                // Falls with every round.
                Err(no) if cost > 1 => cost = fewer(no, cost, 0).clamp(1, cost - 1),
                answer => return answer,
            }
        }
    }

    /// Counts what a call turned out to cost after it was made, room or not: it cannot be undone,
    /// but later calls wait for it.
    ///
    /// A quota goes into debt by at most `most` calls, so that no bill shuts a caller out for
    /// longer than `most` intervals. Answers how much of the cost the fullest quota did not count.
    /// Calls that ask first are admitted no more often than without the debt. A quota by the
    /// calendar forgets its debt with the period.
    #[must_use = "what was not counted was forgiven"]
    pub fn owe_at(&self, key: &K, cost: u32, most: u32, now: impl Into<Moment>) -> u32 {
        self.owe(self.hashing.hash(key), cost, most, now.into())
    }

    /// Forgets what a key owes to every quota, as if it had never called. Charges made before give
    /// nothing back after.
    ///
    /// Until what was forgotten would have drained, refunds to the few keys that share its part of
    /// the tables may give back less than they should, or nothing.
    pub fn reset(&self, key: &K) {
        let hash = self.hashing.hash(key);
        for window in &self.windows {
            window.table.reset(hash);
        }
    }

    /// Counts by a key of another type. A set that is asked so is asked by that type only.
    pub(crate) fn charge_by<Q: Hash + ?Sized>(
        &self,
        key: &Q,
        cost: u32,
        now: Moment,
    ) -> Result<Charge, Exceeded> {
        self.charge(self.hashing.hash(key), cost, now)
    }
}

impl<K: ?Sized> LimitSet<K> {
    #[inline]
    fn charge(&self, hash: u64, cost: u32, at: Moment) -> Result<Charge, Exceeded> {
        let debits = [Debit::default(); MOST_QUOTAS];
        let mut charge = Charge { hash, at, cost, set: self.own, debits };
        self.debit(&mut charge)?;
        Ok(charge)
    }

    /// Debits all buckets of a charge, or none.
    // Where the charge is to stay, since moving it takes longer than one of them.
    fn debit(&self, charge: &mut Charge) -> Result<(), Exceeded> {
        let Charge { hash, cost, at, .. } = *charge;
        if cost == 0 {
            return Ok(());
        }
        // Asking the later ones first spares the earlier ones a charge and its refund.
        if self.windows.iter().skip(1).any(|it| it.peek(hash, cost, at).is_err()) {
            // Of all that refuse, the longest wait.
            self.peek(hash, cost, at)?;
        }
        for (place, (window, debit)) in self.windows.iter().zip(&mut charge.debits).enumerate() {
            match window.charge(hash, cost, at) {
                Ok(debited) => *debit = debited,
                Err(no) => {
                    self.take_back(charge, place);
                    return Err(no);
                }
            }
        }
        Ok(())
    }

    /// Takes back what a charge of this set debited by the first so many quotas.
    fn take_back(&self, charge: &Charge, quotas: usize) {
        for (window, debit) in self.windows.iter().zip(charge.debits).take(quotas) {
            window.refund(charge.hash, debit, charge.at);
        }
    }

    fn peek(&self, hash: u64, cost: u32, now: Moment) -> Result<(), Exceeded> {
        if cost == 0 {
            return Ok(());
        }
        let refusals = self.windows.iter().filter_map(|it| it.peek(hash, cost, now).err());
        refusals.max_by_key(|no| no.retry_after()).map_or(Ok(()), Err)
    }

    fn owe(&self, hash: u64, cost: u32, most: u32, now: Moment) -> u32 {
        let forgiven = self.windows.iter().map(|window| window.owe(hash, cost, most, now));
        forgiven.max().unwrap_or(0)
    }

    /// Like [`owe_at`](Self::owe_at), by the key that was charged.
    pub(crate) fn owe_again(&self, charge: &Charge, cost: u32, most: u32, now: Moment) -> u32 {
        self.owe(charge.hash, cost, most, now)
    }

    /// Whether a charge left so many per cent of one of the quotas used, or more.
    pub(crate) fn is_near(&self, charge: &Charge, percent: u8) -> bool {
        self.left("", charge).any(|left| left.is_past(percent))
    }

    /// What a charge of this set, or of one whose debts it keeps, left of the quota that is now the
    /// tightest; `None` when nothing was counted.
    pub(crate) fn allowance(&self, by: &'static str, charge: &Charge) -> Option<Allowance> {
        self.left(by, charge).reduce(Allowance::tighter)
    }

    /// What a charge left of each quota that counted it.
    fn left(&self, by: &'static str, charge: &Charge) -> impl Iterator<Item = Allowance> {
        let debits = self.windows.iter().zip(charge.debits);
        let counted = debits.take(if self.counted(charge) { MOST_QUOTAS } else { 0 });
        counted.filter_map(move |(window, debit)| window.left(by, debit, charge.at))
    }

    /// Whether there is anything in a charge that is of these tables.
    const fn counted(&self, charge: &Charge) -> bool {
        charge.cost > 0 && charge.set == self.own
    }

    /// Takes back a charge of this set: the call does not count.
    ///
    /// It gives back all of the cost, less at most the time from the charge's reading to the
    /// latest one that the table has seen in the same part: a call that is refunded after two
    /// tenths of an interval has cost two tenths of a call at most. Refunds in the order of their
    /// charges give back all that time has not; in another order, or beside other keys that share
    /// the part, calls that overlap without a pause may use the quota up to that bound. A key
    /// that lost its slot meanwhile gets nothing back.
    pub fn refund(&self, charge: Charge) {
        if self.counted(&charge) {
            self.take_back(&charge, MOST_QUOTAS);
        }
    }
}

impl<K: ?Sized> fmt::Debug for LimitSet<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quotas = self.windows.iter().map(|window| window.quota);
        f.debug_list().entries(quotas).finish()
    }
}

/// A second's, a minute's, an hour's and a day's.
const MOST_QUOTAS: usize = 4;

#[cfg(test)]
#[cfg(loom)]
mod models;
#[cfg(test)]
mod tests;
