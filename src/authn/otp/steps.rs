//! The last step of every account: what makes a code count once.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use crate::authn::Answer;

/// Remembers the last step each account used.
///
/// Everything rests on `advance` being **one** atomic operation, such as
/// `UPDATE … SET last = $3 WHERE account = $1 AND last < $2`, with the first and the last of the
/// steps. A reading followed by a writing lets two requests with one code through, or a slow one
/// put a lower step back.
pub trait StepStore: fmt::Debug + Send + Sync + 'static {
    /// Uses `steps`, one or several that are used together: makes the last of them the last one
    /// of `account` if all of them are higher than that, or the account has none.
    fn advance(&self, account: &str, steps: RangeInclusive<u64>) -> Answer<Advance>;
}

/// Whether all steps were still unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// They were, and are used now.
    Taken,
    /// One of them, or a later one, was used before.
    Used,
}

/// Steps of [`Totp`](super::Totp) in memory, for one process and a fixed number of accounts.
///
/// When it is full, the account with the lowest step makes room and its step becomes the floor
/// for accounts that are not in it: some code may be refused early, none is ever taken twice.
/// Clones share everything. A restart forgets: codes used in the last two minutes before it
/// could be used again. Counters of [`Hotp`](super::Hotp) belong in a store that lasts.
///
/// ```
/// use portcullis::authn::otp::{Advance, MemorySteps, StepStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let steps = MemorySteps::new(10_000);
/// assert_eq!(steps.advance("staff/alice", 7..=7).await, Ok(Advance::Taken));
/// assert_eq!(steps.advance("staff/alice", 7..=8).await, Ok(Advance::Used));
/// assert_eq!(steps.advance("staff/bob", 7..=8).await, Ok(Advance::Taken));
/// # }
/// ```
#[derive(Clone)]
pub struct MemorySteps(Arc<Mutex<Steps>>);

struct Steps {
    capacity: usize,
    floor: Option<u64>,
    last: HashMap<Arc<str>, u64>,
    /// The same, lowest step first.
    order: BTreeSet<(u64, Arc<str>)>,
}

impl MemorySteps {
    /// Room for `accounts` at once; at least one.
    #[must_use]
    pub fn new(accounts: usize) -> Self {
        Self(Arc::new(Mutex::new(Steps {
            capacity: accounts.max(1),
            floor: None,
            last: HashMap::new(),
            order: BTreeSet::new(),
        })))
    }
}

impl StepStore for MemorySteps {
    fn advance(&self, account: &str, steps: RangeInclusive<u64>) -> Answer<Advance> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Answer::done(table.advance(account, *steps.start(), *steps.end()))
    }
}

impl Steps {
    fn advance(&mut self, account: &str, first: u64, step: u64) -> Advance {
        let known = self.last.get_key_value(account).map(|(name, last)| (*last, Arc::clone(name)));
        let last = known.as_ref().map(|(last, _)| *last).or(self.floor);
        if last.is_some_and(|last| first <= last || step <= last) {
            return Advance::Used;
        }
        let name = match known {
            Some(entry) => {
                self.order.remove(&entry);
                entry.1
            }
            None => {
                self.make_room();
                Arc::from(account)
            }
        };
        self.last.insert(Arc::clone(&name), step);
        self.order.insert((step, name));
        Advance::Taken
    }

    fn make_room(&mut self) {
        if self.last.len() >= self.capacity
            && let Some((step, name)) = self.order.pop_first()
        {
            self.last.remove(&name);
            self.floor = self.floor.max(Some(step));
        }
    }
}

impl fmt::Debug for MemorySteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySteps").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::authn::store::at_once;

    fn advance(steps: &MemorySteps, account: &str, step: u64) -> bool {
        advance_all(steps, account, step..=step)
    }

    fn advance_all(steps: &MemorySteps, account: &str, all: RangeInclusive<u64>) -> bool {
        at_once(steps.advance(account, all)) == Ok(Advance::Taken)
    }

    #[test]
    fn attack_a_slow_request_puts_a_lower_step_back() {
        let steps = MemorySteps::new(4);
        assert!(advance(&steps, "a", 8));
        assert!(!advance(&steps, "a", 7));
        assert!(!advance(&steps, "a", 8));
        assert!(advance(&steps, "a", 9));
    }

    #[test]
    fn steps_used_together_are_all_unused_or_none_is_taken() {
        let steps = MemorySteps::new(4);
        assert!(advance_all(&steps, "a", 5..=6));
        assert!(!advance_all(&steps, "a", 6..=7) && !advance_all(&steps, "a", 5..=9));
        assert!(!advance(&steps, "a", 6) && advance(&steps, "a", 7));
        let (last, first) = (9, 8);
        assert!(!advance_all(&steps, "a", last..=0) && advance_all(&steps, "a", first..=last));
    }

    #[test]
    fn attack_flooding_the_store_forgets_no_step() {
        let steps = MemorySteps::new(2);
        assert!(advance(&steps, "victim", 5));
        assert!(advance(&steps, "b", 6) && advance(&steps, "c", 7) && advance(&steps, "d", 8));
        assert!(!advance(&steps, "victim", 5));
        assert_eq!(steps.0.lock().unwrap().last.len(), 2);
    }

    proptest! {
        #[test]
        fn no_step_is_ever_taken_twice_and_the_store_stays_small(
            calls in proptest::collection::vec((0..6_usize, 0..12_u64, 0..3_u64), 0..60),
        ) {
            let steps = MemorySteps::new(3);
            let mut highest = HashMap::new();
            for (account, first, more) in calls {
                let last = first + more;
                if advance_all(&steps, &account.to_string(), first..=last) {
                    let before = highest.insert(account, last);
                    prop_assert!(before.is_none_or(|before| before < first));
                }
                let inner = steps.0.lock().unwrap();
                prop_assert!(inner.last.len() <= 3 && inner.last.len() == inner.order.len());
            }
        }
    }
}
