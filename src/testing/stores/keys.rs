//! What stores of API keys promise.

use super::{BrokenPromises, Findings, StoreChecks, fresh};
use crate::{
    UnixTime,
    authn::{
        StoreError,
        api_key::{ApiKeys, KeyGrant, KeyId, KeyRecord, KeyStore, MemoryKeys},
    },
};

impl StoreChecks {
    /// Checks that records come back whole, and that what is changed counts at once. `put` adds
    /// a record to the store, or replaces the one of its id.
    ///
    /// # Errors
    /// The promises that `store` breaks.
    pub fn keys(
        &self,
        store: &impl KeyStore,
        put: impl Fn(KeyRecord),
    ) -> Result<(), BrokenPromises> {
        let mut findings = Findings::default();
        let find = |id| self.ask(|| store.look_up(id));
        let is = |record: &KeyRecord| {
            Ok(find(record.id())?.is_some_and(|found| found.to_json() == record.to_json()))
        };
        findings.promise("unknown", "it finds a key that is not there", || {
            Ok(find(issue()?.id())?.is_none())
        });
        findings.promise("found-whole", "a record comes back changed, or not at all", || {
            let record = issue()?;
            put(record.clone());
            is(&record)
        });
        findings.promise("exact", "it takes ids for the same that differ in case", || {
            let record = issue()?;
            put(record.clone());
            Ok(find(other_case(record.id())?)?.is_none())
        });
        findings.promise("revoked-at-once", "a revoked key counts for a while", || {
            let mut record = issue()?;
            put(record.clone());
            find(record.id())?;
            record.revoke(AT);
            put(record.clone());
            Ok(find(record.id())?.is_some_and(|found| found.revoked_at().is_some()))
        });
        findings.promise("rotated-at-once", "a replaced secret counts for a while", || {
            let record = issue()?;
            put(record.clone());
            find(record.id())?;
            let rotated = keys().rotate(&record, AT).map_err(|_| StoreError)?;
            put(rotated.record().clone());
            is(rotated.record())
        });
        findings.end()
    }
}

const AT: UnixTime = UnixTime::from_secs(1_800_000_000);

fn keys() -> ApiKeys {
    ApiKeys::new("check", "check_test", MemoryKeys::new(0))
}

/// The record of a new key, with something in every place.
fn issue() -> Result<KeyRecord, StoreError> {
    let ranges = ["192.0.2.0/24", "2001:db8::/32"].into_iter().filter_map(|net| net.parse().ok());
    let grant = KeyGrant::insecure_forever(fresh()?)
        .roles(["clerk", "a \"role\" with ü"])
        .scopes(["orders.read"])
        .allowed_from(ranges)
        .purpose("a check\nof stores");
    Ok(keys().issue(grant, AT).map_err(|_| StoreError)?.record().clone())
}

/// The id with every letter in the other case.
fn other_case(id: KeyId) -> Result<KeyId, StoreError> {
    let swap = |letter: char| match letter.is_ascii_lowercase() {
        true => letter.to_ascii_uppercase(),
        false => letter.to_ascii_lowercase(),
    };
    id.as_str().chars().map(swap).collect::<String>().parse().map_err(|_| StoreError)
}
