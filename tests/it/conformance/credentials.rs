//! Stores of keys and of passwords, right and wrong.

use std::{collections::HashMap, sync::Mutex};

use portcullis::authn::{
    Answer,
    api_key::{KeyId, KeyRecord, KeyStore},
    password::{PasswordRecord, PasswordStore},
};

use super::{checks, named, pause};

/// Makes one mistake.
#[derive(Debug)]
struct Keys {
    fault: &'static str,
    table: Mutex<HashMap<String, KeyRecord>>,
    seen: Mutex<HashMap<String, KeyRecord>>,
}

impl Keys {
    fn put(&self, record: KeyRecord) {
        let id = match self.fault {
            "exact" => record.id().as_str().to_lowercase(),
            _ => record.id().as_str().to_owned(),
        };
        self.table.lock().unwrap().insert(id, record);
    }
}

impl KeyStore for Keys {
    fn look_up(&self, id: KeyId) -> Answer<Option<KeyRecord>> {
        let id = match self.fault {
            "exact" => id.as_str().to_lowercase(),
            _ => id.as_str().to_owned(),
        };
        let found = self.table.lock().unwrap().get(&id).cloned();
        let mut seen = self.seen.lock().unwrap();
        Answer::done(match self.fault {
            "found-whole" => None,
            "unknown" => found.or_else(|| {
                let grant = portcullis::KeyGrant::insecure_forever("ghost");
                let keys = portcullis::ApiKeys::new("k", "a_b", portcullis::MemoryKeys::new(0));
                let new = keys.issue(grant, portcullis::UnixTime::from_secs(1)).unwrap();
                Some(new.record().clone())
            }),
            "revoked-at-once" | "rotated-at-once" => {
                found.map(|found| seen.entry(id).or_insert(found).clone())
            }
            _ => found,
        })
    }
}

#[test]
fn keys() {
    for fault in ["none", "unknown", "found-whole", "exact", "revoked-at-once", "rotated-at-once"] {
        let store = Keys { fault, table: Mutex::default(), seen: Mutex::default() };
        named(fault, checks().keys(&store, |record| store.put(record)));
    }
}

/// Makes one mistake.
#[derive(Debug)]
struct Users {
    fault: &'static str,
    table: Mutex<HashMap<String, (String, &'static str)>>,
    seen: Mutex<HashMap<String, PasswordRecord>>,
}

impl Users {
    fn put(&self, user: &str, hash: &str) {
        self.table.lock().unwrap().insert(user.to_owned(), (hash.to_owned(), "clerk"));
    }

    fn remove(&self, user: &str) {
        self.table.lock().unwrap().remove(user);
    }
}

impl PasswordStore for Users {
    fn find(&self, user: &str) -> Answer<Option<PasswordRecord>> {
        let table = self.table.lock().unwrap();
        // As a collation that ignores accents does, under the name that was asked for.
        let folded = (self.fault == "exact").then(|| user.replace('\u{e9}', "e"));
        let found = table.get(folded.as_deref().unwrap_or(user)).map(|(hash, role)| {
            let cut = if self.fault == "found-whole" { 1 } else { 0 };
            let hash = hash.get(..hash.len() - cut).unwrap();
            PasswordRecord::new(user, "u-1", hash).roles([*role])
        });
        let mut seen = self.seen.lock().unwrap();
        if let Some(found) = &found {
            seen.entry(user.to_owned()).or_insert(found.clone());
        }
        Answer::done(match self.fault {
            "unknown" => found.or_else(|| Some(PasswordRecord::new(user, "u-0", "$argon2id$"))),
            "changed-at-once" => found.and(seen.get(user).cloned()),
            "removed-at-once" => found.or(seen.get(user).cloned()),
            _ => found,
        })
    }

    fn renew(&self, user: &str, old: &str, new: &str) -> Answer<()> {
        let mut table = self.table.lock().unwrap();
        let unchanged = table.get(user).is_some_and(|(hash, _)| hash == old);
        if self.fault == "renewed-at-once" {
            drop(table);
            pause();
            table = self.table.lock().unwrap();
        }
        let role = if self.fault == "renewed-whole" { "nobody" } else { "clerk" };
        let known = table.contains_key(user);
        if unchanged
            || (self.fault == "renewed-if-unchanged" && known)
            || (self.fault == "renewed-if-there" && !known)
        {
            table.insert(user.to_owned(), (new.to_owned(), role));
        }
        Answer::done(())
    }
}

#[test]
fn passwords() {
    for fault in [
        "none",
        "unknown",
        "found-whole",
        "exact",
        "changed-at-once",
        "removed-at-once",
        "renewed-whole",
        "renewed-if-unchanged",
        "renewed-if-there",
        "renewed-at-once",
    ] {
        let store = Users { fault, table: Mutex::default(), seen: Mutex::default() };
        let put = |user: &str, hash: &str| store.put(user, hash);
        named(fault, checks().passwords(&store, put, |user| store.remove(user)));
    }
}
