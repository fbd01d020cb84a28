//! Stores of second factors, right and wrong.

use std::{
    collections::HashMap,
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard},
};

use portcullis::authn::{
    Answer,
    otp::{Advance, MemorySteps, RecoveryHash, RecoveryStore, StepStore},
};

use super::{checks, named, pause};

/// Answers from elsewhere: only within a runtime.
#[derive(Debug)]
pub(super) struct Remote(pub(super) MemorySteps);

impl StepStore for Remote {
    fn advance(&self, account: &str, steps: RangeInclusive<u64>) -> Answer<Advance> {
        let (inner, account) = (self.0.clone(), account.to_owned());
        let asked = tokio::spawn(async move {
            tokio::task::yield_now().await;
            inner.advance(&account, steps).await
        });
        Answer::wait(async { asked.await.unwrap() })
    }
}

/// Makes one mistake.
#[derive(Debug)]
struct Steps {
    fault: &'static str,
    last: Mutex<HashMap<String, u64>>,
}

impl StepStore for Steps {
    fn advance(&self, account: &str, steps: RangeInclusive<u64>) -> Answer<Advance> {
        let (first, step) = steps.into_inner();
        let account = if self.fault == "accounts-apart" { "all" } else { account };
        let mut table = self.last.lock().unwrap();
        let last = table.get(account).copied();
        let taken = match (self.fault, last) {
            ("first-step", None) => step > 0,
            ("used-once", Some(last)) => step >= last,
            ("moves-on", last) => last.is_none(),
            ("never-back", Some(last)) => step != last,
            ("all-or-none", Some(last)) => step > last,
            (_, last) => last.is_none_or(|last| first > last),
        };
        if self.fault.ends_with("-at-once") {
            drop(table);
            pause();
            table = self.last.lock().unwrap();
        }
        if taken {
            table.insert(account.to_owned(), step);
        }
        Answer::done(if taken { Advance::Taken } else { Advance::Used })
    }
}

#[test]
fn steps() {
    for fault in [
        "none",
        "all-or-none",
        "first-step",
        "used-once",
        "moves-on",
        "never-back",
        "accounts-apart",
        "used-once-at-once",
        "never-back-at-once",
    ] {
        named(fault, checks().steps(&Steps { fault, last: Mutex::default() }));
    }
}

/// Makes one mistake.
#[derive(Debug)]
struct Codes {
    fault: &'static str,
    left: Mutex<HashMap<String, Vec<RecoveryHash>>>,
}

impl Codes {
    fn of<'a>(
        &self,
        table: &'a mut MutexGuard<'_, HashMap<String, Vec<RecoveryHash>>>,
        account: &str,
    ) -> &'a mut Vec<RecoveryHash> {
        let account = if self.fault == "accounts-apart" { "all" } else { account };
        table.entry(account.to_owned()).or_default()
    }
}

impl RecoveryStore for Codes {
    fn replace(&self, account: &str, hashes: Vec<RecoveryHash>) -> Answer<()> {
        let mut table = self.left.lock().unwrap();
        let codes = self.of(&mut table, account);
        if !matches!(self.fault, "replaced" | "accounts-apart") {
            codes.clear();
        }
        codes.extend(hashes);
        Answer::done(())
    }

    fn take(&self, account: &str, hash: &RecoveryHash) -> Answer<Option<usize>> {
        let mut table = self.left.lock().unwrap();
        let mut codes = self.of(&mut table, account).clone();
        let found = codes.iter().position(|one| one == hash);
        if self.fault.ends_with("-at-once") || self.fault == "taken-stays-taken" {
            drop(table);
            pause();
            table = self.left.lock().unwrap();
        }
        match (self.fault, found) {
            ("unknown", None) => return Answer::done(codes.pop().map(|_| codes.len())),
            (_, None) => return Answer::done(None),
            ("taken-once", Some(_)) => {}
            ("taken-once-at-once", Some(_)) => {
                self.of(&mut table, account).retain(|one| one != hash);
                codes = self.of(&mut table, account).clone();
            }
            (_, Some(at)) => {
                codes.remove(at);
                *self.of(&mut table, account) = codes.clone();
            }
        }
        Answer::done(Some(codes.len()))
    }

    fn left(&self, account: &str) -> Answer<usize> {
        let mut table = self.left.lock().unwrap();
        let left = self.of(&mut table, account).len();
        Answer::done(if self.fault == "counts" { left.max(1) - 1 } else { left })
    }
}

#[test]
fn recovery_codes() {
    for fault in [
        "none",
        "counts",
        "unknown",
        "taken-once",
        "replaced",
        "accounts-apart",
        "taken-once-at-once",
        "taken-stays-taken",
    ] {
        named(fault, checks().recovery(&Codes { fault, left: Mutex::default() }));
    }
}
