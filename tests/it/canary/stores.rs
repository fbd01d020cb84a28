//! Stores of every kind that can all be switched off at once.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use portcullis::{
    MemoryKeys, UnixTime,
    authn::{
        Answer, StoreError,
        api_key::{KeyId, KeyRecord, KeyStore},
        otp::{Advance, MemoryRecovery, MemorySteps, RecoveryHash, RecoveryStore, StepStore},
        password::{MemoryPasswords, PasswordRecord, PasswordStore},
        session::{MemorySessions, SessionKey, SessionRecord, SessionStore},
    },
};

#[derive(Clone, Debug)]
pub(super) struct Stores {
    pub(super) keys: MemoryKeys,
    pub(super) users: MemoryPasswords,
    pub(super) sessions: MemorySessions,
    pub(super) steps: MemorySteps,
    pub(super) recovery: MemoryRecovery,
    down: Arc<AtomicBool>,
}

impl Stores {
    pub(super) fn new(down: &Arc<AtomicBool>) -> Self {
        Self {
            keys: MemoryKeys::new(10),
            users: MemoryPasswords::default(),
            sessions: MemorySessions::new(10),
            steps: MemorySteps::new(10),
            recovery: MemoryRecovery::new(10),
            down: Arc::clone(down),
        }
    }

    fn up<T>(&self, ask: impl FnOnce() -> Answer<T>) -> Answer<T> {
        if self.down.load(Ordering::Relaxed) { Answer::failed(StoreError) } else { ask() }
    }
}

impl KeyStore for Stores {
    fn look_up(&self, id: KeyId) -> Answer<Option<KeyRecord>> {
        self.up(|| self.keys.look_up(id))
    }
}

impl PasswordStore for Stores {
    fn find(&self, user: &str) -> Answer<Option<PasswordRecord>> {
        self.up(|| self.users.find(user))
    }
}

impl StepStore for Stores {
    fn advance(&self, account: &str, steps: RangeInclusive<u64>) -> Answer<Advance> {
        self.up(|| self.steps.advance(account, steps))
    }
}

impl RecoveryStore for Stores {
    fn replace(&self, account: &str, hashes: Vec<RecoveryHash>) -> Answer<()> {
        self.up(|| self.recovery.replace(account, hashes))
    }

    fn take(&self, account: &str, hash: &RecoveryHash) -> Answer<Option<usize>> {
        self.up(|| self.recovery.take(account, hash))
    }

    fn left(&self, account: &str) -> Answer<usize> {
        self.up(|| self.recovery.left(account))
    }
}

impl SessionStore for Stores {
    fn insert(&self, record: SessionRecord, most: usize, now: UnixTime) -> Answer<bool> {
        self.up(|| self.sessions.insert(record, most, now))
    }

    fn find(&self, key: &SessionKey) -> Answer<Option<SessionRecord>> {
        self.up(|| self.sessions.find(key))
    }

    fn update(&self, seen: u64, record: SessionRecord) -> Answer<bool> {
        self.up(|| self.sessions.update(seen, record))
    }

    fn exchange(&self, old: &SessionKey, record: SessionRecord) -> Answer<bool> {
        self.up(|| self.sessions.exchange(old, record))
    }

    fn remove(&self, key: &SessionKey) -> Answer<bool> {
        self.up(|| self.sessions.remove(key))
    }

    fn of_user(&self, user: &str) -> Answer<Vec<SessionRecord>> {
        self.up(|| self.sessions.of_user(user))
    }

    fn remove_of_user(&self, user: &str, except: Option<&SessionKey>) -> Answer<usize> {
        self.up(|| self.sessions.remove_of_user(user, except))
    }
}
