use super::*;
use crate::{
    Secret,
    authn::jwt::{Algorithm, Key},
};

const NOW: UnixTime = UnixTime::from_secs(1_000);
const LATER: UnixTime = UnixTime::from_secs(2_000);

impl<T: Clone> Cache<T> {
    fn get(&self, token: &[u8], keys: &Arc<KeySet>) -> Option<T> {
        let found = self.find(token, keys, T::clone);
        if found.is_none() {
            self.missed(token);
        }
        found
    }
}

fn keys() -> Arc<KeySet> {
    let key = Key::from_secret(Algorithm::Hs256, &Secret::new([7; 32])).unwrap();
    Arc::new(KeySet::from(key))
}

/// Numbers as good as random, the same in every run.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

fn token(number: u64) -> Vec<u8> {
    let mut state = number;
    let (a, b) = (random(&mut state), random(&mut state));
    format!("header.payload-{number}.{a:016x}{b:016x}").into_bytes()
}

fn put(cache: &Cache<u64>, keys: &Arc<KeySet>, number: u64) {
    cache.put(&token(number), keys, number, LATER, NOW);
}

#[test]
fn what_was_put_is_found_by_all_its_bytes() {
    let (cache, keys) = (Cache::new(8), keys());
    put(&cache, &keys, 1);
    assert_eq!(cache.get(&token(1), &keys), Some(1));
    assert_eq!(cache.get(&token(2), &keys), None);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.entries, stats.capacity), (1, 1, 1, 8));
    assert!(!format!("{cache:?}").contains("payload"));
}

#[test]
fn attack_token_that_ends_like_a_cached_one() {
    let (cache, keys) = (Cache::new(8), keys());
    put(&cache, &keys, 1);
    let good = token(1);
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        assert_eq!(cache.get(&changed, &keys), None, "byte {at}");
    }
    assert_eq!(cache.get(&good[1..], &keys), None);
    assert_eq!(cache.get(&[b"x", &*good].concat(), &keys), None);
    assert_eq!(cache.get(&[&*good, b"A"].concat(), &keys), None);
    for length in 0..16 {
        assert_eq!(cache.get(&good[..length], &keys), None, "no signature, no place");
        cache.put(&good[..length], &keys, 9, LATER, NOW);
    }
    assert_eq!(cache.get(&good, &keys), Some(1));
    assert_eq!(cache.stats().entries, 1);
}

#[test]
fn attack_token_of_keys_that_were_replaced() {
    let (cache, before, after) = (Cache::new(8), keys(), keys());
    put(&cache, &before, 1);
    assert_eq!(cache.get(&token(1), &after), None, "equal keys, but another set");
    assert_eq!(cache.get(&token(1), &before), Some(1));
    drop(before);
    // However often sets come and go, none is taken for the one before.
    for _ in 0..100 {
        assert_eq!(cache.get(&token(1), &keys()), None);
    }
    put(&cache, &after, 1);
    assert_eq!(cache.get(&token(1), &after), Some(1));
    assert_eq!(cache.stats().entries, 1, "the old entry's place was the token's own");
}

#[test]
fn attack_secrets_that_are_the_same_in_two_caches() {
    let place = |cache: &Cache<u64>| cache.place(&token(1)).map(|(_, print)| print);
    assert_ne!(place(&Cache::new(8)), place(&Cache::new(8)));
}

#[test]
fn what_is_over_makes_room_first() {
    let (cache, keys) = (Cache::new(8), keys());
    for number in 0..8 {
        put(&cache, &keys, number);
        assert_eq!(cache.get(&token(number), &keys), Some(number));
    }
    cache.put(&token(8), &keys, 8, LATER, NOW);
    assert_eq!(cache.get(&token(8), &keys), None, "all eight are of use");
    cache.put(&token(9), &keys, 9, UnixTime::from_secs(3_000), LATER);
    assert_eq!(cache.get(&token(9), &keys), Some(9), "at their end they are not");
    assert_eq!(cache.stats().entries, 8);
}

#[test]
fn in_a_full_set_a_token_enters_on_its_second_sight() {
    let (cache, keys) = (Cache::new(8), keys());
    (0..8).for_each(|number| put(&cache, &keys, number));
    put(&cache, &keys, 8);
    assert_eq!(cache.get(&token(8), &keys), None);
    put(&cache, &keys, 8);
    assert_eq!(cache.get(&token(8), &keys), Some(8));
    // One that is asked for keeps its place against all others.
    for number in 100..1_000 {
        assert_eq!(cache.get(&token(8), &keys), Some(8));
        put(&cache, &keys, number);
        put(&cache, &keys, number);
    }
    assert_eq!(cache.stats().entries, 8);
}

#[test]
fn attack_tokens_that_come_once_lessen_the_standing_of_hot_ones() {
    let (cache, keys) = (Cache::new(8), keys());
    (0..8).for_each(|number| put(&cache, &keys, number));
    for number in (0..8).cycle().take(8 * usize::from(OFTEN)) {
        assert_eq!(cache.get(&token(number), &keys), Some(number));
    }
    (100..200).for_each(|number| put(&cache, &keys, number));
    // Each of the hot ones was found three times, so it takes three that came twice to displace one.
    for number in [8, 9, 10] {
        put(&cache, &keys, number);
        put(&cache, &keys, number);
        assert_eq!(cache.get(&token(number), &keys), None);
    }
    assert!((0..8).all(|number| cache.get(&token(number), &keys).is_some()));
}

/// The share of hits, in percent, among 200 tokens in use while of all requests these percent
/// bring a token that comes once; for 1,000 entries. Of so many caches, since the secrets of one
/// move the share by some percent.
fn hits_under_a_flood(percent: u64, caches: u64) -> u64 {
    let (keys, mut state) = (keys(), 42);
    let (mut asked, mut found) = (0, 0);
    for _ in 0..caches {
        let cache = Cache::new(1_000);
        for round in 0..160_000_u64 {
            let flood = random(&mut state) % 100 < percent;
            let number = if flood { 1_000_000 + round } else { random(&mut state) % 200 };
            let hit = cache.get(&token(number), &keys).is_some();
            if !hit {
                put(&cache, &keys, number);
            }
            if !flood && round > 80_000 {
                asked += 1;
                found += u64::from(hit);
            }
        }
    }
    found * 100 / asked
}

#[test]
fn attack_flood_of_tokens_that_come_once() {
    assert!(hits_under_a_flood(90, 1) >= 99);
    let hits = hits_under_a_flood(99, 8);
    assert!(hits >= 75, "{hits} %");
}

#[test]
fn threads_find_what_they_put_or_nothing() {
    let (cache, keys) = (Cache::new(64), keys());
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (cache, keys) = (&cache, &keys);
            scope.spawn(move || {
                let mut state = thread;
                for _ in 0..20_000 {
                    let number = random(&mut state) % 200;
                    let found = cache.get(&token(number), keys);
                    assert!(found.is_none_or(|found| found == number));
                    put(cache, keys, number);
                }
            });
        }
    });
    assert!(cache.stats().entries <= cache.stats().capacity);
}

#[test]
fn a_find_allocates_nothing() {
    let (cache, keys, token) = (Cache::new(8), keys(), token(1));
    put(&cache, &keys, 1);
    let find = || assert_eq!(cache.get(&token, &keys), Some(1));
    find();
    assert_eq!(allocation_counter::measure(find).count_total, 0);
}

#[test]
fn what_a_place_takes_is_as_stated() {
    for entries in [1, 8, 9, 100, 1_000, 10_000, 65_536, 70_000, 100_001] {
        let mut cache = None;
        let taken = allocation_counter::measure(|| cache = Some(Cache::<u64>::new(entries)));
        let capacity = cache.unwrap().capacity();
        assert_eq!(capacity, entries.next_multiple_of(8));
        assert_eq!(taken.bytes_current, i64::try_from(capacity * 82).unwrap(), "{entries}");
    }
}

#[test]
fn every_trace_has_a_place_of_its_own_where_there_is_room() {
    let cache = Cache::<u64>::new(1_000);
    let mut state = 7;
    let prints: Vec<u64> = (0..2_000).map(|_| random(&mut state)).collect();
    assert!(!prints.iter().any(|print| cache.was_seen(*print)));
    // Of 2,000 in 16,000 places, one in eight at most lost its place to another.
    let seen = prints.iter().filter(|print| cache.was_seen(**print)).count();
    assert!(seen >= 1_700, "{seen}");
    assert!(cache.was_seen(u64::MAX) || cache.was_seen(u64::MAX), "the last place is one");
}

#[test]
fn a_displaced_token_is_wiped_at_once() {
    fn is_wiped_when_dropped(_: &impl zeroize::ZeroizeOnDrop) {}
    let (cache, keys, proven) = (Cache::new(8), keys(), Arc::new(()));
    let held = || Arc::strong_count(&proven) - 1;
    let put = |number| cache.put(&token(number), &keys, Arc::clone(&proven), LATER, NOW);
    (0..8).for_each(put);
    assert_eq!(held(), 8);
    put(8);
    put(8);
    assert!(cache.get(&token(8), &keys).is_some());
    assert_eq!(held(), 8, "the entry that was displaced is gone, and its token with it");
    let entry = cache.sets[0].places[0].load();
    is_wiped_when_dropped(&entry.as_ref().unwrap().token);
    drop(entry);
    drop(cache);
    assert_eq!(held(), 0);
}
