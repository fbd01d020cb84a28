//! How often whom, and which requests count.

mod key;
mod listed;
mod replace;
mod terms;

use super::{GateError, limit::Limit, routes::Table, visit::Visit};
use crate::{
    Now, Principal, Quota, Reason, Refusal,
    limit::{Allowance, Charge, Exceeded, ExceededKind, InFlight},
};
use listed::Listed;
pub(super) use listed::Watched;

/// Which requests count against a limit.
///
/// Every request is charged when it arrives, so that parallel ones cannot slip through together,
/// and refunded when its answer turns out not to count. One that nobody waited for counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcomes {
    /// All.
    #[default]
    All,
    /// Those that were refused, or that the handler answered with an error of its own.
    Failed,
    /// Those that were refused, by the gate or by the handler.
    Refused,
}

/// How a request ended, as far as limits care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Served,
    Failed,
    Refused,
}

/// The limits as written.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) clients: Vec<Quota>,
    pub(super) principals: Vec<Quota>,
    pub(super) costs: Vec<(String, String, u32)>,
    pub(super) count_clients: Outcomes,
    pub(super) count_principals: Outcomes,
    pub(super) listed: Vec<Limit>,
    pub(super) debt: u32,
    pub(super) slots: Option<usize>,
}

/// The limits in force.
pub(super) struct Limits {
    /// In the order in which they are asked.
    listed: Box<[Listed]>,
    /// By the route's line.
    costs: Box<[u32]>,
    /// By how many calls a cost that is known late may leave a quota in debt.
    debt: u32,
    room: Room,
}

/// What every limit must have room for.
#[derive(Clone, Copy)]
struct Room {
    /// Keys of each table.
    slots: usize,
    /// The cost of the dearest route.
    dearest: u32,
}

/// What a request was charged.
#[derive(Default)]
pub(super) struct Charges {
    /// Few gates have more limits, so that few requests take memory for them.
    first: [Option<Charged>; 2],
    rest: Vec<Charged>,
    under_way: Vec<InFlight>,
}

/// What one limit charged.
struct Charged {
    /// Its place in the list.
    limit: usize,
    /// The number of the plan.
    plan: Option<usize>,
    charge: Charge,
}

impl Charges {
    fn push(&mut self, charged: Charged) {
        match self.first.iter_mut().find(|free| free.is_none()) {
            Some(free) => *free = Some(charged),
            None => self.rest.push(charged),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Charged> {
        self.first.iter().flatten().chain(&self.rest)
    }

    fn into_all(self) -> impl Iterator<Item = Charged> {
        self.first.into_iter().flatten().chain(self.rest)
    }
}

impl Wanted {
    /// The limits, and all that is wrong with them.
    pub(super) fn build(self, table: &Table) -> (Limits, Vec<GateError>) {
        let mut errors = Vec::new();
        let costs = costs(&self.costs, table, &mut errors);
        let dearest = costs.iter().copied().max().unwrap_or(1);
        let room = Room { slots: self.slots.unwrap_or(SLOTS), dearest };
        let clients = Limit::by_client(self.clients).count(self.count_clients);
        let principals = Limit::by_principal(self.principals).count(self.count_principals);
        let short = [clients, principals].into_iter().filter(|it| !it.quotas.is_empty());
        let listed = short.chain(self.listed).map(|limit| Listed::new(limit, room, &mut errors));
        let listed = listed.collect();
        (Limits { listed, costs, debt: self.debt, room }, errors)
    }
}

/// The cost of every line, 1 unless said.
fn costs(
    wanted: &[(String, String, u32)],
    table: &Table,
    errors: &mut Vec<GateError>,
) -> Box<[u32]> {
    let mut costs = vec![1; table.routes().lines().len()];
    for (method, template, cost) in wanted {
        let lines = table.routes().lines().iter().zip(&mut costs);
        let mut found =
            lines.filter(|(line, _)| line.method == *method && line.template == *template);
        match found.next() {
            Some((_, slot)) => *slot = *cost,
            None => errors.push(GateError::CostUnlisted { route: format!("{method} {template}") }),
        }
    }
    costs.into()
}

impl Limits {
    /// Charges whatever counts by the client's address.
    pub(super) fn charge_client(&self, visit: &mut Visit) -> Result<(), Refusal> {
        self.charge(visit, None, true)
    }

    /// Charges whatever counts once it is known who calls, or that nobody says who. What one limit
    /// refuses burns nothing in the others.
    pub(super) fn charge_known(
        &self,
        visit: &mut Visit,
        principal: Option<&Principal>,
    ) -> Result<(), Refusal> {
        // Whoever is refused for lack of a credential is to use nothing up.
        if principal.is_none() && !visit.gate.is_open(visit) {
            return Ok(());
        }
        self.charge(visit, principal, false)
    }

    /// What the tightest quota left when it was charged.
    pub(super) fn allowance(&self, charges: &Charges) -> Option<Allowance> {
        let left = charges.iter().filter_map(|it| self.listed.get(it.limit)?.allowance(it));
        left.reduce(Allowance::tighter)
    }

    /// Charges what a request turned out to cost beyond its price, to all that it was charged to;
    /// answers how much the fullest did not count.
    pub(super) fn owe(&self, charges: &Charges, cost: u32, now: Now) -> u32 {
        let owing = charges.iter().filter_map(|it| Some((self.listed.get(it.limit)?, it)));
        owing.map(|(listed, it)| listed.owe(it, cost, self.debt, now)).max().unwrap_or(0)
    }

    /// Takes back what does not count; whom it was charged to is still known after.
    pub(super) fn settle(&self, charges: &mut Charges, ending: Ending) {
        charges.under_way.clear();
        for charged in charges.first.iter_mut().flatten().chain(&mut charges.rest) {
            let charge = charged.charge.take();
            if let Some(listed) = self.listed.get(charged.limit)
                && !listed.counts(ending)
            {
                listed.refund(charged.plan, charge);
            }
        }
    }

    /// Takes back all that a request was charged: it is refused, and is to burn nothing.
    fn give_back(&self, charges: &mut Charges) {
        for charged in std::mem::take(charges).into_all() {
            if let Some(listed) = self.listed.get(charged.limit) {
                listed.refund(charged.plan, charged.charge);
            }
        }
    }

    /// What the request's route costs.
    fn cost(&self, visit: &Visit) -> u32 {
        visit.line.and_then(|line| self.costs.get(line)).copied().unwrap_or(1)
    }
}

impl Outcomes {
    const fn count(self, ending: Ending) -> bool {
        match (self, ending) {
            (Self::All, _) | (_, Ending::Refused) | (Self::Failed, Ending::Failed) => true,
            (Self::Failed | Self::Refused, Ending::Served) | (Self::Refused, Ending::Failed) => {
                false
            }
        }
    }
}

/// A spent quota is the caller's doing; a limiter that cannot count is not.
fn exceeded(no: Exceeded, reason: Reason, by: &'static str, cost: u32) -> Refusal {
    let reason = if no.kind() == ExceededKind::Spent { reason } else { Reason::LimitUnavailable };
    let refusal = Refusal::new(reason).retry_after(no.retry_after());
    match Allowance::found(by, no, cost) {
        Some(allowance) => refusal.limited(allowance),
        None => refusal,
    }
}

/// Slots of a table unless [`GateBuilder::limit_slots`](super::GateBuilder::limit_slots) says
/// otherwise.
const SLOTS: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts() {
        let counted = |outcomes: Outcomes| {
            [Ending::Served, Ending::Failed, Ending::Refused].map(|it| outcomes.count(it))
        };
        assert_eq!(counted(Outcomes::All), [true, true, true]);
        assert_eq!(counted(Outcomes::Failed), [false, true, true]);
        assert_eq!(counted(Outcomes::Refused), [false, false, true]);
    }
}
