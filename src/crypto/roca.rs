//! Keys of a generator that made guessable ones (ROCA, CVE-2017-15361; Nemec et al. 2017).

/// The primes that its fingerprint is taken by. Of other moduli one in 2^27 or so has it.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Its primes were powers of this one, and something that no small prime sees.
const GENERATOR: u32 = 65_537;

/// Whether a big-endian `modulus` is, by each of the primes, a power of the generator.
pub(crate) fn is_guessable(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let rest = modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let mut powers = std::iter::successors(Some(1), |power| Some(power * GENERATOR % prime));
        // They repeat themselves before there are as many as the prime.
        powers.by_ref().take(*prime as usize).any(|power| power == rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_modulus_of_the_generator_of_roca() {
        // The generator to the power of 0, 1, 2 and 3.
        for power in [&[1][..], &[1, 0, 1], &[1, 0, 2, 0, 1], &[1, 0, 3, 0, 3, 0, 1]] {
            assert!(is_guessable(power), "{power:?}");
        }
        assert!(!is_guessable(&[1, 0, 3]) && !is_guessable(&[1, 0, 2, 0, 3]));
        assert!(!is_guessable(&[0xff; 256]));
    }

    #[test]
    fn moduli_of_others_are_none_of_them() {
        let mut seen = 7_u64;
        for _ in 0..1_000 {
            let modulus: Vec<u8> = (0..256)
                .map(|_| {
                    seen = seen.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seen >> 56) as u8
                })
                .collect();
            assert!(!is_guessable(&modulus));
        }
    }
}
