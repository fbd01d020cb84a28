//! A secret in every form in which it may be written down.

use std::fmt::Write as _;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};

/// A secret to look for.
pub(super) struct Needle {
    pub(super) name: &'static str,
    forms: Vec<(&'static str, String)>,
}

/// Shorter texts turn up by chance.
const SHORTEST: usize = 6;

impl Needle {
    pub(super) fn new(name: &'static str, secret: impl AsRef<[u8]>) -> Self {
        let secret = secret.as_ref();
        let raw = std::str::from_utf8(secret).unwrap_or_default().to_owned();
        let decimal = secret.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let mut forms = vec![
            ("raw", raw),
            ("hex", hex(secret)),
            ("HEX", hex(secret).to_uppercase()),
            ("decimal", decimal),
        ];
        // Whole groups alone: what comes before and after the secret, padding too, is unknown.
        for (at, form, url) in [
            (0, "base64", "base64url"),
            (1, "base64+1", "base64url+1"),
            (2, "base64+2", "base64url+2"),
        ] {
            let rest = secret.get((3 - at) % 3..).unwrap_or_default();
            let groups = rest.get(..rest.len() / 3 * 3).unwrap_or_default();
            forms.push((form, STANDARD.encode(groups)));
            forms.push((url, URL_SAFE.encode(groups)));
        }
        forms.retain(|(_, text)| text.len() >= SHORTEST);
        Self { name, forms }
    }

    pub(super) fn forms(&self) -> impl Iterator<Item = &(&'static str, String)> {
        self.forms.iter()
    }

    /// The forms that stand in `text`.
    pub(super) fn found_in(&self, text: &str) -> impl Iterator<Item = &'static str> {
        self.forms.iter().filter(|(_, form)| text.contains(form)).map(|(name, _)| *name)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn a_secret_is_found_however_it_is_written() {
    let secret = b"k9\xfb\xff\xbe-Canary-7421";
    let needle = Needle::new("canary", secret);
    let found = |text: &str| needle.found_in(text).collect::<Vec<_>>();
    assert_eq!(found("nothing of the kind"), [""; 0]);
    assert_eq!(found(&format!("{secret:?}")), ["decimal"]);
    assert_eq!(found(&hex(secret)), ["hex"]);
    assert_eq!(found(&hex(secret).to_uppercase()), ["HEX"]);
    // Whatever stands around it, with padding and without.
    for (before, form) in ["base64", "base64+1", "base64+2"].into_iter().enumerate() {
        for after in 0..3 {
            let text = [&b"ab"[..before], secret, &b"yz"[..after]].concat();
            let (std, url) = (STANDARD.encode(&text), URL_SAFE.encode(&text));
            assert!(found(&std).contains(&form), "{before} {after}");
            assert!(found(std.trim_end_matches('=')).contains(&form), "{before} {after}");
            assert!(found(&url).iter().any(|found| found.starts_with("base64url")));
            assert!(!found(&url).contains(&form) || std == url);
        }
    }
    assert_eq!(Needle::new("text", "Canary-7421").found_in("a Canary-7421!").count(), 1);
}
