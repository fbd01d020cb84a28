//! Guessing passwords against a guarded gate and a guarded login form.

use std::{
    future::pending,
    net::IpAddr,
    pin::pin,
    task::{Context, Waker},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis::{
    Admission, AuthnError, AuthnErrorKind, Caller, Claim, Credential, Facts, Gate, Mono, Now,
    Principal, Reason, Refusal, Routes, Secret, UnixTime,
    audit::{EventName, JsonLines, Sink},
    authn::{
        Answer, StoreError,
        password::{
            Attempt, Cost, Hasher, MemoryPasswords, PasswordRecord, PasswordStore, Passwords,
        },
    },
    gate::{ChallengeCheck, GuardedPasswords, Outcome},
    limit::{LoginGuard, LoginGuardBuilder},
    testing::Recorder,
};

use crate::{
    kit::{block_on, only, reason},
    page::Page,
};

fn at(secs: u64) -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
        .later(std::time::Duration::from_secs(secs))
}

fn hasher() -> Hasher {
    let cost = Cost::insecure_new(64, 1, 1).unwrap();
    Hasher::with_threads(1).cost(cost).queue(64).start().unwrap()
}

/// The logins of alice, whose password is `right`.
fn logins(hasher: &Hasher, guard: LoginGuardBuilder) -> GuardedPasswords {
    let users = MemoryPasswords::default();
    let stored = block_on(hasher.hash(&Secret::new(*b"right"))).unwrap();
    users.insert(PasswordRecord::new("alice", "alice", stored)).unwrap();
    let passwords = Passwords::new("staff", users, hasher.clone());
    GuardedPasswords::new(passwords, guard.start().unwrap())
}

fn gate(logins: GuardedPasswords, log: &Recorder) -> Gate {
    let routes = Routes::new().authenticated("GET", "/me");
    Gate::builder().authenticate(logins).routes(routes).audit(log.clone()).build().unwrap()
}

fn admit(gate: &Gate, said: &str, peer: &str, now: Now) -> Admission {
    let mut facts = Facts::default();
    facts.method = Some("GET");
    facts.path = Some("/me");
    facts.secure = true;
    facts.peer = Some(peer.parse().unwrap());
    gate.admit(Credential::Basic(&STANDARD.encode(said)), &facts, now)
}

fn ask(gate: &Gate, said: &str, peer: &str, now: Now) -> Result<Caller, Refusal> {
    match admit(gate, said, peer, now) {
        Admission::Done(result) => result,
        Admission::Wait(future) => block_on(future),
    }
}

const HERE: &str = "192.0.2.1";

#[test]
fn lt_6_of_ten_thousand_guesses_at_once_five_are_looked_at() {
    let (hasher, log) = (hasher(), Recorder::default());
    let guard = LoginGuard::builder().attempts(5).account_attempts(5);
    let gate = gate(logins(&hasher, guard), &log);
    let before = hasher.hashes();
    let mut waiting = Vec::new();
    for guess in 0..10_000 {
        let peer = format!("192.0.2.{}", guess % 200);
        match admit(&gate, &format!("alice:guess{guess}"), &peer, at(0)) {
            Admission::Wait(future) => waiting.push(future),
            Admission::Done(result) => {
                let refusal = result.unwrap_err();
                assert_eq!((refusal.status(), refusal.retry_after_secs()), (429, Some(1)));
            }
        }
    }
    assert_eq!(waiting.len(), 5);
    for future in waiting {
        assert_eq!(block_on(future).unwrap_err().status(), 401);
    }
    assert_eq!(hasher.hashes() - before, 5);
    let refusal = ask(&gate, "alice:right", HERE, at(0)).unwrap_err();
    assert_eq!((refusal.status(), refusal.retry_after_secs()), (429, Some(1)));
}

#[test]
fn a_denial_is_429_with_its_event_and_asks_for_no_other_credential() {
    let (hasher, log) = (hasher(), Recorder::default());
    let gate = gate(logins(&hasher, LoginGuard::builder().attempts(1)), &log);
    assert_eq!(ask(&gate, "alice:wrong", HERE, at(0)).unwrap_err().status(), 401);
    let refusal = ask(&gate, "alice:wrong", HERE, at(0)).unwrap_err();
    assert_eq!((refusal.status(), refusal.retry_after_secs()), (429, Some(1)));
    assert!(refusal.challenges().is_empty());
    let events = log.take();
    assert_eq!(events[1].event().name, EventName::ExcessRateLimitExceeded);
    assert_eq!(reason(&events[1]), Some("login_throttled"));
    assert!(ask(&gate, "alice:right", HERE, at(1)).is_ok(), "when the time is over");
}

#[test]
fn lt_7_unknown_accounts_are_counted_and_answered_like_known_ones() {
    let (hasher, log) = (hasher(), Recorder::default());
    let gate = gate(logins(&hasher, LoginGuard::builder()), &log);
    let answers = |user: &str| {
        let one = |secs| {
            let refusal = ask(&gate, &format!("{user}:wrong"), HERE, at(secs)).unwrap_err();
            (refusal.status(), refusal.retry_after_secs(), refusal.challenges().to_vec())
        };
        (0..20).map(one).collect::<Vec<_>>()
    };
    let (known, unknown) = (answers("alice"), answers("nobody"));
    assert!(known.iter().any(|(status, ..)| *status == 429));
    assert_eq!(known, unknown);
    let statuses = |user: &str| answers(user).iter().filter(|(status, ..)| *status == 401).count();
    assert_eq!(statuses("NoBody"), statuses("nobody"), "another case is no other account");
}

#[test]
fn attack_a_guess_at_the_cache_while_denied() {
    let (hasher, log) = (hasher(), Recorder::default());
    let gate = gate(logins(&hasher, LoginGuard::builder().attempts(2)), &log);
    assert!(ask(&gate, "alice:right", "198.51.100.1", at(0)).is_ok(), "now it is in the cache");
    for _ in 0..2 {
        assert_eq!(ask(&gate, "alice:wrong", HERE, at(0)).unwrap_err().status(), 401);
    }
    for said in ["alice:wrong", "alice:right"] {
        assert_eq!(ask(&gate, said, HERE, at(0)).unwrap_err().status(), 429, "{said}");
    }
}

#[test]
fn attack_passwords_too_long_to_hash_fill_the_guard_for_nothing() {
    let (hasher, log) = (hasher(), Recorder::default());
    let logins = logins(&hasher, LoginGuard::builder().entries(1_000));
    let gate = gate(logins.clone(), &log);
    let before = hasher.hashes();
    let long = "p".repeat(1_025);
    for number in 0..1_000_u32 {
        let (user, peer) = (format!("u{number}"), IpAddr::from(number.to_be_bytes()));
        let said = format!("{user}:{long}");
        assert_eq!(ask(&gate, &said, &peer.to_string(), at(0)).unwrap_err().status(), 431);
        let typed = Secret::new(long.as_bytes());
        let form = Attempt::new(&user, &typed).client(peer);
        let refused = block_on(logins.verify_password(&form, at(0))).unwrap_err();
        assert_eq!(refused.kind(), AuthnErrorKind::PasswordTooLong);
        // It came in no header, so 431 would speak of another thing.
        assert_eq!(Refusal::new(Reason::Credential(refused)).status(), 400);
    }
    assert_eq!(hasher.hashes(), before);
    assert!(ask(&gate, "alice:right", HERE, at(0)).is_ok());
}

#[test]
fn attack_an_own_account_of_the_same_name_in_another_realm() {
    let hasher = hasher();
    let guard = LoginGuard::builder().start().unwrap();
    let logins = |realm: &str, password: &[u8]| {
        let users = MemoryPasswords::default();
        let stored = block_on(hasher.hash(&Secret::new(password))).unwrap();
        users.insert(PasswordRecord::new("alice", "alice", stored)).unwrap();
        GuardedPasswords::new(Passwords::new(realm, users, hasher.clone()), guard.clone())
    };
    let (staff, customers) = (logins("staff", b"right"), logins("customers", b"mallory's"));
    let log_in = |logins: &GuardedPasswords, password: &[u8], device: &str| {
        let password = Secret::new(password);
        let attempt = Attempt::new("alice", &password).client(HERE.parse().unwrap());
        let found = block_on(logins.verify_password(&attempt.device(device), at(0)));
        found.map(drop).map_err(AuthnError::kind)
    };
    for _ in 0..5 {
        assert_eq!(log_in(&staff, b"wrong", ""), Err(AuthnErrorKind::Invalid));
        assert_eq!(log_in(&customers, b"mallory's", ""), Ok(()), "clears an own account");
    }
    assert_eq!(log_in(&staff, b"wrong", ""), Err(AuthnErrorKind::Throttled));
    let device = customers.device_cookie("alice").unwrap();
    assert_eq!(log_in(&staff, b"wrong", &device), Err(AuthnErrorKind::Throttled));
}

#[test]
fn right_passwords_are_never_charged() {
    let (hasher, log) = (hasher(), Recorder::default());
    let gate = gate(logins(&hasher, LoginGuard::builder().attempts(1).account_attempts(1)), &log);
    let before = hasher.hashes();
    for _ in 0..200 {
        assert!(ask(&gate, "alice:right", HERE, at(0)).is_ok());
    }
    assert_eq!(hasher.hashes() - before, 1);
}

#[test]
fn attack_guesses_that_hang_up_before_the_answer_are_charged() {
    let (hasher, log) = (hasher(), Recorder::default());
    let gate = gate(logins(&hasher, LoginGuard::builder().attempts(3)), &log);
    let before = hasher.hashes();
    for _ in 0..3 {
        // The hasher has it by the time the store has answered.
        drop(begun(admit(&gate, "alice:wrong", HERE, at(0))).unwrap());
    }
    assert_eq!(ask(&gate, "alice:right", HERE, at(0)).unwrap_err().status(), 429);
    block_on(hasher.hash(&Secret::new(*b"in line after the guesses"))).unwrap();
    assert_eq!(hasher.hashes() - before, 4);
}

/// An attempt that has got as far as it gets without waiting; `None` where it is refused.
fn begun(admission: Admission) -> Option<impl Future> {
    let Admission::Wait(mut future) = admission else { return None };
    let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    Some(future)
}

/// A store that never answers.
#[derive(Debug)]
struct Slow;

impl PasswordStore for Slow {
    fn find(&self, _: &str) -> Answer<Option<PasswordRecord>> {
        Answer::wait(pending())
    }
}

#[test]
fn attack_hanging_up_while_the_store_is_asked_fills_the_guard_for_nothing() {
    let (hasher, guard) = (hasher(), LoginGuard::builder().entries(1_000).start().unwrap());
    let slow = Passwords::new("staff", Slow, hasher.clone());
    let logins = GuardedPasswords::new(slow, guard.clone());
    let slow = gate(logins.clone(), &Recorder::default());
    let guess = Secret::new(*b"x");
    for number in 0..1_000_u32 {
        let (user, peer) = (format!("u{number}"), IpAddr::from(number.to_be_bytes()));
        let admit = || admit(&slow, &format!("{user}:x"), &peer.to_string(), at(0));
        let form = || logins.verify_password(&Attempt::new(&user, &guess).client(peer), at(0));
        drop(admit());
        drop(form());
        assert!(begun(admit()).is_some(), "there is room: {number}");
        assert!(pin!(form()).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    for _ in 0..2 {
        let at_once = (0..50).filter_map(|_| begun(admit(&slow, "alice:x", HERE, at(0))));
        assert_eq!(at_once.collect::<Vec<_>>().len(), 5, "what waits holds its place");
    }
    let users = MemoryPasswords::default();
    let stored = block_on(hasher.hash(&Secret::new(*b"right"))).unwrap();
    users.insert(PasswordRecord::new("alice", "alice", stored)).unwrap();
    let before = hasher.hashes();
    let logins = GuardedPasswords::new(Passwords::new("staff", users, hasher.clone()), guard);
    assert!(ask(&gate(logins, &Recorder::default()), "alice:right", HERE, at(0)).is_ok());
    assert_eq!(hasher.hashes() - before, 1, "the first that is looked at");
}

/// A store that cannot be reached.
#[derive(Debug)]
struct Down;

impl PasswordStore for Down {
    fn find(&self, _: &str) -> Answer<Option<PasswordRecord>> {
        Answer::failed(StoreError)
    }
}

#[test]
fn what_could_not_be_checked_is_not_charged() {
    let guard = LoginGuard::builder().attempts(1).start().unwrap();
    let logins = GuardedPasswords::new(Passwords::new("staff", Down, hasher()), guard);
    let gate = gate(logins, &Recorder::default());
    for _ in 0..50 {
        assert_eq!(ask(&gate, "alice:wrong", HERE, at(0)).unwrap_err().status(), 503);
    }
}

/// A check for which `four` is the solution.
#[derive(Debug)]
struct TwoAndTwo;

impl ChallengeCheck for TwoAndTwo {
    fn check(&self, solution: &str) -> Answer<bool> {
        Answer::done(solution == "four")
    }
}

#[test]
fn a_login_form_is_asked_for_a_challenge_and_a_known_device_is_not_locked_out() {
    let hasher = hasher();
    let guard = LoginGuard::builder().attempts(3).challenge_after(1);
    let logins = logins(&hasher, guard).challenges(TwoAndTwo);
    let (right, wrong) = (Secret::new(*b"right"), Secret::new(*b"wrong"));
    let here = HERE.parse().unwrap();
    let kind = |attempt: Attempt<'_>| {
        let found = block_on(logins.verify_password(&attempt.client(here), at(0)));
        found.map(drop).map_err(AuthnError::kind)
    };
    let guess = Attempt::new("Alice", &wrong);
    assert_eq!(kind(guess), Err(AuthnErrorKind::Invalid));
    assert_eq!(kind(guess), Err(AuthnErrorKind::ChallengeRequired));
    // A wrong solution is a failure too, or solutions could be guessed without end.
    assert_eq!(kind(guess.solution("five")), Err(AuthnErrorKind::ChallengeRequired));
    let before = hasher.hashes();
    assert_eq!(kind(guess.solution("four")), Err(AuthnErrorKind::Invalid));
    assert_eq!(kind(guess.solution("four")), Err(AuthnErrorKind::Throttled));
    assert_eq!(hasher.hashes() - before, 1);

    let cookie = logins.device_cookie("ALICE").unwrap();
    let owner = Attempt::new("alice", &right);
    assert_eq!(kind(owner), Err(AuthnErrorKind::Throttled));
    assert_eq!(kind(owner.device(&cookie)), Ok(()));
    let forged = cookie.replace('.', "..");
    assert_eq!(kind(owner.device(&forged)), Err(AuthnErrorKind::Throttled));
    let other = logins.device_cookie("bob").unwrap();
    assert_eq!(kind(owner.device(&other)), Err(AuthnErrorKind::Throttled));
}

/// A table under a collation that ignores accents, width and white space at the end.
#[derive(Debug)]
struct Collating(MemoryPasswords);

impl PasswordStore for Collating {
    fn find(&self, user: &str) -> Answer<Option<PasswordRecord>> {
        let plain = |c: char| match c {
            '\u{e0}'..='\u{e5}' | '\u{ff41}' => Some('a'),
            '\u{ec}'..='\u{ef}' | '\u{131}' => Some('i'),
            '\u{e7}' | '\u{ff43}' => Some('c'),
            '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}' => None,
            other => Some(other),
        };
        self.0.find(user.chars().filter_map(plain).collect::<String>().trim_end())
    }
}

#[test]
fn attack_other_spellings_of_one_user_find_no_room_beside_her_count() {
    let (hasher, log) = (hasher(), Recorder::default());
    let users = MemoryPasswords::default();
    let stored = block_on(hasher.hash(&Secret::new(*b"right"))).unwrap();
    users.insert(PasswordRecord::new("Alice", "alice", stored)).unwrap();
    let passwords = Passwords::new("staff", Collating(users), hasher.clone());
    let guard = LoginGuard::builder().attempts(3).account_attempts(3).start().unwrap();
    let gate = gate(GuardedPasswords::new(passwords, guard), &log);

    // All that folds alike is one account, or nobody's.
    for user in ["alice", "ALICE ", " Alice", "\u{3000}alice\u{a0}"] {
        let status = ask(&gate, &format!("{user}:wrong"), HERE, at(0)).unwrap_err().status();
        assert!([401, 429].contains(&status), "{user}");
    }
    for user in ["alice", "aLice", "alice "] {
        let refusal = ask(&gate, &format!("{user}:right"), HERE, at(0)).unwrap_err();
        assert_eq!(refusal.status(), 429, "{user}");
    }
    assert_eq!(log.take().len(), 7);
    let spellings = [
        "\u{e1}lice",
        "al\u{ee}ce",
        "ali\u{e7}e",
        "\u{ff41}lice",
        "al\u{131}ce",
        "a\u{301}lice",
        "al\u{130}ce",
        "alice\u{200b}",
        "alice\u{ad}",
    ];
    for (last, user) in spellings.iter().enumerate() {
        let before = hasher.hashes();
        let peer = format!("198.51.100.{last}");
        let refusal = ask(&gate, &format!("{user}:right"), &peer, at(0)).unwrap_err();
        assert_eq!(refusal.status(), 401, "{user}");
        assert_eq!(hasher.hashes() - before, 1, "{user}");
        assert_eq!(reason(&log.take()[0]), Some("invalid"));
    }
    assert!(ask(&gate, "alice:right", HERE, at(1)).is_ok());
}

#[test]
fn attack_a_stranger_asks_for_a_challenge_that_basic_cannot_solve() {
    let hasher = hasher();
    let guard = || LoginGuard::builder().attempts(3).account_attempts(4).challenge_after(1);
    let routes = || Routes::new().authenticated("GET", "/me");
    let shut_out = logins(&hasher, guard()).challenges(TwoAndTwo);
    let errors = Gate::builder().authenticate(shut_out.clone()).routes(routes()).build();
    let errors = errors.unwrap_err().to_string();
    assert!(errors.contains("Basic can solve no challenge"), "{errors}");

    let log = Recorder::default();
    let logins = shut_out.basic_unchallenged();
    let gate = gate(logins.clone(), &log);
    for _ in 0..3 {
        assert_eq!(ask(&gate, "alice:wrong", "198.51.100.9", at(0)).unwrap_err().status(), 401);
    }
    // Forms are asked by now; her program goes on.
    let right = Secret::new(*b"right");
    let form = Attempt::new("alice", &right).client(HERE.parse().unwrap());
    let refused = block_on(logins.verify_password(&form, at(0))).unwrap_err();
    assert_eq!(refused.kind(), AuthnErrorKind::ChallengeRequired);
    assert!(ask(&gate, "alice:right", HERE, at(0)).is_ok());
    // Delays hold for Basic as for everybody.
    assert_eq!(ask(&gate, "alice:wrong", HERE, at(0)).unwrap_err().status(), 401);
    assert_eq!(ask(&gate, "alice:right", HERE, at(0)).unwrap_err().status(), 429);
    assert!(ask(&gate, "alice:right", HERE, at(1)).is_ok());
}

#[test]
fn a_guard_without_challenges_needs_no_word_about_basic() {
    let routes = Routes::new().authenticated("GET", "/me");
    let logins = logins(&hasher(), LoginGuard::builder());
    assert!(Gate::builder().authenticate(logins).routes(routes).build().is_ok());
}

#[test]
fn a_challenge_that_nothing_checks_is_not_asked_for() {
    let logins = logins(&hasher(), LoginGuard::builder().attempts(3).challenge_after(1));
    let wrong = Secret::new(*b"wrong");
    let guess = Attempt::new("alice", &wrong).client(HERE.parse().unwrap());
    let kind = |_| block_on(logins.verify_password(&guess, at(0))).unwrap_err().kind();
    let kinds: Vec<_> = (0..5).map(kind).collect();
    let (wrong, denied) = (AuthnErrorKind::Invalid, AuthnErrorKind::Throttled);
    assert_eq!(kinds, [wrong, wrong, wrong, denied, denied]);
}

/// A form's request behind a gate, and what the handler does with the caller and the attempt.
fn posted(
    sink: impl Sink,
    password: &[u8],
    end: impl FnOnce(&Caller, Result<Principal, AuthnError>),
) {
    let logins = logins(&hasher(), LoginGuard::builder());
    let routes = Routes::new().public("POST", "/login");
    let gate = Gate::builder().routes(routes).audit(sink).build().unwrap();
    let mut facts = Facts::default();
    (facts.method, facts.path, facts.secure) = (Some("POST"), Some("/login"), true);
    facts.peer = Some(HERE.parse().unwrap());
    let Admission::Done(Ok(caller)) = gate.admit(Claim::Absent, &facts, at(0)) else {
        panic!("a public route")
    };
    let password = Secret::new(password);
    let attempt = Attempt::new("alice", &password).client(HERE.parse().unwrap());
    end(&caller, block_on(logins.verify_password(&attempt, caller.now())));
}

#[test]
fn asvs_16_3_1_the_record_of_a_login_names_who_logged_in() {
    let log = Recorder::default();
    posted(log.clone(), b"right", |caller, found| {
        caller.logged_in(&found.unwrap());
        assert!(caller.principal().is_none(), "nothing is decided by it");
        caller.finish().unwrap();
    });
    let event = only(&log);
    assert_eq!(event.event().name, EventName::AuthnLoginSuccess);
    assert_eq!(event.event().principal.map(Principal::id), Some("staff/alice"));
    assert_eq!((event.event().client, reason(&event)), (HERE.parse().ok(), None));

    // Who never says so is recorded as before, and whoever hung up did not get an answer.
    posted(log.clone(), b"right", |caller, _| caller.finish().unwrap());
    let event = only(&log);
    assert_eq!(
        (event.event().name, event.event().principal.is_some()),
        (EventName::AuthzAllow, false)
    );
    posted(log.clone(), b"right", |caller, found| {
        caller.logged_in(&found.unwrap());
        caller.conclude(&Outcome::Abandoned).unwrap();
    });
    assert_eq!(only(&log).event().name, EventName::RequestAbandoned);
}

#[test]
fn asvs_16_2_5_the_record_of_a_failed_login_tells_why_and_neither_name_nor_password() {
    let log = Recorder::default();
    let fail = |caller: &Caller, found: Result<Principal, AuthnError>| {
        let refusal = caller.complete(found.unwrap_err().into());
        caller.conclude(&Outcome::Refused(&refusal)).unwrap();
    };
    posted(log.clone(), b"hunter2 hunter2", fail);
    let event = only(&log);
    let told = event.event();
    assert_eq!((told.name, reason(&event)), (EventName::AuthnLoginFail, Some("invalid")));
    assert_eq!(told.refusal.unwrap().reason().detail(), Some("the password is wrong"));
    assert!(told.principal.is_none());
    let page = Page::default();
    posted(JsonLines::new(page.clone(), 16).unwrap(), b"hunter2 hunter2", fail);
    let text = page.text();
    assert!(text.contains(r#""detail":"the password is wrong""#), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("alice"), "{text}");
}
