//! What one limit counts on, whole: it is replaced, never edited.

use std::time::Duration;

use super::{GateError, Room, exceeded, key::Key};
use crate::{
    Now, Principal, Quota, Reason, Refusal,
    gate::limit::{By, Limit},
    limit::{Busy, Charge, ConcurrencyLimit, InFlight, Inheritance, LimitError, LimitSet},
};

/// A limit as described, with its tables, which are asked by [`Key`].
pub(super) struct Terms {
    pub(super) limit: Limit,
    set: Option<LimitSet<()>>,
    /// In the order of the limit's.
    plans: Box<[Option<LimitSet<()>>]>,
    at_once: Option<ConcurrencyLimit<()>>,
}

/// The terms that were in force before.
#[derive(Clone, Copy)]
pub(super) struct Heritage<'a> {
    pub(super) terms: &'a Terms,
    pub(super) inheritance: Inheritance,
    pub(super) now: Now,
}

impl Terms {
    /// The terms of a limit, in the place of others if there were any, whose plans come first, in
    /// their order; what is wrong is added to `errors`.
    pub(super) fn new(
        limit: Limit,
        room: Room,
        before: Option<Heritage<'_>>,
        errors: &mut Vec<GateError>,
    ) -> Self {
        let by = limit.by.label();
        let problem = limit.plans_problem();
        errors.extend(problem.map(|problem| GateError::Plans { by, problem }));
        let at_once = limit.at_once.map(|most| room.at_once(most, before)).transpose();
        let at_once = at_once.map_err(|error| errors.push(GateError::Limit { by, error }));
        let mut set = |plan: Option<usize>, quotas: &[Quota]| {
            let set = room.set(plan, quotas, before);
            let set = set.map_err(|error| errors.push(GateError::Limit { by, error })).ok()?;
            let (small, cost) = (set.too_small_for(room.dearest), room.dearest);
            errors.extend(small.map(|quota| GateError::Cost { by, quota, cost }));
            Some(set)
        };
        let plans = limit.plans.iter().enumerate();
        let plans = plans.map(|(plan, (_, quotas))| set(Some(plan), quotas)).collect();
        let set = if limit.needs_quotas() { set(None, &limit.quotas) } else { None };
        Self { set, plans, at_once: at_once.ok().flatten(), limit }
    }

    /// What counts under a plan, or under none.
    pub(super) fn set(&self, plan: Option<usize>) -> Option<&LimitSet<()>> {
        match plan {
            Some(plan) => self.plans.get(plan)?.as_ref(),
            None => self.set.as_ref(),
        }
    }

    fn plan(&self, principal: Option<&Principal>) -> Result<Option<usize>, Reason> {
        let Some(choose) = &self.limit.choose else { return Ok(None) };
        match principal.and_then(|principal| choose.plan(principal)) {
            Some(wanted) => {
                let place = self.limit.plans.iter().position(|(name, _)| name == wanted);
                place.map(Some).ok_or(Reason::PlanUnknown)
            }
            None if self.set.is_none() => Err(Reason::PlanUnknown),
            None => Ok(None),
        }
    }

    /// Charges a request, and tells the plan and the charge.
    pub(super) fn charge(
        &self,
        (key, principal): (&Key<'_>, Option<&Principal>),
        cost: u32,
        now: Now,
        under_way: &mut Vec<InFlight>,
    ) -> Result<(Option<usize>, Option<Charge>), Refusal> {
        let (by, plan) = (&self.limit.by, self.plan(principal)?);
        let call = self.at_once.as_ref().map(|it| it.enter_by(key)).transpose();
        let call = call.map_err(|busy| match busy {
            // Nobody knows how long the others take.
            Busy::AtOnce { .. } => Refusal::new(reason(by)).retry_after(MOMENT),
            Busy::TableFull => Refusal::new(Reason::LimitUnavailable).retry_after(MOMENT),
        })?;
        let charge = self.set(plan).map(|set| set.charge_by(key, cost, now.into()));
        let charge = charge.transpose().map_err(|no| exceeded(no, reason(by), by.label(), cost))?;
        under_way.extend(call);
        Ok((plan, charge))
    }

    /// Whether a charge came close enough for a warning.
    pub(super) fn is_near(&self, plan: Option<usize>, charge: Option<&Charge>) -> bool {
        let watched = self.limit.warn_at.zip(self.set(plan)).zip(charge);
        watched.is_some_and(|((percent, set), charge)| set.is_near(charge, percent))
    }
}

impl Room {
    fn set(
        self,
        plan: Option<usize>,
        quotas: &[Quota],
        before: Option<Heritage<'_>>,
    ) -> Result<LimitSet<()>, LimitError> {
        let quotas = quotas.iter().copied();
        let Some((set, before)) = before.and_then(|it| Some((it.terms.set(plan)?, it))) else {
            return LimitSet::new(quotas, self.slots);
        };
        // Nobody is to notice that others' quotas change.
        let same = set.quotas().eq(quotas.clone());
        let inheritance = if same { Inheritance::KeepDebt } else { before.inheritance };
        set.successor(quotas, inheritance, before.now)
    }

    fn at_once(
        self,
        most: u32,
        before: Option<Heritage<'_>>,
    ) -> Result<ConcurrencyLimit<()>, LimitError> {
        match before.and_then(|it| it.terms.at_once.as_ref()) {
            Some(at_once) => at_once.successor(most),
            None => ConcurrencyLimit::new(most, self.slots),
        }
    }
}

const fn reason(by: &By) -> Reason {
    match by {
        By::Client => Reason::ClientThrottled,
        By::Route => Reason::RouteThrottled,
        By::Principal | By::Credential | By::Attribute(_) => Reason::PrincipalThrottled,
    }
}

/// How soon to come back where nobody can tell.
const MOMENT: Duration = Duration::from_secs(1);
