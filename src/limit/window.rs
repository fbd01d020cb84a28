//! One quota and the buckets of all keys under it.

use std::sync::Arc;

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
        Ok(Self { quota, table, pace, calendar })
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
    pub(super) fn charge(&self, hash: u64, cost: u32, now: Moment) -> Result<Debit, Exceeded> {
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
    ) -> Result<Debit, Exceeded> {
        let now = self.reading(at);
        let charge = |now| self.table.charge::<true>(hash, now, self.pace(cost, debt)?);
        now.and_then(charge).map_err(|denied| self.told(at, denied))
    }

    /// Whether a call of that cost would be counted at this moment.
    #[inline]
    pub(super) fn peek(&self, hash: u64, cost: u32, at: Moment) -> Result<(), Exceeded> {
        let now = self.reading(at);
        let peek = |now| self.table.peek(hash, now, self.pace(cost, 0)?);
        now.and_then(peek).map_err(|denied| self.told(at, denied))
    }

    /// Takes back what was charged to this table at that moment, by whatever quota.
    pub(super) fn refund(&self, hash: u64, debit: Debit, at: Moment) {
        if let Ok(reading) = self.reading(at) {
            self.table.refund(hash, reading, debit);
        }
    }

    pub(super) fn stats(&self, at: Moment) -> Stats {
        self.table.stats(self.reading(at).unwrap_or(u64::MAX))
    }

    /// What a charge of that moment left.
    pub(super) fn left(&self, by: &'static str, debit: Debit, at: Moment) -> Option<Allowance> {
        let debt = debit.debt(self.reading(at).ok()?);
        Some(Allowance::new(by, self.quota, self.pace, debt, self.wait(at, 1)))
    }

    #[inline]
    fn pace(&self, cost: u32, debt: u32) -> Result<Pace, Denied> {
        let too_costly = self.no(ExceededKind::TooCostly);
        self.pace.beyond(debt).times(cost).ok_or(too_costly)
    }

    /// A refusal that no wait cures.
    const fn no(&self, kind: ExceededKind) -> Denied {
        Denied { kind, wait: self.pace.tolerance() }
    }

    /// Tells a refusal by the clock on the wall.
    #[cold]
    fn told(&self, at: Moment, denied: Denied) -> Exceeded {
        let no = Exceeded::new(self.quota, denied);
        match self.quota.calendar() {
            None => no,
            Some((unit, _)) => no.waiting(self.wait(at, denied.wait).unwrap_or(unit.as_nanos())),
        }
    }

    /// The moment by the clock of the quota.
    #[inline]
    pub(super) fn reading(&self, at: Moment) -> Result<u64, Denied> {
        match &self.calendar {
            None => Ok(at.mono.as_nanos()),
            Some(calendar) => self.leapt(calendar, at),
        }
    }

    /// The moment by the clock of a calendar, which leaps from one period to the next.
    fn leapt(&self, calendar: &Calendar, at: Moment) -> Result<u64, Denied> {
        let leapt = calendar.period(at.wall).and_then(|period| period.checked_mul(LEAP));
        leapt.ok_or(self.no(ExceededKind::Clock))
    }

    /// How long the clock on the wall takes to where that of the calendar has gone on by so much.
    fn wait(&self, at: Moment, lacking: u64) -> Option<u64> {
        let calendar = self.calendar.as_ref()?;
        let then = self.reading(at).ok()?.saturating_add(lacking);
        calendar.until(then.div_ceil(LEAP), at.wall)
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
