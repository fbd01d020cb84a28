//! What was found out a moment ago, kept for a time under codes that nobody else can make.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::Mono;

/// What something is found by: a code under a key of this process, so that nobody can choose two
/// things with one code, and a secret need not be kept to be known again.
pub(super) type Code = [u8; 32];

/// Values that are kept equally long, at most so many: the oldest gives way. Use prolongs nothing.
pub(super) struct Kept<T> {
    size: usize,
    keep: Duration,
    entries: Mutex<Entries<T>>,
}

struct Entries<T> {
    by_code: HashMap<Code, (T, Mono)>,
    /// Oldest first. A code that came again stands here twice; the time says which one counts.
    order: VecDeque<(Code, Mono)>,
}

impl<T: Clone> Kept<T> {
    /// Room for `size` values, each kept for `keep`.
    pub(super) fn new(size: usize, keep: Duration) -> Self {
        let entries = Entries { by_code: HashMap::new(), order: VecDeque::new() };
        Self { size, keep, entries: Mutex::new(entries) }
    }

    /// What is kept under `code`, if its time is not over.
    pub(super) fn find(&self, code: &Code, now: Mono) -> Option<T> {
        self.with(|entries| entries.find(code, now).cloned())
    }

    /// Keeps `value`, found out at `since`, in place of the oldest where there is no room. What
    /// is kept already stays as it is.
    pub(super) fn keep(&self, code: Code, value: T, since: Mono) {
        let until = since.saturating_add(self.keep);
        self.with(|entries| {
            if entries.find(&code, since).is_some() {
                return;
            }
            entries.by_code.insert(code, (value, until));
            entries.order.push_back((code, until));
            // What is over goes early, so that it is not held until others need its room.
            while entries.order.len() > self.size
                || entries.order.front().is_some_and(|(_, until)| *until <= since)
            {
                entries.drop_oldest();
            }
        });
    }

    /// How many values are held.
    pub(super) fn len(&self) -> usize {
        self.with(|entries| entries.by_code.len())
    }

    fn with<R>(&self, work: impl FnOnce(&mut Entries<T>) -> R) -> R {
        // Half an entry is one that is not found, or one that goes early.
        work(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Entries<T> {
    fn find(&self, code: &Code, now: Mono) -> Option<&T> {
        self.by_code.get(code).and_then(|(value, until)| (now < *until).then_some(value))
    }

    fn drop_oldest(&mut self) {
        if let Some((oldest, until)) = self.order.pop_front()
            && self.by_code.get(&oldest).is_some_and(|(_, other)| *other == until)
        {
            self.by_code.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEEP: Duration = Duration::from_secs(60);

    fn at(secs: u64) -> Mono {
        Mono::from_nanos(0).saturating_add(Duration::from_secs(secs))
    }

    fn code(of: u8) -> Code {
        [of; 32]
    }

    #[test]
    fn a_value_is_kept_for_its_time_and_use_does_not_prolong_it() {
        let kept = Kept::new(8, KEEP);
        let seen = |now| kept.find(&code(1), at(now));
        kept.keep(code(1), "first", at(0));
        kept.keep(code(1), "second", at(30));
        assert_eq!((seen(0), seen(59), seen(60)), (Some("first"), Some("first"), None));
        kept.keep(code(1), "third", at(60));
        assert_eq!((seen(119), seen(120)), (Some("third"), None));
        assert_eq!(kept.find(&code(2), at(60)), None);
    }

    #[test]
    fn it_never_grows_beyond_its_size() {
        let kept = Kept::new(3, KEEP);
        for of in 0..100 {
            kept.keep(code(of), of, at(u64::from(of / 10)));
        }
        let (held, order) = kept.with(|entries| (entries.by_code.len(), entries.order.len()));
        assert_eq!((held, order, kept.len()), (3, 3, 3));
        let holds = |of| kept.find(&code(of), at(10)).is_some();
        assert_eq!((holds(96), holds(97), holds(99)), (false, true, true));
    }

    #[test]
    fn what_is_over_is_not_held_until_others_need_its_room() {
        let kept = Kept::new(100, KEEP);
        for of in 0..50 {
            kept.keep(code(of), of, at(0));
        }
        kept.keep(code(99), 99, at(60));
        assert_eq!(kept.len(), 1);
    }

    proptest! {
        /// Against a list that is searched from end to end.
        #[test]
        fn attack_renewals_push_out_nobody_and_search_nothing(
            steps in proptest::collection::vec((0_u8..6, 0_u64..40), 1..200),
            size in 1_usize..5,
        ) {
            let kept = Kept::new(size, KEEP);
            let mut plain: Vec<(u8, u64)> = Vec::new();
            let mut now = 0;
            for (of, pause) in steps {
                now += pause;
                plain.retain(|(_, until)| now < *until);
                let held = plain.iter().any(|(other, _)| *other == of);
                prop_assert_eq!(kept.find(&code(of), at(now)), held.then_some(of));
                kept.keep(code(of), of, at(now));
                if !held {
                    plain.push((of, now + KEEP.as_secs()));
                }
                if plain.len() > size {
                    plain.remove(0);
                }
                let (held, order) = kept.with(|held| (held.by_code.len(), held.order.len()));
                prop_assert!(held <= order && order <= size, "{} {}", held, order);
            }
        }
    }
}
