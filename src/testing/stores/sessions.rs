//! What stores of sessions promise.

use serde_json::json;

use super::{BrokenPromises, Findings, StoreChecks, THREADS, every_time, fresh};
use crate::{
    UnixTime,
    authn::{
        StoreError,
        session::{SessionKey, SessionRecord, SessionStore},
    },
    crypto::random,
};

impl StoreChecks {
    /// Checks that sessions come back whole, end when they end and stay so, and that a user's
    /// list is whole and bounded.
    ///
    /// # Errors
    /// The promises that `store` breaks.
    pub fn sessions(&self, store: &impl SessionStore) -> Result<(), BrokenPromises> {
        let mut findings = Findings::default();
        let table = Table { checks: self, store };
        table.kept(&mut findings);
        table.bounded(&mut findings);
        table.updated(&mut findings);
        table.exchanged(&mut findings);
        table.ended(&mut findings);
        findings.end()
    }
}

struct Table<'a, S> {
    checks: &'a StoreChecks,
    store: &'a S,
}

/// More than any check opens.
const MANY: usize = 100;

impl<S: SessionStore> Table<'_, S> {
    fn kept(&self, findings: &mut Findings) {
        findings.promise("found-whole", "a record comes back changed, or not at all", || {
            let record = session(&fresh()?, 0)?;
            Ok(self.insert(&record, MANY)? && self.is(&record)?)
        });
        findings.promise("unknown", "it finds or changes a session that is not there", || {
            let (gone, other) = (session(&fresh()?, 0)?, session(&fresh()?, 0)?);
            Ok(self.find(&gone)?.is_none()
                && !self.update(1, &gone)?
                && !self.exchange(&gone, &other)?
                && !self.remove(&gone)?
                && self.find(&other)?.is_none())
        });
        findings.promise("key-once", "a second record takes the place of a first", || {
            let (one, other) = (session(&fresh()?, 0)?, session(&fresh()?, 0)?);
            let other = with_key(&other, one.key())?;
            self.insert(&one, MANY)?;
            Ok(!self.insert(&other, MANY)? && self.is(&one)?)
        });
        findings.promise("users-apart", "a user's list is not theirs, or not whole", || {
            let (user, other) = (fresh()?, fresh()?);
            let mine = [session(&user, 0)?, session(&user, 1)?];
            for one in mine.iter().chain([&session(&other, 0)?]) {
                self.insert(one, MANY)?;
            }
            let listed = self.list(&user)?;
            let all = mine.iter().all(|one| listed.iter().any(|found| found.key() == one.key()));
            Ok(all && listed.len() == mine.len())
        });
    }

    fn bounded(&self, findings: &mut Findings) {
        findings.promise("oldest-goes", "of too many sessions not just the oldest goes", || {
            let (user, other) = (fresh()?, session(&fresh()?, 0)?);
            self.insert(&other, MANY)?;
            let (old, mid, new) = (session(&user, 1)?, session(&user, 2)?, session(&user, 3)?);
            for one in [&mid, &old, &new] {
                self.insert(one, 2)?;
            }
            let dropped = self.find(&old)?.is_none();
            Ok(dropped && self.is(&mid)? && self.is(&new)? && self.is(&other)?)
        });
        findings.promise("over-counts-not", "a session that is over drops a living one", || {
            let user = fresh()?;
            let (living, over) = (session(&user, 0)?, over(&session(&user, 1)?)?);
            self.insert(&living, 2)?;
            self.insert(&over, 2)?;
            self.insert(&session(&user, 3)?, 2)?;
            self.is(&living)
        });
        findings.promise("bounded-at-once", "log-ins at once pass a user's bound", || {
            every_time(|_| {
                let user = fresh()?;
                self.checks.race(|_| self.insert(&session(&user, 0)?, 3))?;
                Ok(self.list(&user)?.len() == 3)
            })
        });
    }

    fn updated(&self, findings: &mut Findings) {
        findings.promise("updated-if-unchanged", "an update overwrites another", || {
            let record = session(&fresh()?, 0)?;
            let (second, third) = (with_version(&record, 2)?, with_version(&record, 3)?);
            self.insert(&record, MANY)?;
            let early = self.update(2, &third)?;
            Ok(!early
                && self.is(&record)?
                && self.update(1, &second)?
                && !self.update(1, &third)?
                && self.is(&second)?)
        });
        findings.promise("updated-if-there", "an update brings a session back", || {
            let record = session(&fresh()?, 0)?;
            self.insert(&record, MANY)?;
            self.remove(&record)?;
            let updated = self.update(1, &with_version(&record, 2)?)?;
            Ok(!updated && self.find(&record)?.is_none())
        });
        findings.promise("updated-once-at-once", "several updates of one version win", || {
            every_time(|_| {
                let record = session(&fresh()?, 0)?;
                let next = with_version(&record, 2)?;
                self.insert(&record, MANY)?;
                once(&self.checks.race(|_| self.update(1, &next))?)
            })
        });
    }

    fn exchanged(&self, findings: &mut Findings) {
        findings.promise("exchanged", "an old id counts after its exchange, or none does", || {
            let user = fresh()?;
            let (old, new, third) = (session(&user, 0)?, session(&user, 0)?, session(&user, 0)?);
            self.insert(&old, MANY)?;
            Ok(self.exchange(&old, &new)?
                && self.find(&old)?.is_none()
                && self.is(&new)?
                && !self.exchange(&old, &third)?
                && self.find(&third)?.is_none())
        });
        findings.promise("exchanged-if-free", "an exchange takes another session's key", || {
            let (old, other) = (session(&fresh()?, 0)?, session(&fresh()?, 0)?);
            self.insert(&old, MANY)?;
            self.insert(&other, MANY)?;
            let taken = with_key(&old, other.key())?;
            Ok(!self.exchange(&old, &taken)? && self.is(&old)? && self.is(&other)?)
        });
        findings.promise("exchanged-once-at-once", "one session becomes several", || {
            every_time(|_| {
                let user = fresh()?;
                let old = session(&user, 0)?;
                self.insert(&old, MANY)?;
                let won = self.checks.race(|_| self.exchange(&old, &session(&user, 0)?))?;
                Ok(once(&won)? && self.list(&user)?.len() == 1)
            })
        });
    }

    fn ended(&self, findings: &mut Findings) {
        findings.promise("ended-once", "an ended session goes on, or ends twice", || {
            let record = session(&fresh()?, 0)?;
            self.insert(&record, MANY)?;
            Ok(self.remove(&record)? && self.find(&record)?.is_none() && !self.remove(&record)?)
        });
        findings.promise("ended-everywhere", "not just a user's other sessions end", || {
            let (user, other) = (fresh()?, session(&fresh()?, 0)?);
            let (own, old) = (session(&user, 0)?, session(&user, 1)?);
            for one in [&own, &old, &other] {
                self.insert(one, MANY)?;
            }
            let others = self.end_all(&user, Some(own.key()))?;
            let left = self.is(&own)? && self.find(&old)?.is_none();
            let last = self.end_all(&user, None)?;
            Ok((others, last) == (1, 1)
                && left
                && self.find(&own)?.is_none()
                && self.list(&user)?.is_empty()
                && self.is(&other)?)
        });
        findings.promise("ended-stays-ended", "a request under way brings a session back", || {
            every_time(|_| {
                let record = session(&fresh()?, 0)?;
                let next = with_version(&record, 2)?;
                self.insert(&record, MANY)?;
                self.checks.race(|number| match number == THREADS / 2 {
                    true => self.remove(&record),
                    false => self.update(1, &next),
                })?;
                Ok(self.find(&record)?.is_none())
            })
        });
    }

    fn insert(&self, record: &SessionRecord, most: usize) -> Result<bool, StoreError> {
        self.checks.ask(|| self.store.insert(record.clone(), most, at(NOW)))
    }

    fn find(&self, record: &SessionRecord) -> Result<Option<SessionRecord>, StoreError> {
        self.checks.ask(|| self.store.find(record.key()))
    }

    /// Whether just this record is found.
    fn is(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        let found = self.find(record)?;
        Ok(found
            .is_some_and(|found| found.key() == record.key() && found.encode() == record.encode()))
    }

    fn update(&self, seen: u64, record: &SessionRecord) -> Result<bool, StoreError> {
        self.checks.ask(|| self.store.update(seen, record.clone()))
    }

    fn exchange(&self, old: &SessionRecord, new: &SessionRecord) -> Result<bool, StoreError> {
        self.checks.ask(|| self.store.exchange(old.key(), new.clone()))
    }

    fn remove(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        self.checks.ask(|| self.store.remove(record.key()))
    }

    fn list(&self, user: &str) -> Result<Vec<SessionRecord>, StoreError> {
        self.checks.ask(|| self.store.of_user(&format!("check/{user}")))
    }

    fn end_all(&self, user: &str, except: Option<&SessionKey>) -> Result<usize, StoreError> {
        self.checks.ask(|| self.store.remove_of_user(&format!("check/{user}"), except))
    }
}

fn once(won: &[bool]) -> Result<bool, StoreError> {
    Ok(won.iter().filter(|won| **won).count() == 1)
}

/// When the checks take place: a store that looks at a clock of its own finds all of it to come.
const NOW: u64 = 4_000_000_000;

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(secs)
}

/// A session of a user opened so many seconds after the first ones.
fn session(user: &str, opened: u64) -> Result<SessionRecord, StoreError> {
    let key = SessionKey::from_bytes(random().ok_or(StoreError)?);
    let created = (NOW - 100 + opened) * 1_000;
    let record = json!({
        "format": 1, "realm": "check", "subject": user, "kind": "user", "issuer": null,
        "client": "a \"client\" with ü", "acr": null, "roles": ["clerk"], "scopes": ["orders.read"],
        "attributes": { "floor": -3, "tags": ["x"] }, "factors": [["pwd", created]],
        "created": created, "seen": created, "idle_until": (NOW + 900) * 1_000,
        "ends": (NOW + 9_000) * 1_000, "version": 1,
    });
    SessionRecord::decode(key, &record.to_string()).map_err(|_| StoreError)
}

/// The same, ended by its timeout.
fn over(record: &SessionRecord) -> Result<SessionRecord, StoreError> {
    changed(record, "idle_until", (NOW - 1) * 1_000)
}

fn with_version(record: &SessionRecord, version: u64) -> Result<SessionRecord, StoreError> {
    changed(record, "version", version)
}

fn with_key(record: &SessionRecord, key: &SessionKey) -> Result<SessionRecord, StoreError> {
    let text = record.encode().map_err(|_| StoreError)?;
    SessionRecord::decode(*key, &text).map_err(|_| StoreError)
}

fn changed(record: &SessionRecord, member: &str, to: u64) -> Result<SessionRecord, StoreError> {
    let text = record.encode().map_err(|_| StoreError)?;
    let mut value: serde_json::Value = serde_json::from_str(&text).map_err(|_| StoreError)?;
    if let Some(members) = value.as_object_mut() {
        members.insert(member.to_owned(), to.into());
    }
    SessionRecord::decode(*record.key(), &value.to_string()).map_err(|_| StoreError)
}
