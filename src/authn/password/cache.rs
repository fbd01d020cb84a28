//! Passwords that were found right a moment ago, without the passwords.

use std::time::Duration;

use crate::{
    Mono, Secret,
    authn::kept::{self, Kept},
    crypto::MacKey,
};

/// Remembers right passwords for a time, as codes under a key of this process alone.
///
/// A code covers the stored hash too, so one for a hash that was replaced is never asked for
/// again. Only what was right gets in: guesses can neither fill it nor drive anything out.
pub(super) struct Cache {
    key: MacKey,
    right: Kept<()>,
}

/// What a code is over: user, password, stored hash.
pub(super) struct Code(kept::Code);

impl Cache {
    /// Room for `size` codes, each kept for `keep`; `None` when the system has no random bytes.
    pub(super) fn new(size: usize, keep: Duration) -> Option<Self> {
        Some(Self { key: MacKey::random()?, right: Kept::new(size, keep) })
    }

    pub(super) fn code(&self, user: &str, password: &Secret, stored: &str) -> Code {
        Code(self.key.sign(&[user.as_bytes(), password.expose(), stored.as_bytes()]))
    }

    /// Whether this was found right, not too long ago.
    pub(super) fn holds(&self, code: &Code, now: Mono) -> bool {
        self.right.find(&code.0, now).is_some()
    }

    /// Remembers what was found right, in place of the oldest where there is no room.
    pub(super) fn remember(&self, code: Code, now: Mono) {
        self.right.keep(code.0, (), now);
    }
}

#[cfg(test)]
mod tests {
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
}
