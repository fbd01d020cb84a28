//! Passwords through the gate: what a caller can tell from the answers.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt as _;
use portcullis::{
    Admission, Caller, Credential, Document, Facts, Gate, Mono, Now, PolicySet, Refusal, Routes,
    Secret, UnixTime,
    audit::EventName,
    authn::password::{Cost, Hasher, HasherBuilder, MemoryPasswords, PasswordRecord, Passwords},
    gate::GuardedPasswords,
    http::{Problem, refuse},
    limit::LoginGuard,
    testing::Recorder,
};

use crate::kit::{block_on, only, reason};

fn noon() -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
}

fn cheap() -> HasherBuilder {
    Hasher::with_threads(1).cost(Cost::insecure_new(64, 1, 1).unwrap())
}

fn facts() -> Facts<'static> {
    let mut facts = Facts::default();
    facts.method = Some("GET");
    facts.path = Some("/me");
    facts.peer = Some("127.0.0.1".parse().unwrap());
    facts
}

/// A gate in front of `/me` for alice, whose password is `right`, and mallory, whose stored hash
/// cannot be read.
fn gate(hasher: &Hasher, log: &Recorder) -> Gate {
    let users = MemoryPasswords::default();
    let stored = block_on(hasher.hash(&Secret::new(*b"right"))).unwrap();
    users.insert(PasswordRecord::new("alice", "alice", stored)).unwrap();
    users.insert(PasswordRecord::new("mallory", "mallory", "$argon2id$v=19$")).unwrap();
    let passwords = Passwords::new("staff", users, hasher.clone());
    let routes = Routes::new().authenticated("GET", "/me");
    Gate::builder().authenticate(passwords).routes(routes).audit(log.clone()).build().unwrap()
}

async fn ask(gate: &Gate, said: &str) -> Result<Caller, Refusal> {
    let value = STANDARD.encode(said);
    let admission = gate.admit(Credential::Basic(&value), &facts(), noon());
    match admission {
        Admission::Done(result) => result,
        Admission::Wait(future) => future.await,
    }
}

#[test]
fn attack_second_store_of_passwords_that_would_never_be_asked() {
    let hasher = cheap().start().unwrap();
    let users = |realm: &str| Passwords::new(realm, MemoryPasswords::default(), hasher.clone());
    let guarded = GuardedPasswords::new(users("guests"), LoginGuard::builder().start().unwrap());
    let routes = || Routes::new().authenticated("GET", "/me");
    let one = Gate::builder().authenticate(users("staff")).routes(routes()).build();
    assert!(one.is_ok());
    for gate in [
        Gate::builder().authenticate(users("staff")).authenticate(users("guests")),
        Gate::builder().authenticate(users("staff")).authenticate(guarded),
    ] {
        let told = gate.routes(routes()).build().unwrap_err().to_string();
        let expected = "`guests` would never be asked: that of realm `staff` takes every `Basic`";
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn attack_a_role_that_no_policy_knows_is_found_when_the_gate_is_built() {
    let build = |role: &str| {
        let text = "[resources.Order]\nactions = [\"order:read\"]\n[roles]\nclerk = {}\n";
        let policies = || PolicySet::from_document(Document::from_toml(text).unwrap()).unwrap();
        let hasher = cheap().start().unwrap();
        let passwords = Passwords::new("staff", MemoryPasswords::default(), hasher).roles([role]);
        let guard = LoginGuard::builder().start().unwrap();
        let guarded = GuardedPasswords::new(passwords.clone(), guard);
        let routes = || Routes::new().authenticated("GET", "/me");
        let plain = Gate::builder().authenticate(passwords).policies(policies());
        let guarded = Gate::builder().authenticate(guarded).policies(policies());
        [plain, guarded].map(|gate| gate.routes(routes()).build())
    };
    assert!(build("clerk").iter().all(Result::is_ok));
    for built in build("clark") {
        let told = built.unwrap_err().to_string();
        let expected = "realm `staff`: no role `clark` in the policies; did you mean `clerk`?";
        assert!(told.contains(expected), "{told}");
    }
}

/// All that a caller sees of a refusal, with the one thing that is new in each left out.
fn seen(refusal: Refusal) -> String {
    let id = refusal.correlation_id().unwrap().to_string();
    let response = refuse(refusal, &Problem);
    let head = format!("{} {:?}", response.status(), response.headers());
    let body = block_on(response.into_body().collect()).unwrap().to_bytes();
    format!("{head} {}", String::from_utf8_lossy(&body).replace(&id, "id"))
}

#[test]
fn asvs_6_3_8_unknown_users_wrong_passwords_and_broken_records_are_answered_alike() {
    let (hasher, log) = (cheap().start().unwrap(), Recorder::default());
    let gate = gate(&hasher, &log);
    let mut answers = Vec::new();
    let mut details = Vec::new();
    for user in ["alice", "nobody", "mallory"] {
        let before = hasher.hashes();
        answers.push(seen(block_on(ask(&gate, &format!("{user}:wrong"))).unwrap_err()));
        assert_eq!(hasher.hashes() - before, 1, "{user}");
        let event = only(&log);
        assert_eq!(
            (event.event().name, reason(&event)),
            (EventName::AuthnLoginFail, Some("invalid"))
        );
        details.push(event.event().refusal.unwrap().reason().detail().unwrap());
    }
    assert!(
        answers[0].contains("401")
            && answers[0].contains(r#"Basic realm=\"staff\", charset=\"UTF-8\""#)
    );
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    details.sort_unstable();
    details.dedup();
    assert_eq!(details.len(), 3, "the record tells them apart");
    assert_eq!(
        block_on(ask(&gate, "alice:right")).unwrap().principal().unwrap().id(),
        "staff/alice"
    );
}

#[test]
fn attack_users_with_hashes_of_another_cost_are_told_by_no_work() {
    let cost = |memory, passes| Cost::insecure_new(memory, passes, 1).unwrap();
    let made = |cost| {
        let hasher = Hasher::with_threads(1).cost(cost).start().unwrap();
        block_on(hasher.hash(&Secret::new(*b"right"))).unwrap()
    };
    let users = MemoryPasswords::default();
    let stored = [("old", cost(64, 1)), ("new", cost(256, 2)), ("dear", cost(320, 2))];
    for (user, cost) in stored {
        users.insert(PasswordRecord::new(user, user, made(cost))).unwrap();
    }
    let hasher = Hasher::with_threads(1).cost(cost(256, 2)).stored_up_to(cost(320, 2));
    let hasher = hasher.start().unwrap();
    let log = Recorder::default();
    let passwords = Passwords::new("staff", users, hasher.clone());
    let routes = Routes::new().authenticated("GET", "/me");
    let gate = Gate::builder().authenticate(passwords).routes(routes).audit(log.clone());
    let gate = gate.build().unwrap();
    let guess = |user: &str| {
        let before = hasher.work();
        let answer = seen(block_on(ask(&gate, &format!("{user}:wrong"))).unwrap_err());
        (answer, hasher.work() - before)
    };
    let nobody = guess("nobody");
    assert_eq!(nobody.1, 640);
    for user in ["old", "new", "dear"] {
        assert_eq!(guess(user), nobody, "{user}");
    }
    for user in ["old", "new", "dear"] {
        assert!(block_on(ask(&gate, &format!("{user}:right"))).is_ok(), "{user}");
    }
    assert_eq!(guess("old"), nobody, "renewed");
}

#[test]
fn a_full_queue_is_unavailable_and_never_a_wrong_password() {
    let (hasher, log) = (Hasher::with_threads(1).queue(1).start().unwrap(), Recorder::default());
    let gate = gate(&hasher, &log);
    let statuses: Vec<_> = block_on(async {
        let asked: Vec<_> = (0..40)
            .map(|_| {
                let gate = gate.clone();
                tokio::spawn(async move { ask(&gate, "alice:wrong").await.unwrap_err() })
            })
            .collect();
        let mut refusals = Vec::new();
        for one in asked {
            refusals.push(one.await.unwrap().status());
        }
        refusals
    });
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!(count(401) + count(503), 40, "{statuses:?}");
    assert!(count(401) >= 1 && count(503) >= 30, "{statuses:?}");
}

#[test]
fn a_caller_who_goes_away_is_recorded_and_the_hash_ends() {
    let (hasher, log) = (cheap().start().unwrap(), Recorder::default());
    let gate = gate(&hasher, &log);
    let before = hasher.hashes();
    block_on(async {
        let mut asked = Box::pin(ask(&gate, "alice:wrong"));
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(asked.as_mut().poll(cx)));
        let _ = first.await;
    });
    assert_eq!(log.take().len(), 1);
    let _ = block_on(ask(&gate, "alice:wrong"));
    assert_eq!(hasher.hashes() - before, 2, "both were run");
}
