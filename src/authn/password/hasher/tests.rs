use super::*;

/// Runs a future on a runtime of its own.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn cheap() -> Cost {
    Cost::insecure_new(64, 1, 1).unwrap()
}

fn hasher() -> Hasher {
    Hasher::with_threads(1).cost(cheap()).stored_memory_kib(65_536).start().unwrap()
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

#[test]
fn the_reference_hashes_verify() {
    // From the test suite of the reference implementation, for "password".
    for stored in [
        "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ] {
        let hasher = hasher();
        assert!(check(&hasher, "password", Some(stored)).0.is_ok(), "{stored}");
        let (wrong, _) = check(&hasher, "passwore", Some(stored));
        assert_eq!(wrong.unwrap_err().kind(), AuthnErrorKind::Invalid, "{stored}");
    }
}

#[test]
fn asvs_6_3_8_every_no_takes_one_hash() {
    let hasher = hasher();
    let stored = wait(hasher.hash(&secret("the right one"))).unwrap();
    let too_big = stored.replace("m=64", "m=65537");
    let cut = stored.get(1..).unwrap();
    let mut details = Vec::new();
    for stored in [Some(&*stored), None, Some(""), Some("$argon2id$"), Some(cut), Some(&too_big)] {
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
    let weaker = Hasher::with_threads(1).cost(cheap()).stored_memory_kib(128).start().unwrap();
    let old = wait(weaker.hash(&secret("p"))).unwrap();
    let (found, hashes) = check(&stronger, "p", Some(&old));
    let Ok(Match::Renewed(new)) = found else { panic!("{found:?}") };
    assert_eq!(hashes, 2);
    assert!(new.contains("$m=128,t=2,p=1$"), "{new}");
    assert_eq!(check(&stronger, "p", Some(&new)), (Ok(Match::Current), 1));
    assert_eq!(check(&weaker, "p", Some(&new)), (Ok(Match::Current), 1), "never downwards");
    assert_eq!(check(&stronger, "q", Some(&old)).1, 1, "a wrong one renews nothing");
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
        assert_eq!((found.unwrap_err().kind(), hashes), (AuthnErrorKind::TooLarge, 0));
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
fn set_ups_that_cannot_be() {
    let check = |builder: HasherBuilder, expected: HasherError| {
        assert_eq!(builder.start().unwrap_err(), expected);
    };
    let with = |threads| Hasher::with_threads(threads).cost(cheap());
    check(with(0), HasherError::Threads { threads: 0 });
    check(with(257), HasherError::Threads { threads: 257 });
    check(with(1).queue(0), HasherError::Queue { places: 0 });
    check(with(1).queue(65_537), HasherError::Queue { places: 65_537 });
    let memory_kib = (1 << 20) + 1;
    check(with(1).stored_memory_kib(memory_kib), HasherError::StoredMemory { memory_kib });
}

#[test]
fn the_memory_ceiling_is_what_the_threads_own() {
    let with = |threads, stored| {
        let hasher = Hasher::with_threads(threads).cost(cheap()).stored_memory_kib(stored);
        hasher.start().unwrap().memory_ceiling()
    };
    assert_eq!(with(3, 0), 3 * 64 * 1024);
    assert_eq!(with(2, 256), 2 * 256 * 1024);
    assert_eq!(Blocks::new(64).unwrap().0.len() * size_of::<argon2::Block>(), 64 * 1024);
}

#[test]
fn debug_hides_hashes() {
    let renewed = Match::Renewed("$argon2id$".to_owned());
    assert_eq!(format!("{renewed:?}"), "Renewed(***)");
    assert!(!format!("{:?}", hasher()).contains('$'));
}
