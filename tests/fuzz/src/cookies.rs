//! Cookies of sessions and of devices. Each line of the input is a `Cookie` header, in which
//! `{id}`, `{key}` and `{device}` stand for a session's id, its hash, and a device's cookie; an
//! input that starts with `{"` is a session's record as a store keeps it.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::{
    Authenticator as _, Claim, Credential, Facts, Principal, Secret,
    authn::session::{
        Factor, MemorySessions, SessionKey, SessionRecord, SessionStore as _, Sessions,
    },
    limit::{Login, LoginGuard, Verdict},
};

use super::plain;

const COOKIE: &str = "__Host-session";
const DEVICE: &str = "__Host-device";

struct Issued {
    sessions: Sessions,
    id: String,
    key: SessionKey,
    guard: LoginGuard,
    device: String,
}

/// The target.
pub fn run(input: &[u8]) -> bool {
    if input.starts_with(b"{\"") {
        return std::str::from_utf8(input).is_ok_and(record);
    }
    let input = filled(input);
    let known = presented(&input, DEVICE).is_some_and(device);
    presented(&input, COOKIE).is_some_and(session) || known
}

fn filled(input: &[u8]) -> Vec<u8> {
    let key = ISSUED.key.to_string();
    let words = [("{id}", &ISSUED.id), ("{key}", &key), ("{device}", &ISSUED.device)];
    let text: String = input.iter().map(|byte| char::from(*byte)).collect();
    let text = words.iter().fold(text, |text, (word, value)| text.replace(word, value));
    text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// The one cookie of that name, if it is well formed.
fn presented<'a>(input: &'a [u8], name: &str) -> Option<&'a str> {
    let pairs = input.split(|byte| matches!(byte, b';' | b'\n')).map(<[u8]>::trim_ascii);
    let of_name = |pair: &'a [u8]| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
    let values: Vec<_> = pairs.filter_map(of_name).collect();
    match Claim::from_cookies(plain::lines(input), name) {
        Claim::Absent => assert!(values.is_empty()),
        Claim::Ambiguous => assert!(values.len() > 1),
        Claim::TooLarge => assert!(values.len() == 1 && values[0].len() > 16 * 1024),
        Claim::Malformed => assert!(values.len() == 1 && !is_word(values[0])),
        Claim::Presented(Credential::Session(value)) => {
            assert!(values == [value.as_bytes()] && is_word(values[0]));
            return Some(value);
        }
        other => panic!("{other:?} is no cookie"),
    }
    None
}

fn is_word(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

/// Whether the cookie is that of the one session there is.
fn session(value: &str) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode(value).ok().filter(|bytes| bytes.len() == 32);
    assert_eq!(SessionKey::parse(value).map(|key| key.as_bytes().to_vec()), bytes);
    assert!(SessionKey::parse(value).is_none_or(|key| key.to_string() == value));
    let step =
        ISSUED.sessions.authenticate(&Credential::Session(value), &Facts::default(), plain::now());
    let found = plain::concluded(step).expect("cookies are for sessions");
    assert_eq!(found.is_ok(), value == ISSUED.id, "{found:?}");
    found.is_ok_and(|alice| alice.id() == "staff/alice")
}

/// Whether the cookie is that of the one device there is: it alone is let in while strangers are
/// shut out.
fn device(value: &str) -> bool {
    let login = Login::new("alice").device(value);
    let known = match ISSUED.guard.reserve(&login, plain::now().mono) {
        Verdict::Allow(reservation) => {
            reservation.released();
            true
        }
        _ => false,
    };
    assert_eq!(known, value == ISSUED.device);
    let other = ISSUED.guard.reserve(&Login::new("bob").device(value), plain::now().mono);
    assert!(!matches!(other, Verdict::Allow(_)), "a device is its own account's");
    known
}

/// Whether the text is a record, which then says what its text says.
fn record(text: &str) -> bool {
    let Ok(record) = SessionRecord::decode(ISSUED.key, text) else { return false };
    let told = plain::strict_json(text.as_bytes()).expect("an object with every name once");
    let who = record.principal();
    assert_eq!(told["realm"], who.realm());
    assert_eq!(told["subject"], who.subject());
    assert_eq!(told["version"], record.version());
    assert_eq!(told["created"], record.created_at().as_millis());
    assert_eq!(told["seen"], record.seen_at().as_millis());
    let over = told["idle_until"].as_u64().min(told["ends"].as_u64());
    assert_eq!(over, Some(record.over_at().as_millis()));
    let roles = told["roles"].as_array().expect("roles");
    assert!(who.roles().all(|role| roles.iter().any(|told| told == role)), "no role is made up");
    assert_eq!(who.scopes().is_some(), !told["scopes"].is_null(), "no limit is lost");

    let kept = record.encode().expect("a record of the crate's making");
    let again = SessionRecord::decode(ISSUED.key, &kept).expect("what was written");
    assert_eq!(again.encode().as_ref(), Ok(&kept));
    assert_eq!(format!("{:?}", again.principal()), format!("{who:?}"));
    counts(&record)
}

/// Whether the record lets somebody in, who must be the one it names and in time.
fn counts(record: &SessionRecord) -> bool {
    let now = plain::now();
    let store = MemorySessions::new(1);
    if plain::block_on(store.insert(record.clone(), 1, now.wall)) != Ok(true) {
        return false;
    }
    let sessions = Sessions::new("staff", store);
    let step = sessions.authenticate(&Credential::Session(&ISSUED.id), &Facts::default(), now);
    let Some(Ok(who)) = plain::concluded(step) else { return false };
    assert!(who.id() == record.principal().id() && who.realm() == "staff");
    assert!(record.over_at() > now.wall);
    true
}

static ISSUED: LazyLock<Issued> = LazyLock::new(|| {
    let now = plain::now();
    let sessions = Sessions::new("staff", MemorySessions::new(10));
    let alice = Principal::assertion("staff", "alice").roles(["clerk"]).finish().expect("a name");
    let opened = sessions.open(&alice, [Factor::new("pwd", now.wall)], now.wall);
    let opened = plain::block_on(opened).expect("room for one session");
    let id = opened.set_cookie().expose().split(['=', ';']).nth(1).expect("a value").to_owned();
    let key = SessionKey::of(&alice).unwrap_or(*opened.record().key());

    let guard = LoginGuard::builder().attempts(1).account_attempts(1);
    let guard = guard.device_key(Secret::new([7; 32])).start().expect("a guard");
    for account in ["alice", "bob"] {
        match guard.reserve(&Login::new(account), now.mono) {
            Verdict::Allow(first) => first.failed(),
            other => panic!("{other:?}"),
        }
    }
    let device = guard.device_cookie("alice").expect("random bytes");
    Issued { sessions, id, key, guard, device }
});
