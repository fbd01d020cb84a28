//! Passwords that were found right a moment ago, without the passwords.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{Mono, Secret, crypto::MacKey};

/// Remembers right passwords for a time, as codes under a key of this process alone.
///
/// A code covers the stored hash too, so one for a hash that was replaced is never asked for
/// again. Only what was right gets in: guesses can neither fill it nor drive anything out.
pub(super) struct Cache {
    key: MacKey,
    size: usize,
    keep: Duration,
    entries: Mutex<Entries>,
}

/// What a code is over: user, password, stored hash.
pub(super) struct Code([u8; 32]);

#[derive(Default)]
struct Entries {
    until: HashMap<[u8; 32], Mono>,
    /// Oldest first. All are kept equally long, so the oldest is the first to go. A code that is
    /// remembered again stands here twice; the time says which one counts.
    order: VecDeque<([u8; 32], Mono)>,
}

impl Cache {
    /// Room for `size` codes, each kept for `keep`; `None` when the system has no random bytes.
    pub(super) fn new(size: usize, keep: Duration) -> Option<Self> {
        Some(Self { key: MacKey::random()?, size, keep, entries: Mutex::default() })
    }

    pub(super) fn code(&self, user: &str, password: &Secret, stored: &str) -> Code {
        Code(self.key.sign(&[user.as_bytes(), password.expose(), stored.as_bytes()]))
    }

    /// Whether this was found right, not too long ago.
    pub(super) fn holds(&self, code: &Code, now: Mono) -> bool {
        self.with(|entries| entries.until.get(&code.0).is_some_and(|until| now < *until))
    }

    /// Remembers what was found right, in place of the oldest where there is no room.
    pub(super) fn remember(&self, code: Code, now: Mono) {
        self.with(|entries| {
            if entries.until.get(&code.0).is_some_and(|until| now < *until) {
                return;
            }
            let until = now.saturating_add(self.keep);
            entries.until.insert(code.0, until);
            entries.order.push_back((code.0, until));
            if entries.order.len() > self.size
                && let Some((oldest, until)) = entries.order.pop_front()
                && entries.until.get(&oldest) == Some(&until)
            {
                entries.until.remove(&oldest);
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Entries) -> T) -> T {
        // Half an entry is one that is not found, or one that goes early.
        work(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
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

    fn code(cache: &Cache, user: &str, password: &str, stored: &str) -> Code {
        cache.code(user, &Secret::new(password.as_bytes()), stored)
    }

    #[test]
    fn a_code_is_good_for_its_user_password_and_hash_alone() {
        let cache = Cache::new(8, KEEP).unwrap();
        cache.remember(code(&cache, "a", "b", "c"), at(0));
        let check = |user, password, stored, expected| {
            let found = cache.holds(&code(&cache, user, password, stored), at(1));
            assert_eq!(found, expected, "{user} {password} {stored}");
        };
        check("a", "b", "c", true);
        check("b", "b", "c", false);
        check("a", "B", "c", false);
        check("a", "b", "changed", false);
        check("ab", "", "c", false);
        check("", "ab", "c", false);
        let other = Cache::new(8, KEEP).unwrap();
        other.remember(code(&cache, "a", "b", "c"), at(0));
        assert!(!other.holds(&code(&other, "a", "b", "c"), at(1)), "another process, another key");
    }

    #[test]
    fn a_code_is_kept_for_its_time_and_use_does_not_prolong_it() {
        let cache = Cache::new(8, KEEP).unwrap();
        let seen = |now| cache.holds(&code(&cache, "a", "b", "c"), at(now));
        cache.remember(code(&cache, "a", "b", "c"), at(0));
        cache.remember(code(&cache, "a", "b", "c"), at(30));
        assert!(seen(59));
        assert!(!seen(60));
        cache.remember(code(&cache, "a", "b", "c"), at(60));
        assert!(seen(119));
        assert!(!seen(120));
    }

    #[test]
    fn it_never_grows_beyond_its_size() {
        let cache = Cache::new(3, KEEP).unwrap();
        for user in 0..100 {
            cache.remember(code(&cache, &user.to_string(), "b", "c"), at(user / 10));
        }
        // As many steps for each: one in, and at most one out.
        let (held, order) = cache.with(|entries| (entries.until.len(), entries.order.len()));
        assert_eq!((held, order), (3, 3));
        let holds = |user: u64| cache.holds(&code(&cache, &user.to_string(), "b", "c"), at(10));
        assert_eq!((holds(96), holds(97), holds(99)), (false, true, true));
    }
    proptest! {
        /// Against a list that is searched from end to end.
        #[test]
        fn attack_renewals_push_out_nobody_and_search_nothing(
            steps in proptest::collection::vec((0_u8..6, 0_u64..40), 1..200),
            size in 1_usize..5,
        ) {
            let cache = Cache::new(size, KEEP).unwrap();
            let mut plain: Vec<(u8, u64)> = Vec::new();
            let mut now = 0;
            for (user, pause) in steps {
                now += pause;
                let code = || code(&cache, &user.to_string(), "b", "c");
                plain.retain(|(_, until)| now < *until);
                let held = plain.iter().any(|(other, _)| *other == user);
                prop_assert_eq!(cache.holds(&code(), at(now)), held);
                cache.remember(code(), at(now));
                if !held {
                    plain.push((user, now + KEEP.as_secs()));
                }
                if plain.len() > size {
                    plain.remove(0);
                }
                let (until, order) = cache.with(|held| (held.until.len(), held.order.len()));
                prop_assert!(until <= order && order <= size, "{} {}", until, order);
            }
        }
    }
}
