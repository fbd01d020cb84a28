//! The text of a key: `prefix_env_` then id, secret and checksum, 48 digits of base 62.
//!
//! `_` stands in no base64 and is selected with the word by a double click. No key has a dot, so
//! none is taken for a token.

use std::{fmt, str::FromStr};

use zeroize::Zeroizing;

use super::malformed;
use crate::{AuthnError, crypto};

const ID: usize = 12;
/// 30 digits of base 62 are 178 bits.
const SECRET: usize = 30;
const CHECKSUM: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The public part of a key, by which a store finds its record: 12 digits of base 62.
///
/// It may be shown and logged.
///
/// ```
/// use portcullis::authn::api_key::KeyId;
///
/// let id: KeyId = "4hG7kQ0pZx2B".parse()?;
/// assert_eq!(id.as_str(), "4hG7kQ0pZx2B");
/// assert!("4hG7kQ0pZx2".parse::<KeyId>().is_err());
/// # Ok::<(), portcullis::authn::api_key::KeyIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID]);

/// Text that is no key id. It may be a whole key, so it is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 12 letters and digits")]
pub struct KeyIdError;

/// A key's text, taken apart; its checksum holds.
pub(super) struct KeyText<'a> {
    pub(super) id: KeyId,
    pub(super) secret: &'a [u8],
}

/// Whether `text` can start every key of a service: `[a-z][a-z0-9]{0,15}`, `_`, and the same again.
pub(super) fn is_prefix(text: &str) -> bool {
    let word = |word: &str| {
        word.len() <= 16
            && word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
    };
    text.split_once('_').is_some_and(|(name, environment)| word(name) && word(environment))
}

/// `None` for a text that does not start like a key of this service. Nothing is looked up for a
/// key that was mistyped.
pub(super) fn parse<'a>(prefix: &str, text: &'a str) -> Option<Result<KeyText<'a>, AuthnError>> {
    let digits = text.strip_prefix(prefix)?.strip_prefix('_')?.as_bytes();
    Some(take_apart(text.as_bytes(), digits))
}

fn take_apart<'a>(text: &'a [u8], digits: &'a [u8]) -> Result<KeyText<'a>, AuthnError> {
    if digits.len() != ID + SECRET + CHECKSUM || !digits.iter().all(u8::is_ascii_alphanumeric) {
        return Err(malformed("a key has 48 letters and digits after its prefix"));
    }
    let wrong = malformed("the checksum does not fit: the key was mistyped or made up");
    let (checked, sum) = text.split_last_chunk::<CHECKSUM>().ok_or(wrong)?;
    let (id, rest) = digits.split_first_chunk::<ID>().ok_or(wrong)?;
    let secret = rest.get(..SECRET).ok_or(wrong)?;
    if checksum(checked) != *sum {
        return Err(wrong);
    }
    Ok(KeyText { id: KeyId(*id), secret })
}

/// The text of a key with a new secret.
pub(super) fn generate(prefix: &str, id: KeyId) -> Result<Zeroizing<String>, crypto::NoRandomness> {
    let mut text = Zeroizing::new(String::with_capacity(prefix.len() + 1 + ID + SECRET + CHECKSUM));
    text.push_str(prefix);
    text.push('_');
    text.push_str(id.as_str());
    let secret = Zeroizing::new(random_digits::<SECRET>()?);
    text.extend(secret.iter().copied().map(char::from));
    let sum = checksum(text.as_bytes());
    text.extend(sum.map(char::from));
    Ok(text)
}

/// What finds the keys of this service in a text.
pub(super) fn pattern(prefix: &str) -> String {
    format!("{prefix}_[0-9A-Za-z]{{{}}}", ID + SECRET + CHECKSUM)
}

impl KeyId {
    pub(super) fn random() -> Result<Self, crypto::NoRandomness> {
        random_digits().map(Self)
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only digits of base 62 come in, so this is never empty.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let id = text.as_bytes().try_into().map_err(|_| KeyIdError)?;
        text.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(Self(id)).ok_or(KeyIdError)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Random digits, each as likely as the others: bytes that would favour some are thrown away.
fn random_digits<const N: usize>() -> Result<[u8; N], crypto::NoRandomness> {
    let mut digits = [0; N];
    let mut random = Zeroizing::new([0; 64]);
    let mut unused = 0..0;
    for digit in &mut digits {
        *digit = loop {
            let Some(at) = unused.next() else {
                crypto::fill(random.as_mut_slice())?;
                unused = 0..random.len();
                continue;
            };
            let byte = random.get(at).copied().map(usize::from);
            let fair = byte.filter(|byte| *byte < 256 / ALPHABET.len() * ALPHABET.len());
            if let Some(digit) = fair.and_then(|byte| ALPHABET.get(byte % ALPHABET.len())) {
                break *digit;
            }
        };
    }
    Ok(digits)
}

/// CRC-32 (ISO 3309, as in gzip, RFC 1952 section 8) in base 62, highest digit first. It finds
/// every change within four characters that stand together.
fn checksum(text: &[u8]) -> [u8; CHECKSUM] {
    let mut rest = u64::from(crc32(text));
    let mut digits = [0; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        let lowest = usize::try_from(rest % 62).unwrap_or_default();
        *digit = ALPHABET.get(lowest).copied().unwrap_or_default();
        rest /= 62;
    }
    digits
}

fn crc32(text: &[u8]) -> u32 {
    let step = |crc: u32, _: u8| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !text.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PREFIX: &str = "orders_live";

    fn sealed(body: &str) -> String {
        let sum = checksum(body.as_bytes());
        format!("{body}{}", std::str::from_utf8(&sum).unwrap())
    }

    #[test]
    fn the_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b""), *b"000000");
        assert!(62_u64.pow(6) > u64::from(u32::MAX));
    }

    #[test]
    fn prefixes() {
        for text in ["orders_live", "a_b", "a1_b2", "abcdefghijklmnop_abcdefghijklmnop"] {
            assert!(is_prefix(text), "{text}");
        }
        for text in [
            "",
            "_",
            "orders",
            "orders_",
            "_live",
            "1a_live",
            "Orders_live",
            "a_b_c",
            "a.b_c",
            "abcdefghijklmnopq_live",
            "orders_live ",
        ] {
            assert!(!is_prefix(text), "{text}");
        }
    }

    #[test]
    fn generated_keys_differ_and_use_every_digit() {
        let id = KeyId::random().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        let mut keys = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let text = generate(PREFIX, id).unwrap();
            let key = parse(PREFIX, &text).unwrap().unwrap();
            seen.extend(key.secret.iter().copied());
            assert!(keys.insert(text.to_string()), "twice the same secret");
            assert!(!text.contains('.'), "a key is never taken for a token");
        }
        assert!(seen.iter().eq(ALPHABET), "6,000 digits hold all 62");
    }

    /// The remainder of a byte by 62 would favour the first eight digits by a quarter.
    #[test]
    fn no_digit_is_likelier_than_another() {
        let digits = random_digits::<62_000>().unwrap();
        let first = digits.iter().filter(|digit| (b'0'..b'8').contains(digit)).count();
        // Eight standard deviations around 8,000.
        assert!((7_300..8_700).contains(&first), "{first}");
    }

    #[test]
    fn attack_keys_of_another_form() {
        let check = |text: &str, expected: Option<&str>| {
            let found = parse(PREFIX, text).map(|result| result.err().map(AuthnError::detail));
            assert_eq!(found.map(Option::unwrap_or_default), expected, "{text}");
        };
        let digits = "0".repeat(42);
        let good = sealed(&format!("orders_live_{digits}"));
        let form = Some("a key has 48 letters and digits after its prefix");
        check(&good, Some(""));
        check("orders_live_", form);
        check("orders_live_\u{e9}", form);
        check(good.strip_suffix(|_: char| true).unwrap(), form);
        check(&format!("{good}0"), form);
        check(&format!("orders_live_{}\u{e9}", "0".repeat(46)), form);
        check(&sealed(&format!("orders_live_{}-", "0".repeat(41))), form);
        check(
            &format!("orders_live_{}", "0".repeat(48)),
            Some("the checksum does not fit: the key was mistyped or made up"),
        );
        check("orders_live", None);
        check("orders_livex", None);
        check("", None);
        check("eyJhbGciOiJFUzI1NiJ9.e30.c2ln", None);
        check(&sealed(&format!("orders_test_{digits}")), None);
        check(&good.to_uppercase(), None);
    }

    #[test]
    fn attack_a_live_key_from_the_digits_of_a_test_key() {
        let test = generate("orders_test", KeyId::random().unwrap()).unwrap();
        assert!(parse(PREFIX, &test.replace("test", "live")).unwrap().is_err());
    }

    #[test]
    fn an_id_that_is_none_is_not_repeated() {
        let error = "orders_live_secret".parse::<KeyId>().unwrap_err();
        assert!(!error.to_string().contains("secret"));
        assert!("0123456789a\u{e9}".parse::<KeyId>().is_err());
        assert!("0123456789a_".parse::<KeyId>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_generated_is_read_back(prefix in "[a-z][a-z0-9]{0,15}_[a-z][a-z0-9]{0,15}") {
            prop_assert!(is_prefix(&prefix));
            let id = KeyId::random().unwrap();
            let text = generate(&prefix, id).unwrap();
            let key = parse(&prefix, &text).unwrap().unwrap();
            prop_assert_eq!(key.id, id);
            let body = format!("{prefix}_{id}{}", std::str::from_utf8(key.secret).unwrap());
            prop_assert_eq!(text.as_str(), sealed(&body));
            prop_assert_eq!(id.as_str().parse::<KeyId>(), Ok(id));
        }

        #[test]
        fn any_change_of_one_character_is_refused(at in 0_usize..60, to in 0_u8..128) {
            let text = generate(PREFIX, KeyId::random().unwrap()).unwrap();
            let mut bytes = text.as_bytes().to_vec();
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(!matches!(parse(PREFIX, &changed), Some(Ok(_))), "{}", changed);
        }

        #[test]
        fn any_two_neighbours_swapped_are_refused(at in 0_usize..59) {
            let text = generate(PREFIX, KeyId::random().unwrap()).unwrap();
            let mut bytes = text.as_bytes().to_vec();
            prop_assume!(bytes[at] != bytes[at + 1]);
            bytes.swap(at, at + 1);
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(!matches!(parse(PREFIX, &changed), Some(Ok(_))), "{}", changed);
        }

        #[test]
        fn no_text_panics(text in "(orders_live_)?\\PC{0,64}") {
            let _ = parse(PREFIX, &text);
        }
    }
}
