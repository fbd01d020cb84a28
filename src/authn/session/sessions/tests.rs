use std::{collections::HashMap, sync::Mutex};

use proptest::prelude::*;

use super::*;
use crate::{
    Mono,
    authn::{
        Answer,
        session::{Factor, MemorySessions, SessionStore},
        store::at_once,
    },
};

const START: u64 = 1_700_000_000;

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(START + secs)
}

fn user(name: &str) -> Principal {
    Principal::assertion("staff", name).roles(["clerk"]).finish().unwrap()
}

fn sessions(capacity: usize) -> Sessions {
    Sessions::new("staff", MemorySessions::new(capacity))
}

fn open(sessions: &Sessions, name: &str, secs: u64) -> NewSession {
    at_once(sessions.open(&user(name), [Factor::new("pwd", at(secs))], at(secs))).unwrap()
}

fn id(new: &NewSession) -> String {
    let text = new.set_cookie().expose().strip_prefix("__Host-session=").unwrap();
    text.split(';').next().unwrap().to_owned()
}

fn step(sessions: &Sessions, id: &str, secs: u64) -> Step {
    let now = Now::new(at(secs), Mono::from_nanos(0));
    sessions.authenticate(&Credential::Session(id), &Facts::default(), now)
}

fn take(sessions: &Sessions, id: &str, secs: u64) -> Result<Principal, AuthnErrorKind> {
    let Step::Done(result) = step(sessions, id, secs) else { panic!("it waits") };
    result.map_err(AuthnError::kind)
}

fn lives(sessions: &Sessions, id: &str, secs: u64) -> bool {
    take(sessions, id, secs).is_ok()
}

#[test]
fn a_session_gives_back_its_principal() {
    let sessions = sessions(10);
    let new = open(&sessions, "alice", 0);
    let alice = take(&sessions, &id(&new), 1).unwrap();
    assert_eq!(alice.id(), "staff/alice");
    assert!(alice.roles().eq(["clerk"]) && alice.amr().eq(["pwd"]));
    assert_eq!(alice.auth_time(), Some(at(0)));
    assert_eq!(SessionKey::of(&alice), Some(*new.record().key()));
}

#[test]
fn both_timeouts_hold_on_the_server() {
    let sessions = sessions(10);
    let alice = id(&open(&sessions, "alice", 0));
    assert!(lives(&sessions, &alice, 1799));
    assert!(lives(&sessions, &alice, 1799 + 1799));
    assert!(!lives(&sessions, &alice, 1799 + 1799 + 1800));

    let bob = id(&open(&sessions, "bob", 0));
    let day = 12 * 60 * 60;
    assert!((0..day).step_by(900).all(|secs| lives(&sessions, &bob, secs)));
    assert!(lives(&sessions, &bob, day - 1) && !lives(&sessions, &bob, day));
}

#[test]
fn attack_a_session_outlives_the_principal_it_was_opened_for() {
    let sessions = sessions(10);
    let until = |secs| Principal::assertion("staff", "alice").expires_at(at(secs));
    let open = |secs, now| {
        let principal = until(secs).finish().unwrap();
        at_once(sessions.open(&principal, [], at(now))).map_err(AuthnError::kind)
    };
    let alice = open(100, 0).unwrap();
    assert_eq!(alice.record().over_at(), at(100));
    assert!(lives(&sessions, &id(&alice), 99) && !lives(&sessions, &id(&alice), 100));
    assert_eq!(open(100, 100).unwrap_err(), AuthnErrorKind::Expired);
    let day = 12 * 60 * 60;
    let long = open(2 * day, 0).unwrap();
    assert!((0..day).step_by(900).all(|secs| lives(&sessions, &id(&long), secs)));
    assert!(!lives(&sessions, &id(&long), day), "its own end comes first");

    let renew = |new: &NewSession, secs, now| {
        let principal = until(secs).finish().unwrap();
        at_once(sessions.renew(new.record().key(), &principal, [], at(now)))
    };
    let first = open(1_000, 0).unwrap();
    let later = renew(&first, 5_000, 10).unwrap();
    assert_eq!(later.record().principal().expires_at(), Some(at(1_000)), "no later end");
    let sooner = renew(&later, 500, 20).unwrap();
    assert_eq!(sooner.record().principal().expires_at(), Some(at(500)));
    let expired = renew(&sooner, 30, 30).unwrap_err();
    assert_eq!(expired.kind(), AuthnErrorKind::Expired);
    assert!(lives(&sessions, &id(&sooner), 499) && !lives(&sessions, &id(&sooner), 500));
}

#[test]
fn timeouts_made_shorter_count_at_once() {
    let long = sessions(10);
    let alice = id(&open(&long, "alice", 0));
    let short = long.clone().idle(Duration::from_secs(60));
    assert!(lives(&long, &alice, 30) && !lives(&short, &alice, 90));
}

#[test]
fn attack_the_clock_goes_back() {
    let sessions = sessions(10);
    let alice = id(&open(&sessions, "alice", 0));
    assert!(!lives(&sessions, &alice, 1800));
    assert!(!lives(&sessions, &alice, 10), "over is over");
    let bob = id(&open(&sessions, "bob", 1000));
    assert!(lives(&sessions, &bob, 0));
    assert!(!lives(&sessions, &bob, 2800), "an earlier request gains no time");
}

#[test]
fn attack_the_clock_leaps_a_year_ahead_and_comes_back() {
    let sessions = sessions(10);
    let [seen, unseen] = ["alice", "bob"].map(|name| id(&open(&sessions, name, 0)));
    let year = 365 * 24 * 60 * 60;
    assert!(!lives(&sessions, &seen, year));
    assert!(!lives(&sessions, &seen, 1), "over is over");
    let leapt = id(&open(&sessions, "carol", year));
    assert!(!lives(&sessions, &unseen, 1), "a log-in then swept it away");
    assert!(lives(&sessions, &leapt, 1) && !lives(&sessions, &leapt, year + 1800));
    let Step::Done(before_1970) = sessions.authenticate(
        &Credential::Session(&leapt),
        &Facts::default(),
        Now::new(UnixTime::from_secs(0), Mono::from_nanos(0)),
    ) else {
        panic!("it waits")
    };
    assert!(before_1970.is_err(), "it is over by now");
}

#[test]
fn touches_are_a_minute_apart() {
    let sessions = sessions(10);
    let new = open(&sessions, "alice", 0);
    let version = || at_once(sessions.store.find(new.record().key())).unwrap().unwrap().version();
    for (secs, expected) in [(0, 1), (59, 1), (60, 2), (61, 2), (119, 2), (120, 3)] {
        assert!(lives(&sessions, &id(&new), secs));
        assert_eq!(version(), expected, "{secs}");
    }
}

#[test]
fn a_renewed_session_has_a_new_id_more_factors_and_the_old_end() {
    let sessions = sessions(10);
    let old = open(&sessions, "alice", 0);
    let again = [Factor::new("otp", at(600)), Factor::new("pwd", at(1))];
    let new = at_once(sessions.renew(old.record().key(), &user("alice"), again, at(600))).unwrap();
    assert_ne!(id(&new), id(&old));
    assert!(!lives(&sessions, &id(&old), 601));
    let alice = take(&sessions, &id(&new), 601).unwrap();
    assert!(alice.amr().eq(["pwd", "otp"]));
    assert_eq!(alice.auth_time(), Some(at(600)));
    assert_eq!(alice.expires_at(), Some(at(12 * 60 * 60)));
    assert_eq!(new.record().factors()[0], Factor::new("pwd", at(1)));
}

#[test]
fn attack_a_session_is_renewed_for_somebody_else() {
    let sessions = sessions(10);
    let alice = open(&sessions, "alice", 0);
    let key = alice.record().key();
    let renew = |who: &Principal| at_once(sessions.renew(key, who, [], at(1)));
    assert_eq!(renew(&user("mallory")).unwrap_err().kind(), AuthnErrorKind::Invalid);
    let foreign = Principal::assertion("partners", "alice").finish().unwrap();
    assert_eq!(renew(&foreign).unwrap_err().kind(), AuthnErrorKind::Invalid);
    let opened = at_once(sessions.open(&foreign, [], at(1)));
    assert_eq!(opened.unwrap_err().kind(), AuthnErrorKind::Invalid);
    assert!(lives(&sessions, &id(&alice), 2));
}

#[test]
fn one_store_of_two_realms_gives_each_its_own() {
    let store = MemorySessions::new(10);
    let (staff, partners) =
        (Sessions::new("staff", store.clone()), Sessions::new("partners", store));
    let alice = id(&open(&staff, "alice", 0));
    assert_eq!(take(&partners, &alice, 1), Err(AuthnErrorKind::SessionOver));
    assert!(lives(&staff, &alice, 1));
}

#[test]
fn sessions_are_listed_and_ended() {
    let sessions = sessions(10);
    let [one, two, three] = [0, 1, 2].map(|secs| open(&sessions, "alice", secs));
    let bob = open(&sessions, "bob", 0);
    let listed = |secs| {
        let records = at_once(sessions.list("staff/alice", at(secs))).unwrap();
        records.iter().map(|record| *record.key()).collect::<Vec<_>>()
    };
    let key = |new: &NewSession| *new.record().key();
    assert_eq!(listed(3), [key(&one), key(&two), key(&three)]);
    assert_eq!(listed(1801), [key(&three)]);

    assert_eq!(at_once(sessions.end("staff/bob", &key(&one))), Ok(false));
    assert!(lives(&sessions, &id(&one), 3));
    assert_eq!(at_once(sessions.end("staff/alice", &key(&one))), Ok(true));
    assert!(!lives(&sessions, &id(&one), 3));
    assert_eq!(at_once(sessions.end_others("staff/alice", &key(&two))), Ok(1));
    assert_eq!(listed(3), [key(&two)]);
    assert_eq!(at_once(sessions.end_all("staff/alice")), Ok(1));
    assert!(!lives(&sessions, &id(&two), 3) && lives(&sessions, &id(&bob), 3));
}

#[test]
fn a_user_has_so_many_sessions_and_the_oldest_goes() {
    let sessions = sessions(10).most_per_user(2);
    let [one, two, three] = [0, 1, 2].map(|secs| id(&open(&sessions, "alice", secs)));
    let bob = id(&open(&sessions, "bob", 3));
    assert!(!lives(&sessions, &one, 4));
    assert!([two, three, bob].iter().all(|id| lives(&sessions, id, 4)));
}

#[test]
fn attack_a_full_store_drops_nobody() {
    let sessions = sessions(2);
    let [one, two] = ["a", "b"].map(|name| id(&open(&sessions, name, 0)));
    let refused = at_once(sessions.open(&user("c"), [], at(1))).unwrap_err();
    assert_eq!(refused.kind(), AuthnErrorKind::Unavailable);
    assert!(lives(&sessions, &one, 2) && lives(&sessions, &two, 2));
    let late = open(&sessions, "c", 1802);
    assert!(lives(&sessions, &id(&late), 1803), "those that are over make room");
}

#[test]
fn attack_a_request_under_way_revives_an_ended_session() {
    let sessions = sessions(10);
    let new = open(&sessions, "alice", 0);
    let key = *new.record().key();
    let read = at_once(sessions.store.find(&key)).unwrap().unwrap();
    assert_eq!(at_once(sessions.end_all("staff/alice")), Ok(1));
    let touched = read.touched(at(60), Duration::from_secs(1800));
    assert_eq!(at_once(sessions.store.update(1, touched)), Ok(false));
    assert!(!lives(&sessions, &id(&new), 61));
    let renewed = at_once(sessions.renew(&key, &user("alice"), [], at(61)));
    assert_eq!(renewed.unwrap_err().kind(), AuthnErrorKind::SessionOver);
}

#[test]
fn of_two_changes_to_one_version_one_counts() {
    let sessions = sessions(10);
    let new = open(&sessions, "alice", 0);
    let key = *new.record().key();
    let touched = |secs| new.record().touched(at(secs), Duration::from_secs(1800));
    let update = |seen, record| at_once(sessions.store.update(seen, record)).unwrap();
    assert!(!update(2, touched(70)), "a version yet to come");
    assert!(update(1, touched(60)));
    assert!(!update(1, touched(50)), "a version that is gone");
    let kept = at_once(sessions.store.find(&key)).unwrap().unwrap();
    assert_eq!((kept.version(), kept.seen_at(), kept.over_at()), (2, at(60), at(1860)));
}

#[test]
fn handlers_of_any_runtime_can_await_them() {
    fn sent<T>(future: impl Future<Output = T> + Send) -> T {
        at_once(future)
    }
    let sessions = sessions(10);
    let pwd = || [Factor::new("pwd", at(0))];
    let new = sent(sessions.open(&user("alice"), pwd(), at(0))).unwrap();
    let key = *new.record().key();
    let new = sent(sessions.renew(&key, &user("alice"), pwd(), at(0))).unwrap();
    assert_eq!(sent(sessions.list("staff/alice", at(0))).unwrap().len(), 1);
    assert_eq!(sent(sessions.end("staff/alice", new.record().key())), Ok(true));
}

#[test]
fn of_two_renewals_one_wins() {
    let sessions = sessions(10);
    let old = open(&sessions, "alice", 0);
    let key = *old.record().key();
    let start = std::sync::Barrier::new(16);
    let race = || {
        start.wait();
        at_once(sessions.renew(&key, &user("alice"), [], at(1))).is_ok()
    };
    let won: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(race)).collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    assert_eq!(at_once(sessions.list("staff/alice", at(2))).unwrap().len(), 1);
}

#[test]
fn an_id_that_is_taken_is_not_taken_over() {
    let store = MemorySessions::new(10);
    let sessions = Sessions::new("staff", store.clone());
    let alice = open(&sessions, "alice", 0);
    let mallory =
        SessionRecord::new(*alice.record().key(), &user("mallory"), &[], alice.record().times)
            .unwrap();
    assert_eq!(at_once(store.insert(mallory.clone(), 16, at(1))), Ok(false));
    let other = open(&sessions, "mallory", 1);
    assert_eq!(at_once(store.exchange(other.record().key(), mallory)), Ok(false));
    assert_eq!(take(&sessions, &id(&alice), 2).unwrap().id(), "staff/alice");
    assert_eq!(take(&sessions, &id(&other), 2).unwrap().id(), "staff/mallory");
}

/// A store that answers after a while, or never well.
#[derive(Debug)]
struct Remote {
    inner: MemorySessions,
    down: Mutex<bool>,
}

impl Remote {
    fn answer<T: Send + 'static>(&self, answer: Answer<T>) -> Answer<T> {
        if *self.down.lock().unwrap() {
            return Answer::failed(StoreError);
        }
        Answer::wait(async {
            let mut waited = false;
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            answer.await
        })
    }
}

impl SessionStore for Arc<Remote> {
    fn insert(&self, record: SessionRecord, most: usize, now: UnixTime) -> Answer<bool> {
        self.answer(self.inner.insert(record, most, now))
    }
    fn find(&self, key: &SessionKey) -> Answer<Option<SessionRecord>> {
        self.answer(self.inner.find(key))
    }
    fn update(&self, seen: u64, record: SessionRecord) -> Answer<bool> {
        self.answer(self.inner.update(seen, record))
    }
    fn exchange(&self, old: &SessionKey, record: SessionRecord) -> Answer<bool> {
        self.answer(self.inner.exchange(old, record))
    }
    fn remove(&self, key: &SessionKey) -> Answer<bool> {
        self.answer(self.inner.remove(key))
    }
    fn of_user(&self, user: &str) -> Answer<Vec<SessionRecord>> {
        self.answer(self.inner.of_user(user))
    }
    fn remove_of_user(&self, user: &str, except: Option<&SessionKey>) -> Answer<usize> {
        self.answer(self.inner.remove_of_user(user, except))
    }
}

#[test]
fn a_store_elsewhere_is_waited_for_and_its_failure_is_no_wrong_credential() {
    let remote = Arc::new(Remote { inner: MemorySessions::new(10), down: Mutex::new(false) });
    let near = Sessions::new("staff", remote.inner.clone());
    let far = Sessions::new("staff", Arc::clone(&remote));
    let alice = id(&open(&near, "alice", 0));
    let Step::Wait(lookup) = step(&far, &alice, 60) else { panic!("it did not wait") };
    let mut lookup = std::pin::pin!(lookup);
    let mut context = Context::from_waker(Waker::noop());
    let found = (0..10).find_map(|_| match lookup.as_mut().poll(&mut context) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    });
    assert_eq!(found.unwrap().unwrap().id(), "staff/alice");

    *remote.down.lock().unwrap() = true;
    assert_eq!(take(&far, &alice, 61), Err(AuthnErrorKind::Unavailable));
    let opened = at_once(far.open(&user("bob"), [], at(1)));
    assert_eq!(opened.unwrap_err().kind(), AuthnErrorKind::Unavailable);
    let ended = at_once(far.end_all("staff/alice"));
    assert_eq!(ended.unwrap_err().kind(), AuthnErrorKind::Unavailable);
}

#[test]
fn a_wrong_set_up_is_listed_and_opens_nothing() {
    let wrong = Sessions::new("Staff", MemorySessions::new(1))
        .cookie("id")
        .idle(Duration::from_secs(1))
        .absolute(Duration::ZERO)
        .most_per_user(0);
    assert_eq!(Authenticator::problems(&wrong).len(), 5);
    let opened = at_once(wrong.open(&user("alice"), [], at(0)));
    assert_eq!(opened.unwrap_err().kind(), AuthnErrorKind::Unavailable);
    assert_eq!(Authenticator::problems(&sessions(1)), Vec::<String>::new());
}

#[test]
fn debug_shows_no_id() {
    let sessions = sessions(10);
    let new = open(&sessions, "alice", 0);
    let told = format!("{new:?} {sessions:?} {:?}", step(&sessions, &id(&new), 1));
    assert!(!told.contains(&id(&new)), "{told}");
}

#[derive(Clone, Debug)]
enum Act {
    Open(u8),
    Renew(usize),
    End(usize),
    EndAll(u8),
    EndOthers(usize),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..3_u8).prop_map(Act::Open),
        any::<usize>().prop_map(Act::Renew),
        any::<usize>().prop_map(Act::End),
        (0..3_u8).prop_map(Act::EndAll),
        any::<usize>().prop_map(Act::EndOthers),
        (1..3000_u64).prop_map(Act::Pass),
    ]
}

/// What is known to go on: by id, whose, its key, when created and when last seen.
#[derive(Default)]
struct Model(HashMap<String, (String, SessionKey, u64, u64)>);

impl Model {
    fn nth(&self, index: usize) -> Option<(String, String, SessionKey)> {
        let mut ids: Vec<_> = self.0.keys().cloned().collect();
        ids.sort();
        let id = ids.get(index.checked_rem(ids.len())?)?;
        self.0.get(id).map(|(user, key, ..)| (id.clone(), user.clone(), *key))
    }
}

proptest! {
    /// Fixation: whatever happens, an id that the server did not give out proves nobody, and one
    /// that it did proves its user until it is renewed, ended or timed out.
    #[test]
    fn attack_an_id_of_the_attacker_s_choice(
        acts in proptest::collection::vec(act(), 0..40),
        chosen in "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]",
    ) {
        let sessions = sessions(100);
        let (mut model, mut given, mut now) = (Model::default(), vec![chosen], 0);
        for act in acts {
            match act {
                Act::Open(user) => {
                    let new = open(&sessions, &user.to_string(), now);
                    let name = format!("staff/{user}");
                    model.0.insert(id(&new), (name, *new.record().key(), now, now));
                    given.push(id(&new));
                }
                Act::Renew(index) => if let Some((old, name, key)) = model.nth(index) {
                    let who = user(name.strip_prefix("staff/").unwrap());
                    let new = at_once(sessions.renew(&key, &who, [], at(now))).unwrap();
                    let (name, _, created, _) = model.0.remove(&old).unwrap();
                    model.0.insert(id(&new), (name, *new.record().key(), created, now));
                    given.push(id(&new));
                },
                Act::End(index) => if let Some((old, name, key)) = model.nth(index) {
                    prop_assert_eq!(at_once(sessions.end(&name, &key)), Ok(true));
                    model.0.remove(&old);
                },
                Act::EndAll(user) => {
                    let name = format!("staff/{user}");
                    at_once(sessions.end_all(&name)).unwrap();
                    model.0.retain(|_, (user, ..)| *user != name);
                }
                Act::EndOthers(index) => if let Some((kept, name, key)) = model.nth(index) {
                    at_once(sessions.end_others(&name, &key)).unwrap();
                    model.0.retain(|id, (user, ..)| *user != name || *id == kept);
                },
                Act::Pass(secs) => now += secs,
            }
            model.0.retain(|_, (_, _, created, seen)| {
                now < *seen + 1800 && now < *created + 12 * 60 * 60
            });
            for id in &given {
                let expected = model.0.get_mut(id).map(|(user, _, _, seen)| {
                    if now >= *seen + 60 {
                        *seen = now;
                    }
                    user.clone()
                });
                let found = take(&sessions, id, now).ok().map(|who| who.id().to_owned());
                prop_assert_eq!(found, expected);
            }
        }
    }
}
