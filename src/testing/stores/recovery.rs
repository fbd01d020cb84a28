//! What stores of recovery codes promise.

use super::{BrokenPromises, Findings, StoreChecks, THREADS, every_time, fresh};
use crate::{
    authn::{
        StoreError,
        otp::{RecoveryHash, RecoveryStore},
    },
    crypto::random,
};

impl StoreChecks {
    /// Checks that every recovery code counts once, and for its own account.
    ///
    /// # Errors
    /// The promises that `store` breaks.
    pub fn recovery(&self, store: &impl RecoveryStore) -> Result<(), BrokenPromises> {
        let mut findings = Findings::default();
        let put = |account: &str, hashes: &[RecoveryHash]| {
            self.ask(|| store.replace(account, hashes.to_vec()))
        };
        let take = |account: &str, hash| self.ask(|| store.take(account, &hash));
        let left = |account: &str| self.ask(|| store.left(account));
        findings.promise("counts", "it miscounts the codes that are left", || {
            let (account, hashes) = (fresh()?, hashes::<3>()?);
            let none = left(&account)? == 0;
            put(&account, &hashes)?;
            let all = left(&account)? == 3;
            let [first, ..] = hashes;
            Ok(none && all && take(&account, first)? == Some(2) && left(&account)? == 2)
        });
        findings.promise("unknown", "it takes a code that it has not", || {
            let (account, [known, other]) = (fresh()?, hashes()?);
            put(&account, &[known])?;
            Ok(take(&account, other)?.is_none() && left(&account)? == 1)
        });
        findings.promise("taken-once", "it takes the same code twice", || {
            let (account, [first, second]) = (fresh()?, hashes()?);
            put(&account, &[first, second])?;
            take(&account, first)?;
            Ok(take(&account, first)?.is_none())
        });
        findings.promise("replaced", "codes count after others took their place", || {
            let (account, [old, new]) = (fresh()?, hashes()?);
            put(&account, &[old])?;
            put(&account, &[new])?;
            Ok(take(&account, old)?.is_none() && take(&account, new)? == Some(0))
        });
        findings.promise("accounts-apart", "one account's codes are another's too", || {
            let (one, other, [first, second]) = (fresh()?, fresh()?, hashes()?);
            put(&one, &[first])?;
            put(&other, &[second])?;
            Ok(take(&one, second)?.is_none() && take(&other, second)? == Some(0))
        });
        findings.promise("taken-once-at-once", "it takes the same code twice at once", || {
            let account = fresh()?;
            every_time(|_| {
                let [only] = hashes()?;
                put(&account, &[only])?;
                let taken = self.race(|_| take(&account, only))?;
                Ok(taken.iter().flatten().count() == 1)
            })
        });
        findings.promise("taken-stays-taken", "codes that are taken at once come back", || {
            let account = fresh()?;
            every_time(|_| {
                let all = hashes::<THREADS>()?;
                put(&account, &all)?;
                let each = |hash: &RecoveryHash| take(&account, *hash);
                self.race(|number| all.get(number).map_or(Ok(None), each))?;
                Ok(left(&account)? == 0)
            })
        });
        findings.end()
    }
}

fn hashes<const N: usize>() -> Result<[RecoveryHash; N], StoreError> {
    let mut hashes = [RecoveryHash::from_bytes([0; 32]); N];
    for hash in &mut hashes {
        *hash = RecoveryHash::from_bytes(random().ok_or(StoreError)?);
    }
    Ok(hashes)
}
