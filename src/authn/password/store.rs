//! Where stored hashes come from.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use super::basic::user_name;
use crate::authn::{Answer, AuthnError};

/// What is known of one user.
#[derive(Clone)]
pub struct PasswordRecord {
    user: String,
    subject: String,
    hash: String,
    roles: Vec<String>,
}

/// Finds users by name. The application's own table stands behind it.
///
/// Names come in lower case ([`str::to_lowercase`]) and without white space around them. Besides
/// that, each spelling is a user of its own. A database may take more of them for one: its
/// collation may ignore accents, width, white space at the end, or the dot of a Turkish `i`.
/// Then a guard that counts by name would count one user under many. So the record says under
/// which name it is stored, and a record of another name than the one asked for is no record.
///
/// - Put the name that the row holds into the record, never the one that was asked for.
/// - Where a user may log in by several names, an address and a nickname, put in the one that
///   was found. To a guard each is an account.
/// - To let callers write more spellings, such as decomposed accents, map names to one form
///   before they are stored, and before they are given to an [`Attempt`](super::Attempt).
pub trait PasswordStore: fmt::Debug + Send + Sync + 'static {
    /// The user of this name; `None` when there is none.
    fn find(&self, user: &str) -> Answer<Option<PasswordRecord>>;

    /// Stores `new`, a stronger hash of the same password, if the user's hash is still `old`.
    /// Whether it does changes no answer; without this, hashes stay as strong as they were made.
    fn renew(&self, user: &str, old: &str, new: &str) -> Answer<()> {
        let _ = (user, old, new);
        Answer::done(())
    }
}

/// Users in memory. Clones share them. It holds as many as are inserted.
///
/// ```
/// use portcullis::authn::password::{MemoryPasswords, PasswordRecord};
///
/// let users = MemoryPasswords::default();
/// users.insert(PasswordRecord::new("Alice", "u-1", "$argon2id$…").roles(["clerk"]))?;
/// assert!(users.insert(PasswordRecord::new("", "u-2", "$argon2id$…")).is_err());
/// # Ok::<(), portcullis::AuthnError>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryPasswords(Arc<RwLock<HashMap<String, PasswordRecord>>>);

impl PasswordRecord {
    /// The user stored under the name `user`, who is `subject` to the rest of the service, with a
    /// stored hash as [`Hasher::hash`](super::Hasher::hash) gives it. The name is that of the
    /// store's own row, not the one that was asked for: see [`PasswordStore`].
    #[must_use]
    pub fn new(
        user: impl Into<String>,
        subject: impl Into<String>,
        hash: impl Into<String>,
    ) -> Self {
        let (user, subject, hash) = (user.into(), subject.into(), hash.into());
        Self { user, subject, hash, roles: Vec::new() }
    }

    /// With the roles the user is granted; replaces any given before.
    #[must_use]
    pub fn roles(mut self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// Who the user is to the rest of the service.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    pub(super) fn granted(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(String::as_str)
    }
}

impl MemoryPasswords {
    /// Adds a user, or replaces the one of that name. Names differ by more than case and white
    /// space around them.
    ///
    /// # Errors
    /// When the name is empty, longer than 256 bytes, or holds a control character.
    pub fn insert(&self, record: PasswordRecord) -> Result<(), AuthnError> {
        let user = user_name(&record.user)?;
        self.with(|users| drop(users.insert(user, record)));
        Ok(())
    }

    /// Removes a user, whose password counts for nothing from now on.
    pub fn remove(&self, user: &str) {
        if let Ok(user) = user_name(user) {
            self.with(|users| drop(users.remove(&user)));
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, PasswordRecord>) -> T) -> T {
        work(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PasswordStore for MemoryPasswords {
    fn find(&self, user: &str) -> Answer<Option<PasswordRecord>> {
        let users = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Answer::done(users.get(user).cloned())
    }

    fn renew(&self, user: &str, old: &str, new: &str) -> Answer<()> {
        self.with(|users| {
            if let Some(record) = users.get_mut(user).filter(|record| record.hash == old) {
                record.hash = new.to_owned();
            }
        });
        Answer::done(())
    }
}

impl fmt::Debug for PasswordRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordRecord")
            .field("user", &self.user)
            .field("subject", &self.subject)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryPasswords").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::store::at_once;

    #[test]
    fn users_are_found_whatever_case_they_were_written_in() {
        let users = MemoryPasswords::default();
        users.insert(PasswordRecord::new("Alice", "u-1", "one")).unwrap();
        users.insert(PasswordRecord::new(" ALICE ", "u-1", "two")).unwrap();
        let hash = |user| at_once(users.find(user)).unwrap().map(|found| found.hash);
        assert_eq!(hash("alice").as_deref(), Some("two"));
        assert_eq!(hash("bob"), None);
        users.remove("aLICE");
        users.remove("nobody");
        assert_eq!(hash("alice"), None);
    }

    #[test]
    fn trap_a_renewal_that_comes_late_overwrites_nothing() {
        let users = MemoryPasswords::default();
        users.insert(PasswordRecord::new("alice", "u-1", "old")).unwrap();
        at_once(users.renew("alice", "old", "new")).unwrap();
        at_once(users.renew("alice", "old", "late")).unwrap();
        at_once(users.renew("bob", "old", "nobody's")).unwrap();
        assert_eq!(at_once(users.find("alice")).unwrap().unwrap().hash, "new");
    }

    #[test]
    fn debug_hides_the_hash() {
        let record = PasswordRecord::new("alice", "u-1", "$argon2id$secret");
        assert!(!format!("{record:?}").contains("secret"));
    }
}
