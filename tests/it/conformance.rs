//! The checks of stores: those in memory keep their promises, and each promise that a store
//! breaks is named.

mod credentials;
mod factors;
mod revocations;
mod sessions;

use portcullis::{
    MemoryKeys,
    authn::{
        otp::{MemoryRecovery, MemorySteps},
        password::{MemoryPasswords, PasswordRecord},
        session::MemorySessions,
    },
    testing::{BrokenPromises, StoreChecks},
};

use crate::kit::block_on;

fn checks() -> StoreChecks {
    StoreChecks::new(|future| block_on(future))
}

/// Between a reading and a writing: time for other threads.
fn pause() {
    (0..20).for_each(|_| std::thread::yield_now());
}

/// Whether the store that makes the mistake `fault` is found to, by that name.
#[track_caller]
fn named(fault: &str, result: Result<(), BrokenPromises>) {
    if fault == "none" {
        return assert_eq!(result, Ok(()), "the double itself is right");
    }
    let broken = result.expect_err(fault);
    assert!(broken.iter().any(|one| one.name() == fault), "{fault}: {broken}");
    assert!(broken.to_string().contains(&format!("\n- {fault}: ")), "{broken}");
}

#[test]
fn stores_in_memory_keep_their_promises() {
    let checks = checks();
    assert_eq!(checks.steps(&MemorySteps::new(1_000)), Ok(()));
    assert_eq!(checks.recovery(&MemoryRecovery::new(1_000)), Ok(()));
    assert_eq!(checks.sessions(&MemorySessions::new(10_000)), Ok(()));
    let table = MemoryKeys::new(100);
    let put = |record: portcullis::authn::api_key::KeyRecord| {
        let _ = table.remove(record.id());
        table.insert(record).unwrap();
    };
    assert_eq!(checks.keys(&table, put), Ok(()));
    let users = MemoryPasswords::default();
    let put = |user: &str, hash: &str| {
        users.insert(PasswordRecord::new(user, "u-1", hash).roles(["clerk"])).unwrap();
    };
    assert_eq!(checks.passwords(&users, put, |user| users.remove(user)), Ok(()));
}

#[test]
fn stores_that_wait_are_checked_too() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let handle = runtime.handle().clone();
    let checks = StoreChecks::new(move |future| handle.block_on(future));
    assert_eq!(checks.steps(&factors::Remote(MemorySteps::new(1_000))), Ok(()));
}
