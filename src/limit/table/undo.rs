//! What a table does besides charging: looking without touching, and taking back.

use super::*;

/// What a call was charged, for its refund.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::limit) struct Debit {
    /// Where the bucket stood after it.
    pub(super) until: u64,
    /// How far a call of its cost moves a bucket.
    pub(super) interval: u64,
    /// What had been refunded in its stripe before.
    pub(super) refunded: u64,
}

/// What a call was charged, or why it was not.
pub(in crate::limit) type Debited = Result<Debit, Denied>;

impl Debit {
    /// How far it left its bucket from full, at the reading that it was charged at.
    pub(in crate::limit) const fn debt(self, reading: u64) -> u64 {
        self.until.saturating_sub(reading)
    }

    /// How far to lower the bucket, if the call at `reading` is not to count. `since` is at least
    /// what the bucket was lowered by since then, and `latest` at least every reading that it was
    /// stepped at.
    ///
    /// Where the stretch ends by now: only refunds of steps before it have moved it down. Each of
    /// those left `latest` or more below the stretch, and `latest` is `reading` or later, so the
    /// end is never below `reading + interval`.
    ///
    /// Why what is given back is never too much: take any moment `a <= latest`. A refund of a
    /// step that read `a` or later takes back what the lemma counted. Any other leaves the end of
    /// its stretch at `latest` or later, and all later steps above it: what the lemma asks for.
    pub(super) const fn left(self, reading: u64, since: u64, latest: u64) -> u64 {
        let (moved, lowest) = (self.until.saturating_sub(since), reading + self.interval);
        let end = if moved > lowest { moved } else { lowest };
        let left = end.saturating_sub(latest);
        if left < self.interval { left } else { self.interval }
    }
}

impl Table {
    /// Whether a charge would pass at this moment; changes nothing.
    pub(in crate::limit) fn peek(&self, hash: u64, now: u64, pace: Pace) -> Result<(), Denied> {
        let set = self.set(hash);
        let stands = match set.owned_by(hash.max(1)) {
            Some(slot) => time(slot.word.load(Relaxed)),
            None => {
                let least = self.open(time(set.least(hash.max(1)).1), now)?;
                pace.step(least, now)?;
                least.max(*lock(&self.stripe(hash).floor))
            }
        };
        pace.step(stands, now).map(drop)
    }

    /// Takes back what is left of a debit at `reading`. A key that was displaced has nothing to
    /// take it back from.
    pub(in crate::limit) fn refund(&self, hash: u64, reading: u64, debit: Debit) {
        let stripe = self.stripe(hash);
        // Refunds of a stripe come one by one, and nobody is displaced meanwhile.
        let _held = lock(&stripe.floor);
        let Some(slot) = self.set(hash).owned_by(hash.max(1)) else { return };
        let refunded = stripe.refunded.load(Relaxed);
        // Wraps only if 2^64 nanoseconds are refunded in the life of one debit.
        let since = refunded.wrapping_sub(debit.refunded);
        let amount = slot.lower(|_| {
            let latest = stripe.latest.load(Relaxed);
            debit.left(reading, since, latest)
        });
        stripe.refunded.store(refunded.wrapping_add(amount), Relaxed);
        self.refunded(hash);
    }

    /// Forgets what a key owes.
    ///
    /// Debits that are still open must not be taken back after: that would be twice. Each ends
    /// where the bucket stands or before, so that raising `latest` to there leaves nothing of
    /// them. Of other debits in the stripe it may leave less than there is, never more.
    pub(in crate::limit) fn reset(&self, hash: u64) {
        let stripe = self.stripe(hash);
        let _held = lock(&stripe.floor);
        let Some(slot) = self.set(hash).owned_by(hash.max(1)) else { return };
        slot.lower(|time| {
            stripe.latest.fetch_max(time, Relaxed);
            time
        });
        self.forgiven(hash);
    }
}

impl Slot {
    /// Moves the bucket down by what `amount` says of where it stands, and tells that amount.
    fn lower(&self, amount: impl Fn(u64) -> u64) -> u64 {
        loop {
            // Acquire: with a step come the reading and the sum that were noted before it.
            let word = self.word.load(Acquire);
            let amount = amount(time(word));
            let lower = moved(word, time(word).saturating_sub(amount));
            if self.word.compare_exchange(word, lower, Relaxed, Relaxed).is_ok() {
                return amount;
            }
        }
    }
}
