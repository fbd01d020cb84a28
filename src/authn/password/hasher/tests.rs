use super::*;

mod vectors;

/// Runs a future on a runtime of its own.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn cheap() -> Cost {
    Cost::insecure_new(64, 1, 1).unwrap()
}

fn hasher() -> Hasher {
    Hasher::with_threads(1).cost(cheap()).start().unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes())
}

/// What a password is found to be, and how many hashes that took.
fn check(
    hasher: &Hasher,
    password: &str,
    stored: Option<&str>,
) -> (Result<Match, AuthnError>, u64) {
    let before = hasher.hashes();
    let found = wait(hasher.verify(&secret(password), stored));
    (found, hasher.hashes() - before)
}

/// What is found, and how much work that took.
fn weigh(
    hasher: &Hasher,
    password: &str,
    stored: Option<&str>,
) -> (Result<Match, AuthnError>, u64) {
    let before = hasher.work();
    let found = wait(hasher.verify(&secret(password), stored));
    (found, hasher.work() - before)
}

#[test]
fn asvs_6_3_8_every_no_takes_one_hash() {
    let hasher = hasher();
    let stored = wait(hasher.hash(&secret("the right one"))).unwrap();
    let too_big = stored.replace("m=64", "m=65");
    let too_slow = stored.replace("t=1", "t=2");
    let cut = stored.get(1..).unwrap();
    let mut details = Vec::new();
    let unusable = ["", "$argon2id$", cut, &too_big, &too_slow];
    for stored in [Some(&*stored), None].into_iter().chain(unusable.map(Some)) {
        let (found, hashes) = check(&hasher, "the wrong one", stored);
        let error = found.unwrap_err();
        assert_eq!((error.kind(), hashes), (AuthnErrorKind::Invalid, 1), "{stored:?}");
        details.push(error.detail());
    }
    details.dedup();
    let expected =
        ["the password is wrong", "there is no such user", "the stored hash cannot be used"];
    assert_eq!(details, expected, "only the record tells them apart");
    let (found, hashes) = check(&hasher, "the right one", Some(&stored));
    assert_eq!((found, hashes), (Ok(Match::Current), 1));
}

#[test]
fn trap_the_dummy_is_a_real_hash_of_the_configured_cost() {
    let hasher = hasher();
    let dummy = hasher.0.dummy.to_string();
    let dummy = Phc::parse(&dummy).unwrap();
    assert_eq!((dummy.cost, dummy.hash.len()), (cheap(), HASH));
    assert_ne!(dummy.hash, self::hasher().0.dummy.hash, "and nobody else's");
}

#[test]
fn trap_a_dummy_that_matches_proves_nobody() {
    let mut hasher = hasher();
    let stored = wait(hasher.hash(&secret("guessed"))).unwrap();
    let inner = Arc::get_mut(&mut hasher.0).unwrap();
    inner.dummy = Arc::new(Phc::parse(&stored).unwrap());
    let (found, hashes) = check(&hasher, "guessed", None);
    assert_eq!((found.unwrap_err().detail(), hashes), ("there is no such user", 1));
}

#[test]
fn weaker_hashes_are_renewed_and_stronger_ones_are_kept() {
    let strong = Cost::insecure_new(128, 2, 1).unwrap();
    let stronger = Hasher::with_threads(1).cost(strong).start().unwrap();
    let weaker = Hasher::with_threads(1).cost(cheap()).stored_up_to(strong).start().unwrap();
    let old = wait(weaker.hash(&secret("p"))).unwrap();
    let (found, hashes) = check(&stronger, "p", Some(&old));
    let Ok(Match::Renewed(new)) = found else { panic!("{found:?}") };
    assert_eq!(hashes, 2);
    assert!(new.contains("$m=128,t=2,p=1$"), "{new}");
    assert_eq!(check(&stronger, "p", Some(&new)), (Ok(Match::Current), 1));
    assert_eq!(check(&weaker, "p", Some(&new)), (Ok(Match::Current), 1), "never downwards");
    let (wrong, work) = weigh(&stronger, "q", Some(&old));
    assert!(
        wrong.is_err() && work == 256,
        "a wrong one renews nothing, and costs a new one: {work}"
    );
}

#[test]
fn attack_who_has_an_old_hash_is_not_told_by_what_a_guess_costs() {
    let cost = |memory, passes| Cost::insecure_new(memory, passes, 1).unwrap();
    let made = |cost: Cost| {
        let hasher = Hasher::with_threads(1).cost(cost).start().unwrap();
        wait(hasher.hash(&secret("right"))).unwrap()
    };
    let check = |hasher: &Hasher, stored: Option<&str>, least: u64, most_runs: u64| {
        let runs = hasher.hashes();
        let (found, work) = weigh(hasher, "wrong", stored);
        assert_eq!(found.unwrap_err().kind(), AuthnErrorKind::Invalid);
        // What is less than the smallest hash there is, nobody can measure.
        assert!((least - 16..=least).contains(&work), "{stored:?}: {work} of {least}");
        assert!((1..=most_runs).contains(&(hasher.hashes() - runs)), "{stored:?}");
    };
    // Raised step by step; the owners of all old hashes have yet to log in.
    let raised = Hasher::with_threads(1).cost(cost(256, 3)).start().unwrap();
    for old in [cost(8, 1), cost(64, 1), cost(100, 7), cost(256, 2), cost(255, 3)] {
        check(&raised, Some(&made(old)), 768, 2);
    }
    for stored in [Some(&*made(cost(256, 3))), None, Some("none"), Some(&made(cost(257, 1)))] {
        check(&raised, stored, 768, 1);
    }
    let (found, work) = weigh(&raised, "right", Some(&made(cost(256, 2))));
    assert!(matches!(found, Ok(Match::Renewed(_))) && work == 512 + 768, "{work}");
    let (found, work) = weigh(&raised, "right", Some(&made(cost(256, 3))));
    assert_eq!((found, work), (Ok(Match::Current), 768));
    // Lowered: the dear ones set the measure, and cannot be used where nothing says so.
    let dear = made(cost(512, 4));
    check(&raised, Some(&dear), 768, 1);
    assert!(weigh(&raised, "right", Some(&dear)).0.is_err());
    let lowered = Hasher::with_threads(1).cost(cost(256, 3)).stored_up_to(cost(512, 4));
    let lowered = lowered.start().unwrap();
    for stored in [Some(&*dear), None, Some("none"), Some(&made(cost(256, 3)))] {
        check(&lowered, stored, 2_048, 2);
    }
    assert_eq!(weigh(&lowered, "right", Some(&dear)), (Ok(Match::Current), 2_048));
    assert_eq!(lowered.memory_ceiling(), 512 * 1024);
}

#[test]
fn asvs_6_2_8_the_whole_password_counts() {
    let hasher = hasher();
    let (shorter, long) = ("a".repeat(99), "a".repeat(100));
    let stored = wait(hasher.hash(&secret(&long))).unwrap();
    let check = |password: &str| check(&hasher, password, Some(&stored)).0.is_ok();
    assert!(check(&long));
    assert!(!check(&shorter));
    assert!(!check(&format!("{long} ")));
    assert!(!check(&format!("{shorter}b")));
    assert!(!check(&long.to_uppercase()));
}

#[test]
fn too_long_a_password_is_not_hashed() {
    let hasher = hasher();
    let stored = wait(hasher.hash(&secret(&"a".repeat(MAX_PASSWORD)))).unwrap();
    let (found, hashes) = check(&hasher, &"a".repeat(MAX_PASSWORD), Some(&stored));
    assert_eq!((found, hashes), (Ok(Match::Current), 1));
    for stored in [Some(&*stored), None] {
        let (found, hashes) = check(&hasher, &"a".repeat(MAX_PASSWORD + 1), stored);
        assert_eq!((found.unwrap_err().kind(), hashes), (AuthnErrorKind::PasswordTooLong, 0));
    }
}

#[test]
fn attack_more_logins_than_the_queue_holds() {
    let hasher = Hasher::with_threads(1).queue(1).start().unwrap();
    let asked: Vec<_> = (0..50).map(|_| hasher.verify(&secret("p"), None)).collect();
    let kinds: Vec<_> = asked.into_iter().map(|one| wait(one).unwrap_err().kind()).collect();
    let count = |kind| kinds.iter().filter(|one| **one == kind).count();
    let (checked, refused) = (count(AuthnErrorKind::Invalid), count(AuthnErrorKind::Unavailable));
    assert_eq!(checked + refused, 50, "{kinds:?}");
    assert!((1..=10).contains(&checked), "{checked} of 50 were checked");
    assert_eq!(hasher.hashes(), checked as u64, "what is refused costs nothing");
}

#[test]
fn trap_a_hash_is_run_to_its_end_when_nobody_waits_for_it() {
    let hasher = Hasher::with_threads(1).cost(cheap()).queue(8).start().unwrap();
    for _ in 0..4 {
        drop(hasher.verify(&secret("p"), None));
    }
    let _ = wait(hasher.verify(&secret("p"), None));
    assert_eq!(hasher.hashes(), 5);
}

#[test]
fn attack_a_panic_proves_nobody_and_the_next_password_is_checked() {
    let hasher = hasher();
    let stored = wait(hasher.hash(&secret("p"))).unwrap();
    for _ in 0..3 {
        let broken = hasher.submit(&secret("p"), |_, blocks| {
            blocks.0.fill(argon2::Block::new());
            if blocks.0.len() == 64 { panic!("on purpose") } else { true }
        });
        assert_eq!(wait(broken.unwrap()), None);
    }
    assert_eq!(check(&hasher, "p", Some(&stored)), (Ok(Match::Current), 1));
    assert!(check(&hasher, "q", Some(&stored)).0.is_err());
}

#[test]
fn set_ups_that_cannot_be() {
    let check = |builder: HasherBuilder, expected: HasherError| {
        assert_eq!(builder.start().unwrap_err(), expected);
    };
    let with = |threads| Hasher::with_threads(threads).cost(cheap());
    check(with(0), HasherError::Threads { threads: 0 });
    check(with(257), HasherError::Threads { threads: 257 });
    check(with(1).queue(0), HasherError::Queue { places: 0 });
    check(with(1).queue(65_537), HasherError::Queue { places: 65_537 });
}

#[test]
fn the_memory_ceiling_is_what_the_threads_own() {
    let with = |threads, stored| {
        let stored = Cost::insecure_new(stored, 1, 1).unwrap();
        let hasher = Hasher::with_threads(threads).cost(cheap()).stored_up_to(stored);
        hasher.start().unwrap().memory_ceiling()
    };
    assert_eq!(with(3, 8), 3 * 64 * 1024);
    assert_eq!(with(2, 256), 2 * 256 * 1024);
    assert_eq!(Blocks::new(64).unwrap().0.len() * size_of::<argon2::Block>(), 64 * 1024);
}

#[test]
fn debug_hides_hashes() {
    let renewed = Match::Renewed("$argon2id$".to_owned());
    assert_eq!(format!("{renewed:?}"), "Renewed(***)");
    assert!(!format!("{:?}", hasher()).contains('$'));
}
