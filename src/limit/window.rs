//! One quota and the buckets of all keys under it.

use std::hash::{BuildHasher, RandomState};

use super::{
    Allowance, Exceeded, ExceededKind, LimitError, Quota, Stats,
    bucket::{Denied, Pace},
    table::{Debit, Refunds, Table},
};
use crate::Mono;

#[derive(Clone)]
pub(super) struct Window {
    pub(super) quota: Quota,
    pub(super) table: Table,
    pub(super) pace: Pace,
    /// A number that no other table has, so that a charge is known again.
    own: u64,
}

/// What a call was charged, with all that its refund needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charged {
    debit: Debit,
    pace: Pace,
    table: u64,
}

impl Window {
    pub(super) fn new(quota: Quota, slots: usize, refunds: Refunds) -> Result<Self, LimitError> {
        let pace = quota.pace()?;
        let table = Table::new(slots, refunds).ok_or(LimitError::Slots { slots })?;
        Ok(Self::of(quota, pace, table))
    }

    pub(super) fn of(quota: Quota, pace: Pace, table: Table) -> Self {
        Self { quota, table, pace, own: RandomState::new().hash_one(()) }
    }

    /// Whether one call may cost that much.
    pub(super) fn holds(&self, cost: u32) -> bool {
        self.pace.times(cost).is_some()
    }

    /// Counts one call.
    pub(super) fn check(&self, hash: u64, now: Mono) -> Result<(), Exceeded> {
        let charged = self.table.charge(hash, now.as_nanos(), self.pace);
        charged.map(drop).map_err(|denied| Exceeded::new(self.quota, denied))
    }

    /// Counts a call of that cost.
    pub(super) fn charge(&self, hash: u64, cost: u32, now: Mono) -> Result<Charged, Exceeded> {
        self.charge_beyond(hash, cost, 0, now)
    }

    /// Counts as much of a cost as leaves no more than so many calls' debt; says how much not.
    pub(super) fn owe(&self, hash: u64, cost: u32, debt: u32, now: Mono) -> u32 {
        let mut counted = cost;
        while counted > 0 {
            match self.charge_beyond(hash, counted, debt, now) {
                Ok(_) => break,
                Err(no) => counted = fewer(no, counted, debt),
            }
        }
        cost - counted
    }

    fn charge_beyond(
        &self,
        hash: u64,
        cost: u32,
        debt: u32,
        now: Mono,
    ) -> Result<Charged, Exceeded> {
        let charged = self.pace(cost, debt).and_then(|pace| {
            let debit = self.table.charge(hash, now.as_nanos(), pace)?;
            Ok(Charged { debit, pace, table: self.own })
        });
        charged.map_err(|denied| Exceeded::new(self.quota, denied))
    }

    /// Whether a call of that cost would be counted at this moment.
    pub(super) fn peek(&self, hash: u64, cost: u32, now: Mono) -> Result<(), Exceeded> {
        let answer = self.pace(cost, 0).and_then(|it| self.table.peek(hash, now.as_nanos(), it));
        answer.map_err(|denied| Exceeded::new(self.quota, denied))
    }

    /// Takes back what was charged to this table, by whatever quota.
    pub(super) fn refund(&self, hash: u64, charged: Charged) {
        if charged.table == self.own {
            self.table.refund(hash, charged.pace, charged.debit);
        }
    }

    pub(super) fn stats(&self, now: Mono) -> Stats {
        self.table.stats(now.as_nanos())
    }

    /// What a charge of this window left.
    pub(super) fn left(&self, by: &'static str, charged: Charged) -> Allowance {
        Allowance::new(by, self.quota, self.pace, charged.debit.debt())
    }

    fn pace(&self, cost: u32, debt: u32) -> Result<Pace, Denied> {
        let wait = self.pace.tolerance();
        self.pace.beyond(debt).times(cost).ok_or(Denied { kind: ExceededKind::TooCostly, wait })
    }
}

/// Of `cost` calls that were refused at once, those that were not too many; `debt` as in
/// [`Pace::beyond`].
pub(super) fn fewer(no: Exceeded, cost: u32, debt: u32) -> u32 {
    let Ok(pace) = no.quota().pace() else { return 0 };
    let fit = match no.kind() {
        ExceededKind::Spent => u64::from(cost).saturating_sub(no.wait().div_ceil(pace.interval())),
        ExceededKind::TooCostly => pace.beyond(debt).tolerance() / pace.interval(),
        ExceededKind::Clock | ExceededKind::TableFull => 0,
    };
    u32::try_from(fit).unwrap_or(cost)
}
