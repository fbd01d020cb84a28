//! One limit: who it is, and the terms that are in force.

use std::sync::{
    PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{
    Charged, Ending, GateError, Limits, Room,
    key::{Key, Who},
    terms::Terms,
};
use crate::{
    Now, Principal, Refusal, Snapshot,
    audit::Event,
    gate::{
        limit::{By, Limit},
        visit::Visit,
    },
    limit::{Allowance, Charge},
};

/// What no replacement changes, and the rest.
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) by: By,
    pub(super) terms: Snapshot<Terms>,
    /// How many requests it would have refused in shadow.
    refused: AtomicU64,
}

/// What the event is to say of limits, by their place in the list.
#[derive(Clone, Copy, Default)]
pub(in crate::gate) struct Watched {
    refusing: Option<usize>,
    shadowed: Option<usize>,
    nearing: Option<usize>,
}

impl Listed {
    /// The limit as described; what is wrong with it is added to `errors`.
    pub(super) fn new(limit: Limit, room: Room, errors: &mut Vec<GateError>) -> Self {
        let (name, by) = (limit.name.clone(), limit.by.clone());
        let terms = Snapshot::new(Terms::new(limit, room, None, errors));
        Self { name, by, terms, refused: AtomicU64::new(0) }
    }

    pub(super) fn counts(&self, ending: Ending) -> bool {
        self.terms.peek().limit.outcomes.count(ending)
    }

    /// Takes back a charge; it gives back nothing where the terms have not kept its debt.
    pub(super) fn refund(&self, plan: Option<usize>, charge: Charge) {
        if let Some(set) = self.terms.peek().set(plan) {
            set.refund(charge);
        }
    }

    pub(super) fn owe(&self, charged: &Charged, cost: u32, debt: u32, now: Now) -> u32 {
        let terms = self.terms.peek();
        let set = terms.set(charged.plan);
        set.map_or(0, |set| set.owe_again(&charged.charge, cost, debt, now.into()))
    }

    pub(super) fn allowance(&self, charged: &Charged) -> Option<Allowance> {
        let terms = self.terms.peek();
        let set = terms.set(charged.plan).filter(|_| !terms.limit.shadow)?;
        set.allowance(self.by.label(), &charged.charge)
    }
}

impl Limits {
    /// The limits, and how many requests each would have refused in shadow.
    pub(super) fn told(&self) -> impl Iterator<Item = (Limit, u64)> {
        let told = |it: &Listed| (it.terms.peek().limit.clone(), it.refused.load(Relaxed));
        self.listed.iter().map(told)
    }

    /// Charges the limits of this kind: by address, or by what is known once the caller is.
    pub(super) fn charge(
        &self,
        visit: &mut Visit,
        principal: Option<&Principal>,
        by_client: bool,
    ) -> Result<(), Refusal> {
        for (place, listed) in self.listed.iter().enumerate() {
            if (listed.by == By::Client) != by_client {
                continue;
            }
            let Some(who) = Who::of(&listed.by, visit, principal)? else { continue };
            let terms = listed.terms.peek();
            let keyed = terms.limit.each_route || listed.by == By::Route;
            let key = Key { line: visit.line.filter(|_| keyed), who };
            let (cost, now) = (self.cost(visit), visit.now);
            let state = visit.state.get_mut().unwrap_or_else(PoisonError::into_inner);
            let charges = &mut state.charges;
            match terms.charge((&key, principal), cost, now, &mut charges.under_way) {
                Ok((plan, charge)) => {
                    if terms.is_near(plan, charge.as_ref()) {
                        visit.watched.nearing.get_or_insert(place);
                    }
                    let charged = charge.map(|charge| Charged { limit: place, plan, charge });
                    charged.into_iter().for_each(|it| charges.push(it));
                }
                Err(_) if terms.limit.shadow => {
                    listed.refused.fetch_add(1, Relaxed);
                    visit.watched.shadowed.get_or_insert(place);
                }
                Err(refusal) => {
                    visit.watched.refusing = Some(place);
                    self.give_back(charges);
                    return Err(refusal);
                }
            }
        }
        Ok(())
    }

    /// Lets the event name the limits that it is to name.
    pub(in crate::gate) fn tell<'a>(&'a self, watched: Watched, event: &mut Event<'a>) {
        let name = |place: usize| self.listed.get(place).map(|listed| &*listed.name);
        event.limit = watched.refusing.and_then(name);
        event.shadowed = watched.shadowed.and_then(name);
        event.nearing = watched.nearing.and_then(name);
    }
}
