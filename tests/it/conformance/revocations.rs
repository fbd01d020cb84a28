//! Lists of revocations, right and wrong.

use std::{collections::HashMap, sync::Mutex};

use portcullis::{
    AuthnError, AuthnErrorKind, UnixTime,
    authn::revocation::{Denylist, Presented, Revocation, Revocations, RevokeError, Target},
};

use super::{checks, named, pause};

type Key = (String, &'static str, String);

/// Makes one mistake.
#[derive(Debug)]
struct List {
    fault: &'static str,
    held: Mutex<HashMap<Key, (UnixTime, UnixTime)>>,
}

impl List {
    fn key(&self, issuer: &str, target: Target<'_>) -> Key {
        let (kind, name) = match target {
            Target::Token(name) => ("token", name),
            Target::Session(name) => ("session", name),
            Target::Subject(name) => ("subject", name),
            Target::Client(name) => ("client", name),
            _ => ("issuer", ""),
        };
        let issuer = if self.fault == "issuers-apart" { "any" } else { issuer };
        (issuer.to_owned(), kind, name.to_owned())
    }
}

impl Revocations for List {
    fn check(&self, presented: &Presented<'_>, now: UnixTime) -> Result<(), AuthnError> {
        let held = self.held.lock().unwrap();
        let refuses = |target| {
            let Some((by, until)) = held.get(&self.key(presented.issuer, target)) else {
                return self.fault == "others-count";
            };
            let issued = presented.issued_at.is_none_or(|at| at <= *by);
            (issued || self.fault == "issued-by") && (now < *until || self.fault == "ends")
        };
        match presented.targets().any(refuses) {
            true => Err(AuthnError::new(AuthnErrorKind::Revoked, "revoked")),
            false => Ok(()),
        }
    }

    fn revoke(&self, revocation: &Revocation<'_>, _: UnixTime) -> Result<bool, RevokeError> {
        if self.fault == "each-is-refused" && matches!(revocation.target, Target::Session(_)) {
            return Ok(true);
        }
        let key = self.key(revocation.issuer, revocation.target);
        let issued_by = revocation.issued_by.unwrap_or(UnixTime::from_millis(u64::MAX));
        let mut term = (issued_by, revocation.until);
        let mut held = self.held.lock().unwrap();
        let old = held.get(&key).copied();
        if self.fault == "new-once-at-once" {
            drop(held);
            pause();
            held = self.held.lock().unwrap();
        }
        if let Some((by, until)) = old.filter(|_| self.fault != "later-holds") {
            term = (by.max(term.0), until.max(term.1));
        }
        held.insert(key, term);
        Ok(old.is_none() || self.fault == "new-once")
    }
}

#[test]
fn revocations() {
    for fault in [
        "none",
        "others-count",
        "each-is-refused",
        "issuers-apart",
        "issued-by",
        "ends",
        "later-holds",
        "new-once",
        "new-once-at-once",
    ] {
        named(fault, checks().revocations(&List { fault, held: Mutex::default() }));
    }
}

#[test]
fn the_denylist_keeps_its_promises() {
    assert_eq!(checks().revocations(&Denylist::new(1_000)), Ok(()));
}
