use super::*;

fn key() -> OtpKey {
    OtpKey::new(Secret::new(*b"12345678901234567890")).unwrap()
}

#[test]
fn rfc_4226_appendix_d() {
    let codes = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    for (counter, code) in (0..).zip(codes) {
        assert_eq!(key().code(counter), code);
    }
}

#[test]
fn codes_are_read_strictly() {
    let check = |text: &str, expected| assert_eq!(key().find(0..=9, text), expected, "{text}");
    check("287082", Code::Of(1));
    check("287 082", Code::Of(1));
    check("287083", Code::Wrong);
    for text in ["", "28708", "0287082", "28708a", "-87082", "+287082", "287\u{a0}082"] {
        check(text, Code::Malformed);
    }
    check("٢٨٧٠٨٢", Code::Malformed);
    check(&" ".repeat(100_000), Code::Malformed);
    assert_eq!(key().digits(Digits::Eight).find(1..=1, "84755224"), Code::Wrong);
    assert_eq!(key().digits(Digits::Eight).find(0..=0, "84755224"), Code::Of(0));
    assert_eq!(key().digits(Digits::Seven).code(0), "4755224");
}

#[test]
fn leading_zeros_count() {
    let counter = (0..).find(|counter| key().code(*counter).starts_with('0')).unwrap();
    let code = key().code(counter);
    assert_eq!(key().find(counter..=counter, &code), Code::Of(counter));
    assert_eq!(key().find(counter..=counter, code.trim_start_matches('0')), Code::Malformed);
}

#[test]
fn keys_of_unfit_length() {
    for (bytes, fit) in [(0, false), (15, false), (16, true), (128, true), (129, false)] {
        assert_eq!(OtpKey::new(Secret::new(vec![7; bytes])).is_ok(), fit, "{bytes}");
    }
    assert_eq!(OtpKey::from_base32(&"A".repeat(257)).unwrap_err(), OtpKeyError::Length);
    assert_eq!(OtpKey::from_base32("lower").unwrap_err(), OtpKeyError::Base32);
}

#[test]
fn new_keys_have_160_bits_and_differ() {
    let (one, other) = (OtpKey::generate().unwrap(), OtpKey::generate().unwrap());
    assert_eq!(one.secret().expose().len(), 20);
    assert_ne!(one.secret().expose(), other.secret().expose());
    let again = OtpKey::from_base32(one.to_base32().expose()).unwrap();
    assert_eq!(again.code(7), one.code(7));
}

#[test]
fn uris() {
    let uri = key().totp_uri("Ördering & Co", "alice@example.com");
    assert_eq!(
        uri.expose(),
        "otpauth://totp/%C3%96rdering%20%26%20Co:alice%40example.com\
         ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%C3%96rdering%20%26%20Co\
         &algorithm=SHA1&digits=6&period=30"
    );
    let uri = key().algorithm(OtpAlgorithm::Sha512).digits(Digits::Eight).hotp_uri("a", "b", 7);
    assert!(uri.expose().ends_with("&algorithm=SHA512&digits=8&counter=7"));
    assert_eq!(format!("{uri:?}"), format!("SecretText({} bytes)", uri.expose().len()));
    assert!(!format!("{:?}", key()).contains("1234"));
}
