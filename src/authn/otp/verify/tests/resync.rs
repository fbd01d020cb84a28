//! Two codes in a row bring back a counter that has run ahead.

use proptest::prelude::*;

use super::*;

fn hotp() -> Hotp {
    Hotp::new(MemorySteps::new(100))
}

fn resync(hotp: &Hotp, codes: [&str; 2], last: Option<u64>) -> Result<u64, AuthnErrorKind> {
    at_once(hotp.resynchronize("a", &key(), codes, last)).map_err(AuthnError::kind)
}

fn two(first: u64) -> [String; 2] {
    [key().code(first), key().code(first + 1)]
}

fn borrowed(codes: &[String; 2]) -> [&str; 2] {
    codes.each_ref().map(String::as_str)
}

#[test]
fn the_codes_of_rfc_4226_appendix_d_two_by_two() {
    let codes = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    for (counter, pair) in (1..).zip(codes.windows(2)) {
        let pair = [pair[0], pair[1]];
        assert_eq!(resync(&hotp(), pair, None), Ok(counter), "{pair:?}");
        let back = [pair[1], pair[0]];
        assert_eq!(resync(&hotp(), back, None), Err(AuthnErrorKind::Invalid), "{back:?}");
    }
    for pair in [["755224", "359152"], ["755224", "755224"], ["000000", "287082"]] {
        assert_eq!(resync(&hotp(), pair, None), Err(AuthnErrorKind::Invalid), "{pair:?}");
    }
    for pair in [["755224", "28708"], ["", "287082"], ["755224", "٢٨٧٠٨٢"]] {
        assert_eq!(resync(&hotp(), pair, None), Err(AuthnErrorKind::Malformed), "{pair:?}");
    }
}

#[test]
fn it_looks_so_far_ahead_and_never_back() {
    let check = |first, last, expected: Option<u64>| {
        let found = resync(&hotp(), borrowed(&two(first)), last);
        assert_eq!(found.ok(), expected, "{first} after {last:?}");
    };
    check(98, None, Some(99));
    check(99, None, None);
    check(108, Some(9), Some(109));
    check(109, Some(9), None);
    check(10, Some(9), Some(11));
    check(9, Some(9), None);
    check(u64::MAX - 1, Some(u64::MAX - 2), Some(u64::MAX));
    check(u64::MAX - 1, Some(u64::MAX - 1), None);
    check(u64::MAX - 1, Some(u64::MAX), None);
}

#[test]
fn a_device_that_ran_ahead_logs_in_again_after_it() {
    let hotp = hotp();
    let verify = |counter, last| at_once(hotp.verify("a", &key(), &key().code(counter), last)).ok();
    assert_eq!(verify(0, None), Some(0));
    assert_eq!(verify(50, Some(0)), None);
    assert_eq!(resync(&hotp, borrowed(&two(50)), Some(0)), Ok(51));
    assert_eq!(verify(52, Some(51)), Some(52));
}

#[test]
fn attack_the_codes_of_a_resynchronization_once_more() {
    let hotp = hotp();
    assert_eq!(resync(&hotp, borrowed(&two(40)), Some(0)), Ok(41));
    // The application may not have stored the counter yet.
    for last in [Some(0), Some(39), Some(40), Some(41)] {
        for first in [39, 40, 41] {
            let again = resync(&hotp, borrowed(&two(first)), last);
            assert_eq!(again, Err(AuthnErrorKind::Invalid), "{first} after {last:?}");
        }
        for counter in [40, 41] {
            let again = at_once(hotp.verify("a", &key(), &key().code(counter), last));
            assert_eq!(again.map_err(AuthnError::kind), Err(AuthnErrorKind::Invalid));
        }
    }
}

#[test]
fn attack_a_used_code_as_the_first_of_two() {
    let hotp = hotp();
    assert_eq!(at_once(hotp.verify("a", &key(), &key().code(3), None)), Ok(3));
    // The counter that the application reads is behind.
    assert_eq!(resync(&hotp, borrowed(&two(3)), None), Err(AuthnErrorKind::Invalid));
    assert_eq!(at_once(hotp.verify("a", &key(), &key().code(4), None)), Ok(4), "it used nothing");
}

/// How many of 64 threads that start together are let in.
fn winners(call: impl Fn(usize) -> bool + Sync) -> usize {
    let start = std::sync::Barrier::new(64);
    let race = |index| {
        start.wait();
        call(index)
    };
    std::thread::scope(|scope| {
        let race = &race;
        let threads: Vec<_> = (0..64).map(|index| scope.spawn(move || race(index))).collect();
        threads.into_iter().map(|one| one.join().unwrap()).filter(|won| *won).count()
    })
}

#[test]
fn attack_64_threads_race_one_pair_its_halves_and_its_neighbours() {
    for round in 0..10 {
        let (hotp, first) = (hotp(), 8 * round);
        let one = |hotp: &Hotp, first| resync(hotp, borrowed(&two(first)), None).is_ok();
        assert_eq!(winners(|_| one(&hotp, first + 5)), 1, "the same pair");

        // Every two of these calls share a code, so no two of them may count.
        let hotp = self::hotp();
        let single = |hotp: &Hotp, counter| {
            at_once(hotp.verify("a", &key(), &key().code(counter), first.checked_sub(1))).is_ok()
        };
        let won = winners(|index| match index % 2 {
            0 => one(&hotp, first + 5),
            _ => single(&hotp, first + 5),
        });
        assert_eq!(won, 1, "a pair and its first half");

        let hotp = self::hotp();
        let won = winners(|index| match index % 3 {
            0 => one(&hotp, first + 5),
            1 => one(&hotp, first + 6),
            _ => single(&hotp, first + 6),
        });
        assert_eq!(won, 1, "two pairs and the code that both have");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// However single codes and pairs follow each other, and however far behind the counter is
    /// that the application has read, no code counts twice.
    #[test]
    fn no_code_counts_twice(
        calls in proptest::collection::vec((0..30_u64, any::<bool>(), 0..30_u64), 0..12),
    ) {
        let hotp = hotp();
        let mut used = std::collections::BTreeSet::new();
        for (counter, pair, behind) in calls {
            let last = used.last().copied().unwrap_or_default();
            let last = u64::checked_sub(last, behind);
            let codes = two(counter);
            let taken = if pair {
                resync(&hotp, borrowed(&codes), last).map(|last| vec![last - 1, last])
            } else {
                at_once(hotp.verify("a", &key(), &codes[0], last))
                    .map(|last| vec![last])
                    .map_err(AuthnError::kind)
            };
            for counter in taken.unwrap_or_default() {
                prop_assert!(used.last().is_none_or(|last| *last < counter) && used.insert(counter));
            }
        }
    }
}
