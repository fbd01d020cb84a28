//! `application/x-www-form-urlencoded`, as far as one token and one client need it.

use zeroize::Zeroizing;

/// An empty text with room for `plain` as it is and for `encoded` encoded: one that grew would
/// leave a copy behind.
pub(super) fn room(plain: &[&str], encoded: &[&[u8]]) -> Zeroizing<String> {
    let plain: usize = plain.iter().map(|text| text.len()).sum();
    let encoded: usize = encoded.iter().map(|bytes| bytes.len().saturating_mul(3)).sum();
    Zeroizing::new(String::with_capacity(plain.saturating_add(encoded)))
}

/// Appends `bytes`, each of which is a letter, a digit, one of `*-._`, a space as `+`, or `%XX`.
pub(super) fn encode(bytes: &[u8], into: &mut String) {
    let hex = |nibble: u8| char::from_digit(u32::from(nibble), 16).map(|c| c.to_ascii_uppercase());
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                into.push(char::from(*byte));
            }
            b' ' => into.push('+'),
            _ => into.extend(['%'].into_iter().chain(hex(byte >> 4)).chain(hex(byte & 15))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(bytes: &[u8]) -> String {
        let mut text = room(&[], &[bytes]);
        let before = text.capacity();
        encode(bytes, &mut text);
        assert_eq!(text.capacity(), before, "it did not grow");
        text.to_string()
    }

    #[test]
    fn the_example_of_rfc_6749_appendix_b() {
        let text = " %&+\u{a3}\u{20ac}";
        assert_eq!(encoded(text.as_bytes()), "+%25%26%2B%C2%A3%E2%82%AC");
    }

    proptest! {
        #[test]
        fn what_is_decoded_is_what_was_encoded(bytes: Vec<u8>) {
            let text = encoded(&bytes);
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"*-._+%".contains(&b)));
            let mut decoded = Vec::new();
            let mut rest = text.as_bytes();
            while let [byte, after @ ..] = rest {
                rest = after;
                decoded.push(match (byte, rest) {
                    (b'+', _) => b' ',
                    (b'%', [high, low, after @ ..]) => {
                        rest = after;
                        let hex = [*high, *low];
                        u8::from_str_radix(str::from_utf8(&hex).unwrap(), 16).unwrap()
                    }
                    _ => *byte,
                });
            }
            prop_assert_eq!(decoded, bytes);
        }
    }
}
