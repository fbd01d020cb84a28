//! Base32 (RFC 4648 section 6) in one form only: capitals, no padding, no stray bits.

use zeroize::Zeroizing;

/// `bytes` as text.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(8).div_ceil(5));
    let (mut held, mut bits) = (0_u16, 0_u32);
    for byte in bytes {
        held = (held << 8) | u16::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
    text
}

/// The bytes of `text`; `None` for any text that [`encode`] does not write.
pub(super) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len().saturating_mul(5) / 8));
    let (mut held, mut bits) = (0_u16, 0_u32);
    for letter in text.bytes() {
        held = (held << 5) | value(letter)?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    // Five bits left over are a letter too many; others must be the zeros that `encode` adds.
    (bits < 5 && held == 0).then_some(bytes)
}

// Computed, not looked up, so that no secret chooses an address.
fn letter(value: u16) -> char {
    let value = u8::try_from(value & 31).unwrap_or_default();
    char::from(if value < 26 { b'A' + value } else { b'2' + (value - 26) })
}

fn value(letter: u8) -> Option<u16> {
    match letter {
        b'A'..=b'Z' => Some(u16::from(letter - b'A')),
        b'2'..=b'7' => Some(u16::from(letter - b'2') + 26),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_4648_section_10() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap().as_slice(), bytes.as_bytes());
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["my", "MY======", "M", "MZX", "MZXW6Y", "MZ", "M Y", "M1", "M8", "MÜ"] {
            assert!(decode(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(bytes in proptest::collection::vec(any::<u8>(), 0..70)) {
            let text = encode(&bytes);
            prop_assert_eq!(decode(&text).unwrap().to_vec(), bytes);
        }

        #[test]
        fn what_decodes_is_the_one_form(text in "[A-Z2-7=a ]{0,40}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
