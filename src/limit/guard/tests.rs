use super::*;
use crate::Secret;

fn at(secs: u64) -> Mono {
    Mono::from_nanos(1 << 40).saturating_add(Duration::from_secs(secs))
}

fn guard() -> LoginGuard {
    LoginGuard::builder().start().unwrap()
}

fn from(account: &str, last: u8) -> Login<'_> {
    Login::new(account).client([192, 0, 2, last].into())
}

/// Whether an attempt is let through; if so, it fails.
fn guess(guard: &LoginGuard, login: &Login<'_>, secs: u64) -> Result<(), u64> {
    match guard.reserve(login, at(secs)) {
        Verdict::Allow(attempt) => {
            attempt.failed();
            Ok(())
        }
        Verdict::Deny { retry_after } => Err(retry_after.as_secs()),
        Verdict::Challenge { .. } => panic!("no challenge was asked for"),
    }
}

/// Whether an attempt is let through; if so, it succeeds.
fn succeed(guard: &LoginGuard, login: &Login<'_>, secs: u64) -> bool {
    match guard.reserve(login, at(secs)) {
        Verdict::Allow(attempt) => {
            attempt.succeeded();
            true
        }
        Verdict::Deny { .. } | Verdict::Challenge { .. } => false,
    }
}

fn entries(guard: &LoginGuard) -> usize {
    guard.0.strangers.lock().unwrap().states.len() + guard.0.devices.lock().unwrap().states.len()
}

#[test]
fn lt_6_ten_thousand_at_once_find_five_places() {
    let guard = LoginGuard::builder().attempts(5).account_attempts(5).start().unwrap();
    let waiting = std::sync::Barrier::new(8);
    let allowed: Vec<Reservation> = std::thread::scope(|scope| {
        let ask = |thread: u8| {
            let (guard, waiting) = (&guard, &waiting);
            move || {
                waiting.wait();
                let attempt = |_| match guard.reserve(&from("alice", thread), at(0)) {
                    Verdict::Allow(attempt) => Some(attempt),
                    Verdict::Deny { .. } | Verdict::Challenge { .. } => None,
                };
                (0..1_250).filter_map(attempt).collect::<Vec<_>>()
            }
        };
        let threads: Vec<_> = (0..8).map(|thread| scope.spawn(ask(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(allowed.len(), 5);
    allowed.into_iter().for_each(Reservation::failed);
    assert_eq!(guess(&guard, &from("alice", 99), 0), Err(1));
    assert_eq!(guess(&guard, &from("bob", 99), 0), Ok(()), "nobody else is in the way");
}

#[test]
fn attack_filling_it_with_attempts_that_never_come_to_a_check() {
    let guard = LoginGuard::builder().attempts(1).start().unwrap();
    let alice = from("alice", 1);
    let reserve = || match guard.reserve(&alice, at(0)) {
        Verdict::Allow(attempt) => Some(attempt),
        Verdict::Deny { .. } | Verdict::Challenge { .. } => None,
    };
    let waiting = reserve().unwrap().unchecked();
    assert!(reserve().is_none(), "under way it has its place");
    drop(waiting);
    assert_eq!(entries(&guard), 0);
    drop(reserve().unwrap().unchecked().checking());
    assert_eq!(guess(&guard, &alice, 0), Err(1), "and from the check on it counts");
    let other = from("bob", 1);
    let Verdict::Allow(attempt) = guard.reserve(&other, at(0)) else { panic!("denied") };
    attempt.unchecked().failed();
    assert_eq!(guess(&guard, &other, 0), Err(1), "whatever is said counts as said");
}

#[test]
fn lt_1_lt_3_the_pair_is_slowed_down_and_the_delay_doubles() {
    let guard = guard();
    let alice = from("alice", 1);
    for _ in 0..5 {
        assert_eq!(guess(&guard, &alice, 0), Ok(()));
    }
    assert_eq!(guess(&guard, &alice, 0), Err(1));
    assert_eq!(guess(&guard, &alice, 1), Ok(()));
    assert_eq!(guess(&guard, &alice, 1), Err(2));
    assert_eq!(guess(&guard, &alice, 3), Ok(()));
    assert_eq!(guess(&guard, &alice, 3), Err(4));
    assert_eq!(guess(&guard, &from("alice", 2), 3), Ok(()), "another network is free");
    assert_eq!(guess(&guard, &from("bob", 1), 3), Ok(()), "and so is another account");
}

#[test]
fn lt_1_an_account_is_slowed_down_wherever_the_guesses_come_from() {
    let guard = guard();
    for network in 0..20 {
        assert_eq!(guess(&guard, &from("alice", network), 0), Ok(()), "{network}");
    }
    assert_eq!(guess(&guard, &from("alice", 200), 0), Err(1));
    assert_eq!(guess(&guard, &Login::new("alice"), 0), Err(1));
}

#[test]
fn lt_8_attack_one_guess_at_each_of_many_accounts() {
    let guard = guard();
    let users: Vec<_> = (0..101).map(|user| format!("user{user}")).collect();
    let denied = users.iter().filter(|user| guess(&guard, &from(user, 1), 0).is_err()).count();
    assert_eq!(denied, 1);
    assert_eq!(guess(&guard, &from("user7", 2), 0), Ok(()));
    // Addresses of one /64 are one network.
    let v6 = |text: &str| Login::new("alice").client(text.parse().unwrap());
    for host in 0..5 {
        assert_eq!(guess(&guard, &v6(&format!("2001:db8::{host}")), 0), Ok(()));
    }
    assert!(guess(&guard, &v6("2001:db8::5"), 0).is_err());
}

#[test]
fn attack_programs_with_old_passwords_shut_no_network_out() {
    let guard = guard();
    let mut shut_out = 0;
    for minute in 0..3 * 24 * 60 {
        for program in ["one", "two", "three"] {
            let _ = guess(&guard, &from(program, 1), 60 * minute);
        }
        shut_out += u32::from(!succeed(&guard, &from("alice", 1), 60 * minute + 30));
    }
    assert_eq!(shut_out, 0);
    // What one network fails at is still counted: 100 at once, then one every 45 s.
    let spray = |secs: std::ops::Range<u64>| {
        let users = secs.map(|secs| (format!("user{secs}"), 1_000_000 + secs));
        users.filter(|(user, secs)| guess(&guard, &from(user, 2), *secs).is_ok()).count()
    };
    let (first, hour) = (spray(0..1_000), spray(1_000..4_600));
    assert!((100..=135).contains(&first) && hour <= 82, "{first}, then {hour} in an hour");
}

#[test]
fn lt_4_a_success_forgives_the_same_network_on_the_same_account_alone() {
    let guard = guard();
    let (alice, other) = (from("alice", 1), from("alice", 2));
    for _ in 0..4 {
        guess(&guard, &alice, 0).unwrap();
        guess(&guard, &other, 0).unwrap();
    }
    assert!(succeed(&guard, &alice, 0));
    for _ in 0..5 {
        assert_eq!(guess(&guard, &alice, 0), Ok(()), "starts anew");
    }
    assert_eq!(guess(&guard, &other, 0), Ok(()));
    assert!(guess(&guard, &other, 0).is_err(), "the other's four are not forgotten");
}

#[test]
fn attack_an_own_account_to_clear_the_network() {
    let guard = LoginGuard::builder().network_attempts(10).start().unwrap();
    let users: Vec<_> = (0..12).map(|user| format!("user{user}")).collect();
    let mut denied = 0;
    for user in &users {
        denied += u32::from(guess(&guard, &from(user, 1), 0).is_err());
        succeed(&guard, &from("mallory", 1), 0);
    }
    assert_eq!(denied, 2);
}

#[test]
fn lt_5_a_stranger_cannot_lock_out_a_known_device() {
    let guard = guard();
    let cookie = guard.device_cookie("alice").unwrap();
    let mut secs = 0;
    for network in 0..40 {
        secs += guess(&guard, &from("alice", network), secs).err().unwrap_or_default();
    }
    assert!(guess(&guard, &from("alice", 1), secs).is_err());
    assert!(succeed(&guard, &from("alice", 1).device(&cookie), secs));
    for _ in 0..5 {
        assert_eq!(guess(&guard, &from("alice", 1).device(&cookie), secs), Ok(()));
    }
    assert!(guess(&guard, &from("alice", 1).device(&cookie), secs).is_err(), "it is counted too");
}

#[test]
fn attack_forged_and_foreign_device_cookies() {
    let guard = guard();
    let cookie = guard.device_cookie("alice").unwrap();
    let known = |account: &str, cookie: &str| guard.knows(account, cookie);
    assert!(known("alice", &cookie));
    assert!(!known("bob", &cookie));
    assert!(!LoginGuard::builder().start().unwrap().knows("alice", &cookie));
    for (at, _) in cookie.char_indices() {
        let mut forged = cookie.clone().into_bytes();
        forged[at] ^= 1;
        assert!(!known("alice", &String::from_utf8(forged).unwrap()), "{at}");
    }
    for text in ["", ".", "a.b", &cookie.to_uppercase(), &format!("{cookie}0"), &"a".repeat(99_999)]
    {
        assert!(!known("alice", text));
    }
    let key = || Secret::new([7; 32]);
    let one = LoginGuard::builder().device_key(key()).start().unwrap();
    let other = LoginGuard::builder().device_key(key()).start().unwrap();
    assert!(other.knows("alice", &one.device_cookie("alice").unwrap()), "it outlives a restart");
}

#[test]
fn debug_hides_the_device_cookie() {
    let cookie = guard().device_cookie("alice").unwrap();
    let shown = format!("{:?}", from("alice", 1).device(&cookie));
    assert!(shown.contains("alice") && !shown.contains(&cookie), "{shown}");
}

#[test]
fn debug_says_what_it_is() {
    let guard = guard();
    assert!(format!("{guard:?}").starts_with("LoginGuard { limits: Limits { pair: "));
    let attempt = format!("{:?}", guard.reserve(&from("alice", 1), at(0)));
    assert_eq!(attempt, "Allow(Reservation { .. })");
}

#[test]
fn an_attempt_that_ends_in_silence_has_failed_and_one_that_was_released_never_was() {
    let guard = guard();
    let alice = from("alice", 1);
    for _ in 0..50 {
        let Verdict::Allow(attempt) = guard.reserve(&alice, at(0)) else { panic!("denied") };
        attempt.released();
    }
    assert_eq!(entries(&guard), 0, "nothing is kept of it");
    for _ in 0..5 {
        drop(guard.reserve(&alice, at(0)));
    }
    assert_eq!(guess(&guard, &alice, 0), Err(1));
    assert_eq!(guess(&guard, &alice, 1), Ok(()), "none is under way any more");
}

#[test]
fn a_challenge_comes_between_and_lifts_no_delay() {
    let guard = LoginGuard::builder().challenge_after(2).start().unwrap();
    let alice = from("alice", 1);
    guess(&guard, &alice, 0).unwrap();
    guess(&guard, &alice, 0).unwrap();
    assert!(matches!(guard.reserve(&alice, at(0)), Verdict::Challenge { .. }));
    for _ in 0..3 {
        guess(&guard, &alice.solved(), 0).unwrap();
    }
    assert_eq!(guess(&guard, &alice.solved(), 0), Err(1));
    assert!(matches!(guard.reserve(&from("alice", 2), at(0)), Verdict::Challenge { .. }));
    assert!(matches!(guard.reserve(&from("bob", 2), at(0)), Verdict::Allow(_)));
}

#[cfg(feature = "password")]
#[test]
fn whether_it_asks_for_challenges() {
    assert!(!guard().asks_for_challenges());
    assert!(LoginGuard::builder().challenge_after(2).start().unwrap().asks_for_challenges());
}

#[test]
fn attack_a_flood_of_names_neither_grows_the_table_nor_forgives() {
    let guard = LoginGuard::builder().entries(1_000).network_attempts(100_000).start().unwrap();
    let alice = from("alice", 1);
    for _ in 0..5 {
        guess(&guard, &alice, 0).unwrap();
    }
    for user in 0..2_000 {
        let _ = guess(&guard, &from(&format!("flood{user}"), 2), 0);
    }
    assert!(entries(&guard) <= 1_000, "{}", entries(&guard));
    assert!(guess(&guard, &from("newcomer", 3), 0).is_err(), "full is no");
    assert_eq!(guess(&guard, &alice, 0), Err(1), "and nothing is forgiven");
    assert_eq!(guess(&guard, &from("newcomer", 3), 86_400), Ok(()), "until it is forgotten");
}

#[test]
fn a_full_table_is_looked_through_once_a_second() {
    let guard = LoginGuard::builder().entries(1_000).network_attempts(100_000).start().unwrap();
    let ask = |millis: u64| {
        let now = at(0).saturating_add(Duration::from_millis(millis));
        matches!(guard.reserve(&from("newcomer", 3), now), Verdict::Allow(_))
    };
    for user in 0..500 {
        let _ = guess(&guard, &from(&format!("flood{user}"), 2), 0);
    }
    // Nothing is forgotten until 900 s have passed.
    assert!(!ask(899_500));
    assert!(!ask(900_499), "not looked through again");
    assert!(ask(900_500));
}

#[test]
fn attack_a_flood_from_many_networks_locks_out_no_known_device() {
    let guard = LoginGuard::builder().entries(1_000).start().unwrap();
    let owner = guard.device_cookie("alice").unwrap();
    let forged = format!("{}.{}", "0".repeat(32), "0".repeat(64));
    for last in 1..=10 {
        guess(&guard, &from("filler", last), 0).unwrap();
    }
    let _ = guess(&guard, &from("rest", 1), 0);
    // From eight threads, with and without a made-up cookie, until no three entries are left.
    std::thread::scope(|scope| {
        for thread in 0..8_u8 {
            let (guard, forged) = (&guard, &forged);
            scope.spawn(move || {
                for last in 0..=255 {
                    let client = [198, 51, thread, last].into();
                    let account = format!("flood{thread}-{last}");
                    let _ = guess(guard, &Login::new(&account).client(client).device(forged), 0);
                    let _ = guess(guard, &Login::new("alice").client(client), 0);
                }
            });
        }
    });
    // Account and networks are known, so each of these needs one.
    let fits = (2..=10).filter(|last| guess(&guard, &from("rest", *last), 0).is_ok()).count();
    assert!(fits < 9, "not one is left");
    assert_eq!(entries(&guard), 875);
    assert!(guess(&guard, &from("newcomer", 3), 0).is_err(), "full is no");
    assert!(guess(&guard, &from("alice", 3), 0).is_err());
    assert!(succeed(&guard, &from("alice", 3).device(&owner), 0), "but not to a known device");
    assert_eq!(guess(&guard, &from("alice", 3).device(&owner), 0), Ok(()));
    assert!(succeed(&guard, &from("alice", 3).device(&owner), 0), "whoever comes back");
    assert!(entries(&guard) <= 1_000, "{}", entries(&guard));
}

#[test]
fn attack_one_account_with_many_devices_fills_no_share() {
    let guard = LoginGuard::builder().entries(1_000).start().unwrap();
    for _ in 0..2_000 {
        let cookie = guard.device_cookie("mallory").unwrap();
        let _ = guess(&guard, &from("mallory", 1).device(&cookie), 0);
    }
    assert_eq!(guard.0.devices.lock().unwrap().states.len(), 16);
    let owner = guard.device_cookie("alice").unwrap();
    assert_eq!(guess(&guard, &from("alice", 1).device(&owner), 0), Ok(()));
}

#[test]
fn attack_a_full_share_of_devices_locks_out_no_other_device_and_forgives_nobody() {
    let guard = LoginGuard::builder().entries(1_000).start().unwrap();
    let first = guard.device_cookie("first").unwrap();
    for _ in 0..5 {
        guess(&guard, &from("first", 1).device(&first), 0).unwrap();
    }
    for user in 0..200 {
        let account = format!("user{user}");
        let cookie = guard.device_cookie(&account).unwrap();
        let _ = guess(&guard, &from(&account, 1).device(&cookie), 0);
    }
    assert_eq!(guard.0.devices.lock().unwrap().states.len(), 125, "an eighth");
    let late = guard.device_cookie("late").unwrap();
    assert_eq!(guess(&guard, &from("first", 1).device(&first), 0), Err(1), "nothing is forgiven");
    for _ in 0..5 {
        assert_eq!(guess(&guard, &from("late", 1).device(&late), 0), Ok(()), "like anybody");
    }
    assert_eq!(guess(&guard, &from("late", 1).device(&late), 0), Err(1), "and no better");
    assert_eq!(guess(&guard, &from("late", 1), 0), Err(1), "in one count with anybody");
    assert_eq!(guess(&guard, &from("late", 1).device(&late), 86_400), Ok(()));
}

#[test]
fn set_ups_that_cannot_be() {
    let check = |builder: LoginGuardBuilder, expected| {
        assert_eq!(builder.start().unwrap_err(), expected);
    };
    let (guard, secs) = (LoginGuard::builder, Duration::from_secs);
    check(guard().attempts(0), GuardError::Attempts);
    check(guard().account_attempts(101), GuardError::Attempts);
    check(guard().network_attempts(0), GuardError::Attempts);
    check(guard().delays(secs(0), secs(1)), GuardError::Delay);
    check(guard().delays(secs(2), secs(1)), GuardError::Delay);
    check(guard().delays(secs(2), secs(86_401)), GuardError::Delay);
    check(guard().forget(secs(59)), GuardError::Forget);
    check(guard().entries(999), GuardError::Entries { entries: 999 });
    check(guard().device_key(Secret::new([0; 31])), GuardError::Key);
}

#[test]
fn set_ups_that_just_can_be() {
    let check = |builder: LoginGuardBuilder| assert!(builder.start().is_ok());
    let (guard, secs) = (LoginGuard::builder, Duration::from_secs);
    check(guard().attempts(1).account_attempts(1).network_attempts(1));
    check(guard().attempts(100).account_attempts(100).network_attempts(100_000));
    check(guard().delays(Duration::from_millis(1), Duration::from_millis(1)));
    check(guard().delays(secs(86_400), secs(86_400)));
    check(guard().forget(secs(60)).entries(1_000));
    check(guard().forget(secs(86_400)).device_key(Secret::new([0; 32])));
}
