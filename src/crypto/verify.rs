//! Loading and using the key that verifies.

use ring::{
    agreement, hmac, rand,
    signature::{RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey},
};

use super::algorithm::{Algorithm, Curve, Scheme};

/// What a key is made of, as its document gives it: unchecked.
pub(crate) enum Material<'a> {
    /// A point on a curve, uncompressed (SEC 1 section 2.3.3).
    Ec(Curve, &'a [u8]),
    /// A compressed point on edwards25519 (RFC 8032 section 5.1.5).
    Ed25519(&'a [u8]),
    /// An RSA modulus and public exponent, big-endian.
    Rsa { modulus: &'a [u8], exponent: &'a [u8] },
    /// The secret both sides share.
    Secret(&'a [u8]),
}

/// A key that has passed every check, for one algorithm.
#[derive(Clone)]
pub(crate) enum VerifyingKey {
    Hmac(hmac::Key),
    Point(UnparsedPublicKey<Box<[u8]>>),
    Rsa(&'static RsaParameters, RsaPublicKeyComponents<Box<[u8]>>),
    #[cfg(feature = "aws-lc-rs")]
    AwsLc(super::aws_lc::Prepared),
}

/// Why some material is no key for an algorithm.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is material of another kind of key.
    Mismatch,
    /// Its numbers are wrong, in words.
    Numbers(&'static str),
}

/// The signature is not the key's over the message. No more is known, or said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Forged;

const SHORT_SECRET: &str =
    "a secret must have 32 bytes or more for HS256, 48 for HS384, 64 for HS512";

impl VerifyingKey {
    /// Checks `material` and binds it to `algorithm`, for ring.
    pub(crate) fn new(algorithm: Algorithm, material: &Material<'_>) -> Result<Self, Unfit> {
        match (algorithm.scheme(), material) {
            (Scheme::Hmac(hash), Material::Secret(secret)) => {
                // RFC 7518 section 3.2: at least as long as the hash.
                if secret.len() < hash.digest_algorithm().output_len() {
                    return Err(Unfit::Numbers(SHORT_SECRET));
                }
                Ok(Self::Hmac(hmac::Key::new(*hash, secret)))
            }
            (Scheme::Rsa(parameters), Material::Rsa { modulus, exponent }) => {
                check_rsa(modulus, exponent)?;
                let components =
                    RsaPublicKeyComponents { n: Box::from(*modulus), e: Box::from(*exponent) };
                Ok(Self::Rsa(parameters, components))
            }
            (Scheme::Ec(curve, parameters), Material::Ec(found, point)) if curve == *found => {
                check_on(curve, point)?;
                Ok(Self::Point(UnparsedPublicKey::new(parameters, Box::from(*point))))
            }
            (Scheme::Ed(parameters), Material::Ed25519(point)) => {
                check_ed25519(point)?;
                Ok(Self::Point(UnparsedPublicKey::new(parameters, Box::from(*point))))
            }
            _ => Err(Unfit::Mismatch),
        }
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Forged> {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature),
            Self::Point(key) => key.verify(message, signature),
            Self::Rsa(parameters, key) => key.verify(parameters, message, signature),
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc(key) => return key.verify(message, signature),
        }
        .map_err(|_| Forged)
    }
}

/// RFC 7518 section 3.3 asks for 2048 bits; section 6.3.1 for integers without leading zeros.
fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), Unfit> {
    let refuse = |problem| Err(Unfit::Numbers(problem));
    match bits(modulus) {
        Some(2048..=8192) => {}
        Some(_) => return refuse("an RSA modulus must have 2048 to 8192 bits"),
        None => return refuse("an RSA modulus must not start with a zero byte"),
    }
    if !is_odd(modulus) {
        return refuse("an RSA modulus must be odd");
    }
    // ring looks at exponents below 2^33 only; one of 1 would make every text its own signature.
    if !matches!(bits(exponent), Some(2..=33)) || !is_odd(exponent) {
        return refuse("an RSA exponent must be odd, 3 or more, and below 2^33");
    }
    Ok(())
}

/// The length in bits of a big-endian integer without leading zero bytes.
fn bits(integer: &[u8]) -> Option<usize> {
    let first = integer.first().filter(|first| **first != 0)?;
    integer.len().checked_mul(8)?.checked_sub(first.leading_zeros() as usize)
}

fn is_odd(integer: &[u8]) -> bool {
    integer.last().is_some_and(|last| last & 1 == 1)
}

/// ring checks that a point is on the curve when it multiplies it, so multiply it once.
fn check_on(curve: Curve, point: &[u8]) -> Result<(), Unfit> {
    let (curve, off) = match curve {
        Curve::P256 => (&agreement::ECDH_P256, "the point is not on P-256"),
        Curve::P384 => (&agreement::ECDH_P384, "the point is not on P-384"),
    };
    let scalar = agreement::EphemeralPrivateKey::generate(curve, &rand::SystemRandom::new())
        .map_err(|_| Unfit::Numbers("the system has no random bytes to check a key with"))?;
    let point = agreement::UnparsedPublicKey::new(curve, point);
    agreement::agree_ephemeral(scalar, &point, |_| ()).map_err(|_| Unfit::Numbers(off))
}

/// Of the points of order 4, 1 and 8 on edwards25519: the lower and the upper half of y. A point
/// and its negative have the same y.
const SMALL_ORDER: [(u128, u128); 4] = [
    (0, 0),
    (1, 0),
    (0xf098eff289f4c345b027b2c28f95e826, 0x05fc536d880238b13933c6d305acdfd5),
    (0x0f67100d760b3cba4fd84d3d706a17c7, 0x7a03ac9277fdc74ec6cc392cfa53202a),
];

/// ring takes points of small order, under which one signature can fit many texts, and a y that
/// is not below p = 2^255 - 19, which RFC 8032 section 5.1.3 refuses.
fn check_ed25519(point: &[u8]) -> Result<(), Unfit> {
    let ([low, high], []) = point.as_chunks() else {
        return Err(Unfit::Numbers("an Ed25519 key has 32 bytes"));
    };
    // The highest bit is the sign of x.
    let y = (u128::from_le_bytes(*low), u128::from_le_bytes(*high) & (u128::MAX >> 1));
    // From p - 1 on, which is the y of the one point of order 2.
    let is_large = y.1 == u128::MAX >> 1 && y.0 >= u128::MAX - 19;
    if is_large || SMALL_ORDER.contains(&y) {
        return Err(Unfit::Numbers("the point is of small order or its number is too large"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ring::signature;

    use super::*;

    fn unfit(algorithm: Algorithm, material: &Material<'_>) -> Option<Unfit> {
        VerifyingKey::new(algorithm, material).err()
    }

    #[test]
    fn attack_rsa_below_2048_bits_or_exponent_one() {
        let check = |modulus: &[u8], exponent: &[u8], fit: bool| {
            for algorithm in
                [Algorithm::Rs256, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps512]
            {
                let result = unfit(algorithm, &Material::Rsa { modulus, exponent });
                assert_eq!(result.is_none(), fit, "{} bytes, {exponent:?}", modulus.len());
            }
        };
        let odd = |len: usize| vec![0xff; len];
        check(&odd(256), &[1, 0, 1], true);
        check(&odd(256), &[3], true);
        check(&odd(1024), &[1, 0, 1], true);
        check(&odd(255), &[1, 0, 1], false);
        check(&odd(1025), &[1, 0, 1], false);
        check(&[&[0x7f], &*odd(255)].concat(), &[3], false);
        check(&[&[0], &*odd(256)].concat(), &[3], false);
        check(&[&*odd(255), &[0xfe]].concat(), &[3], false);
        check(&odd(256), &[1], false);
        check(&odd(256), &[], false);
        check(&odd(256), &[2], false);
        check(&odd(256), &[0, 3], false);
        check(&odd(256), &[1, 0, 0, 0, 1], true);
        check(&odd(256), &[2, 0, 0, 0, 1], false);
        check(&[], &[3], false);
    }

    #[test]
    fn attack_point_off_the_curve() {
        // The generators of P-256 and P-384 (SEC 2 sections 2.4.2 and 2.5.1).
        let p256 = hex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
             4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
        let p384 = hex("04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38\
             5502f25dbf55296c3a545e3872760ab7\
             3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0\
             0a60b1ce1d7e819d7a431d7c90ea0e5f");
        for (algorithm, curve, off, mut point) in [
            (Algorithm::Es256, Curve::P256, "the point is not on P-256", p256),
            (Algorithm::Es384, Curve::P384, "the point is not on P-384", p384),
        ] {
            let check = |curve, point: &[u8]| unfit(algorithm, &Material::Ec(curve, point));
            assert_eq!(check(curve, &point), None);
            let other = if curve == Curve::P256 { Curve::P384 } else { Curve::P256 };
            assert_eq!(check(other, &point), Some(Unfit::Mismatch));
            *point.last_mut().unwrap() ^= 1;
            let short = &point[..point.len() - 1];
            // The point at infinity is one zero byte.
            for bad in [&*point, short, &[], &[0], &[4; 65], &[4; 97]] {
                assert_eq!(check(curve, bad), Some(Unfit::Numbers(off)), "{bad:?}");
            }
        }
    }

    #[test]
    fn attack_ed25519_point_of_small_order() {
        let unfit = |point: &[u8]| unfit(Algorithm::EdDsa, &Material::Ed25519(point));
        let refused =
            Some(Unfit::Numbers("the point is of small order or its number is too large"));
        let mut points = vec![
            "0000000000000000000000000000000000000000000000000000000000000000".to_owned(),
            "0100000000000000000000000000000000000000000000000000000000000000".to_owned(),
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".to_owned(),
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a".to_owned(),
        ];
        points.extend((0xec..=0xff).map(|low| format!("{low:02x}{}7f", "ff".repeat(30))));
        // The neutral point and 0: under a key of order n it fits one text in n. Up to p + 1, these
        // points have an order of at most 8.
        let forged = [&[1][..], &[0; 63]].concat();
        for (row, point) in points.iter().map(|point| hex(point)).enumerate() {
            let mut negative = point.clone();
            negative[31] |= 0x80;
            for point in [point, negative] {
                assert_eq!(unfit(&point), refused, "{point:x?}");
                let bare = UnparsedPublicKey::new(&signature::ED25519, &point);
                let fits = |text: u8| bare.verify(&[text], &forged).is_ok();
                assert!(row > 6 || (0..=255).any(fits), "no need to refuse {point:x?}");
            }
        }
        for fit in [
            format!("eb{}7f", "ff".repeat(30)),
            format!("ec{}7e", "ff".repeat(30)),
            format!("ecfe{}7f", "ff".repeat(29)),
            format!("02{}", "00".repeat(31)),
            // The first public key of RFC 8032 section 7.1.
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".to_owned(),
        ] {
            assert_eq!(unfit(&hex(&fit)), None, "{fit}");
        }
    }

    #[test]
    fn attack_hmac_secret_empty_or_short() {
        for (algorithm, least) in
            [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)]
        {
            let unfit = |secret: &[u8]| unfit(algorithm, &Material::Secret(secret));
            for length in [0, 1, least - 1] {
                let refused = Some(Unfit::Numbers(SHORT_SECRET));
                assert_eq!(unfit(&vec![7; length]), refused, "{algorithm} {length}");
            }
            assert_eq!(unfit(&vec![7; least]), None);
            assert_eq!(unfit(&vec![7; least + 1]), None);
        }
    }

    #[test]
    fn material_goes_with_one_family_only() {
        let materials = [
            ("Ed", Material::Ed25519(&[1; 32])),
            ("ES256", Material::Ec(Curve::P256, &[4; 65])),
            ("ES384", Material::Ec(Curve::P384, &[4; 97])),
            ("HS", Material::Secret(&[7; 64])),
            ("RS PS", Material::Rsa { modulus: &[0xff; 256], exponent: &[3] }),
        ];
        for algorithm in Algorithm::ALL {
            for (names, material) in &materials {
                let fits = names.split(' ').any(|name| algorithm.name().starts_with(name));
                let mismatch = unfit(*algorithm, material) == Some(Unfit::Mismatch);
                assert_eq!(mismatch, !fits, "{algorithm} {names}");
            }
        }
        for length in [0, 16, 31, 33, 48, 64] {
            let key = vec![1; length];
            assert!(unfit(Algorithm::EdDsa, &Material::Ed25519(&key)).is_some(), "{length}");
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
    }
}
