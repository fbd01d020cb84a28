//! How often clients and principals may come, and which requests count.

use std::{collections::BTreeMap, fmt, hash::Hash};

mod listed;

use super::{GateError, limit::Limit, routes::Table, visit::Visit};
use crate::{
    IpNet, Now, Principal, Quota, Reason, Refusal,
    limit::{Allowance, Charge, Exceeded, ExceededKind, InFlight, LimitSet, client_key},
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
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) clients: Vec<Quota>,
    pub(super) principals: Vec<Quota>,
    pub(super) plans: BTreeMap<String, Vec<Quota>>,
    pub(super) choose: Option<Box<Choose>>,
    pub(super) costs: Vec<(String, String, u32)>,
    pub(super) count_clients: Outcomes,
    pub(super) count_principals: Outcomes,
    pub(super) listed: Vec<Limit>,
    pub(super) debt: u32,
    pub(super) slots: Option<usize>,
}

/// Names a principal's plan.
type Choose = dyn for<'a> Fn(&'a Principal) -> &'a str + Send + Sync;

/// The limits in force.
pub(super) struct Limits {
    clients: Option<LimitSet<IpNet>>,
    principals: Option<LimitSet<str>>,
    plans: Box<[(String, LimitSet<str>)]>,
    choose: Option<Box<Choose>>,
    /// By the route's line.
    costs: Box<[u32]>,
    count_clients: Outcomes,
    count_principals: Outcomes,
    listed: Box<[Listed]>,
    /// By how many calls a cost that is known late may leave a quota in debt.
    debt: u32,
}

/// What a request was charged.
#[derive(Default)]
pub(super) struct Charges {
    client: Option<Charge>,
    /// With the number of the plan.
    principal: Option<(Option<usize>, Charge)>,
    /// With the place of the limit.
    listed: Vec<(usize, Charge)>,
    under_way: Vec<InFlight>,
}

impl Charges {
    /// What is to be settled; who is charged is still known after.
    pub(super) fn take(&mut self) -> Self {
        let client = self.client.as_ref().map(Charge::settled);
        let principal = self.principal.as_ref().map(|(plan, it)| (*plan, it.settled()));
        let listed = self.listed.iter().map(|(place, it)| (*place, it.settled())).collect();
        std::mem::replace(self, Self { client, principal, listed, under_way: Vec::new() })
    }
}

impl Wanted {
    /// The limits, and all that is wrong with them.
    pub(super) fn build(self, table: &Table) -> (Limits, Vec<GateError>) {
        let mut errors = Vec::new();
        let slots = self.slots.unwrap_or(SLOTS);
        let costs = costs(&self.costs, table, &mut errors);
        let dearest = costs.iter().copied().max().unwrap_or(1);
        let clients = match &self.clients[..] {
            [] => None,
            quotas => set(CLIENT, quotas, slots, dearest, &mut errors),
        };
        let principals = match &self.principals[..] {
            [] => None,
            quotas => set(PRINCIPAL, quotas, slots, dearest, &mut errors),
        };
        let mut plans = Vec::new();
        if self.choose.is_some() == self.plans.is_empty() {
            errors.push(GateError::Plans { problem: PLANS_APART });
        }
        if principals.is_some() && !self.plans.is_empty() {
            errors.push(GateError::Plans { problem: PLANS_TWICE });
        }
        for (name, quotas) in self.plans {
            if let Some(set) = set("plan", &quotas, slots, dearest, &mut errors) {
                plans.push((name, set));
            }
        }
        let limits = Limits {
            clients,
            principals,
            plans: plans.into(),
            choose: self.choose,
            costs,
            count_clients: self.count_clients,
            count_principals: self.count_principals,
            listed: listed::build(self.listed, slots, dearest, &mut errors),
            debt: self.debt,
        };
        (limits, errors)
    }
}

fn set<K: Hash + ?Sized>(
    by: &'static str,
    quotas: &[Quota],
    slots: usize,
    dearest: u32,
    errors: &mut Vec<GateError>,
) -> Option<LimitSet<K>> {
    match LimitSet::new(quotas.iter().copied(), slots) {
        Ok(set) => {
            let small = set.too_small_for(dearest);
            errors.extend(small.map(|quota| GateError::Cost { by, quota, cost: dearest }));
            Some(set)
        }
        Err(error) => {
            errors.push(GateError::Limit { by, error });
            None
        }
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
        self.charge_address(visit)?;
        self.charge_listed(visit, None, true)
    }

    /// Charges whatever counts once it is known who calls, or that nobody says who. What one limit
    /// refuses burns nothing in the others.
    pub(super) fn charge_known(
        &self,
        visit: &mut Visit,
        principal: Option<&Principal>,
    ) -> Result<(), Refusal> {
        match principal {
            Some(principal) => self.charge_principal(visit, principal)?,
            // Whoever is refused for lack of a credential is to use nothing up.
            None if !visit.gate.is_open(visit) => return Ok(()),
            None => {}
        }
        self.charge_listed(visit, principal, false)
    }

    fn charge_address(&self, visit: &mut Visit) -> Result<(), Refusal> {
        let Some(set) = &self.clients else { return Ok(()) };
        let address = visit.client.ok_or(Reason::AddressUnknown)?;
        let cost = self.cost(visit);
        let charge = set
            .charge_at(&client_key(address), cost, visit.now)
            .map_err(|no| exceeded(no, Reason::ClientThrottled, CLIENT, cost))?;
        visit.charges.client = Some(charge);
        Ok(())
    }

    fn charge_principal(&self, visit: &mut Visit, principal: &Principal) -> Result<(), Refusal> {
        let plan = match &self.choose {
            Some(choose) => Some(self.plan(choose(principal)).ok_or(Reason::PlanUnknown)?),
            None => None,
        };
        let Some(set) = self.of_principals(plan) else { return Ok(()) };
        let cost = self.cost(visit);
        match set.charge_at(principal.id(), cost, visit.now) {
            Ok(charge) => {
                visit.charges.principal = Some((plan, charge));
                Ok(())
            }
            Err(no) => {
                self.give_back(&mut visit.charges);
                Err(exceeded(no, Reason::PrincipalThrottled, PRINCIPAL, cost))
            }
        }
    }

    /// What the tightest quota left when it was charged.
    pub(super) fn allowance(&self, charges: &Charges) -> Option<Allowance> {
        let client = charges.client.as_ref();
        let client = client.and_then(|charge| self.clients.as_ref()?.allowance(CLIENT, charge));
        let principal = charges.principal.as_ref();
        let principal = principal
            .and_then(|(plan, charge)| self.of_principals(*plan)?.allowance(PRINCIPAL, charge));
        let listed = charges.listed.iter().filter_map(|(place, charge)| {
            let listed = self.listed.get(*place).filter(|listed| !listed.limit.shadow)?;
            listed.set.as_ref()?.allowance(listed.limit.by.label(), charge)
        });
        client.into_iter().chain(principal).chain(listed).reduce(Allowance::tighter)
    }

    /// Charges what a request turned out to cost beyond its price, to all that it was charged to;
    /// answers how much the fullest did not count.
    pub(super) fn owe(&self, charges: &Charges, cost: u32, now: Now) -> u32 {
        let client = self.clients.as_ref().zip(charges.client.as_ref());
        let client = client.map(|(set, it)| set.owe_again(it, cost, self.debt, now.into()));
        let principal = charges.principal.as_ref().and_then(|(plan, it)| {
            Some(self.of_principals(*plan)?.owe_again(it, cost, self.debt, now.into()))
        });
        let listed = charges.listed.iter().filter_map(|(place, it)| {
            let set = self.listed.get(*place)?.set.as_ref()?;
            Some(set.owe_again(it, cost, self.debt, now.into()))
        });
        client.into_iter().chain(principal).chain(listed).max().unwrap_or(0)
    }

    /// Takes back what does not count.
    pub(super) fn settle(&self, charges: Charges, ending: Ending) {
        if let (Some(set), Some(charge)) = (&self.clients, charges.client)
            && !self.count_clients.count(ending)
        {
            set.refund(charge);
        }
        if let Some((plan, charge)) = charges.principal
            && let Some(set) = self.of_principals(plan)
            && !self.count_principals.count(ending)
        {
            set.refund(charge);
        }
        for (place, charge) in charges.listed {
            if let Some(listed) = self.listed.get(place)
                && !listed.limit.outcomes.count(ending)
            {
                listed.refund(charge);
            }
        }
    }

    fn plan(&self, wanted: &str) -> Option<usize> {
        self.plans.iter().position(|(name, _)| name == wanted)
    }

    fn of_principals(&self, plan: Option<usize>) -> Option<&LimitSet<str>> {
        match plan {
            Some(plan) => self.plans.get(plan).map(|(_, set)| set),
            None => self.principals.as_ref(),
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

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wanted")
            .field("clients", &self.clients)
            .field("principals", &self.principals)
            .field("plans", &self.plans)
            .field("listed", &self.listed)
            .field("costs", &self.costs)
            .finish_non_exhaustive()
    }
}

/// Slots of a table unless [`GateBuilder::limit_slots`](super::GateBuilder::limit_slots) says
/// otherwise.
const SLOTS: usize = 65_536;

/// Whom a limit counts, in the names of policies.
const CLIENT: &str = "client";
const PRINCIPAL: &str = "principal";

const PLANS_APART: &str =
    "`.limit_principals_by(…)` chooses among the plans that `.limit_plan(…)` adds: say both";
const PLANS_TWICE: &str = "`.limit_principals(…)` and plans exclude each other";

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
