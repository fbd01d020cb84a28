//! What stores of passwords promise.

use super::{BrokenPromises, Findings, StoreChecks, every_time, fresh};
use crate::{
    Mono, Now, Principal, Secret, UnixTime,
    authn::{
        Answer, StoreError,
        password::{Attempt, Cost, Hasher, PasswordRecord, PasswordStore, Passwords},
    },
};

impl StoreChecks {
    /// Checks that what is changed counts at once, that no record is told under another spelling
    /// of its name, and that a late renewal undoes no change.
    /// `put` gives a user, whose name is in lower case, this stored hash, and makes the user
    /// where there is none; `remove` removes one.
    ///
    /// # Errors
    /// The promises that `store` breaks.
    pub fn passwords(
        &self,
        store: &impl PasswordStore,
        put: impl Fn(&str, &str) + Sync,
        remove: impl Fn(&str) + Sync,
    ) -> Result<(), BrokenPromises> {
        let mut findings = Findings::default();
        match self.hashed() {
            None => findings.promise("hashed", "no hasher could be started", || Ok(false)),
            Some(hashed) => {
                let (put, remove) = (&put, &remove);
                let table = Table { checks: self, hashed, store, put, remove };
                table.changed(&mut findings);
                table.renewed(&mut findings);
            }
        }
        findings.end()
    }

    fn hashed(&self) -> Option<Hashed> {
        let cost = Cost::insecure_new(64, 1, 1).ok()?;
        let hasher = Hasher::with_threads(1).cost(cost).start().ok()?;
        let hash = |which: Which| self.finish(hasher.hash(&which.password()))?.ok();
        let (old, new, late) = (hash(Which::Old)?, hash(Which::New)?, hash(Which::Late)?);
        Some(Hashed { hasher, old, new, late })
    }
}

struct Table<'a> {
    checks: &'a StoreChecks,
    hashed: Hashed,
    store: &'a dyn PasswordStore,
    put: &'a (dyn Fn(&str, &str) + Sync),
    remove: &'a (dyn Fn(&str) + Sync),
}

impl Table<'_> {
    fn changed(&self, findings: &mut Findings) {
        findings.promise("unknown", "it finds a user who is not there", || {
            Ok(self.find(&fresh()?)?.is_none())
        });
        findings.promise("found-whole", "a hash comes back changed, or not at all", || {
            let user = fresh()?;
            self.set(&user, Which::Old);
            self.has(&user, Which::Old)
        });
        findings.promise("exact", "it takes another spelling of a name for the same", || {
            let user = fresh()?;
            self.set(&user, Which::Old);
            for spelt in ["\u{e9}", "\u{ff45}", "e\u{301}", "e\u{ad}"] {
                if self.has(&user.replacen('e', spelt, 1), Which::Old)? {
                    return Ok(false);
                }
            }
            Ok(true)
        });
        findings.promise("changed-at-once", "an old password counts for a while", || {
            let user = fresh()?;
            self.set(&user, Which::Old);
            self.find(&user)?;
            self.set(&user, Which::New);
            self.has(&user, Which::New)
        });
        findings.promise("removed-at-once", "a removed user counts for a while", || {
            let user = fresh()?;
            self.set(&user, Which::Old);
            self.find(&user)?;
            (self.remove)(&user);
            Ok(self.find(&user)?.is_none())
        });
    }

    fn renewed(&self, findings: &mut Findings) {
        findings.promise("renewed-whole", "a renewal changes more than the hash", || {
            let user = fresh()?;
            self.set(&user, Which::Old);
            let before = self.login(&user, Which::Old)?;
            self.renew(&user, Which::Old, Which::New)?;
            let after = [self.login(&user, Which::Old)?, self.login(&user, Which::New)?];
            Ok(before.is_some() && after.contains(&before))
        });
        findings.promise("renewed-if-unchanged", "a renewal overwrites another hash", || {
            let user = fresh()?;
            self.set(&user, Which::New);
            self.renew(&user, Which::Old, Which::Late)?;
            self.has(&user, Which::New)
        });
        findings.promise("renewed-if-there", "a renewal brings a user back", || {
            let user = fresh()?;
            self.set(&user, Which::Old);
            (self.remove)(&user);
            self.renew(&user, Which::Old, Which::Late)?;
            Ok(self.find(&user)?.is_none())
        });
        findings.promise("renewed-at-once", "a slow renewal undoes a change", || {
            let user = fresh()?;
            every_time(|_| {
                self.set(&user, Which::Old);
                self.checks.race(|number| {
                    if number > 0 {
                        return self.renew(&user, Which::Old, Which::Late);
                    }
                    self.set(&user, Which::New);
                    Ok(())
                })?;
                self.has(&user, Which::New)
            })
        });
    }

    fn set(&self, user: &str, which: Which) {
        (self.put)(user, self.hashed.hash(which));
    }

    fn find(&self, user: &str) -> Result<Option<PasswordRecord>, StoreError> {
        self.checks.ask(|| self.store.find(user))
    }

    fn renew(&self, user: &str, old: Which, new: Which) -> Result<(), StoreError> {
        let (old, new) = (self.hashed.hash(old), self.hashed.hash(new));
        self.checks.ask(|| self.store.renew(user, old, new))
    }

    fn has(&self, user: &str, which: Which) -> Result<bool, StoreError> {
        Ok(self.login(user, which)?.is_some())
    }

    /// Who the user is with this password, and their roles.
    fn login(&self, user: &str, which: Which) -> Result<Option<(String, Vec<String>)>, StoreError> {
        let Some(record) = self.find(user)? else { return Ok(None) };
        let passwords = Passwords::new("check", Fixed(record), self.hashed.hasher.clone());
        let now = Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(0));
        let password = which.password();
        let attempt = Attempt::new(user, &password);
        let result = self.checks.finish(passwords.verify_password(&attempt, now));
        let who = |user: Principal| {
            (user.subject().to_owned(), user.roles().map(str::to_owned).collect())
        };
        Ok(result.and_then(Result::ok).map(who))
    }
}

/// The passwords that a user has in turn.
#[derive(Clone, Copy)]
enum Which {
    Old,
    New,
    Late,
}

struct Hashed {
    hasher: Hasher,
    old: String,
    new: String,
    late: String,
}

impl Which {
    fn password(self) -> Secret {
        Secret::new(match self {
            Self::Old => *b"check-old",
            Self::New => *b"check-new",
            Self::Late => *b"check-lat",
        })
    }
}

impl Hashed {
    fn hash(&self, which: Which) -> &str {
        match which {
            Which::Old => &self.old,
            Which::New => &self.new,
            Which::Late => &self.late,
        }
    }
}

/// A user who was found.
#[derive(Debug)]
struct Fixed(PasswordRecord);

impl PasswordStore for Fixed {
    fn find(&self, _: &str) -> Answer<Option<PasswordRecord>> {
        Answer::done(Some(self.0.clone()))
    }
}
