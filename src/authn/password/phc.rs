//! Stored hashes as text: the PHC string format, Argon2 only, bounded in every part.

use std::fmt;

use argon2::{Algorithm, Version};
use base64_simd::STANDARD_NO_PAD;

use super::Cost;

/// `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, with all numbers within their bounds: nothing is
/// allocated and nothing is run for a text that does not parse.
pub(super) struct Phc {
    pub(super) algorithm: Algorithm,
    pub(super) version: Version,
    pub(super) cost: Cost,
    pub(super) salt: Vec<u8>,
    pub(super) hash: Vec<u8>,
}

/// No text within the bounds is longer.
const MAX_TEXT: usize = 256;

/// Of new hashes, in bytes (RFC 9106 section 4).
pub(super) const SALT: usize = 16;
pub(super) const HASH: usize = 32;

impl Phc {
    /// Reads a stored hash; `None` for whatever is not one that is run here.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut parts = text.strip_prefix('$')?.split('$');
        let algorithm = match parts.next()? {
            "argon2id" => Algorithm::Argon2id,
            "argon2i" => Algorithm::Argon2i,
            "argon2d" => Algorithm::Argon2d,
            _ => return None,
        };
        let part = parts.next()?;
        let (version, costs) = match part.strip_prefix("v=") {
            Some("19") => (Version::V0x13, parts.next()?),
            Some("16") => (Version::V0x10, parts.next()?),
            Some(_) => return None,
            // The format's first edition had no version, and neither had Argon2.
            None => (Version::V0x10, part),
        };
        let cost = parse_cost(costs)?;
        let salt = decode(parts.next()?, 8, 48)?;
        let hash = decode(parts.next()?, 16, 64)?;
        parts.next().is_none().then_some(Self { algorithm, version, cost, salt, hash })
    }

    /// Whether the next good password is reason enough to store a new hash.
    pub(super) fn is_weaker_than(&self, wanted: Cost) -> bool {
        self.cost.is_weaker_than(wanted)
            || self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || self.salt.len() < SALT
            || self.hash.len() < HASH
    }
}

impl fmt::Display for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (algorithm, version) = (self.algorithm.as_str(), u32::from(self.version));
        let (m, t, p) = (self.cost.memory_kib(), self.cost.passes(), self.cost.lanes());
        let encode = |bytes: &[u8]| STANDARD_NO_PAD.encode_to_string(bytes);
        let (salt, hash) = (encode(&self.salt), encode(&self.hash));
        write!(f, "${algorithm}$v={version}$m={m},t={t},p={p}${salt}${hash}")
    }
}

fn parse_cost(text: &str) -> Option<Cost> {
    let mut costs = text.split(',');
    let mut next = |name: &str| number(costs.next()?.strip_prefix(name)?);
    let (memory, passes, lanes) = (next("m=")?, next("t=")?, next("p=")?);
    let end = costs.next().is_none();
    Cost::insecure_new(memory, passes, lanes).ok().filter(|_| end)
}

/// A decimal number without sign or leading zero.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

fn decode(text: &str, least: usize, most: usize) -> Option<Vec<u8>> {
    let bytes = STANDARD_NO_PAD.decode_to_vec(text).ok()?;
    (least..=most).contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA\
                        $CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn what_is_read_is_written_again() {
        let phc = Phc::parse(GOOD).unwrap();
        assert_eq!((phc.cost, phc.salt.len(), phc.hash.len()), (Cost::default(), 16, 32));
        assert_eq!(phc.to_string(), GOOD);
        let old = GOOD.replace("$v=19", "").replace("argon2id", "argon2i");
        assert_eq!(Phc::parse(&old).unwrap().version, Version::V0x10);
    }

    #[test]
    fn attack_a_stored_hash_that_would_take_all_memory_or_time() {
        let with = |from: &str, to: &str| Phc::parse(&GOOD.replace(from, to)).is_some();
        assert!(with("m=19456", "m=1048576"));
        assert!(!with("m=19456", "m=1048577"));
        assert!(!with("m=19456", "m=4294967295"));
        assert!(!with("m=19456", "m=4294967296"));
        assert!(!with("m=19456", "m=0"));
        assert!(!with("m=19456", "m=7"));
        assert!(with("t=2", "t=10"));
        assert!(!with("t=2", "t=11"));
        assert!(!with("t=2", "t=0"));
        assert!(with("p=1", "p=16"));
        assert!(!with("p=1", "p=17"));
        assert!(!with("p=1", "p=0"));
        assert!(!with("c29tZXNhbHRzb21lc2FsdA", "c29tZXNhbA"), "seven bytes of salt");
        assert!(with("c29tZXNhbHRzb21lc2FsdA", &"AAAA".repeat(16)));
        assert!(!with("c29tZXNhbHRzb21lc2FsdA", &"AAAA".repeat(17)));
        assert!(!with("CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "CTFhFdXPJO1aFaMaO6Mm"));
        assert!(!with("CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &"AAAA".repeat(22)));
        assert!(!with("c29t", &"c29t".repeat(1000)));
    }

    #[test]
    fn refused_texts() {
        let other = |from: &str, to: &str| GOOD.replace(from, to);
        for text in [
            String::new(),
            "$".to_owned(),
            GOOD.replacen('$', "", 1),
            format!("{GOOD}$"),
            format!("{GOOD}$AAAA"),
            format!(" {GOOD}"),
            format!("{GOOD}="),
            other("argon2id", "Argon2id"),
            other("argon2id", "bcrypt"),
            other("argon2id", "argon2id€"),
            other("v=19", "v=20"),
            other("v=19", "v=019"),
            other("m=19456", "m=+19456"),
            other("m=19456", "m=019456"),
            other("m=19456,t=2", "t=2,m=19456"),
            other("p=1", "p=1,keyid=8PDw8A"),
            other(",p=1", ""),
            other("$m=19456,t=2,p=1", ""),
            other("c29t", "c29t\n"),
            other("c29t", "c2-_"),
        ] {
            assert!(Phc::parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn needs_a_new_hash() {
        let check = |from: &str, to: &str, expected: bool| {
            let phc = Phc::parse(&GOOD.replace(from, to)).unwrap();
            assert_eq!(phc.is_weaker_than(Cost::default()), expected, "{to}");
        };
        check("t=2", "t=2", false);
        check("t=2", "t=1", true);
        check("t=2", "t=3", false);
        check("argon2id", "argon2i", true);
        check("v=19", "v=16", true);
        check("c29tZXNhbHRzb21lc2FsdA", "c29tZXNhbHQ", true);
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read_exactly(text in "\\PC{0,300}") {
            prop_assert!(Phc::parse(&text).is_none_or(|phc| phc.to_string() == text));
        }

        #[test]
        fn bent_hashes_are_refused_or_read_exactly(at in 0..GOOD.len(), with in "\\PC{0,2}") {
            let (head, tail) = GOOD.split_at(at);
            let text = format!("{head}{with}{}", tail.get(1..).unwrap());
            if let Some(phc) = Phc::parse(&text) {
                prop_assert!(phc.to_string() == text || phc.version == Version::V0x10);
            }
        }
    }
}
