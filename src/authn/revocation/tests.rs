mod logouts;

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use proptest::prelude::*;

use super::*;
use crate::{AuthnErrorKind, UnixTime};

const ISSUER: &str = "https://id.example";
const OTHER: &str = "https://other.example";

const fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(secs)
}

/// A token that says all there is to say.
fn presented(issuer: &str) -> Presented<'_> {
    Presented {
        token: Some("t"),
        session: Some("s"),
        subject: Some("alice"),
        client: Some("shop"),
        issued_at: Some(at(100)),
        ..Presented::new(issuer)
    }
}

/// Why the list refuses it, if it does.
fn refusal(list: &Denylist, presented: &Presented<'_>, now: u64) -> Option<&'static str> {
    let refused = list.check(presented, at(now)).err()?;
    assert_eq!(refused.kind(), AuthnErrorKind::Revoked);
    Some(refused.detail())
}

#[test]
fn each_target_is_refused_by_what_names_it_alone() {
    let until = at(1_000);
    for (revocation, expected) in [
        (Revocation::token(ISSUER, "t", until), "the token was revoked"),
        (Revocation::session(ISSUER, "s", until), "the token's session is over"),
        (Revocation::subject(ISSUER, "alice", until), "the subject's tokens were revoked"),
        (Revocation::client(ISSUER, "shop", until), "the client's tokens were revoked"),
        (Revocation::issuer(ISSUER, until), "the issuer's tokens were revoked"),
    ] {
        let list = Denylist::new(8);
        assert_eq!(refusal(&list, &presented(ISSUER), 100), None);
        assert_eq!(list.revoke(&revocation, at(100)), Ok(true));
        assert_eq!(list.revoke(&revocation, at(100)), Ok(false), "it stands already");
        assert_eq!(refusal(&list, &presented(ISSUER), 100), Some(expected));
        assert_eq!(refusal(&list, &presented(OTHER), 100), None, "{revocation:?}");
        assert_eq!(list.entries(at(100)), 1);
    }
    let list = Denylist::new(8);
    list.revoke(&Revocation::token(ISSUER, "t", until), at(100)).unwrap();
    assert_eq!(refusal(&list, &Presented::new(ISSUER), 100), None, "it has no `jti`");
}

#[test]
fn attack_name_of_one_kind_under_another() {
    let same = Presented {
        token: Some("x"),
        session: Some("x"),
        subject: Some("x"),
        client: Some("x"),
        ..Presented::new(ISSUER)
    };
    let without = [
        (Target::Token("x"), Presented { token: None, ..same }),
        (Target::Session("x"), Presented { session: None, ..same }),
        (Target::Subject("x"), Presented { subject: None, ..same }),
        (Target::Client("x"), Presented { client: None, ..same }),
    ];
    for (target, other) in without {
        let list = Denylist::new(64);
        for text in ["x", "", "x\0", "xx"] {
            // So that every kind is looked for.
            for of in [Target::Token, Target::Session, Target::Subject, Target::Client] {
                let revocation = Revocation::of(OTHER, of(text), at(1_000));
                list.revoke(&revocation, at(1)).unwrap();
            }
        }
        list.revoke(&Revocation::of(ISSUER, Target::Logout("x"), at(1_000)), at(1)).unwrap();
        assert_eq!(refusal(&list, &same, 1), None, "none of it is this issuer's");
        list.revoke(&Revocation::of(ISSUER, target, at(1_000)), at(1)).unwrap();
        assert_eq!(refusal(&list, &same, 1), Some(target.refusal()));
        assert_eq!(refusal(&list, &other, 1), None, "{target:?}");
    }
}

#[test]
fn attack_issuer_and_name_cut_elsewhere() {
    let list = Denylist::new(8);
    list.revoke(&Revocation::token("ab", "c", at(1_000)), at(1)).unwrap();
    let token = |issuer, token| Presented { token: Some(token), ..Presented::new(issuer) };
    assert!(refusal(&list, &token("ab", "c"), 1).is_some());
    for (issuer, id) in [("a", "bc"), ("abc", ""), ("", "abc"), ("ab", "c\0"), ("ab\0", "c")] {
        assert_eq!(refusal(&list, &token(issuer, id), 1), None);
    }
}

#[test]
fn what_is_issued_within_the_second_is_refused_and_after_it_is_not() {
    let list = Denylist::new(8);
    let cut =
        Revocation::subject(ISSUER, "alice", at(1_000)).issued_by(UnixTime::from_millis(100_500));
    list.revoke(&cut, at(100)).unwrap();
    let issued = |issued_at| Presented { issued_at, ..presented(ISSUER) };
    let refused = |issued_at| refusal(&list, &issued(issued_at), 100).is_some();
    assert!(refused(Some(at(99))) && refused(Some(at(100))));
    assert!(refused(Some(UnixTime::from_millis(100_999))), "no finer than `iat`");
    assert!(!refused(Some(at(101))));
    assert!(refused(None), "nobody knows when");
    // The later of two holds, in whichever order they come.
    list.revoke(&cut.issued_by(at(50)), at(100)).unwrap();
    assert!(refused(Some(at(100))) && !refused(Some(at(101))));
    list.revoke(&cut.issued_by(at(101)), at(100)).unwrap();
    assert!(refused(Some(at(101))) && !refused(Some(at(102))));
    list.revoke(&Revocation::subject(ISSUER, "alice", at(1_000)), at(100)).unwrap();
    assert!(refused(Some(at(999_999))));
}

#[test]
fn a_revocation_ends_when_it_says() {
    let list = Denylist::new(8);
    let token = |until| Revocation::token(ISSUER, "t", until);
    assert_eq!(list.revoke(&token(at(100)), at(100)), Err(RevokeError::Over));
    assert_eq!(list.revoke(&token(UnixTime::from_millis(199_001)), at(100)), Ok(true));
    let refused = |now| list.check(&presented(ISSUER), UnixTime::from_millis(now)).is_err();
    assert!(refused(100_000) && refused(199_001) && refused(199_999), "to the end of the second");
    assert!(!refused(200_000));
    assert_eq!((list.entries(at(199)), list.entries(at(200))), (1, 0));
    // One that has ended lends nothing to the next.
    assert_eq!(list.revoke(&token(at(300)).issued_by(at(50)), at(200)), Ok(true));
    assert!(!refused(250_000), "issued after");
    // What ends when times are not told apart any more does not end.
    assert_eq!(list.revoke(&token(UnixTime::from_millis(u64::MAX)), at(200)), Ok(false));
    assert!(refused(u64::MAX));
}

#[test]
fn attack_full_list() {
    let list = Denylist::new(64);
    assert_eq!(list.capacity(), 64);
    let name = |number: u32| format!("t{number}");
    let revoke = |number, now: u64| {
        list.revoke(&Revocation::token(ISSUER, &name(number), at(now + 100)), at(now))
    };
    let refused = |number, now| {
        let name = name(number);
        let token = Presented { token: Some(&name), ..Presented::new(ISSUER) };
        refusal(&list, &token, now).is_some()
    };
    let held = (0..).take_while(|number| revoke(*number, 100) == Ok(true)).count() as u32;
    assert!(held >= 64, "{held}");
    assert_eq!(revoke(held, 100), Err(RevokeError::Full));
    assert!((0..held).all(|number| refused(number, 100)), "what stood stands");
    assert!(!refused(held, 100));
    assert_eq!(revoke(0, 150), Ok(false), "what stands can stand longer");
    assert_eq!(revoke(held, 199), Err(RevokeError::Full));
    assert_eq!(revoke(held, 200), Ok(true), "what has ended makes room");
    assert!(refused(held, 200) && refused(0, 200) && !refused(1, 200));
}

#[test]
fn there_is_room_for_as_many_as_stated() {
    for entries in [1, 8, 9, 100, 1_000, 20_000] {
        let mut list = None;
        let taken = allocation_counter::measure(|| list = Some(Denylist::new(entries)));
        let list = list.unwrap();
        assert!(list.capacity() >= entries);
        assert_eq!(taken.bytes_current, i64::try_from(list.capacity() * 32).unwrap());
        // Over and over, each time beside as many that have ended.
        for round in 0..5_u64 {
            let now = at(100 * (round + 1));
            for number in 0..entries {
                let name = format!("{round}-{number}");
                let token = Revocation::token(ISSUER, &name, at(100 * (round + 2)));
                assert_eq!(list.revoke(&token, now), Ok(true));
            }
            assert_eq!(list.entries(now), entries);
        }
    }
}

#[test]
fn to_ask_allocates_nothing() {
    let list = Denylist::new(8);
    for target in presented(ISSUER).targets() {
        list.revoke(&Revocation::of(OTHER, target, at(1_000)), at(1)).unwrap();
    }
    let ask = || assert!(list.check(&presented(ISSUER), at(1)).is_ok());
    assert_eq!(allocation_counter::measure(ask).count_total, 0);
    assert!(!format!("{list:?}").contains("alice"));
}

/// A list that is a map, and nothing else.
#[derive(Default)]
struct Plain(HashMap<(usize, usize), (Option<u64>, u64)>);

impl Plain {
    /// Later is more, and no time at all the most.
    fn revoke(
        &mut self,
        key: (usize, usize),
        issued_by: Option<u64>,
        until: u64,
        now: u64,
    ) -> bool {
        let held = self.0.get(&key).copied().filter(|(_, until)| now < *until);
        let latest = |a: Option<u64>, b: Option<u64>| Some(a?.max(b?));
        let term = match held {
            Some((by, end)) => (latest(by, issued_by), end.max(until)),
            None => (issued_by, until),
        };
        self.0.insert(key, term);
        held.is_none()
    }

    fn refuses(&self, key: (usize, usize), issued_at: Option<u64>, now: u64) -> bool {
        self.0.get(&key).is_some_and(|(by, until)| {
            now < *until && issued_at.zip(*by).is_none_or(|(at, by)| at <= by)
        })
    }
}

const ISSUERS: [&str; 3] = [ISSUER, OTHER, ""];

/// The targets that the model has, by number.
fn target(number: usize) -> Target<'static> {
    let name = ["a", "b", "c"][number / 5 % 3];
    match number % 5 {
        0 => Target::Token(name),
        1 => Target::Session(name),
        2 => Target::Subject(name),
        3 => Target::Client(name),
        _ => Target::Issuer,
    }
}

proptest! {
    #[test]
    fn a_list_refuses_what_a_plain_map_does(
        steps in prop::collection::vec(
            (0..3_usize, 0..15_usize, prop::option::of(0..60_u64), 0..30_u64, 0..3_u64),
            1..120,
        )
    ) {
        // 33 targets at most, so there is always room.
        let (list, mut plain, mut now) = (Denylist::new(64), Plain::default(), 10);
        for (issuer, number, issued, lasts, later) in steps {
            now += later;
            let revocation = Revocation {
                issued_by: issued.map(at),
                ..Revocation::of(ISSUERS[issuer], target(number), at(now + lasts))
            };
            let key = |number: usize| (issuer, if number % 5 == 4 { 4 } else { number });
            let expected = match lasts {
                0 => Err(RevokeError::Over),
                _ => Ok(plain.revoke(key(number), issued, now + lasts, now)),
            };
            prop_assert_eq!(list.revoke(&revocation, at(now)), expected);
            for asked in 0..15 {
                for issued_at in [None, Some(now), issued, issued.map(|issued| issued + 1)] {
                    let mut token = Presented::new(ISSUERS[issuer]);
                    token.issued_at = issued_at.map(at);
                    match target(asked) {
                        Target::Token(name) => token.token = Some(name),
                        Target::Session(name) => token.session = Some(name),
                        Target::Subject(name) => token.subject = Some(name),
                        Target::Client(name) => token.client = Some(name),
                        Target::Issuer | Target::Logout(_) => {}
                    }
                    let expected = plain.refuses(key(asked), issued_at, now)
                        || plain.refuses(key(4), issued_at, now);
                    prop_assert_eq!(list.check(&token, at(now)).is_err(), expected);
                }
            }
        }
    }
}

#[test]
fn threads_find_what_was_revoked_and_nothing_else() {
    let (list, clock, done) = (Denylist::new(512), AtomicU64::new(1_000), AtomicBool::new(false));
    let named = |name: &str, now: u64| {
        let token = Presented { token: Some(name), ..Presented::new(ISSUER) };
        list.check(&token, at(now)).is_err()
    };
    list.revoke(&Revocation::token(ISSUER, "always", at(1_000_000)), at(1)).unwrap();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2_u64)
            .map(|thread| {
                let (list, clock, named) = (&list, &clock, &named);
                scope.spawn(move || {
                    for number in 0..20_000_u64 {
                        // So that places change hands: two hundred ticks are fewer than come.
                        let now = clock.fetch_add(number % 2, Ordering::Relaxed);
                        let name = format!("{thread}-{number}");
                        let token = Revocation::token(ISSUER, &name, at(now + 200));
                        let made = list.revoke(&token, at(now)).is_ok();
                        // A thread that was held up for so long acts in the past of the others.
                        let late = || clock.load(Ordering::Relaxed) >= now + 200;
                        assert!(made && named(&name, now) || late(), "from when `revoke` returns");
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let now = clock.load(Ordering::Relaxed);
                    assert!(named("always", now));
                    assert!(!named("never", now));
                }
            });
        }
        let ended: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
}
