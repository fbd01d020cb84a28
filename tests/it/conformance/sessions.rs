//! Stores of sessions, right and wrong.

use std::{collections::BTreeMap, sync::Mutex};

use portcullis::{
    UnixTime,
    authn::{
        Answer,
        session::{SessionKey, SessionRecord, SessionStore},
    },
};

use super::{checks, named, pause};

/// Makes one mistake.
#[derive(Debug)]
struct Table {
    fault: &'static str,
    records: Mutex<BTreeMap<SessionKey, SessionRecord>>,
}

impl Table {
    /// One operation: in two halves where that is the mistake.
    fn change<T>(
        &self,
        racy: &str,
        look: impl FnOnce(&BTreeMap<SessionKey, SessionRecord>) -> T,
        then: impl FnOnce(&mut BTreeMap<SessionKey, SessionRecord>, &T),
    ) -> T {
        let mut records = self.records.lock().unwrap();
        let seen = look(&records);
        if self.fault == racy {
            drop(records);
            pause();
            records = self.records.lock().unwrap();
        }
        then(&mut records, &seen);
        seen
    }

    fn is(&self, fault: &str) -> bool {
        self.fault == fault
    }
}

fn of(record: &SessionRecord) -> &str {
    record.principal().id()
}

impl SessionStore for Table {
    fn insert(&self, record: SessionRecord, most: usize, now: UnixTime) -> Answer<bool> {
        let look = |records: &BTreeMap<_, SessionRecord>| {
            let own = records.values().filter(|one| of(one) == of(&record));
            let counted = |one: &&SessionRecord| self.is("over-counts-not") || one.over_at() > now;
            let mut own: Vec<_> = own.filter(counted).cloned().collect();
            own.sort_by_key(SessionRecord::created_at);
            if self.is("oldest-goes") {
                own.reverse();
            }
            let known = records.contains_key(record.key()) && !self.is("key-once");
            (known, own.len().saturating_sub(most.saturating_sub(1)), own)
        };
        let (known, ..) = self.change("bounded-at-once", look, |records, (known, many, own)| {
            if !known {
                own.iter().take(*many).for_each(|one| drop(records.remove(one.key())));
                records.insert(*record.key(), record.clone());
            }
        });
        Answer::done(!known)
    }

    fn find(&self, key: &SessionKey) -> Answer<Option<SessionRecord>> {
        let found = self.records.lock().unwrap().get(key).cloned();
        Answer::done(found.filter(|_| !self.is("found-whole")))
    }

    fn update(&self, seen: u64, record: SessionRecord) -> Answer<bool> {
        let current = |records: &BTreeMap<_, SessionRecord>| match records.get(record.key()) {
            Some(one) => one.version() == seen || self.is("updated-if-unchanged"),
            None => self.is("updated-if-there") || self.is("unknown"),
        };
        let racy =
            if self.is("ended-stays-ended") { "ended-stays-ended" } else { "updated-once-at-once" };
        Answer::done(self.change(racy, current, |records, current| {
            if *current {
                records.insert(*record.key(), record.clone());
            }
        }))
    }

    fn exchange(&self, old: &SessionKey, record: SessionRecord) -> Answer<bool> {
        let look = |records: &BTreeMap<_, SessionRecord>| {
            let free = !records.contains_key(record.key()) || self.is("exchanged-if-free");
            free && records.contains_key(old)
        };
        Answer::done(self.change("exchanged-once-at-once", look, |records, exchanged| {
            if *exchanged {
                if !self.is("exchanged") {
                    records.remove(old);
                }
                records.insert(*record.key(), record.clone());
            }
        }))
    }

    fn remove(&self, key: &SessionKey) -> Answer<bool> {
        let mut records = self.records.lock().unwrap();
        if self.is("ended-once") {
            return Answer::done(records.contains_key(key));
        }
        Answer::done(records.remove(key).is_some())
    }

    fn of_user(&self, user: &str) -> Answer<Vec<SessionRecord>> {
        let records = self.records.lock().unwrap();
        let listed = records.values().filter(|one| self.is("users-apart") || of(one) == user);
        Answer::done(listed.cloned().collect())
    }

    fn remove_of_user(&self, user: &str, except: Option<&SessionKey>) -> Answer<usize> {
        let mut records = self.records.lock().unwrap();
        let before = records.len();
        let except = except.filter(|_| !self.is("ended-everywhere"));
        records.retain(|key, one| of(one) != user || Some(key) == except);
        Answer::done(before - records.len())
    }
}

#[test]
fn sessions() {
    for fault in [
        "none",
        "found-whole",
        "unknown",
        "key-once",
        "users-apart",
        "oldest-goes",
        "over-counts-not",
        "bounded-at-once",
        "updated-if-unchanged",
        "updated-if-there",
        "updated-once-at-once",
        "exchanged",
        "exchanged-if-free",
        "exchanged-once-at-once",
        "ended-once",
        "ended-everywhere",
        "ended-stays-ended",
    ] {
        named(fault, checks().sessions(&Table { fault, records: Mutex::default() }));
    }
}
