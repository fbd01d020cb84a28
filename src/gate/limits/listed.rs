//! The limits that were described one by one.

use std::{
    hash::Hash,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{Charges, GateError, Limits, exceeded, set};
use crate::{
    IpNet, Principal, Reason, Refusal,
    audit::Event,
    gate::{
        Gate,
        limit::{By, Limit},
        visit::Visit,
    },
    limit::{LimitSet, client_key},
    principal::Attribute,
};

/// One in force.
pub(super) struct Listed {
    pub(super) limit: Limit,
    /// By [`Key`].
    pub(super) set: LimitSet<()>,
    /// How many requests it would have refused.
    pub(super) refused: AtomicU64,
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
    let listed = wanted.into_iter().filter_map(|limit| {
        let set = set(limit.by.label(), &limit.quotas, slots, dearest, errors)?;
        Some(Listed { limit, set, refused: AtomicU64::new(0) })
    });
    listed.collect()
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
            let cost = self.cost(visit);
            match listed.set.charge_by(&key, cost, visit.now.into()) {
                Ok(charge) => {
                    let near = |percent| listed.set.is_near(&charge, percent);
                    if listed.limit.warn_at.is_some_and(near) {
                        visit.watched.nearing.get_or_insert(place);
                    }
                    visit.charges.listed.push((place, charge));
                }
                Err(_) if listed.limit.shadow => {
                    listed.refused.fetch_add(1, Relaxed);
                    visit.watched.shadowed.get_or_insert(place);
                }
                Err(no) => {
                    visit.watched.refusing = Some(place);
                    self.give_back(&mut visit.charges);
                    let by = &listed.limit.by;
                    return Err(exceeded(no, reason(by), by.label(), cost));
                }
            }
        }
        Ok(())
    }

    /// Takes back all that a request was charged: it is refused, and is to burn nothing.
    pub(super) fn give_back(&self, charges: &mut Charges) {
        let Charges { client, principal, listed } = std::mem::take(charges);
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
                listed.set.refund(charge);
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
        By::Attribute(name) => principal
            .map(|it| Who::Attribute(it.realm(), it.attribute(name).map(Value::from))),
    })
}

const fn reason(by: &By) -> Reason {
    match by {
        By::Client => Reason::ClientThrottled,
        By::Route => Reason::RouteThrottled,
        By::Principal | By::Credential | By::Attribute(_) => Reason::PrincipalThrottled,
    }
}
