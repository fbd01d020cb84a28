//! What a table asks of the bits: the same for the same key, others for others, no pattern.

use std::{collections::HashSet, iter, net::IpAddr};

use super::*;
use crate::limit::client_key;

/// Distinct keys leave distinct bits, and leave them again.
fn apart<K: Hash>(keys: impl IntoIterator<Item = K>) -> usize {
    let (hashing, mut seen, mut count) = (Hashing::default(), HashSet::new(), 0);
    for key in keys {
        let bits = hashing.hash(&key);
        assert_eq!(bits, hashing.hash(&key));
        seen.insert(bits);
        count += 1;
    }
    assert_eq!(seen.len(), count);
    count
}

#[test]
fn keys_that_are_told_apart() {
    apart(0..20_000_u64);
    apart((0..64).map(|bit| 1_u64 << bit));
    apart((0..128).map(|bit| 1_u128 << bit));
    apart(0..=255_u8);
    apart((0..1_000_usize).map(|it| it << 48));
    apart((-500..500_i32).map(|it| (it, true)));
}

#[test]
fn numbers_one_after_another_are_told_apart_by_value_and_by_place() {
    // From one word to more words than there are factors, each of them all in turn.
    let rows = (1..=3 * WORDS).flat_map(|length| {
        (0..length).flat_map(move |place| {
            (1..4_u64).map(move |value| {
                let mut row = vec![0; length];
                row[place] = value;
                row
            })
        })
    });
    let count = apart(rows.clone());
    assert_eq!(apart(rows.map(Unmeasured)), count);
}

/// A list that does not say how long it is.
struct Unmeasured(Vec<u64>);

impl Hash for Unmeasured {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|word| state.write_u64(*word));
    }
}

#[test]
fn a_list_of_zeros_is_told_apart_by_its_length() {
    apart((0..3 * WORDS).map(|length| Unmeasured(vec![0; length])));
}

#[test]
fn texts_are_told_apart_to_the_last_zero() {
    let lengths = || 0..40;
    let zeros = lengths().map(|length| "\0".repeat(length));
    let letters = lengths().skip(1).map(|length| "a".repeat(length));
    let padded = (1..7).flat_map(|length| (1..7).map(move |zeros| (length, zeros)));
    let padded = padded.map(|(length, zeros)| "b".repeat(length) + &"\0".repeat(zeros));
    apart(zeros.chain(letters).chain(padded));
    apart([("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc")]);
    apart([("realm/a", "user"), ("realm/", "auser"), ("realm/auser", "")]);
    apart((0..1_000).map(|it| format!("realm/subject-{it}")));
}

#[test]
fn addresses_are_told_apart() {
    let v4 = (0..5_000_u32).map(|it| IpAddr::from((it << 20 | it).to_be_bytes()));
    let v6 = (1..5_000_u128).map(|it| IpAddr::from((it << 64).to_be_bytes()));
    let all = v4.chain(v6).map(client_key);
    let distinct: HashSet<_> = all.collect();
    assert!(distinct.len() > 9_000);
    apart(distinct);
}

#[test]
fn no_two_limiters_have_secrets_in_common() {
    let (one, other) = (Hashing::default(), Hashing::default());
    let all = |it: &Hashing| {
        let halves = it.factors.iter().chain([&it.start, &it.count]);
        halves.flat_map(|it| [*it as u64, (*it >> 64) as u64]).chain([it.fold]).collect::<Vec<_>>()
    };
    let drawn: HashSet<_> = all(&one).into_iter().chain(all(&other)).collect();
    assert_eq!(drawn.len(), 2 * (2 * (WORDS + 2) + 1));
    assert_ne!(one.hash("alice"), other.hash("alice"));
    assert_ne!(one.hash(&0_u64), other.hash(&0_u64));
}

#[test]
fn folding_makes_two_meet_no_more_often_than_chance_does() {
    // Of 16 bits instead of 64, so that all sums can be gone through. Single secrets are better or
    // worse than the mean; nobody chooses his.
    let secrets = (0..=u16::MAX).step_by(1_021);
    let pairs = secrets.clone().map(|secret| {
        let mut counts = vec![0_u64; 1 << 16];
        for sum in 0..=u16::MAX {
            let product = u32::from(sum ^ sum >> 8) * u32::from(secret | 1 << 15 | 1);
            counts[usize::from(product as u16 ^ (product >> 16) as u16)] += 1;
        }
        counts.iter().map(|count| count * count).sum::<u64>()
    });
    // By chance, every sum would meet itself and one other.
    let mean = pairs.sum::<u64>() / secrets.count() as u64;
    assert!(mean < 5 << 15, "{mean}");
}

/// In which of so many equal parts a table would look for the key.
fn part(hashing: &Hashing, key: u64, parts: u64) -> u64 {
    ((u128::from(hashing.hash(&key)) * u128::from(parts)) >> 64) as u64
}

/// How far the counts are from even: its mean is one less than the parts.
fn chi_squared(parts: impl Iterator<Item = u64>, count: usize) -> f64 {
    let (mut counts, mut all) = (vec![0_u32; count], 0_u32);
    for part in parts {
        counts[part as usize] += 1;
        all += 1;
    }
    let expected = f64::from(all) / count as f64;
    counts.iter().map(|it| (f64::from(*it) - expected).powi(2) / expected).sum()
}

#[test]
fn keys_of_any_stride_are_spread_evenly() {
    // For 255 degrees of freedom, beyond 400 lies 1 in 10^8.
    for stride in [1, 2, 3, 1 << 20, 1 << 32, 1 << 44, (1 << 32) + 1, u64::MAX / 255] {
        let hashing = Hashing::default();
        let keys = (0..16_384_u64).map(|it| it.wrapping_mul(stride));
        let uneven = chi_squared(keys.map(|key| part(&hashing, key, 256)), 256);
        assert!((130.0..400.0).contains(&uneven), "{stride}: {uneven}");
    }
}

#[test]
fn any_bit_of_a_key_moves_any_bit_of_the_hash_about_half_the_time() {
    let hashing = Hashing::default();
    for bit in 0..64 {
        let mut flips = [0; 64];
        for key in (0..512_u64).map(|it| it.wrapping_mul(0x9E37_79B9_7F4A_7C15)) {
            let moved = hashing.hash(&key) ^ hashing.hash(&(key ^ 1 << bit));
            flips.iter_mut().zip(0..).for_each(|(count, at)| *count += moved >> at & 1);
        }
        // Nine deviations from 256.
        assert!(flips.iter().all(|count| (154..=358).contains(count)), "{bit}: {flips:?}");
    }
}

#[test]
fn attack_counting_on_from_two_keys_that_met() {
    // In a plain sum, a step between two keys that share a set leads to ever more of that set.
    let (parts, mut crowds) = (256, 0);
    for _ in 0..64 {
        let hashing = Hashing::default();
        let at = |key: u64| part(&hashing, key, parts);
        let step = (1..).find(|step| at(1_000) == at(1_000 + step)).unwrap();
        let walk = iter::successors(Some(1_000), |key| Some(key + step)).skip(2).take(64);
        crowds += walk.filter(|key| at(*key) == at(1_000)).count();
    }
    // 16 on average by chance; a sum leads to more than a thousand.
    assert!(crowds < 50, "{crowds}");
}
