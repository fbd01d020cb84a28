//! Correlation ids.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::CorrelationId;

/// Makes ids that tell requests apart without telling how many there were: a counter under two
/// keyed hashes, whose keys are this process's own.
#[derive(Debug, Default)]
pub(super) struct Ids {
    next: AtomicU64,
    keys: (RandomState, RandomState),
}

impl Ids {
    pub(super) fn next(&self) -> CorrelationId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let halves = (self.keys.0.hash_one(count), self.keys.1.hash_one(count));
        let id = (u128::from(halves.0) << 64) | u128::from(halves.1);
        CorrelationId::from_bytes(id.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_within_and_between_processes() {
        let (one, other) = (Ids::default(), Ids::default());
        let ids: HashSet<_> = (0..1000).flat_map(|_| [one.next(), other.next()]).collect();
        assert_eq!(ids.len(), 2000);
    }
}
