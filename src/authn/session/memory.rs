//! Sessions in memory.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{SessionKey, SessionRecord, SessionStore};
use crate::{
    UnixTime,
    authn::{Answer, StoreError},
};

/// Sessions in memory, for one process and a fixed number of them. A restart ends them all.
/// Clones share everything.
///
/// Those that are over make room for new ones. When it is full of others nobody can log in;
/// nobody's session is dropped for somebody else's.
#[derive(Clone)]
pub struct MemorySessions(Arc<Mutex<Table>>);

struct Table {
    capacity: usize,
    records: HashMap<SessionKey, SessionRecord>,
    /// By when they are over.
    deadlines: BTreeSet<(UnixTime, SessionKey)>,
    /// By user, oldest first.
    users: HashMap<Box<str>, BTreeSet<(UnixTime, SessionKey)>>,
}

impl MemorySessions {
    /// Room for `sessions` sessions.
    #[must_use]
    pub fn new(sessions: usize) -> Self {
        Self(Arc::new(Mutex::new(Table {
            capacity: sessions,
            records: HashMap::new(),
            deadlines: BTreeSet::new(),
            users: HashMap::new(),
        })))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionStore for MemorySessions {
    fn insert(&self, record: SessionRecord, most: usize, now: UnixTime) -> Answer<bool> {
        let mut table = self.table();
        table.sweep(now);
        if table.records.contains_key(record.key()) {
            return Answer::done(false);
        }
        while table.count(record.principal().id()) >= most.max(1) {
            table.remove_oldest(record.principal().id());
        }
        if table.records.len() >= table.capacity {
            return Answer::failed(StoreError);
        }
        table.put(record);
        Answer::done(true)
    }

    fn find(&self, key: &SessionKey) -> Answer<Option<SessionRecord>> {
        Answer::done(self.table().records.get(key).cloned())
    }

    fn update(&self, seen: u64, record: SessionRecord) -> Answer<bool> {
        let mut table = self.table();
        let current = table.records.get(record.key()).is_some_and(|one| one.version() == seen);
        if current {
            table.remove(record.key());
            table.put(record);
        }
        Answer::done(current)
    }

    fn exchange(&self, old: &SessionKey, record: SessionRecord) -> Answer<bool> {
        let mut table = self.table();
        let free = !table.records.contains_key(record.key());
        let exchanged = free && table.remove(old);
        if exchanged {
            table.put(record);
        }
        Answer::done(exchanged)
    }

    fn remove(&self, key: &SessionKey) -> Answer<bool> {
        Answer::done(self.table().remove(key))
    }

    fn of_user(&self, user: &str) -> Answer<Vec<SessionRecord>> {
        let table = self.table();
        let records = table.keys(user).into_iter().filter_map(|key| table.records.get(&key));
        Answer::done(records.cloned().collect())
    }

    fn remove_of_user(&self, user: &str, except: Option<&SessionKey>) -> Answer<usize> {
        let mut table = self.table();
        let keys = table.keys(user).into_iter().filter(|key| Some(key) != except);
        Answer::done(keys.filter(|key| table.remove(key)).count())
    }
}

impl Table {
    fn put(&mut self, record: SessionRecord) {
        let key = *record.key();
        self.deadlines.insert((record.over_at(), key));
        let user = self.users.entry(record.principal().id().into()).or_default();
        user.insert((record.created_at(), key));
        self.records.insert(key, record);
    }

    fn remove(&mut self, key: &SessionKey) -> bool {
        let Some(record) = self.records.remove(key) else { return false };
        self.deadlines.remove(&(record.over_at(), *key));
        let user = record.principal().id();
        if let Some(keys) = self.users.get_mut(user) {
            keys.remove(&(record.created_at(), *key));
            if keys.is_empty() {
                self.users.remove(user);
            }
        }
        true
    }

    fn remove_oldest(&mut self, user: &str) {
        let oldest = self.users.get(user).and_then(|keys| keys.first().copied());
        if let Some((_, key)) = oldest {
            self.remove(&key);
        }
    }

    fn sweep(&mut self, now: UnixTime) {
        while let Some((at, key)) = self.deadlines.first().copied()
            && at <= now
        {
            self.remove(&key);
        }
    }

    fn count(&self, user: &str) -> usize {
        self.users.get(user).map_or(0, BTreeSet::len)
    }

    fn keys(&self, user: &str) -> Vec<SessionKey> {
        self.users.get(user).into_iter().flatten().map(|(_, key)| *key).collect()
    }
}

impl fmt::Debug for MemorySessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySessions").finish_non_exhaustive()
    }
}
