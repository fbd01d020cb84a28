use proptest::prelude::*;

use super::*;
use crate::Key;

const EVERY: Duration = Duration::from_secs(300);
const MAX_STALE: Duration = Duration::from_secs(3600);
const COOLDOWN: Duration = Duration::from_secs(30);
const START: u64 = 1_700_000_000;

fn at(secs: u64) -> Now {
    Now::new(UnixTime::from_secs(START), Mono::from_nanos(0)).later(Duration::from_secs(secs))
}

fn machine() -> Machine {
    Machine::new(RemoteSet::at("https://id.example/keys"), 7).unwrap()
}

/// A document with one key of each of these names.
fn keys(kids: &[u8]) -> Reading {
    let one = |kid: &u8| {
        Key::from_jwk(format!(
            r#"{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"{kid}",
                "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#
        ))
    };
    let keys = KeySet::new(kids.iter().map(|kid| one(kid).unwrap())).unwrap();
    let mut digest = [0; 32];
    digest.iter_mut().zip(kids).for_each(|(to, from)| *to = *from + 1);
    Reading::Keys { keys, digest, etag: Some("\"e\"".into()), max_age: None, sequence: None }
}

const DOWN: Reading = Reading::Failed(FetchError::Unreachable);

/// Fetches now and answers.
fn fetched(machine: &mut Machine, now: Now, reading: Reading) {
    let request = machine.need_fetch(now).expect("a fetch is due");
    machine.apply(now, request.number, reading);
}

#[test]
fn a_set_is_fetched_at_once_and_then_ahead_of_its_end() {
    let mut machine = machine();
    fetched(&mut machine, at(0), keys(&[1]));
    assert!(machine.need_fetch(at(239)).is_none());
    assert!(machine.need_fetch(at(300)).is_some());
}

#[test]
fn a_server_may_ask_for_sooner_and_never_for_later() {
    let due = |secs| {
        let mut machine = machine();
        let Reading::Keys { keys, digest, etag, .. } = keys(&[1]) else { panic!() };
        let max_age = Some(Duration::from_secs(secs));
        fetched(&mut machine, at(0), Reading::Keys { keys, digest, etag, max_age, sequence: None });
        machine.wait(at(0).mono).as_secs()
    };
    assert!((24..=30).contains(&due(0)), "not more often than the cooldown");
    assert!((80..=100).contains(&due(100)));
    assert!((240..=300).contains(&due(86_400)));
}

#[test]
fn attack_bundle_that_was_in_force_before() {
    let numbered = |kid: u8, number: Option<u64>| {
        let Reading::Keys { keys, digest, etag, max_age, .. } = keys(&[kid]) else { panic!() };
        Reading::Keys { keys, digest, etag, max_age, sequence: number }
    };
    let mut machine = machine();
    fetched(&mut machine, at(0), numbered(1, Some(7)));
    fetched(&mut machine, at(300), numbered(2, Some(6)));
    assert!(machine.has("1"), "the older one is not heard");
    assert_eq!(machine.error, Some(FetchError::Outdated));
    fetched(&mut machine, at(600), numbered(3, Some(7)));
    assert!(machine.has("3"), "one of the same number is");
    fetched(&mut machine, at(900), numbered(4, None));
    fetched(&mut machine, at(1200), numbered(5, Some(1)));
    assert!(machine.has("5"), "without a number nothing is older");
    fetched(&mut machine, at(1500), numbered(6, Some(9)));
    let end = at(1500 + MAX_STALE.as_secs());
    fetched(&mut machine, end, numbered(7, Some(1)));
    assert!(machine.has("7"), "what counts no more is newer than nothing");
}

#[test]
fn a_set_that_has_not_changed_stays_the_same_one() {
    let mut machine = machine();
    fetched(&mut machine, at(0), keys(&[1]));
    let first = machine.valid(at(0).mono).unwrap().0;
    for (secs, reading) in [(300, Reading::Unchanged { max_age: None }), (600, keys(&[1]))] {
        fetched(&mut machine, at(secs), reading);
        assert!(Arc::ptr_eq(&first, &machine.valid(at(secs).mono).unwrap().0));
        assert_eq!(machine.held().unwrap().asked, at(secs));
    }
    fetched(&mut machine, at(900), keys(&[2]));
    assert!(!machine.has("1"), "withdrawn");
}

#[test]
fn a_rotation_is_noticed_by_the_first_token() {
    let mut machine = machine();
    fetched(&mut machine, at(0), keys(&[1]));
    assert_eq!(machine.miss("2", at(10).wall), Missed::Pending(Duration::from_secs(20)));
    assert!(machine.need_fetch(at(29)).is_none(), "cooling down");
    fetched(&mut machine, at(30), keys(&[1, 2]));
    assert!(machine.has("1") && machine.has("2"));
    // Another name that no set has: one fetch, and then it is known to be nobody's.
    assert!(matches!(machine.miss("3", at(31).wall), Missed::Pending(_)));
    fetched(&mut machine, at(60), keys(&[1, 2]));
    assert_eq!(machine.miss("3", at(61).wall), Missed::Absent);
    assert!(machine.need_fetch(at(200)).is_none(), "the same name again changes nothing");
    let long = "x".repeat(MAX_KID + 1);
    assert_eq!(machine.miss(&long, at(61).wall), Missed::Absent);
}

#[test]
fn a_failure_is_repeated_ever_later_and_keys_end_in_time() {
    let mut machine = machine();
    fetched(&mut machine, at(0), keys(&[1]));
    let mut now = at(300);
    let mut fetches = 0;
    while now.mono < at(3600).mono {
        if let Some(request) = machine.need_fetch(now) {
            machine.apply(now, request.number, DOWN);
            fetches += 1;
        }
        assert!(machine.valid(now.mono).is_some());
        now = now.later(Duration::from_secs(1));
    }
    assert!((100..=150).contains(&fetches), "{fetches}");
    assert!(machine.valid(now.mono).is_none(), "stale");
    assert_eq!((machine.failures, machine.error), (fetches, Some(FetchError::Unreachable)));
    let request = machine.need_fetch(at(3700)).unwrap();
    machine.apply(at(3700), request.number, keys(&[1]));
    assert!(machine.valid(at(3700).mono).is_some() && machine.failures == 0);
}

#[test]
fn attack_answer_to_a_fetch_that_was_given_up() {
    let mut machine = machine();
    let lost = machine.need_fetch(at(0)).unwrap();
    assert!(machine.need_fetch(at(19)).is_none());
    let again = machine.need_fetch(at(20)).unwrap();
    machine.apply(at(21), lost.number, keys(&[1]));
    assert!(machine.held().is_none(), "a withdrawn key could come back with it");
    machine.apply(at(21), again.number, keys(&[2]));
    machine.apply(at(22), again.number, keys(&[1]));
    assert!(machine.has("2"));
}

#[test]
fn attack_unchanged_without_a_set_is_none() {
    let mut machine = machine();
    fetched(&mut machine, at(0), Reading::Unchanged { max_age: None });
    assert!(machine.valid(at(0).mono).is_none());
    assert_eq!(machine.error, Some(FetchError::Garbage));
}

#[test]
fn discovery_comes_first_and_again_after_a_failure() {
    let set = RemoteSet::discovered("https://id.example", super::super::Discovery::OpenId);
    let mut machine = Machine::new(set, 7).unwrap();
    let mut asked = Vec::new();
    let located = || Reading::Located("https://keys.example/".to_owned());
    for reading in [located(), keys(&[1]), DOWN, located(), keys(&[1])] {
        let now = at(400 * asked.len() as u64);
        let request = machine.need_fetch(now).unwrap();
        machine.apply(now, request.number, reading);
        asked.push(
            request.url.trim_start_matches("https://").split_once('/').unwrap().0 == "keys.example",
        );
    }
    assert_eq!(asked, [false, true, true, false, true]);
}

/// What may happen to the machine.
#[derive(Clone, Debug)]
enum Event {
    Pass(u16),
    Miss(u8),
    Serve(Vec<u8>),
    Unchanged,
    Down,
    Lost,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..2000_u16).prop_map(Event::Pass),
        3 => any::<u8>().prop_map(Event::Miss),
        2 => prop::collection::btree_set(0..6_u8, 1..4)
            .prop_map(|kids| Event::Serve(kids.into_iter().collect())),
        1 => Just(Event::Unchanged),
        2 => Just(Event::Down),
        1 => Just(Event::Lost),
    ]
}

proptest! {
    #[test]
    fn any_schedule(events in prop::collection::vec(event(), 1..200), random: u64) {
        let mut machine = Machine::new(RemoteSet::at("https://id.example/keys"), random).unwrap();
        let mut now = at(0);
        // What a plain reader would know: the last set and when it was asked for.
        let mut held: Option<(Vec<u8>, Now)> = None;
        let mut last: Option<(Now, bool)> = None;
        for event in events {
            let begun = now;
            let reading = match event {
                Event::Pass(secs) => {
                    now = now.later(Duration::from_secs(secs.into()));
                    None
                }
                Event::Miss(kid) => {
                    let known = held.as_ref().is_some_and(|(kids, _)| kids.contains(&kid));
                    let missed = machine.miss(&kid.to_string(), now.wall);
                    prop_assert!(!known || missed == Missed::Pending(Duration::ZERO));
                    if let Missed::Pending(wait) = missed {
                        prop_assert!(wait <= COOLDOWN);
                    }
                    None
                }
                Event::Serve(kids) => Some((keys(&kids), Some(kids))),
                Event::Unchanged => Some((Reading::Unchanged { max_age: None }, held.clone().map(|(kids, _)| kids))),
                Event::Down => Some((DOWN, None)),
                Event::Lost => {
                    if machine.need_fetch(now).is_some() {
                        last = Some((now, false));
                    }
                    prop_assert!(machine.need_fetch(now).is_none(), "one at a time");
                    None
                }
            };
            if let Some((reading, kids)) = reading && let Some(request) = machine.need_fetch(now) {
                prop_assert!(machine.need_fetch(now).is_none(), "one at a time");
                if let Some((before, succeeded)) = last {
                    let least = if succeeded { COOLDOWN.mul_f64(0.8) } else { Duration::from_secs(4) };
                    prop_assert!(since(now.mono, before.mono) >= least, "too often");
                }
                now = now.later(Duration::from_millis(500));
                machine.apply(now, request.number, reading);
                last = Some((begun, kids.is_some()));
                if let Some(kids) = kids {
                    held = Some((kids, begun));
                }
            }
            prop_assert!(machine.asked.len() <= MAX_ASKED && machine.absent.len() <= MAX_ABSENT);
            let known = held.as_ref().filter(|(_, asked)| since(now.mono, asked.mono) < MAX_STALE);
            let valid = machine.valid(now.mono);
            prop_assert_eq!(valid.is_some(), known.is_some());
            if let (Some((keys, until)), Some((kids, asked))) = (valid, known) {
                prop_assert_eq!(until, asked.wall.saturating_add(MAX_STALE));
                let kids: Vec<_> = kids.iter().map(u8::to_string).collect();
                prop_assert!(keys.keys().iter().map(|key| key.kid().unwrap()).eq(&kids));
            }
            prop_assert!(machine.wait(now.mono) <= EVERY);
        }
    }
}
