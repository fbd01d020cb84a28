mod resync;

use std::ops::RangeInclusive;

use super::*;
use crate::{
    Secret,
    authn::{
        Answer, StoreError,
        otp::{Digits, MemorySteps, OtpAlgorithm},
        store::at_once,
    },
};

fn key() -> OtpKey {
    OtpKey::new(Secret::new(*b"12345678901234567890")).unwrap()
}

fn totp() -> Totp {
    Totp::new(MemorySteps::new(100))
}

fn verify(totp: &Totp, code: &str, secs: u64) -> Result<(), AuthnErrorKind> {
    let result = at_once(totp.verify("staff/alice", &key(), code, UnixTime::from_secs(secs)));
    result.map_err(AuthnError::kind)
}

#[test]
fn rfc_6238_appendix_b() {
    let seed = b"1234567890".repeat(7);
    let check = |algorithm, length: usize, codes: [&str; 6]| {
        let key = OtpKey::new(Secret::new(&seed[..length])).unwrap();
        let key = key.algorithm(algorithm).digits(Digits::Eight);
        let totp = totp().drift(Drift::None);
        let times =
            [59, 1_111_111_109, 1_111_111_111, 1_234_567_890, 2_000_000_000, 20_000_000_000];
        for (secs, code) in times.into_iter().zip(codes) {
            let now = UnixTime::from_secs(secs);
            let wrong = if code.starts_with('0') { "12345678" } else { "00000000" };
            assert!(at_once(totp.verify("a", &key, wrong, now)).is_err(), "{secs}");
            assert_eq!(at_once(totp.verify("a", &key, code, now)), Ok(()), "{secs}");
        }
    };
    check(
        OtpAlgorithm::Sha1,
        20,
        ["94287082", "07081804", "14050471", "89005924", "69279037", "65353130"],
    );
    check(
        OtpAlgorithm::Sha256,
        32,
        ["46119246", "68084774", "67062674", "91819424", "90698825", "77737706"],
    );
    check(
        OtpAlgorithm::Sha512,
        64,
        ["90693936", "25091201", "99943326", "93441116", "38618901", "47863826"],
    );
}

#[test]
fn the_window_is_one_step_either_way() {
    let code = key().code(100);
    for (secs, expected) in [(2969, false), (2970, true), (3059, true), (3060, false)] {
        assert_eq!(verify(&totp(), &code, secs).is_ok(), expected, "{secs}");
        let exact = (3000..3030).contains(&secs);
        assert_eq!(verify(&totp().drift(Drift::None), &code, secs).is_ok(), exact, "{secs}");
    }
    assert!(verify(&totp().drift(Drift::Two), &code, 2940).is_ok());
    assert!(verify(&totp().drift(Drift::Two), &code, 2939).is_err());
}

#[test]
fn the_ends_of_time() {
    assert!(verify(&totp(), &key().code(0), 0).is_ok());
    assert!(verify(&totp(), "000000", u64::MAX).is_err());
}

#[test]
fn attack_the_enrolment_code_as_first_log_in() {
    let totp = totp();
    let code = key().code(100);
    assert_eq!(verify(&totp, &code, 3000), Ok(()), "confirms the enrolment");
    assert_eq!(verify(&totp, &code, 3001), Err(AuthnErrorKind::Invalid));
    assert_eq!(verify(&totp, &key().code(101), 3031), Ok(()), "the next one is a log-in");
}

#[test]
fn attack_the_clock_goes_back() {
    let totp = totp();
    assert_eq!(verify(&totp, &key().code(100), 3000), Ok(()));
    for secs in [2971, 2999, 3000] {
        assert_eq!(verify(&totp, &key().code(100), secs), Err(AuthnErrorKind::Invalid));
        assert_eq!(verify(&totp, &key().code(99), secs), Err(AuthnErrorKind::Invalid));
    }
}

#[test]
fn attack_the_clock_leaps_a_year_ahead_and_comes_back() {
    const YEAR: u64 = 365 * 24 * 60 * 60;
    let totp = totp();
    let step = |secs: u64| key().code(secs / 30);
    assert_eq!(verify(&totp, &step(3000), 3000), Ok(()));
    assert_eq!(verify(&totp, &step(3000 + YEAR), 3000 + YEAR), Ok(()));
    for secs in [0, 3000, 3030, YEAR, 3000 + YEAR] {
        let again = verify(&totp, &step(secs), secs);
        assert_eq!(
            again,
            Err(AuthnErrorKind::Invalid),
            "{secs}: no step below the last one counts"
        );
    }
    assert_eq!(verify(&totp, &step(3030 + YEAR), 3030 + YEAR), Ok(()));
}

#[test]
fn attack_64_threads_race_one_code() {
    for round in 0..20_u64 {
        let (totp, code) = (totp(), key().code(100 + round));
        let start = std::sync::Barrier::new(64);
        let race = || {
            start.wait();
            verify(&totp, &code, (100 + round) * 30).is_ok()
        };
        let won = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..64).map(|_| scope.spawn(race)).collect();
            threads.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    }
}

#[test]
fn a_wrong_code_uses_nothing_up() {
    let totp = totp();
    assert_eq!(verify(&totp, "000000", 3000), Err(AuthnErrorKind::Invalid));
    assert_eq!(verify(&totp, "zero", 3000), Err(AuthnErrorKind::Malformed));
    assert_eq!(verify(&totp, &key().code(99), 3000), Ok(()));
}

#[test]
fn a_store_that_fails_is_unavailable() {
    #[derive(Debug)]
    struct Down;
    impl StepStore for Down {
        fn advance(&self, _: &str, _: RangeInclusive<u64>) -> Answer<Advance> {
            Answer::wait(async { Err(StoreError) })
        }
    }
    let down = Totp::new(Down);
    assert_eq!(verify(&down, &key().code(100), 3000), Err(AuthnErrorKind::Unavailable));
    assert_eq!(verify(&down, "000000", 3000), Err(AuthnErrorKind::Invalid));
}

#[test]
fn an_account_needs_a_name_of_some_length() {
    let totp = totp();
    let now = UnixTime::from_secs(3000);
    for name in ["", &"x".repeat(2000)] {
        let refused = at_once(totp.verify(name, &key(), &key().code(100), now)).unwrap_err();
        assert_eq!(refused.kind(), AuthnErrorKind::Malformed);
    }
}

#[test]
fn counters() {
    let hotp = Hotp::new(MemorySteps::new(100));
    let check = |counter, last, expected: Option<u64>| {
        let found = at_once(hotp.verify("a", &key(), &key().code(counter), last));
        assert_eq!(found.ok(), expected, "{counter} after {last:?}");
    };
    check(10, None, None);
    check(9, None, Some(9));
    check(9, None, None);
    check(9, Some(8), None);
    check(20, Some(9), None);
    check(19, Some(9), Some(19));
    check(u64::MAX, Some(u64::MAX - 1), Some(u64::MAX));
    check(u64::MAX, Some(u64::MAX), None);
}
