//! Where a request carries its credentials. Each line of the input is a header: `x-api-key: …`,
//! `cookie: …`, or else a value of `Authorization`.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue};
use portcullis::{
    Authenticator as _, AuthnErrorKind, Claim, Credential, Facts, Secret, Source,
    authn::password::{Cost, Hasher, MemoryPasswords, PasswordRecord, Passwords},
    http::{claim, mark_sensitive, strip_credentials},
};

use super::plain;

const KEY: &str = "x-api-key";
const COOKIE: &str = "__Host-session";
const SOURCES: [Source; 2] = [Source::ApiKeyHeader(KEY), Source::SessionCookie(COOKIE)];
const MAX_CREDENTIAL: usize = 16 * 1024;

/// The target.
pub fn run(input: &[u8]) -> bool {
    let mut headers = headers(input);
    let expected = expected(&headers);
    let found = claim(&headers, &SOURCES);
    assert_eq!(told(&found), expected);
    let accepted = match found {
        Claim::Presented(Credential::Basic(value)) => basic(value),
        Claim::Presented(_) => true,
        _ => false,
    };
    mark_sensitive(&mut headers, &SOURCES);
    assert!(headers.values().all(HeaderValue::is_sensitive), "all that there are hold credentials");
    let others = cookies(&headers).filter(|(_, own)| !own).count();
    strip_credentials(&mut headers, &SOURCES);
    assert!(matches!(claim(&headers, &SOURCES), Claim::Absent), "none is left");
    assert_eq!(cookies(&headers).count(), others, "no other cookie is taken");
    accepted
}

fn headers(input: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in plain::lines(input) {
        let (name, value) = match line {
            _ if line.starts_with(b"x-api-key: ") => (KEY, line.get(11..)),
            _ if line.starts_with(b"cookie: ") => ("cookie", line.get(8..)),
            _ => ("authorization", Some(line)),
        };
        // What the server in front refuses comes no further.
        if let Ok(value) = HeaderValue::from_bytes(value.unwrap_or_default()) {
            headers.append(name, value);
        }
    }
    headers
}

/// Every cookie that is not blank, and whether it is the session's.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], bool)> {
    let values = headers.get_all("cookie").iter().map(HeaderValue::as_bytes);
    let pairs = values.flat_map(|value| value.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
    pairs.filter(|pair| !pair.is_empty()).map(|pair| (pair, pair.starts_with(b"__Host-session=")))
}

fn told(claim: &Claim<'_>) -> String {
    match claim {
        Claim::Absent => "absent".to_owned(),
        Claim::Ambiguous => "ambiguous".to_owned(),
        Claim::Malformed => "malformed".to_owned(),
        Claim::TooLarge => "too large".to_owned(),
        Claim::Presented(Credential::ApiKey(value)) => format!("key {value}"),
        Claim::Presented(Credential::Basic(value)) => format!("basic {value}"),
        Claim::Presented(Credential::Bearer(value)) => format!("bearer {value}"),
        Claim::Presented(Credential::Session(value)) => format!("session {value}"),
        Claim::Presented(Credential::Other { scheme, value }) => format!("{scheme} {value}"),
        other => format!("{other:?}"),
    }
}

fn expected(headers: &HeaderMap) -> String {
    let mut all: Vec<(&str, &[u8])> = Vec::new();
    for place in ["authorization", KEY] {
        all.extend(headers.get_all(place).iter().map(|value| (place, value.as_bytes())));
    }
    let own = cookies(headers).filter(|(_, own)| *own);
    all.extend(own.filter_map(|(pair, _)| Some(("session", pair.get(COOKIE.len() + 1..)?))));
    let (place, value) = match all[..] {
        [] => return "absent".to_owned(),
        [one] => one,
        _ => return "ambiguous".to_owned(),
    };
    if value.len() > MAX_CREDENTIAL {
        return "too large".to_owned();
    }
    let read = match place {
        "authorization" => authorization(value),
        _ => word(value).map(|word| format!("{} {word}", place.trim_start_matches("x-api-"))),
    };
    read.unwrap_or("malformed".to_owned())
}

fn word(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    (!text.is_empty() && text.chars().all(|c| ('!'..='~').contains(&c))).then_some(text)
}

fn authorization(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let (scheme, rest) = text.split_at(text.find(' ')?);
    let rest = rest.trim_start_matches(' ');
    let tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if scheme.is_empty() || rest.is_empty() || !scheme.chars().all(tchar) {
        return None;
    }
    let known = ["bearer", "basic"].into_iter().find(|known| *known == scheme.to_lowercase());
    let Some(known) = known else {
        let plain = rest.chars().all(|c| (' '..='~').contains(&c)) && !rest.ends_with(' ');
        return plain.then(|| format!("{scheme} {rest}"));
    };
    let body = rest.trim_end_matches('=');
    let token = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
    (!body.is_empty() && body.chars().all(token)).then(|| format!("{known} {rest}"))
}

/// Whether the user and password are Aladdin's (RFC 7617 section 2).
fn basic(value: &str) -> bool {
    let answer = PASSWORDS.authenticate(&Credential::Basic(value), &Facts::default(), plain::now());
    let found = plain::concluded(answer).expect("Basic is for passwords");
    let found = found.map(|who| who.id().to_owned()).map_err(|error| error.kind());
    assert_eq!(found, expected_basic(value));
    found.is_ok()
}

fn expected_basic(value: &str) -> Result<String, AuthnErrorKind> {
    let malformed = AuthnErrorKind::Malformed;
    if value.len() > 1708 {
        return Err(AuthnErrorKind::TooLarge);
    }
    let bytes = STANDARD.decode(value).map_err(|_| malformed)?;
    let text = String::from_utf8(bytes).map_err(|_| malformed)?;
    let (user, password) = text.split_once(':').ok_or(malformed)?;
    let name = user.trim().to_lowercase();
    if text.chars().any(char::is_control) || user.len() > 256 || !(1..=256).contains(&name.len()) {
        return Err(malformed);
    }
    match (&*name, password) {
        _ if password.len() > 1024 => Err(AuthnErrorKind::TooLarge),
        ("aladdin", "open sesame") => Ok("staff/aladdin".to_owned()),
        _ => Err(AuthnErrorKind::Invalid),
    }
}

static PASSWORDS: LazyLock<Passwords> = LazyLock::new(|| {
    let cost = Cost::insecure_new(8, 1, 1).expect("cheap");
    let hasher = Hasher::with_threads(1).cost(cost).start().expect("a thread and 8 KiB");
    let hash = plain::block_on(hasher.hash(&Secret::new(*b"open sesame"))).expect("a hash");
    let users = MemoryPasswords::default();
    users.insert(PasswordRecord::new("aladdin", "aladdin", hash)).expect("a good name");
    Passwords::new("staff", users, hasher).without_cache()
});
