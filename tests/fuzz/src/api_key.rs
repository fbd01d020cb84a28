//! API keys. An input that starts with `{` is a record as a store keeps it; one that starts with
//! `+` is a key that still lacks its checksum; any other is a key as a caller presents it.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::{
    ApiKeys, Authenticator as _, AuthnErrorKind, Credential, Facts, MemoryKeys, UnixTime,
    authn::api_key::{KeyId, KeyRecord},
};
use ring::digest;
use serde_json::{Value, json};

use super::plain;

const PREFIX: &str = "orders_live";
const ID: &str = "4hG7kQ0pZx2B";
const SECRET: &str = "0123456789ABCDEFGHIJKLMNOPQRST";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The target.
pub fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    match text.strip_prefix('+') {
        _ if text.starts_with('{') => record(text),
        Some(body) => key(&format!("{body}{}", checksum(body.as_bytes()))),
        None => key(text),
    }
}

fn key(text: &str) -> bool {
    let parts = parts(text);
    assert_eq!(KEYS.key_id(text).map(|id| id.to_string()), parts.map(|(id, _)| id.to_owned()));
    let id = text.parse::<KeyId>();
    let is_id = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    assert_eq!(id.is_ok(), is_id);
    assert!(id.is_ok_and(|id| id.as_str() == text) || !is_id);

    let ask = |credential| KEYS.authenticate(&credential, &Facts::default(), plain::now());
    let found = plain::concluded(ask(Credential::Bearer(text)));
    let elsewhere = plain::concluded(ask(Credential::ApiKey(text)));
    assert_eq!(format!("{found:?}"), format!("{elsewhere:?}"), "in whatever header");
    let found = found.map(|who| who.map(|who| who.id().to_owned()).map_err(|error| error.kind()));
    let ours = text.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('_'));
    assert_eq!(found.is_some(), ours);
    let expected = match parts {
        Some((ID, SECRET)) => Ok("keys/acme".to_owned()),
        Some(_) => Err(AuthnErrorKind::Invalid),
        None => Err(AuthnErrorKind::Malformed),
    };
    assert!(found.as_ref().is_none_or(|found| *found == expected), "{found:?}");
    parts.is_some()
}

/// Id and secret of a key whose checksum holds.
fn parts(text: &str) -> Option<(&str, &str)> {
    let digits = text.strip_prefix("orders_live_")?;
    if digits.len() != 48 || !digits.bytes().all(|digit| DIGITS.contains(&digit)) {
        return None;
    }
    let (body, sum) = text.split_at(text.len() - 6);
    let (id, rest) = digits.split_at(12);
    (checksum(body.as_bytes()) == sum).then(|| (id, rest.split_at(30).0))
}

/// The remainder of a division of polynomials, written out, in base 62.
fn checksum(text: &[u8]) -> String {
    let mut remainder = 0xffff_ffff_u32;
    for byte in text {
        for bit in 0..8 {
            let carry = (remainder ^ u32::from(byte >> bit)) & 1;
            remainder >>= 1;
            if carry == 1 {
                remainder ^= 0xedb8_8320;
            }
        }
    }
    let mut rest = !remainder as usize;
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest % 62];
        rest /= 62;
    }
    String::from_utf8(digits.to_vec()).expect("digits")
}

/// Whether the text is a record; one that lets its key in says so in every member.
fn record(text: &str) -> bool {
    let Ok(record) = KeyRecord::from_json(text) else { return false };
    let told = plain::strict_json(text.as_bytes()).expect("an object with every name once");
    let kept = record.to_json();
    assert_eq!(KeyRecord::from_json(&kept).map(|again| again.to_json()).as_ref(), Ok(&kept));
    let mut written: Value = serde_json::from_str(&kept).expect("JSON");
    // Ranges are written in one form, whatever they were read from.
    let ranges = |value: &Value| value["allowed_from"].as_array().map(Vec::len);
    assert_eq!(ranges(&written), ranges(&told));
    written["allowed_from"] = told["allowed_from"].clone();
    assert_eq!(written, told, "nothing is lost, nothing is made up");

    let store = MemoryKeys::new(1);
    store.insert(record).expect("room for one");
    let keys = ApiKeys::new("keys", PREFIX, store);
    let body = format!("{PREFIX}_{ID}{SECRET}");
    let text = format!("{body}{}", checksum(body.as_bytes()));
    let mut facts = Facts::default();
    facts.peer = "192.0.2.7".parse().ok();
    let step = keys.authenticate(&Credential::Bearer(&text), &facts, plain::now());
    let Some(Ok(who)) = plain::concluded(step) else { return true };
    assert_eq!(told["owner"], who.subject());
    assert!(told["id"] == ID && told["revoked_at_ms"].is_null());
    let later = |until: &Value| until.as_u64().is_none_or(|until| until > plain::NOW * 1000);
    assert!(later(&told["expires_at_ms"]));
    let current = told["secret_sha256"] == hash(SECRET);
    let previous = &told["previous"];
    assert!(current || (previous["secret_sha256"] == hash(SECRET) && later(&previous["until_ms"])));
    assert_eq!(who.scopes().is_some(), !told["scopes"].is_null(), "no limit is lost");
    true
}

fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, secret.as_bytes()))
}

/// A record of the one key that there is.
pub fn stored() -> Value {
    json!({
        "version": 1, "id": ID, "owner": "acme", "kind": "service", "roles": ["clerk"],
        "scopes": ["orders.read"], "expires_at_ms": (plain::NOW + 3600) * 1000,
        "allowed_from": null, "purpose": "nightly export", "created_at_ms": 1,
        "secret_sha256": hash(SECRET), "previous": null, "revoked_at_ms": null,
        "last_used_ms": null,
    })
}

static KEYS: LazyLock<ApiKeys> = LazyLock::new(|| {
    let store = MemoryKeys::new(1);
    let record = KeyRecord::from_json(&stored().to_string()).expect("a record");
    assert!(record.expires_at() > Some(UnixTime::from_secs(plain::NOW)));
    store.insert(record).expect("room for one");
    ApiKeys::new("keys", PREFIX, store).header("x-api-key")
});
