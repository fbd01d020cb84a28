//! One quota and the buckets of all keys under it.

use std::{
    hash::{BuildHasher, RandomState},
    num::NonZeroU64,
    sync::Arc,
};

use super::{
    Allowance, Exceeded, ExceededKind, LimitError, Moment, Quota, Stats,
    bucket::{Denied, Pace},
    calendar::Calendar,
    table::{Debit, Refunds, Table},
};
use crate::Mono;

#[derive(Clone)]
pub(super) struct Window {
    pub(super) quota: Quota,
    pub(super) table: Table,
    pub(super) pace: Pace,
    /// Where it goes by one.
    pub(super) calendar: Option<Arc<Calendar>>,
    /// A number that no other table has, so that a charge is known again.
    pub(super) own: NonZeroU64,
}

/// What a call was charged, with all that its refund needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charged {
    debit: Debit,
    pace: Pace,
    table: NonZeroU64,
}

impl Window {
    pub(super) fn new(quota: Quota, slots: usize, refunds: Refunds) -> Result<Self, LimitError> {
        let table = || Table::new(slots, refunds).ok_or(LimitError::Slots { slots });
        quota.pace()?;
        Self::of(quota, table()?)
    }

    pub(super) fn of(quota: Quota, table: Table) -> Result<Self, LimitError> {
        let pace = quota.pace()?;
        let calendar = quota.calendar().map(|(unit, zone)| Calendar::new(unit, zone));
        let calendar = calendar.transpose()?.map(Arc::new);
        let own = NonZeroU64::new(RandomState::new().hash_one(())).unwrap_or(NonZeroU64::MIN);
        Ok(Self { quota, table, pace, calendar, own })
    }

    /// Whether one call may cost that much.
    pub(super) fn holds(&self, cost: u32) -> bool {
        self.pace.times(cost).is_some()
    }

    /// Counts one call, of a quota that does not go by the calendar and gives no refunds.
    #[inline]
    pub(super) fn check(&self, hash: u64, now: Mono) -> Result<(), Exceeded> {
        let counted = self.table.charge::<false>(hash, now.as_nanos(), self.pace);
        counted.map(drop).map_err(|denied| Exceeded::new(self.quota, denied))
    }

    /// Counts a call of that cost.
    #[inline]
    pub(super) fn charge(&self, hash: u64, cost: u32, now: Moment) -> Result<Charged, Exceeded> {
        self.charge_beyond(hash, cost, 0, now)
    }

    /// Counts as much of a cost as leaves no more than so many calls' debt; says how much not.
    pub(super) fn owe(&self, hash: u64, cost: u32, debt: u32, now: Moment) -> u32 {
        let mut counted = cost;
        while counted > 0 {
            match self.charge_beyond(hash, counted, debt, now) {
                Ok(_) => break,
                Err(no) => counted = fewer(no, counted, debt),
            }
        }
        cost - counted
    }

    #[inline]
    fn charge_beyond(
        &self,
        hash: u64,
        cost: u32,
        debt: u32,
        at: Moment,
    ) -> Result<Charged, Exceeded> {
        self.told(at, |now| {
            let pace = self.pace(cost, debt)?;
            let debit = self.table.charge::<true>(hash, now, pace)?;
            Ok(Charged { debit, pace, table: self.own })
        })
    }

    /// Whether a call of that cost would be counted at this moment.
    pub(super) fn peek(&self, hash: u64, cost: u32, at: Moment) -> Result<(), Exceeded> {
        self.told(at, |now| self.table.peek(hash, now, self.pace(cost, 0)?))
    }

    /// Takes back what was charged to this table, by whatever quota.
    pub(super) fn refund(&self, hash: u64, charged: Charged) {
        if charged.table == self.own {
            self.table.refund(hash, charged.pace, charged.debit);
        }
    }

    pub(super) fn stats(&self, at: Moment) -> Stats {
        self.table.stats(self.reading(at).unwrap_or(u64::MAX))
    }

    /// What a charge of that moment left; `None` of one that was made to another table.
    pub(super) fn left(&self, by: &'static str, charged: Charged, at: Moment) -> Option<Allowance> {
        let whole = self.wait(at, 1);
        let left = Allowance::new(by, self.quota, self.pace, charged.debit.debt(), whole);
        (charged.table == self.own).then_some(left)
    }

    fn pace(&self, cost: u32, debt: u32) -> Result<Pace, Denied> {
        let wait = self.pace.tolerance();
        self.pace.beyond(debt).times(cost).ok_or(Denied { kind: ExceededKind::TooCostly, wait })
    }

    /// Asks by the clock of the quota, and tells a refusal by the one on the wall.
    fn told<T>(
        &self,
        at: Moment,
        ask: impl FnOnce(u64) -> Result<T, Denied>,
    ) -> Result<T, Exceeded> {
        let clock = Denied { kind: ExceededKind::Clock, wait: self.pace.tolerance() };
        let answer = self.reading(at).ok_or(clock).and_then(ask);
        answer.map_err(|denied| {
            let no = Exceeded::new(self.quota, denied);
            match self.quota.calendar() {
                None => no,
                Some((unit, _)) => {
                    no.waiting(self.wait(at, denied.wait).unwrap_or(unit.as_nanos()))
                }
            }
        })
    }

    /// The moment by the clock of the quota. That of a calendar leaps from one period to the next.
    pub(super) fn reading(&self, at: Moment) -> Option<u64> {
        match &self.calendar {
            None => Some(at.mono.as_nanos()),
            Some(calendar) => calendar.period(at.wall?)?.checked_mul(LEAP),
        }
    }

    /// How long the clock on the wall takes to where that of the calendar has gone on by so much.
    fn wait(&self, at: Moment, lacking: u64) -> Option<u64> {
        let calendar = self.calendar.as_ref()?;
        let then = self.reading(at)?.saturating_add(lacking);
        calendar.until(then.div_ceil(LEAP), at.wall?)
    }
}

/// Of `cost` calls that were refused at once, those that were not too many; `debt` as in
/// [`Pace::beyond`].
pub(super) fn fewer(no: Exceeded, cost: u32, debt: u32) -> u32 {
    let Ok(pace) = no.quota().pace() else { return 0 };
    let interval = pace.interval();
    let fit = match no.kind() {
        ExceededKind::Spent => u64::from(cost).saturating_sub(no.lacking().div_ceil(interval)),
        ExceededKind::TooCostly => pace.beyond(debt).tolerance() / interval,
        ExceededKind::Clock | ExceededKind::TableFull => 0,
    };
    u32::try_from(fit).unwrap_or(cost)
}

/// More than any bucket holds.
const LEAP: u64 = 1 << 32;
