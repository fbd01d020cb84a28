//! The limits that were described one by one.

use std::{
    hash::Hash,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::{Charges, GateError, Limits, exceeded, set};
use crate::{
    IpNet, Now, Principal, Reason, Refusal,
    audit::Event,
    gate::{
        Gate,
        limit::{By, Limit},
        visit::Visit,
    },
    limit::{Busy, Charge, ConcurrencyLimit, InFlight, LimitSet, client_key},
    principal::Attribute,
};

/// One in force.
pub(super) struct Listed {
    pub(super) limit: Limit,
    /// By [`Key`].
    pub(super) set: Option<LimitSet<()>>,
    /// Likewise.
    at_once: Option<ConcurrencyLimit<()>>,
    /// How many requests it would have refused.
    refused: AtomicU64,
}

/// What the event is to say of limits, by their place in the list.
#[derive(Clone, Copy, Default)]
pub(in crate::gate) struct Watched {
    refusing: Option<usize>,
    shadowed: Option<usize>,
    nearing: Option<usize>,
}

/// What a request is counted by.
#[derive(Hash)]
struct Key<'a> {
    line: Option<usize>,
    who: Who<'a>,
}

#[derive(Hash)]
enum Who<'a> {
    Anybody,
    Client(IpNet),
    Principal(&'a str),
    /// Of a realm.
    Credential(&'a str, &'a str),
    /// Of a realm.
    Attribute(&'a str, Option<Value<'a>>),
}

#[derive(Hash)]
enum Value<'a> {
    Bool(bool),
    Long(i64),
    Str(&'a str),
    Strings(&'a [String]),
}

impl<'a> From<Attribute<'a>> for Value<'a> {
    fn from(attribute: Attribute<'a>) -> Self {
        match attribute {
            Attribute::Bool(it) => Self::Bool(it),
            Attribute::Long(it) => Self::Long(it),
            Attribute::Str(it) => Self::Str(it),
            Attribute::Strings(it) => Self::Strings(it),
        }
    }
}

/// The limits as described, and what is wrong with them.
pub(super) fn build(
    wanted: Vec<Limit>,
    slots: usize,
    dearest: u32,
    errors: &mut Vec<GateError>,
) -> Box<[Listed]> {
    let listed = wanted.into_iter().map(|limit| {
        let by = limit.by.label();
        let at_once = limit.at_once.map(|most| ConcurrencyLimit::new(most, slots)).transpose();
        let at_once = at_once.map_err(|error| errors.push(GateError::Limit { by, error }));
        let set = match (&limit.quotas[..], limit.at_once) {
            ([], Some(_)) => None,
            (quotas, _) => set(by, quotas, slots, dearest, errors),
        };
        Listed { set, at_once: at_once.ok().flatten(), refused: AtomicU64::new(0), limit }
    });
    listed.collect()
}

impl Listed {
    /// Charges a request, and tells the charge.
    fn charge(
        &self,
        key: &Key<'_>,
        cost: u32,
        now: Now,
        under_way: &mut Vec<InFlight>,
    ) -> Result<Option<Charge>, Refusal> {
        let by = &self.limit.by;
        let call = self.at_once.as_ref().map(|it| it.enter_by(key)).transpose();
        let call = call.map_err(|busy| match busy {
            // Nobody knows how long the others take.
            Busy::AtOnce { .. } => Refusal::new(reason(by)).retry_after(MOMENT),
            Busy::TableFull => Refusal::new(Reason::LimitUnavailable).retry_after(MOMENT),
        })?;
        let charge = self.set.as_ref().map(|set| set.charge_by(key, cost, now.into()));
        let charge = charge.transpose().map_err(|no| exceeded(no, reason(by), by.label(), cost))?;
        under_way.extend(call);
        Ok(charge)
    }

    /// Whether a charge came close enough for a warning.
    fn is_near(&self, charge: &Charge) -> bool {
        let watched = self.limit.warn_at.zip(self.set.as_ref());
        watched.is_some_and(|(percent, set)| set.is_near(charge, percent))
    }

    pub(super) fn refund(&self, charge: Charge) {
        if let Some(set) = &self.set {
            set.refund(charge);
        }
    }
}

impl Gate {
    /// The limits that [`GateBuilder::limit`](crate::GateBuilder::limit) added, and how many
    /// requests each would have refused in shadow.
    pub fn limits(&self) -> impl Iterator<Item = (&Limit, u64)> {
        let listed = self.0.limits.listed.iter();
        listed.map(|it| (&it.limit, it.refused.load(Relaxed)))
    }
}

impl Limits {
    /// Charges the limits of this kind: by address, or by what is known once the caller is.
    pub(super) fn charge_listed(
        &self,
        visit: &mut Visit,
        principal: Option<&Principal>,
        by_client: bool,
    ) -> Result<(), Refusal> {
        for (place, listed) in self.listed.iter().enumerate() {
            if (listed.limit.by == By::Client) != by_client {
                continue;
            }
            let Some(who) = who(&listed.limit.by, visit, principal)? else { continue };
            let keyed = listed.limit.each_route || listed.limit.by == By::Route;
            let key = Key { line: visit.line.filter(|_| keyed), who };
            let (cost, now) = (self.cost(visit), visit.now);
            match listed.charge(&key, cost, now, &mut visit.charges.under_way) {
                Ok(charge) => {
                    if charge.as_ref().is_some_and(|it| listed.is_near(it)) {
                        visit.watched.nearing.get_or_insert(place);
                    }
                    visit.charges.listed.extend(charge.map(|it| (place, it)));
                }
                Err(_) if listed.limit.shadow => {
                    listed.refused.fetch_add(1, Relaxed);
                    visit.watched.shadowed.get_or_insert(place);
                }
                Err(refusal) => {
                    visit.watched.refusing = Some(place);
                    self.give_back(&mut visit.charges);
                    return Err(refusal);
                }
            }
        }
        Ok(())
    }

    /// Takes back all that a request was charged: it is refused, and is to burn nothing.
    pub(super) fn give_back(&self, charges: &mut Charges) {
        let Charges { client, principal, listed, under_way: _ } = std::mem::take(charges);
        if let (Some(set), Some(charge)) = (&self.clients, client) {
            set.refund(charge);
        }
        if let Some((plan, charge)) = principal
            && let Some(set) = self.of_principals(plan)
        {
            set.refund(charge);
        }
        for (place, charge) in listed {
            if let Some(listed) = self.listed.get(place) {
                listed.refund(charge);
            }
        }
    }

    /// Lets the event name the limits that it is to name.
    pub(in crate::gate) fn tell<'a>(&'a self, watched: Watched, event: &mut Event<'a>) {
        let name = |place: usize| self.listed.get(place).map(|listed| listed.limit.name());
        event.limit = watched.refusing.and_then(name);
        event.shadowed = watched.shadowed.and_then(name);
        event.nearing = watched.nearing.and_then(name);
    }
}

/// Whom the request is counted as; `None` where nobody is known who could be counted.
fn who<'a>(
    by: &By,
    visit: &Visit,
    principal: Option<&'a Principal>,
) -> Result<Option<Who<'a>>, Refusal> {
    Ok(match by {
        By::Client => Some(Who::Client(client_key(visit.client.ok_or(Reason::AddressUnknown)?))),
        By::Route => Some(Who::Anybody),
        By::Principal => principal.map(|it| Who::Principal(it.id())),
        By::Credential => principal.map(|it| match it.credential_id() {
            Some(id) => Who::Credential(it.realm(), id),
            None => Who::Principal(it.id()),
        }),
        By::Attribute(name) => {
            principal.map(|it| Who::Attribute(it.realm(), it.attribute(name).map(Value::from)))
        }
    })
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
