//! Recovery codes in memory.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use super::{RecoveryHash, RecoveryStore};
use crate::authn::{Answer, StoreError};

/// Recovery codes in memory, for one process and a fixed number of accounts: for tests and
/// trials, since a restart loses them. Clones share everything.
///
/// When it is full, accounts that are not in it get no codes; nobody's codes are dropped.
#[derive(Clone)]
pub struct MemoryRecovery {
    capacity: usize,
    codes: Arc<Mutex<HashMap<Box<str>, HashSet<RecoveryHash>>>>,
}

impl MemoryRecovery {
    /// Room for the codes of `accounts` accounts.
    #[must_use]
    pub fn new(accounts: usize) -> Self {
        Self { capacity: accounts, codes: Arc::default() }
    }
}

impl RecoveryStore for MemoryRecovery {
    fn replace(&self, account: &str, hashes: Vec<RecoveryHash>) -> Answer<()> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        if codes.len() >= self.capacity && !codes.contains_key(account) {
            return Answer::failed(StoreError);
        }
        codes.insert(account.into(), hashes.into_iter().collect());
        Answer::done(())
    }

    fn take(&self, account: &str, hash: &RecoveryHash) -> Answer<Option<usize>> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let of_account = codes.get_mut(account);
        Answer::done(of_account.and_then(|codes| codes.remove(hash).then_some(codes.len())))
    }

    fn left(&self, account: &str) -> Answer<usize> {
        let codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        Answer::done(codes.get(account).map_or(0, HashSet::len))
    }
}

impl fmt::Debug for MemoryRecovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRecovery").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::store::at_once;

    #[test]
    fn a_full_store_takes_no_more_accounts_and_drops_nobody() {
        let store = MemoryRecovery::new(1);
        let hash = RecoveryHash::from_bytes([1; 32]);
        assert_eq!(at_once(store.replace("a", vec![hash])), Ok(()));
        assert_eq!(at_once(store.replace("b", vec![hash])), Err(StoreError));
        assert_eq!(at_once(store.replace("a", vec![hash])), Ok(()));
        assert_eq!(at_once(store.take("b", &hash)), Ok(None));
        assert_eq!(at_once(store.take("a", &hash)), Ok(Some(0)));
    }
}
