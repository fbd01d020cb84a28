//! The shared secret and the codes it makes.

use std::fmt;

use subtle::{Choice, ConstantTimeEq as _};

use super::base32;
use crate::{
    Secret, SecretText,
    crypto::{OtpMac, otp_mac, random},
};

/// A secret shared with an authenticator app, and how codes are made from it.
///
/// Six digits by SHA-1 unless said otherwise, which is what every app computes; some apps
/// silently compute nothing else. Store the secret encrypted: whoever reads it makes codes.
///
/// ```
/// use portcullis::{Secret, authn::otp::OtpKey};
///
/// let key = OtpKey::new(Secret::new(*b"12345678901234567890"))?;
/// assert_eq!(key.code(1), "287082"); // RFC 4226 appendix D
/// assert_eq!(key.to_base32().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
/// assert!(OtpKey::from_base32("GEZDGNBV").is_err());
/// # Ok::<(), portcullis::authn::otp::OtpKeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OtpKey {
    secret: Secret,
    algorithm: OtpAlgorithm,
    digits: Digits,
}

/// The hash that codes are made with (RFC 6238 section 1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OtpAlgorithm {
    /// HMAC with SHA-1. SHA-1's collisions do not weaken it (RFC 4226 appendix B.2).
    #[default]
    Sha1,
    /// HMAC with SHA-256.
    Sha256,
    /// HMAC with SHA-512.
    Sha512,
}

/// How long codes are (RFC 4226 section 5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Digits {
    /// Six digits.
    #[default]
    Six,
    /// Seven digits.
    Seven,
    /// Eight digits.
    Eight,
}

/// Why something is no key for codes. Never holds a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtpKeyError {
    /// It is not base32 in capitals without padding (RFC 4648 section 6).
    #[error("the secret is not base32 in capitals without padding")]
    Base32,
    /// It has fewer than 16 or more than 128 bytes (RFC 4226 section 4, R6: 128 bits or more).
    #[error("a secret for codes has 16 to 128 bytes")]
    Length,
    /// The system has no random bytes to make one of.
    #[error("the system has no random bytes")]
    Random,
}

impl OtpKey {
    /// A new key of 160 random bits (RFC 4226 section 4, R6).
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate() -> Result<Self, OtpKeyError> {
        Self::new(Secret::new(random::<20>().ok_or(OtpKeyError::Random)?))
    }

    /// A key of these bytes, as they are: not of their base32 text.
    ///
    /// # Errors
    /// When they are fewer than 16 or more than 128.
    pub fn new(secret: Secret) -> Result<Self, OtpKeyError> {
        if !(16..=128).contains(&secret.expose().len()) {
            return Err(OtpKeyError::Length);
        }
        Ok(Self { secret, algorithm: OtpAlgorithm::default(), digits: Digits::default() })
    }

    /// A key from the text that apps show: base32 in capitals, without padding and spaces.
    ///
    /// # Errors
    /// When the text is of another form, or holds too few or too many bytes.
    pub fn from_base32(text: &str) -> Result<Self, OtpKeyError> {
        if text.len() > 256 {
            return Err(OtpKeyError::Length);
        }
        let mut bytes = base32::decode(text).ok_or(OtpKeyError::Base32)?;
        Self::new(Secret::new(std::mem::take(&mut *bytes)))
    }

    /// Makes its codes with another hash.
    #[must_use]
    pub fn algorithm(mut self, algorithm: OtpAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Makes codes of another length.
    #[must_use]
    pub fn digits(mut self, digits: Digits) -> Self {
        self.digits = digits;
        self
    }

    /// The secret, to be stored encrypted.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The secret as apps take it by hand.
    #[must_use]
    pub fn to_base32(&self) -> SecretText {
        SecretText::new(base32::encode(self.secret.expose()))
    }

    /// The code of `counter` (RFC 4226 section 5.3), leading zeros and all. It is a credential
    /// while it has not been taken.
    #[must_use]
    pub fn code(&self, counter: u64) -> String {
        format!("{:0width$}", self.number(counter), width = self.digits.count())
    }

    /// For a QR code: takes codes by the time, a step every 30 s. It holds the secret; show it
    /// once, over TLS, and keep it out of caches and records.
    #[must_use]
    pub fn totp_uri(&self, issuer: &str, account: &str) -> SecretText {
        self.uri("totp", issuer, account, format_args!("period=30"))
    }

    /// For a QR code: takes codes by a counter that starts at `counter`.
    #[must_use]
    pub fn hotp_uri(&self, issuer: &str, account: &str, counter: u64) -> SecretText {
        self.uri("hotp", issuer, account, format_args!("counter={counter}"))
    }

    /// The last of `counters` whose code is `text`. All are computed and compared in constant
    /// time, whichever is right.
    ///
    /// Spaces are skipped, for apps show codes in groups; digits of other scripts are no digits.
    pub(super) fn find(&self, counters: std::ops::RangeInclusive<u64>, text: &str) -> Code {
        let Some(number) = self.parse(text) else { return Code::Malformed };
        let mut found = Code::Wrong;
        for counter in counters {
            if bool::from(self.number(counter).ct_eq(&number)) {
                found = Code::Of(counter);
            }
        }
        found
    }

    /// The last of `counters` whose code is the second of `texts` while that of the one before
    /// is the first. All are computed and compared in constant time, as in [`find`](Self::find).
    pub(super) fn find_two(
        &self,
        counters: std::ops::RangeInclusive<u64>,
        texts: [&str; 2],
    ) -> Code {
        let [Some(first), Some(second)] = texts.map(|text| self.parse(text)) else {
            return Code::Malformed;
        };
        let (mut found, mut before) = (Code::Wrong, Choice::from(0));
        for counter in counters {
            let number = self.number(counter);
            if bool::from(before & number.ct_eq(&second)) {
                found = Code::Of(counter);
            }
            before = number.ct_eq(&first);
        }
        found
    }

    fn parse(&self, text: &str) -> Option<u32> {
        if text.len() > 16 {
            return None;
        }
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
        let all_digits = digits.iter().all(u8::is_ascii_digit);
        let number = digits.iter().fold(0_u32, |number, digit| {
            number.saturating_mul(10).saturating_add(u32::from(digit.saturating_sub(b'0')))
        });
        (all_digits && digits.len() == self.digits.count()).then_some(number)
    }

    fn number(&self, counter: u64) -> u32 {
        let mac = match self.algorithm {
            OtpAlgorithm::Sha1 => OtpMac::Sha1,
            OtpAlgorithm::Sha256 => OtpMac::Sha256,
            OtpAlgorithm::Sha512 => OtpMac::Sha512,
        };
        let tag = otp_mac(mac, self.secret.expose(), counter);
        let tag = tag.as_ref();
        // RFC 4226 section 5.3: four bytes from where the last four bits point, without the sign.
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
        let word = tag.iter().skip(offset).take(4);
        let word = word.fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
        (word & 0x7fff_ffff) % self.digits.modulus()
    }

    /// The key URI format of authenticator apps.
    fn uri(&self, kind: &str, issuer: &str, account: &str, last: fmt::Arguments<'_>) -> SecretText {
        let (issuer, account) = (percent_encoded(issuer), percent_encoded(account));
        let (secret, digits) = (self.to_base32(), self.digits.count());
        let (secret, algorithm) = (secret.expose(), self.algorithm.name());
        let mut text = String::with_capacity(
            128_usize.saturating_add(2 * issuer.len() + account.len() + secret.len()),
        );
        let _ = fmt::write(
            &mut text,
            format_args!(
                "otpauth://{kind}/{issuer}:{account}?secret={secret}&issuer={issuer}\
                 &algorithm={algorithm}&digits={digits}&{last}"
            ),
        );
        SecretText::new(text)
    }
}

/// What a presented code turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Malformed,
    Wrong,
    /// The code of this counter.
    Of(u64),
}

impl OtpAlgorithm {
    /// The name in a key URI.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

impl Digits {
    const fn count(self) -> usize {
        match self {
            Self::Six => 6,
            Self::Seven => 7,
            Self::Eight => 8,
        }
    }

    const fn modulus(self) -> u32 {
        match self {
            Self::Six => 1_000_000,
            Self::Seven => 10_000_000,
            Self::Eight => 100_000_000,
        }
    }
}

/// RFC 3986 section 2.1, all but unreserved characters.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests;
