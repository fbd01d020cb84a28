//! Tables that take the place of another.

use super::*;

impl Table {
    /// A table of the same form in which nobody owes anything.
    pub(in crate::limit) fn emptied(&self) -> Option<Self> {
        Some(Self { when_full: self.when_full, ..Self::new(self.slots(), self.refunds)? })
    }

    /// A table of the same form with every bucket where `place` puts it, which leaves buckets in
    /// their order. Charges beside it count there, here, or, where they come too late, here alone.
    pub(in crate::limit) fn replaced(&self, place: impl Fn(u64) -> u64) -> Option<Self> {
        let heir = self.emptied()?;
        let stripes = self.stripes.iter().zip(heir.stripes.iter()).cycle();
        for ((set, new), (stripe, heirs)) in self.sets.iter().zip(heir.sets.iter()).zip(stripes) {
            // Nobody comes in meanwhile, so that tag and word are of one owner.
            let floor = lock(&stripe.floor);
            for (slot, new) in set.0.iter().zip(&new.0) {
                let word = slot.word.load(Acquire);
                new.word.store(moved(word, place(time(word))), Relaxed);
                new.tag.store(slot.tag.load(Relaxed), Release);
            }
            *lock(&heirs.floor) = place(*floor);
            heirs.latest.fetch_max(stripe.latest.load(Relaxed), Relaxed);
        }
        Some(heir)
    }
}
