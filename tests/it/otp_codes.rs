//! One-time codes held against another crate's: totp-rs.

use proptest::prelude::*;
use totp_rs::{Algorithm, Builder, Secret as TheirSecret, Totp as Theirs};

use portcullis::{
    Secret, UnixTime,
    authn::otp::{Digits, Drift, Hotp, MemorySteps, OtpAlgorithm, OtpKey, Totp},
};

use crate::kit::block_on;

/// A secret, a hash and a number of digits, for either crate.
#[derive(Clone, Debug)]
struct Shared {
    secret: Vec<u8>,
    algorithm: OtpAlgorithm,
    digits: Digits,
}

impl Shared {
    fn key(&self) -> OtpKey {
        let key = OtpKey::new(Secret::new(self.secret.clone())).unwrap();
        key.algorithm(self.algorithm).digits(self.digits)
    }

    /// What totp-rs takes codes with, a step every `period` seconds.
    fn theirs(&self, period: u64, skew: u16) -> Theirs {
        let secret = TheirSecret::from(self.secret.clone());
        let digits = if self.digits == Digits::Six { 6 } else { 8 };
        their_builder(secret, self.algorithm.name(), digits, period)
            .with_skew(skew)
            .build()
            .unwrap()
    }
}

fn their_builder(secret: TheirSecret, algorithm: &str, digits: u8, period: u64) -> Builder {
    let algorithms = [Algorithm::SHA1, Algorithm::SHA256, Algorithm::SHA512];
    let algorithm = algorithms.into_iter().find(|one| one.as_str() == algorithm).unwrap();
    let builder = Builder::new().with_secret(secret).with_algorithm(algorithm);
    builder.with_digits(digits).with_step_duration(period)
}

fn shared() -> impl Strategy<Value = Shared> {
    let algorithms = vec![OtpAlgorithm::Sha1, OtpAlgorithm::Sha256, OtpAlgorithm::Sha512];
    let secret = prop::collection::vec(any::<u8>(), 16..=128);
    let algorithm = prop::sample::select(algorithms);
    let digits = prop::sample::select(vec![Digits::Six, Digits::Eight]);
    (secret, algorithm, digits).prop_map(|(secret, algorithm, digits)| Shared {
        secret,
        algorithm,
        digits,
    })
}

/// From the start of time until the year 3000 or so.
const TIMES: std::ops::Range<u64> = 0..1 << 35;

/// The bytes of a label or a value in a URI.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next().unwrap()).to_digit(16).unwrap();
        bytes.push(match byte {
            b'%' => u8::try_from(16 * digit() + digit()).unwrap(),
            _ => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

proptest! {
    /// With a period of a second the time is the counter of RFC 4226.
    #[test]
    fn codes_are_those_of_totp_rs(one in shared(), time in TIMES, period in 1..3_600_u64) {
        let code = one.key().code(time / period);
        prop_assert_eq!(&code, &one.theirs(period, 0).generate(time).to_string());
        prop_assert_eq!(one.key().code(time), one.theirs(1, 0).generate(time).to_string());
    }

    #[test]
    fn a_code_is_taken_when_totp_rs_takes_it(
        one in shared(),
        time in TIMES,
        steps_off in -4..=4_i64,
        drift in prop::sample::select(vec![Drift::None, Drift::One, Drift::Two]),
        changed in prop::option::weighted(0.3, (0..6_usize, b'0'..=b'9')),
    ) {
        let skew = match drift {
            Drift::None => 0,
            Drift::One => 1,
            _ => 2,
        };
        let mut code = one.key().code((time / 30).saturating_add_signed(steps_off)).into_bytes();
        if let Some((index, digit)) = changed {
            code[index] = digit;
        }
        let code = String::from_utf8(code).unwrap();
        let totp = Totp::new(MemorySteps::new(1)).drift(drift);
        let ours = block_on(totp.verify("a", &one.key(), &code, UnixTime::from_secs(time)));
        prop_assert_eq!(ours.is_ok(), one.theirs(30, skew).check(&code, time).is_some());
    }

    #[test]
    fn the_counter_of_a_code_is_that_of_totp_rs(one in shared(), last in TIMES, ahead in 1..12_u64) {
        let (theirs, hotp) = (one.theirs(1, 0), Hotp::new(MemorySteps::new(1)));
        let code = theirs.generate(last + ahead).to_string();
        let ours = block_on(hotp.verify("a", &one.key(), &code, Some(last))).ok();
        let found = (last + 1..=last + 10).rev().find(|at| theirs.generate(*at).to_string() == code);
        prop_assert_eq!(ours, found);

        let codes = [last + ahead, last + ahead + 1].map(|at| theirs.generate(at).to_string());
        let codes = codes.each_ref().map(String::as_str);
        let hotp = Hotp::new(MemorySteps::new(1));
        let both = block_on(hotp.resynchronize("a", &one.key(), codes, Some(last)));
        prop_assert_eq!(both, Ok(last + ahead + 1));
    }

    /// What an app reads in a URI makes the codes that are asked of it.
    #[test]
    fn a_uri_hands_totp_rs_the_same_key(
        one in shared(),
        issuer in "[^\\p{Cc}]{1,20}",
        account in "[^\\p{Cc}]{1,20}",
        time in TIMES,
    ) {
        let uri = one.key().totp_uri(&issuer, &account);
        let rest = uri.expose().strip_prefix("otpauth://totp/").unwrap();
        prop_assert!(rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
        let (label, query) = rest.split_once('?').unwrap();
        let (before, after) = label.split_once(':').unwrap();
        prop_assert_eq!((decoded(before), decoded(after)), (issuer.clone(), account));

        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
        let (names, values): (Vec<_>, Vec<_>) = pairs.unzip();
        prop_assert_eq!(names, ["secret", "issuer", "algorithm", "digits", "period"]);
        prop_assert_eq!(decoded(values[1]), issuer);
        let secret = TheirSecret::try_from_base32(values[0]).unwrap();
        let (digits, period) = (values[3].parse().unwrap(), values[4].parse().unwrap());
        let app = their_builder(secret, values[2], digits, period).build().unwrap();
        prop_assert_eq!(app.generate(time).to_string(), one.key().code(time / 30));
    }
}
