//! The rules of keys, and the attacks on them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use proptest::prelude::*;

use super::*;
use crate::{
    Authenticator as _, Credential, Facts, Kind, Mono, Now, Principal, Source, Step, UnixTime,
    authn::{Answer, StoreError},
};

const START: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(START + secs)
}

fn grant() -> KeyGrant {
    KeyGrant::until("acme", at(90 * DAY))
}

/// A table with one key in it.
fn service(grant: KeyGrant) -> (ApiKeys, MemoryKeys, NewKey) {
    let table = MemoryKeys::new(10);
    let keys = ApiKeys::new("keys", "orders_live", table.clone());
    let new = keys.issue(grant, at(0)).unwrap();
    table.insert(new.record().clone()).unwrap();
    (keys, table, new)
}

fn answer(step: Step) -> Result<Principal, AuthnError> {
    match step {
        Step::Done(result) => result,
        Step::Wait(mut lookup) => {
            let Poll::Ready(result) = lookup.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            else {
                panic!("the stores of these tests are ready")
            };
            result
        }
        Step::NotMine => panic!("not taken"),
    }
}

fn ask_from(
    keys: &ApiKeys,
    text: &str,
    client: Option<&str>,
    now: UnixTime,
) -> Result<Principal, AuthnError> {
    let client = client.map(|client| client.parse().unwrap());
    let facts = Facts { client, ..Facts::default() };
    let now = Now::new(now, Mono::from_nanos(0));
    answer(keys.authenticate(&Credential::Bearer(text), &facts, now))
}

fn ask(keys: &ApiKeys, text: &str, secs: u64) -> Result<Principal, AuthnError> {
    ask_from(keys, text, Some("192.0.2.7"), at(secs))
}

#[track_caller]
fn refused(result: Result<Principal, AuthnError>, kind: AuthnErrorKind, detail: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.detail()), (kind, detail));
}

/// Another key of the same service, in no store.
fn stranger(keys: &ApiKeys) -> NewKey {
    keys.issue(grant(), at(0)).unwrap()
}

fn renamed(record: &KeyRecord, id: KeyId) -> KeyRecord {
    KeyRecord(Arc::new(record::Kept { id, ..(*record.0).clone() }))
}

/// The id of one key with the secret of another, and a checksum that fits.
fn mixed(keys: &ApiKeys, id: KeyId) -> String {
    let renamed = renamed(stranger(keys).record(), id);
    keys.rotate(&renamed, at(0)).unwrap().expose().to_owned()
}

#[test]
fn a_key_proves_what_its_grant_says() {
    let grant =
        grant().kind(Kind::Device).roles(["clerk"]).scopes(["orders.read"]).purpose("export");
    let (keys, _, new) = service(grant);
    let acme = ask(&keys, new.expose(), 1).unwrap();
    assert_eq!((acme.id(), acme.kind()), ("keys/acme", Kind::Device));
    assert_eq!(acme.credential_id(), Some(new.record().id().as_str()));
    assert!(acme.roles().eq(["clerk"]));
    assert!(acme.scopes().unwrap().eq(["orders.read"]));
    assert_eq!(acme.expires_at(), Some(at(90 * DAY)));
    assert_eq!((new.record().owner(), new.record().purpose()), ("acme", "export"));
    assert_eq!(new.record().created_at(), at(0));

    let (keys, _, new) = service(KeyGrant::insecure_forever("acme"));
    let acme = ask(&keys, new.expose(), 1_000_000 * DAY).unwrap();
    assert_eq!((acme.roles().count(), acme.expires_at()), (0, None));
    assert!(acme.scopes().is_none());
}

#[test]
fn time_ends_a_key_in_the_millisecond_said() {
    let (keys, _, new) = service(grant());
    let over = at(90 * DAY);
    ask_from(&keys, new.expose(), None, over.saturating_sub(Duration::from_millis(1))).unwrap();
    let late = ask_from(&keys, new.expose(), None, over);
    refused(late, AuthnErrorKind::Expired, "the key's time is over");
}

#[test]
fn revocation_counts_at_once_and_whatever_the_clock_says() {
    let (keys, table, new) = service(grant());
    ask(&keys, new.expose(), 10).unwrap();
    table.revoke(new.record().id(), at(10)).unwrap();
    for secs in [0, 9, 10, 11] {
        refused(ask(&keys, new.expose(), secs), AuthnErrorKind::Revoked, "the key was revoked");
    }
    table.revoke(new.record().id(), at(20)).unwrap();
    let kept = table.find(new.record().id()).unwrap();
    assert_eq!(kept.revoked_at(), Some(at(10)), "the first time stays");
    assert_eq!(keys.rotate(&kept, at(99)).unwrap_err(), IssueError::Revoked);
}

#[test]
fn two_secrets_live_while_a_key_is_rotated() {
    let (keys, table, first) = service(grant());
    let second = keys.rotate(first.record(), at(100)).unwrap();
    assert_eq!(second.record().id(), first.record().id());
    table.replace(second.record().clone()).unwrap();

    assert_eq!(ask(&keys, first.expose(), 99).unwrap().expires_at(), Some(at(100)));
    assert_eq!(ask(&keys, second.expose(), 99).unwrap().expires_at(), Some(at(90 * DAY)));
    let replaced = "the secret was replaced and its time is over";
    refused(ask(&keys, first.expose(), 100), AuthnErrorKind::Expired, replaced);
    ask(&keys, second.expose(), 100).unwrap();

    // A third secret ends the first one, whose time would have been longer.
    let third = keys.rotate(second.record(), at(50)).unwrap();
    table.replace(third.record().clone()).unwrap();
    let gone = ask(&keys, first.expose(), 40);
    refused(gone, AuthnErrorKind::Invalid, "the secret is not the key's");
    ask(&keys, second.expose(), 49).unwrap();
    refused(ask(&keys, second.expose(), 50), AuthnErrorKind::Expired, replaced);
}

#[test]
fn attack_a_rotation_that_undoes_a_revocation() {
    let (keys, table, new) = service(grant());
    let rotated = keys.rotate(&table.find(new.record().id()).unwrap(), at(100)).unwrap();
    table.revoke(new.record().id(), at(1)).unwrap();
    assert_eq!(table.replace(rotated.record().clone()), Err(MemoryKeysError::Revoked));
    refused(
        ask(&keys, rotated.expose(), 2),
        AuthnErrorKind::Invalid,
        "the secret is not the key's",
    );
    refused(ask(&keys, new.expose(), 2), AuthnErrorKind::Revoked, "the key was revoked");
}

#[test]
fn keys_bound_to_addresses() {
    let ranges =
        |ranges: &[&str]| -> Vec<_> { ranges.iter().map(|range| range.parse().unwrap()).collect() };
    let check = |allowed: &[&str], client: Option<&str>, expected: Option<&str>| {
        let (keys, _, new) = service(grant().allowed_from(ranges(allowed)));
        let found = ask_from(&keys, new.expose(), client, at(1)).err();
        assert_eq!(found.map(AuthnError::detail), expected, "{client:?} of {allowed:?}");
        assert!(found.is_none_or(|error| error.kind() == AuthnErrorKind::Invalid));
    };
    let elsewhere = Some("the key is not for the client's address");
    check(&["192.0.2.0/24"], Some("192.0.2.255"), None);
    check(&["192.0.2.0/24"], Some("::ffff:192.0.2.1"), None);
    check(&["192.0.2.0/24", "2001:db8::/32"], Some("2001:db8::1"), None);
    check(&["192.0.2.0/24"], Some("192.0.3.0"), elsewhere);
    check(&["192.0.2.0/24"], Some("2001:db8::1"), elsewhere);
    check(&["192.0.2.0/24"], None, Some("the key is bound to addresses and the request has none"));
    check(&[], Some("192.0.2.1"), elsewhere);
}

/// Counts what is asked of it, and answers after waiting.
#[derive(Clone, Debug)]
struct Counting {
    table: MemoryKeys,
    looked_up: Arc<AtomicUsize>,
    used: Arc<Mutex<Vec<(KeyId, UnixTime)>>>,
}

impl KeyStore for Counting {
    fn look_up(&self, id: KeyId) -> Answer<Option<KeyRecord>> {
        self.looked_up.fetch_add(1, Ordering::Relaxed);
        let found = self.table.find(id);
        Answer::wait(async move { Ok(found) })
    }

    fn used(&self, id: KeyId, at: UnixTime) {
        self.used.lock().unwrap().push((id, at));
    }
}

fn counting(table: MemoryKeys) -> (ApiKeys, Counting) {
    let store = Counting { table, looked_up: Arc::default(), used: Arc::default() };
    (ApiKeys::new("keys", "orders_live", store.clone()), store)
}

#[test]
fn attack_looking_for_ids_that_exist() {
    let (keys, table, new) = service(grant());
    let (keys, store) = {
        drop(keys);
        counting(table)
    };
    let (unknown, wrong) = (stranger(&keys), mixed(&keys, new.record().id()));
    let unknown = ask(&keys, unknown.expose(), 1).unwrap_err();
    let wrong = ask(&keys, &wrong, 1).unwrap_err();
    assert_eq!((unknown.kind(), wrong.kind()), (AuthnErrorKind::Invalid, AuthnErrorKind::Invalid));
    assert_eq!(store.looked_up.load(Ordering::Relaxed), 2);

    // As many comparisons for no key, for one with one secret and for one with two.
    let rotated = keys.rotate(new.record(), at(9)).unwrap();
    for found in [None, Some(new.record()), Some(rotated.record())] {
        let kept = found.map(|record| &*record.0);
        for (current, previous) in [(false, false), (false, true), (true, false)] {
            let mut answers = [current, previous].into_iter();
            let secret = check::presented(kept, |_| answers.next().unwrap());
            assert_eq!(answers.next(), None, "two comparisons");
            assert_eq!(secret.is_some(), current || previous);
        }
    }
    let compared = |hash: [u8; 32]| {
        check::presented(Some(&*rotated.record().0), |kept| *kept.as_bytes() == hash)
            .map(|secret| secret.until)
    };
    assert_eq!(compared(*rotated.record().0.current.hash.as_bytes()), Some(None));
    assert_eq!(compared(*new.record().0.current.hash.as_bytes()), Some(Some(at(9))));
    assert_eq!(compared([7; 32]), None);
}

#[test]
fn attack_a_wrong_secret_learns_nothing_of_the_key() {
    let (keys, table, new) = service(grant().allowed_from([]));
    let wrong = mixed(&keys, new.record().id());
    table.revoke(new.record().id(), at(0)).unwrap();
    let result = ask(&keys, &wrong, 100 * DAY);
    refused(result, AuthnErrorKind::Invalid, "the secret is not the key's");
}

#[test]
fn attack_mistyped_keys_that_reach_the_store() {
    let (_, table, new) = service(grant());
    let (keys, store) = counting(table);
    let mut mistyped = new.expose().to_owned();
    let last = mistyped.pop().unwrap();
    mistyped.push(if last == '0' { '1' } else { '0' });
    let wrong = "the checksum does not fit: the key was mistyped or made up";
    refused(ask(&keys, &mistyped, 1), AuthnErrorKind::Malformed, wrong);
    assert_eq!(store.looked_up.load(Ordering::Relaxed), 0);
    assert_eq!(keys.key_id(&mistyped), None);
    assert_eq!(keys.key_id(new.expose()), Some(new.record().id()));
}

#[test]
fn uses_are_written_once_a_minute_and_only_those_that_counted() {
    let (_, table, new) = service(grant());
    let (keys, store) = counting(table.clone());
    let id = new.record().id();
    ask(&keys, &mixed(&keys, id), 1).unwrap_err();
    assert_eq!(table.find(id).unwrap().last_used(), None);
    for secs in [1, 2, 60, 61, 90, 121] {
        ask(&keys, new.expose(), secs).unwrap();
    }
    assert_eq!(*store.used.lock().unwrap(), [(id, at(1)), (id, at(61)), (id, at(121))]);
    assert_eq!(table.find(id).unwrap().last_used(), Some(at(121)));
    // What is noted while a record is being replaced is not lost with the old one.
    let rotated = keys.rotate(&table.find(id).unwrap(), at(1_000)).unwrap();
    ask(&keys, new.expose(), 500).unwrap();
    assert_eq!(rotated.record().last_used(), Some(at(500)));
}

/// Answers with the same thing for every id.
#[derive(Debug)]
struct Fixed(Result<Option<KeyRecord>, StoreError>);

impl KeyStore for Fixed {
    fn look_up(&self, _: KeyId) -> Answer<Option<KeyRecord>> {
        self.0.clone().map_or_else(Answer::failed, Answer::done)
    }
}

#[test]
fn attack_a_store_that_answers_with_the_key_of_another() {
    let (keys, _, new) = service(grant());
    let other = stranger(&keys);
    // The record of another id, though with the very secret that is presented.
    let record = renamed(new.record(), other.record().id());
    let keys = ApiKeys::new("keys", "orders_live", Fixed(Ok(Some(record))));
    refused(ask(&keys, new.expose(), 1), AuthnErrorKind::Invalid, "no key has this id");
}

#[test]
fn attack_a_record_that_names_a_role_outside_the_list() {
    let (open, table, new) = service(grant().roles(["clerk", "root"]));
    let roles = |keys: &ApiKeys| {
        let acme = ask(keys, new.expose(), 1).unwrap();
        acme.roles().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(roles(&open), ["clerk", "root"]);
    let listed = ApiKeys::new("keys", "orders_live", table).roles(["manager", "clerk"]);
    assert_eq!(roles(&listed), ["clerk"]);
    assert_eq!(roles(&listed.clone().roles([""; 0])), [""; 0]);
    let told = crate::Authenticator::roles(&listed);
    assert_eq!(told, ["manager", "clerk"], "what a gate holds against its policies");

    let refused = listed.issue(grant().roles(["clerk", "Clerk"]), at(0)).unwrap_err();
    assert_eq!(refused, IssueError::Role { role: "Clerk".to_owned() });
    assert!(listed.issue(grant().roles(["clerk"]), at(0)).is_ok());
}

#[test]
fn a_store_that_fails_is_unavailable_and_never_a_wrong_key() {
    let keys = ApiKeys::new("keys", "orders_live", Fixed(Err(StoreError)));
    let new = stranger(&keys);
    let result = ask(&keys, new.expose(), 1);
    refused(result, AuthnErrorKind::Unavailable, "the key store cannot answer");
}

#[test]
fn other_credentials_are_left_to_others() {
    let (keys, _, new) = service(grant());
    let (facts, now) = (Facts::default(), Now::new(at(1), Mono::from_nanos(0)));
    let taken = |keys: &ApiKeys, credential: Credential<'_>| {
        !matches!(keys.authenticate(&credential, &facts, now), Step::NotMine)
    };
    assert!(taken(&keys, Credential::Bearer(new.expose())));
    for text in ["eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "orders_test_x", "orders_livex", "orders_live"] {
        assert!(!taken(&keys, Credential::Bearer(text)), "{text}");
    }
    assert!(!taken(&keys, Credential::Basic(new.expose())));
    assert!(!taken(&keys, Credential::Session(new.expose())));
    assert!(!taken(&keys, Credential::Certificate(new.expose().as_bytes())));
    assert!(!taken(&keys, Credential::Other { scheme: "ApiKey", value: new.expose() }));

    assert!(keys.sources().is_empty());
    assert!(
        !taken(&keys, Credential::ApiKey(new.expose())),
        "a header counts only where asked for"
    );
    let keys = keys.header("x-api-key");
    assert_eq!(keys.sources(), [Source::ApiKeyHeader("x-api-key")]);
    assert!(taken(&keys, Credential::ApiKey(new.expose())));
    assert!(taken(&keys, Credential::Bearer(new.expose())));
}

#[test]
fn a_set_up_that_is_wrong_lets_nobody_in() {
    let keys = |realm: &str, prefix: &str| ApiKeys::new(realm, prefix, MemoryKeys::new(1));
    let check = |keys: &ApiKeys, expected: usize| {
        assert_eq!(keys.problems().len(), expected, "{:?}", keys.problems());
        let issued = keys.issue(grant(), at(0)).err();
        assert_eq!(issued, (expected > 0).then_some(IssueError::SetUp));
    };
    check(&keys("keys", "orders_live"), 0);
    check(&keys("Keys", "orders"), 2);
    check(&keys("keys", "orders_live").header("x-api-key"), 0);
    for header in ["", "x api", "Authorization", "cookie"] {
        check(&keys("keys", "orders_live").header(header), 1);
    }
    // What has the form of a key is refused all the same, not handed on.
    let (_, table, new) = service(grant());
    let keys = ApiKeys::new("No Realm", "orders_live", table);
    let detail = "the verifier is not set up: see its problems";
    refused(ask(&keys, new.expose(), 1), AuthnErrorKind::Unavailable, detail);
}

#[test]
fn keys_that_could_never_be_used_are_not_issued() {
    let (keys, _, _) = service(grant());
    let check = |grant: KeyGrant, expected: IssueError| {
        assert_eq!(keys.issue(grant, at(10)).unwrap_err(), expected);
    };
    check(KeyGrant::until("acme", at(10)), IssueError::Expired);
    check(KeyGrant::until("", at(11)), IssueError::Owner);
    check(KeyGrant::until("ac\nme", at(11)), IssueError::Owner);
}

#[test]
fn a_table_holds_what_it_may() {
    let (keys, _, first) = service(grant());
    let (second, third) = (stranger(&keys), stranger(&keys));
    let table = MemoryKeys::new(2);
    table.insert(first.record().clone()).unwrap();
    table.insert(second.record().clone()).unwrap();
    assert_eq!(table.insert(first.record().clone()), Err(MemoryKeysError::Known));
    assert_eq!(table.insert(third.record().clone()), Err(MemoryKeysError::Full));
    assert_eq!(table.replace(third.record().clone()), Err(MemoryKeysError::Unknown));
    assert_eq!(table.revoke(third.record().id(), at(0)), Err(MemoryKeysError::Unknown));
    let ids: Vec<_> = table.list().iter().map(|record| record.id()).collect();
    assert!(ids.len() == 2 && ids.is_sorted());
    assert!(table.remove(first.record().id()).is_some());
    assert!(table.remove(first.record().id()).is_none());
    table.insert(third.record().clone()).unwrap();
}

#[test]
fn no_secret_and_no_hash_is_ever_printed() {
    let (keys, table, new) = service(grant());
    let rotated = keys.rotate(new.record(), at(9)).unwrap();
    table.replace(rotated.record().clone()).unwrap();
    let wrong = mixed(&keys, new.record().id());
    let step = keys.authenticate(
        &Credential::Bearer(new.expose()),
        &Facts::default(),
        Now::new(at(1), Mono::from_nanos(0)),
    );
    let shown = format!(
        "{keys:?} {table:?} {new:?} {rotated:?} {step:?} {:?} {:#?} {:?}",
        ask(&keys, &wrong, 1),
        table.list(),
        table.look_up(new.record().id()),
    );
    assert!(shown.contains(new.record().id().as_str()), "the id may be shown");
    assert_eq!(format!("{table:?}"), "MemoryKeys(1 of 10)");
    let json = rotated.record().to_json();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let hash = json["secret_sha256"].as_str().unwrap();
    for text in [new.expose(), rotated.expose(), &wrong] {
        let start = "orders_live_".len() + 12;
        let secret = text.get(start..start + 30).unwrap();
        assert!(!shown.contains(secret) && !json.to_string().contains(secret));
    }
    let bytes = rotated.record().0.current.hash.as_bytes();
    assert!(!shown.contains(hash) && !shown.contains(&format!("{bytes:?}")));
}

#[derive(Clone, Debug)]
enum Change {
    Rotate { old_for: u64 },
    Revoke,
    Wait { secs: u64 },
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => (0_u64..200).prop_map(|old_for| Change::Rotate { old_for }),
        1 => Just(Change::Revoke),
        4 => (0_u64..200).prop_map(|secs| Change::Wait { secs }),
    ];
    proptest::collection::vec(change, 0..12)
}

proptest! {
    /// At every moment those secrets count, and no others: the newest, and the one before it
    /// until its time; none once the key is revoked or expired.
    #[test]
    fn at_most_two_secrets_live_whatever_happens(changes in changes()) {
        let lifetime = 600;
        let (keys, table, new) = service(KeyGrant::until("acme", at(lifetime)));
        let id = new.record().id();
        let mut now = 0;
        let mut revoked = false;
        let mut ends = vec![(new.expose().to_owned(), lifetime)];
        for change in changes {
            match change {
                Change::Wait { secs } => now += secs,
                Change::Revoke => {
                    table.revoke(id, at(now)).unwrap();
                    revoked = true;
                }
                Change::Rotate { old_for } => {
                    let rotated = keys.rotate(&table.find(id).unwrap(), at(now + old_for));
                    prop_assert_eq!(rotated.is_err(), revoked);
                    if let Ok(rotated) = rotated {
                        table.replace(rotated.record().clone()).unwrap();
                        for (_, end) in ends.iter_mut().rev().skip(1) {
                            *end = 0;
                        }
                        let newest = ends.last_mut().unwrap();
                        newest.1 = lifetime.min(now + old_for);
                        ends.push((rotated.expose().to_owned(), lifetime));
                    }
                }
            }
            for (text, end) in &ends {
                let expected = !revoked && now < *end;
                prop_assert_eq!(ask(&keys, text, now).is_ok(), expected, "{} of {:?}", now, end);
            }
        }
    }
}
