use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;
use crate::{
    Mono,
    authn::{
        Answer, StoreError,
        password::{Cost, MAX_PASSWORD, MAX_USER, MemoryPasswords},
    },
};

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn at(secs: u64) -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(0))
        .later(Duration::from_secs(secs))
}

fn hasher() -> Hasher {
    let cost = Cost::insecure_new(64, 1, 1).unwrap();
    Hasher::with_threads(1).cost(cost).start().unwrap()
}

fn hash(hasher: &Hasher, password: &str) -> String {
    wait(hasher.hash(&Secret::new(password.as_bytes()))).unwrap()
}

/// Alice with the password `right`, and mallory with a stored hash that is none.
fn service() -> (Passwords, MemoryPasswords, Hasher) {
    let (hasher, users) = (hasher(), MemoryPasswords::default());
    let stored = hash(&hasher, "right");
    users.insert(PasswordRecord::new("alice", "u-1", stored).roles(["clerk"])).unwrap();
    users.insert(PasswordRecord::new("mallory", "u-2", "$argon2id$v=19$")).unwrap();
    (Passwords::new("staff", users.clone(), hasher.clone()), users, hasher)
}

fn basic(passwords: &Passwords, said: &str, now: Now) -> Result<Principal, AuthnError> {
    let value = STANDARD.encode(said);
    match passwords.authenticate(&Credential::Basic(&value), &Facts::default(), now) {
        Step::NotMine => panic!("not mine"),
        Step::Done(result) => result,
        Step::Wait(future) => wait(future),
    }
}

fn login(passwords: &Passwords, user: &str, password: &str) -> Result<Principal, AuthnError> {
    let password = Secret::new(password.as_bytes());
    wait(passwords.verify_password(&Attempt::new(user, &password), at(0)))
}

#[test]
fn who_is_vouched_for() {
    let (passwords, ..) = service();
    let alice = basic(&passwords, "Alice:right", at(0)).unwrap();
    assert_eq!((alice.id(), alice.auth_time()), ("staff/u-1", None));
    assert!(alice.roles().eq(["clerk"]) && alice.amr().eq(["pwd"]));
    let alice = login(&passwords, "ALICE", "right").unwrap();
    assert_eq!((alice.id(), alice.auth_time()), ("staff/u-1", Some(at(0).wall)));
}

#[test]
fn attack_a_record_names_a_role_that_is_not_listed() {
    let (open, users, hasher) = service();
    let record = PasswordRecord::new("root", "u-9", hash(&hasher, "right"));
    users.insert(record.roles(["clerk", "root"])).unwrap();
    let roles = |passwords: &Passwords| {
        let form = login(passwords, "root", "right").unwrap();
        let root = basic(passwords, "root:right", at(0)).unwrap();
        assert!(root.roles().eq(form.roles()));
        root.roles().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(roles(&open), ["clerk", "root"]);
    let listed = open.roles(["manager", "clerk"]);
    assert_eq!(roles(&listed), ["clerk"]);
    assert_eq!(Authenticator::roles(&listed), ["manager", "clerk"]);
    assert_eq!(roles(&listed.roles([""; 0])), [""; 0]);
}

#[test]
fn asvs_6_3_8_every_no_takes_one_hash_on_both_ways_in() {
    let (passwords, _, hasher) = service();
    for user in ["alice", "nobody", "mallory"] {
        let before = hasher.hashes();
        let first = basic(&passwords, &format!("{user}:wrong"), at(0)).unwrap_err();
        let second = login(&passwords, user, "wrong").unwrap_err();
        assert_eq!(
            (first.kind(), second.kind()),
            (AuthnErrorKind::Invalid, AuthnErrorKind::Invalid)
        );
        assert_eq!(hasher.hashes() - before, 2, "{user}");
    }
}

#[test]
fn a_right_password_is_hashed_once_and_a_wrong_one_every_time() {
    let (passwords, _, hasher) = service();
    let hashes = |said: &str, secs| {
        let before = hasher.hashes();
        let found = basic(&passwords, said, at(secs)).is_ok();
        (found, hasher.hashes() - before)
    };
    assert_eq!(hashes("alice:right", 0), (true, 1));
    assert_eq!(hashes("alice:right", 299), (true, 0));
    assert_eq!(hashes("alice:right", 300), (true, 1));
    assert_eq!(hashes("alice:wrong", 300), (false, 1));
    assert_eq!(hashes("alice:wrong", 300), (false, 1));
    let passwords = passwords.without_cache();
    let before = hasher.hashes();
    assert!(basic(&passwords, "alice:right", at(300)).is_ok());
    assert_eq!(hasher.hashes() - before, 1);
}

#[test]
fn trap_a_changed_password_or_a_removed_user_counts_at_once() {
    let (passwords, users, hasher) = service();
    assert!(basic(&passwords, "alice:right", at(0)).is_ok());
    let changed = PasswordRecord::new("alice", "u-1", hash(&hasher, "changed"));
    users.insert(changed).unwrap();
    assert!(basic(&passwords, "alice:right", at(1)).is_err());
    assert!(basic(&passwords, "alice:changed", at(1)).is_ok());
    users.remove("alice");
    assert!(basic(&passwords, "alice:changed", at(2)).is_err());
}

#[test]
fn a_weak_hash_is_renewed_by_the_next_login() {
    let (_, users, weak) = service();
    let cost = Cost::insecure_new(128, 1, 1).unwrap();
    let strong = Hasher::with_threads(1).cost(cost).start().unwrap();
    let passwords = Passwords::new("staff", users.clone(), strong.clone());
    assert!(login(&passwords, "alice", "wrong").is_err());
    let stored = || wait(users.find("alice")).unwrap().unwrap().hash().to_owned();
    let old = stored();
    assert!(login(&passwords, "alice", "right").is_ok());
    assert!(stored() != old && stored().contains("m=128"), "{}", stored());
    let before = strong.hashes();
    assert!(login(&passwords, "alice", "right").is_ok());
    assert_eq!(strong.hashes() - before, 1);
    assert!(login(&Passwords::new("staff", users, weak), "alice", "right").is_err(), "no room");
}

#[test]
fn what_nobody_could_have_said_is_not_hashed() {
    let (passwords, _, hasher) = service();
    let before = hasher.hashes();
    let kind = |said: &str| basic(&passwords, said, at(0)).unwrap_err().kind();
    assert_eq!(kind("alice"), AuthnErrorKind::Malformed);
    assert_eq!(kind("alice\n:right"), AuthnErrorKind::Malformed);
    assert_eq!(kind(&format!("a:{}", "p".repeat(MAX_PASSWORD + 1))), AuthnErrorKind::TooLarge);
    let name = "u".repeat(MAX_USER + 1);
    assert_eq!(login(&passwords, &name, "p").unwrap_err().kind(), AuthnErrorKind::Malformed);
    assert_eq!(hasher.hashes(), before);
    let other = passwords.authenticate(&Credential::Bearer("x"), &Facts::default(), at(0));
    assert!(matches!(other, Step::NotMine));
}

/// A store that cannot be reached.
#[derive(Debug)]
struct Down;

impl PasswordStore for Down {
    fn find(&self, _: &str) -> Answer<Option<PasswordRecord>> {
        Answer::wait(async { Err(StoreError) })
    }
}

#[test]
fn trap_a_store_that_fails_is_not_a_wrong_password() {
    let passwords = Passwords::new("staff", Down, hasher());
    let kind = basic(&passwords, "alice:right", at(0)).unwrap_err().kind();
    assert_eq!(kind, AuthnErrorKind::Unavailable);
}

#[test]
fn attack_too_long_a_password_asks_no_store_and_keys_no_code() {
    let long = |bytes| Secret::new(vec![b'p'; bytes]);
    let kind = |password: &Secret| {
        let passwords = Passwords::new("staff", Down, hasher());
        wait(passwords.verify_password(&Attempt::new("alice", password), at(0))).unwrap_err().kind()
    };
    assert_eq!(kind(&long(MAX_PASSWORD)), AuthnErrorKind::Unavailable, "it is asked");
    assert_eq!(kind(&long(MAX_PASSWORD + 1)), AuthnErrorKind::PasswordTooLong);
    let said = format!("a:{}", "p".repeat(MAX_PASSWORD + 1));
    let refused = basic(&Passwords::new("staff", Down, hasher()), &said, at(0));
    assert_eq!(refused.unwrap_err().kind(), AuthnErrorKind::TooLarge);
}

/// A store that takes every name for alice's, and renews no hash.
#[derive(Debug)]
struct Folding(PasswordRecord);

impl PasswordStore for Folding {
    fn find(&self, _: &str) -> Answer<Option<PasswordRecord>> {
        Answer::done(Some(self.0.clone()))
    }
}

#[test]
fn attack_another_spelling_that_the_store_folds_costs_a_hash_and_proves_nobody() {
    let hasher = hasher();
    let stored = hash(&hasher, "right");
    let store = Folding(PasswordRecord::new("Alice", "u-1", stored));
    let passwords = Passwords::new("staff", store, hasher.clone());
    for (user, detail) in [
        ("alice", "the password is wrong"),
        (" ALICE", "the password is wrong"),
        ("al\u{ed}ce", "the store found another name's user"),
        ("\u{ff41}lice", "the store found another name's user"),
        ("bob", "the store found another name's user"),
    ] {
        let known = detail == "the password is wrong";
        let before = hasher.hashes();
        let wrong = login(&passwords, user, "wrong").unwrap_err();
        assert_eq!((wrong.kind(), wrong.detail()), (AuthnErrorKind::Invalid, detail), "{user}");
        for _ in 0..2 {
            assert_eq!(login(&passwords, user, "right").is_ok(), known, "{user}");
        }
        // Only what is right is remembered.
        assert_eq!(
            hasher.hashes() - before,
            if user == "alice" {
                2
            } else if known {
                1
            } else {
                3
            }
        );
    }
}

#[test]
fn attack_a_weak_hash_that_no_store_renews_costs_two_hashes_once() {
    let weak = hasher();
    let cost = Cost::insecure_new(128, 1, 1).unwrap();
    let strong = Hasher::with_threads(1).cost(cost).start().unwrap();
    let store = Folding(PasswordRecord::new("alice", "u-1", hash(&weak, "right")));
    let passwords = Passwords::new("staff", store, strong.clone());
    for _ in 0..10 {
        assert!(basic(&passwords, "alice:right", at(0)).is_ok());
    }
    assert_eq!(strong.hashes(), 2);
    assert!(basic(&passwords, "alice:right", at(300)).is_ok());
    assert_eq!(strong.hashes(), 4, "another day");
}

#[test]
fn rfc_7617_2_1_the_challenge_asks_for_utf_8() {
    let challenge = service().0.challenge().unwrap().to_string();
    assert_eq!(challenge, r#"Basic realm="staff", charset="UTF-8""#);
}

#[test]
fn set_ups_that_cannot_be() {
    let problems = |realm: &str, users, secs| {
        let passwords = Passwords::new(realm, MemoryPasswords::default(), hasher());
        passwords.cache(users, Duration::from_secs(secs)).problems().len()
    };
    assert_eq!(problems("staff", 1, 3_600), 0);
    assert_eq!(problems("Staff", 0, 1), 2);
    assert_eq!(problems("staff", 1, 3_601), 1);
    assert_eq!(problems("staff", usize::MAX, 1), 1);
}

#[test]
fn debug_hides_everything_secret() {
    let (passwords, users, _) = service();
    let told = format!("{passwords:?} {users:?}");
    assert!(!told.contains("argon2id$") && !told.contains("right"), "{told}");
}
