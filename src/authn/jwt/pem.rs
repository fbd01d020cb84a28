//! Public keys in PEM (RFC 7468): the sections are read by `rustls-pki-types`, the few fields of a
//! SubjectPublicKeyInfo (RFC 5280 section 4.1) here.

use rustls_pki_types::{
    alg_id,
    pem::{SectionKind, SliceIter},
};

use super::error::KeyError;
use crate::crypto::{Curve, Material};

/// A PEM text longer than this is not looked at; an RSA key of 8192 bits has 1.5 KiB.
const MAX_BYTES: usize = 64 * 1024;

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;

/// The DER of the one `PUBLIC KEY` section in `pem`.
pub(super) fn public_key(pem: &[u8]) -> Result<Vec<u8>, KeyError> {
    if pem.len() > MAX_BYTES {
        return Err(KeyError::NotAKey("the PEM text is longer than 64 KiB"));
    }
    let mut sections = SliceIter::<(SectionKind, Vec<u8>)>::new(pem);
    let not_pem = |_| KeyError::NotAKey("the text is not PEM");
    let (kind, der) = sections
        .next()
        .ok_or(KeyError::NotAKey("no section `PUBLIC KEY` in the PEM text"))?
        .map_err(not_pem)?;
    match kind {
        SectionKind::PublicKey => {}
        SectionKind::Certificate => return Err(KeyError::Certificate),
        SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
            return Err(KeyError::Private);
        }
        SectionKind::Crl | SectionKind::Csr | SectionKind::EchConfigList | _ => {
            return Err(KeyError::NotAKey("the PEM section is not `PUBLIC KEY`"));
        }
    }
    match sections.next() {
        None => Ok(der),
        Some(Ok(_)) => Err(KeyError::NotAKey("more than one section in the PEM text")),
        Some(Err(error)) => Err(not_pem(error)),
    }
}

/// What a SubjectPublicKeyInfo carries.
pub(super) fn material(spki: &[u8]) -> Result<Material<'_>, KeyError> {
    let refused = KeyError::NotAKey("the DER is not a public key");
    let (algorithm, key) = subject_public_key(spki).ok_or(refused.clone())?;
    if algorithm == alg_id::ED25519.as_ref() {
        return Ok(Material::Ed25519(key));
    }
    if algorithm == alg_id::ECDSA_P256.as_ref() {
        return Ok(Material::Ec(Curve::P256, key));
    }
    if algorithm == alg_id::ECDSA_P384.as_ref() {
        return Ok(Material::Ec(Curve::P384, key));
    }
    if algorithm == alg_id::RSA_ENCRYPTION.as_ref() {
        return rsa_public_key(key).ok_or(refused);
    }
    Err(KeyError::NotAKey("the type or curve of the public key is not known here"))
}

/// An RSAPublicKey (RFC 8017 appendix A.1.1).
pub(crate) fn rsa_public_key(der: &[u8]) -> Option<Material<'_>> {
    let (numbers, rest) = element(der, SEQUENCE)?;
    let (modulus, after) = positive(numbers)?;
    let (exponent, end) = positive(after)?;
    (rest.is_empty() && end.is_empty()).then_some(Material::Rsa { modulus, exponent })
}

fn subject_public_key(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let (fields, rest) = element(spki, SEQUENCE)?;
    let (algorithm, after) = element(fields, SEQUENCE)?;
    let (bits, end) = element(after, BIT_STRING)?;
    // The first byte counts the unused bits of the last; a key has none.
    let key = bits.strip_prefix(&[0])?;
    (rest.is_empty() && end.is_empty()).then_some((algorithm, key))
}

/// A positive INTEGER's bytes, without the zero that keeps its sign bit clear; and what follows.
fn positive(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (bytes, rest) = element(der, INTEGER)?;
    match bytes {
        [0, integer @ ..] if integer.first()? & 0x80 != 0 => Some((integer, rest)),
        [1..=0x7f, ..] => Some((bytes, rest)),
        _ => None,
    }
}

/// The contents of the element with `tag` at the start of `der`, and what follows. Lengths are in
/// their shortest form and below 64 KiB (DER, X.690 section 10.1).
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der.strip_prefix(&[tag])? {
        [length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        [0x81, length @ 0x80..=0xff, rest @ ..] => (usize::from(*length), rest),
        [0x82, high @ 1..=0xff, low, rest @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{key::Key, loader::Loader},
        *,
    };
    use crate::crypto::Algorithm;

    const EDDSA: &str = include_str!("../../testing/keys/issuer-eddsa.pub.pem");
    const ES256: &str = include_str!("../../testing/keys/issuer-es256.pub.pem");
    const ES384: &str = include_str!("../../testing/keys/issuer-es384.pub.pem");
    const RS256: &str = include_str!("../../testing/keys/issuer-rs256.pub.pem");

    fn load(algorithm: Algorithm, pem: &str) -> Result<Algorithm, KeyError> {
        Key::from_pem(algorithm, pem).map(|key| key.algorithm())
    }

    #[test]
    fn public_keys() {
        for algorithm in Algorithm::ALL.iter().copied().filter(|one| !one.is_symmetric()) {
            let pem = match algorithm.name() {
                "EdDSA" => EDDSA,
                "ES256" => ES256,
                "ES384" => ES384,
                _ => RS256,
            };
            assert_eq!(load(algorithm, pem), Ok(algorithm));
            assert_eq!(load(algorithm, &pem.replace('\n', "\r\n")), Ok(algorithm));
            assert_eq!(load(algorithm, &format!("a comment\n\n{pem}\n\n")), Ok(algorithm));
        }
    }

    #[test]
    fn attack_public_key_for_another_algorithm() {
        let pems = [("Ed", EDDSA), ("ES256", ES256), ("ES384", ES384), ("RS PS", RS256)];
        for algorithm in Algorithm::ALL.iter().copied() {
            for (names, pem) in pems {
                let fits = names.split(' ').any(|name| algorithm.name().starts_with(name));
                let expected =
                    if fits { Ok(algorithm) } else { Err(KeyError::Mismatch(algorithm)) };
                assert_eq!(load(algorithm, pem), expected, "{algorithm} {names}");
            }
        }
    }

    #[test]
    fn what_is_no_public_key_is_called_by_its_name() {
        let section = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----");
        let check = |pem: &str, expected: KeyError| {
            assert_eq!(load(Algorithm::Es256, pem), Err(expected), "{pem}");
        };
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            check(&section(label), KeyError::Private);
        }
        check(&section("CERTIFICATE"), KeyError::Certificate);
        check(&section("PUBLIC KEY"), KeyError::NotAKey("the DER is not a public key"));
        let missing = KeyError::NotAKey("no section `PUBLIC KEY` in the PEM text");
        check("", missing.clone());
        check("{\"keys\":[]}", missing.clone());
        check(&section("RSA PUBLIC KEY"), missing);
        check("-----BEGIN PUBLIC KEY-----\nAAAA", KeyError::NotAKey("the text is not PEM"));
        let two = KeyError::NotAKey("more than one section in the PEM text");
        check(&format!("{ES256}{ES256}"), two);
        let long = KeyError::NotAKey("the PEM text is longer than 64 KiB");
        let largest = format!("{}\n{ES256}", " ".repeat(64 * 1024 - 1 - ES256.len()));
        assert_eq!(load(Algorithm::Es256, &largest), Ok(Algorithm::Es256));
        check(&format!("{largest} "), long);
    }

    #[test]
    fn der_is_read_strictly() {
        let good = public_key(ES256.as_bytes()).unwrap();
        assert!(material(&good).is_ok());
        assert!(material(&[&*good, &[0]].concat()).is_err(), "trailing byte");
        assert!(material(&good[..good.len() - 1]).is_err(), "missing byte");
        let mut unused_bits = good.clone();
        unused_bits[25] = 1;
        assert!(material(&unused_bits).is_err(), "a key of no whole number of bytes");
        let long_form = [&[0x30, 0x81], &good[1..]].concat();
        assert!(material(&long_form).is_err(), "length not in its shortest form");
        assert_eq!(element(&[0x30, 0x80, 0, 0], SEQUENCE), None, "indefinite length");
        let (middle, contents) = ([0x30, 0x81, 0x80], [7; 0x80]);
        let split = element(&[&middle[..], &contents, &[1]].concat(), SEQUENCE)
            .map(|(inside, after)| (inside == contents, after == [1]));
        assert_eq!(split, Some((true, true)), "a length of two bytes");
        let rsa = [0x30, 6, 2, 1, 3, 2, 1, 5];
        assert!(rsa_public_key(&rsa).is_some());
        assert!(rsa_public_key(&[&rsa[..], &[0]].concat()).is_none(), "trailing byte");
        assert!(rsa_public_key(&[0x30, 7, 2, 1, 3, 2, 1, 5, 0]).is_none(), "trailing byte inside");
        assert_eq!(positive(&[2, 1, 0x80]), None, "negative");
        assert_eq!(positive(&[2, 1, 0]), None, "zero");
        assert_eq!(positive(&[2, 2, 0, 1]), None, "needless zero");
        assert_eq!(positive(&[2, 2, 0, 0x80]), Some((&[0x80][..], &[][..])));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_key_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Key::from_pem(Algorithm::Rs256, &bytes);
            let _ = material(&bytes);
            let _ = rsa_public_key(&bytes);
        }

        #[test]
        fn pem_like_text_is_a_key_or_refused(text in "(-----BEGIN |-----END |PUBLIC KEY|-----|\n|[A-Za-z0-9+/= -]){0,12}") {
            let _ = Key::from_pem(Algorithm::Es256, &text);
        }

        #[test]
        fn a_changed_byte_never_panics(at in 0..294usize, byte in any::<u8>()) {
            let mut der = public_key(RS256.as_bytes()).unwrap();
            der[at] = byte;
            let _ = material(&der).map(|material| Loader::new().key(Algorithm::Rs256, &material));
        }
    }
}
