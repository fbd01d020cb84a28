//! The rules in force, and what stands beside them: replaced together, by one swap.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::rules::Rules;
use crate::{
    UnixTime,
    authz::{Entities, EntitiesError, Hits, PolicySet},
};

/// One snapshot, which a request keeps from its arrival to its event. All its rules know the same
/// entities, so that whichever of them come into force are in force at once.
#[derive(Debug)]
pub(super) struct Editions {
    pub(super) in_force: Rules,
    pub(super) shadow: Option<Shadow>,
    /// Of the rules in force; `None` where nobody counts.
    pub(super) hits: Option<Arc<Hits>>,
    /// What was in force before.
    displaced: Option<Rules>,
}

/// Rules that are asked the same and decide nothing. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Shadow {
    pub(super) rules: Rules,
    /// Of so many disagreements one is told; 0 for none.
    one_in: u32,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    compared: AtomicU64,
    disagreed: AtomicU64,
    would_allow: AtomicU64,
    undecided: AtomicU64,
}

/// What a shadow set answered beside the set in force, since that last changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowCounts {
    /// How many answers were compared.
    pub compared: u64,
    /// The shadow would allow what is denied.
    pub would_allow: u64,
    /// The shadow would deny what is allowed, or does not declare the action that was asked about.
    pub would_deny: u64,
    /// The gate's answer was final without the resource, and the shadow's depends on it. Not
    /// among the compared.
    pub undecided: u64,
}

impl Editions {
    pub(super) fn new(in_force: Rules, counted_since: Option<UnixTime>) -> Self {
        let hits = counted_since.map(|since| Arc::new(Hits::new(in_force.policies.set(), since)));
        Self { in_force, shadow: None, hits, displaced: None }
    }

    /// # Errors
    /// When the entities are none for `rules`.
    pub(super) fn replaced(&self, rules: &Rules, now: UnixTime) -> Result<Self, EntitiesError> {
        let rules = rules.with(self.entities())?;
        Ok(self.succeeded(rules, self.shadow.as_ref().map(Shadow::anew), now))
    }

    /// With the shadow in force; `None` without one.
    pub(super) fn promoted(&self, now: UnixTime) -> Option<Self> {
        let shadow = self.shadow.as_ref()?;
        Some(self.succeeded(shadow.rules.clone(), None, now))
    }

    /// With what was in force before; `None` where nothing was.
    pub(super) fn rolled_back(&self, now: UnixTime) -> Option<Self> {
        let shadow = self.shadow.as_ref().map(Shadow::anew);
        Some(self.succeeded(self.displaced.clone()?, shadow, now))
    }

    /// # Errors
    /// As [`replaced`](Self::replaced).
    pub(super) fn shadowed(&self, rules: &Rules, one_in: u32) -> Result<Self, EntitiesError> {
        let rules = rules.with(self.entities())?;
        Ok(self.beside(Some(Shadow { rules, one_in, counters: Arc::default() })))
    }

    pub(super) fn beside(&self, shadow: Option<Shadow>) -> Self {
        Self {
            in_force: self.in_force.clone(),
            shadow,
            hits: self.hits.clone(),
            displaced: self.displaced.clone(),
        }
    }

    /// # Errors
    /// When the entities are none for one of the rules.
    pub(super) fn knowing(&self, entities: &Arc<Entities>) -> Result<Self, EntitiesError> {
        let with = |rules: &Rules| rules.with(Some(entities));
        let beside =
            |shadow: &Shadow| with(&shadow.rules).map(|rules| Shadow { rules, ..shadow.clone() });
        Ok(Self {
            in_force: with(&self.in_force)?,
            shadow: self.shadow.as_ref().map(beside).transpose()?,
            hits: self.hits.clone(),
            displaced: self.displaced.as_ref().map(with).transpose()?,
        })
    }

    pub(super) fn policies(&self) -> &PolicySet {
        self.in_force.policies.set()
    }

    fn entities(&self) -> Option<&Arc<Entities>> {
        self.in_force.policies.entities()
    }

    fn succeeded(&self, in_force: Rules, shadow: Option<Shadow>, now: UnixTime) -> Self {
        let carried =
            |hits: &Arc<Hits>| hits.carried(self.policies(), in_force.policies.set(), now).into();
        let hits = self.hits.as_ref().map(carried);
        Self { hits, in_force, shadow, displaced: Some(self.in_force.clone()) }
    }
}

impl Rules {
    /// The same with these entities, or none.
    ///
    /// # Errors
    /// When they are none for the policies.
    pub(super) fn with(&self, entities: Option<&Arc<Entities>>) -> Result<Self, EntitiesError> {
        Ok(Self { policies: self.policies.with(entities)?, needs: Arc::clone(&self.needs) })
    }
}

impl Shadow {
    /// The same, of which nothing is counted yet.
    fn anew(&self) -> Self {
        Self { counters: Arc::default(), ..self.clone() }
    }

    /// Counts two answers; says whether they are to be told.
    pub(super) fn compare(&self, allowed: bool, would_allow: bool) -> bool {
        // Statistics: nothing is ordered by them.
        self.counters.compared.fetch_add(1, Relaxed);
        if allowed == would_allow {
            return false;
        }
        if would_allow {
            self.counters.would_allow.fetch_add(1, Relaxed);
        }
        let before = self.counters.disagreed.fetch_add(1, Relaxed);
        before.checked_rem(self.one_in.into()) == Some(0)
    }

    pub(super) fn undecided(&self) {
        self.counters.undecided.fetch_add(1, Relaxed);
    }

    pub(super) fn counts(&self) -> ShadowCounts {
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        let would_allow = of(&self.counters.would_allow);
        ShadowCounts {
            compared: of(&self.counters.compared),
            would_allow,
            // Read a moment later, so never less.
            would_deny: of(&self.counters.disagreed).saturating_sub(would_allow),
            undecided: of(&self.counters.undecided),
        }
    }
}

impl ShadowCounts {
    /// How many of the compared answers differ.
    #[must_use]
    pub const fn disagreements(&self) -> u64 {
        self.would_allow.saturating_add(self.would_deny)
    }
}
