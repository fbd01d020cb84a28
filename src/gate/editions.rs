//! The rules in force, and what stands beside them: replaced together, by one swap.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::rules::Rules;
use crate::{
    UnixTime,
    authz::{Hits, PolicySet},
};

/// One snapshot, which a request keeps from its arrival to its event.
#[derive(Debug)]
pub(super) struct Editions {
    pub(super) in_force: Rules,
    pub(super) shadow: Option<Arc<Shadow>>,
    /// Of the rules in force; `None` where nobody counts.
    pub(super) hits: Option<Arc<Hits>>,
    /// What was in force before.
    displaced: Option<Rules>,
}

/// Rules that are asked the same and decide nothing.
#[derive(Debug)]
pub(super) struct Shadow {
    pub(super) rules: Rules,
    /// Of so many disagreements one is told; 0 for none.
    one_in: u32,
    counters: Counters,
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
        let hits = counted_since.map(|since| Arc::new(Hits::new(&in_force.policies, since)));
        Self { in_force, shadow: None, hits, displaced: None }
    }

    pub(super) fn replaced(&self, rules: Rules, now: UnixTime) -> Self {
        self.succeeded(rules, self.shadow.as_ref().map(|shadow| shadow.anew()), now)
    }

    /// With the shadow in force; `None` without one.
    pub(super) fn promoted(&self, now: UnixTime) -> Option<Self> {
        let shadow = self.shadow.as_ref()?;
        Some(self.succeeded(shadow.rules.clone(), None, now))
    }

    /// With what was in force before; `None` where nothing was.
    pub(super) fn rolled_back(&self, now: UnixTime) -> Option<Self> {
        Some(self.replaced(self.displaced.clone()?, now))
    }

    pub(super) fn beside(&self, shadow: Option<Arc<Shadow>>) -> Self {
        Self {
            in_force: self.in_force.clone(),
            shadow,
            hits: self.hits.clone(),
            displaced: self.displaced.clone(),
        }
    }

    pub(super) fn policies(&self) -> &PolicySet {
        &self.in_force.policies
    }

    fn succeeded(&self, in_force: Rules, shadow: Option<Arc<Shadow>>, now: UnixTime) -> Self {
        let carried =
            |hits: &Arc<Hits>| hits.carried(self.policies(), &in_force.policies, now).into();
        let hits = self.hits.as_ref().map(carried);
        Self { hits, in_force, shadow, displaced: Some(self.in_force.clone()) }
    }
}

impl Shadow {
    pub(super) fn new(rules: Rules, one_in: u32) -> Arc<Self> {
        Arc::new(Self { rules, one_in, counters: Counters::default() })
    }

    /// The same, of which nothing is counted yet.
    fn anew(&self) -> Arc<Self> {
        Self::new(self.rules.clone(), self.one_in)
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
