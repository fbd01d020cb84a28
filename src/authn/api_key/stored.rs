//! A record as text, for stores that are tables or files.

use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{
    KeyGrant, KeyRecord,
    last_used::LastUsed,
    record::{Kept, LiveSecret},
};
use crate::{Kind, UnixTime, authn::store::present, crypto::SecretHash};

/// Longer texts are not looked at.
const MAX_TEXT: usize = 64 * 1024;
const VERSION: u32 = 1;

/// Text that is no record of a key. It says what is wrong, and nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no record of a key: {0}")]
pub struct RecordError(&'static str);

/// No member has a default: a record that lost its revocation, its scopes or its expiry on the
/// way is no record, rather than one that opens more doors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    id: String,
    owner: String,
    kind: StoredKind,
    roles: Vec<String>,
    #[serde(deserialize_with = "present")]
    scopes: Option<Vec<String>>,
    #[serde(deserialize_with = "present")]
    expires_at_ms: Option<u64>,
    #[serde(deserialize_with = "present")]
    allowed_from: Option<Vec<String>>,
    purpose: String,
    created_at_ms: u64,
    secret_sha256: String,
    #[serde(deserialize_with = "present")]
    previous: Option<StoredPrevious>,
    #[serde(deserialize_with = "present")]
    revoked_at_ms: Option<u64>,
    #[serde(deserialize_with = "present")]
    last_used_ms: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPrevious {
    secret_sha256: String,
    until_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredKind {
    Device,
    Service,
    User,
}

impl KeyRecord {
    /// The record as a JSON object, with all that has to be kept. The secrets in it are hashes;
    /// protect it all the same, for whoever may change it makes keys.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&Stored::from(&*self.0)).unwrap_or_default()
    }

    /// The record that [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// When it is not whole, has a member too many, or comes from a version that is not known.
    pub fn from_json(text: &str) -> Result<Self, RecordError> {
        if text.len() > MAX_TEXT {
            return Err(RecordError("longer than 64 KiB"));
        }
        let stored: Stored =
            serde_json::from_str(text).map_err(|_| RecordError("not an object of its members"))?;
        Ok(Self(Arc::new(stored.try_into()?)))
    }
}

impl From<&Kept> for Stored {
    fn from(record: &Kept) -> Self {
        let grant = &record.grant;
        Self {
            version: VERSION,
            id: record.id.to_string(),
            owner: grant.owner.clone(),
            kind: match grant.kind {
                Kind::Device => StoredKind::Device,
                Kind::Service => StoredKind::Service,
                Kind::User => StoredKind::User,
            },
            roles: grant.roles.clone(),
            scopes: grant.scopes.clone(),
            expires_at_ms: grant.expires_at.map(UnixTime::as_millis),
            allowed_from: grant
                .allowed
                .as_ref()
                .map(|ranges| ranges.iter().map(ToString::to_string).collect()),
            purpose: grant.purpose.clone(),
            created_at_ms: record.created_at.as_millis(),
            secret_sha256: encoded(&record.current.hash),
            previous: record.previous.map(|secret| StoredPrevious {
                secret_sha256: encoded(&secret.hash),
                until_ms: secret.until.map_or(0, UnixTime::as_millis),
            }),
            revoked_at_ms: record.revoked_at.map(UnixTime::as_millis),
            last_used_ms: record.last_used.at().map(UnixTime::as_millis),
        }
    }
}

impl TryFrom<Stored> for Kept {
    type Error = RecordError;

    fn try_from(stored: Stored) -> Result<Self, RecordError> {
        if stored.version != VERSION {
            return Err(RecordError("another version"));
        }
        let ranges = |ranges: Vec<String>| {
            let ranges = ranges.iter().map(|range| range.parse());
            ranges.collect::<Result<_, _>>().map_err(|_| RecordError("not a range of addresses"))
        };
        let previous = |previous: StoredPrevious| {
            let hash = decoded(&previous.secret_sha256)?;
            Ok(LiveSecret { hash, until: Some(UnixTime::from_millis(previous.until_ms)) })
        };
        let grant = KeyGrant {
            owner: stored.owner,
            kind: match stored.kind {
                StoredKind::Device => Kind::Device,
                StoredKind::Service => Kind::Service,
                StoredKind::User => Kind::User,
            },
            roles: stored.roles,
            scopes: stored.scopes,
            expires_at: stored.expires_at_ms.map(UnixTime::from_millis),
            allowed: stored.allowed_from.map(ranges).transpose()?,
            purpose: stored.purpose,
        };
        Ok(Self {
            id: stored.id.parse().map_err(|_| RecordError("not an id"))?,
            grant,
            created_at: UnixTime::from_millis(stored.created_at_ms),
            current: LiveSecret { hash: decoded(&stored.secret_sha256)?, until: None },
            previous: stored.previous.map(previous).transpose()?,
            revoked_at: stored.revoked_at_ms.map(UnixTime::from_millis),
            last_used: LastUsed::new(stored.last_used_ms.map(UnixTime::from_millis)),
        })
    }
}

fn encoded(hash: &SecretHash) -> String {
    URL_SAFE_NO_PAD.encode_to_string(hash.as_bytes())
}

fn decoded(text: &str) -> Result<SecretHash, RecordError> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(SecretHash::from_bytes).ok_or(RecordError("not a hash"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::{ApiKeys, MemoryKeys};

    fn record() -> KeyRecord {
        let keys = ApiKeys::new("keys", "orders_live", MemoryKeys::new(1));
        let grant = KeyGrant::until("acme", UnixTime::from_secs(2_000))
            .kind(Kind::Device)
            .roles(["clerk"])
            .scopes(["orders.read", "orders.write"])
            .allowed_from(["192.0.2.0/24".parse().unwrap(), "2001:db8::1".parse().unwrap()])
            .purpose("nightly \"export\"");
        let new = keys.issue(grant, UnixTime::from_millis(1_000_001)).unwrap();
        let new = keys.rotate(new.record(), UnixTime::from_secs(1_500)).unwrap();
        let mut record = new.record().clone();
        record.revoke(UnixTime::from_secs(1_600));
        record.0.last_used.note(UnixTime::from_secs(1_400));
        record
    }

    fn json() -> Value {
        serde_json::from_str(&record().to_json()).unwrap()
    }

    fn refused(text: &str) -> Option<&'static str> {
        KeyRecord::from_json(text).err().map(|RecordError(why)| why)
    }

    #[test]
    fn a_record_comes_back_whole() {
        let kept = record();
        let read = KeyRecord::from_json(&kept.to_json()).unwrap();
        // `Debug` shows all but the hashes.
        assert_eq!(format!("{read:?}"), format!("{kept:?}"));
        assert!(read.0.current.hash.is(&kept.0.current.hash));
        assert!(read.0.previous.unwrap().hash.is(&kept.0.previous.unwrap().hash));
        assert_eq!(read.to_json(), kept.to_json());
    }

    #[test]
    fn attack_a_record_that_lost_a_member_opens_no_more_doors() {
        let names: Vec<_> = json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(names.len(), 14);
        for name in names {
            let mut json = json();
            json.as_object_mut().unwrap().remove(&name);
            let expected = Some("not an object of its members");
            assert_eq!(refused(&json.to_string()), expected, "without `{name}`");
        }
    }

    #[test]
    fn attack_records_that_two_readers_would_read_differently() {
        let text = record().to_json();
        let twice = text.replacen('{', r#"{"revoked_at_ms":null,"#, 1);
        assert_eq!(refused(&twice), Some("not an object of its members"));
        let more = text.replacen('{', r#"{"admin":true,"#, 1);
        assert_eq!(refused(&more), Some("not an object of its members"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_text() {
        let check = |name: &str, value: Value, expected: &'static str| {
            let mut json = json();
            json[name] = value;
            assert_eq!(refused(&json.to_string()), Some(expected), "{name}");
        };
        check("version", 2.into(), "another version");
        check("id", "short".into(), "not an id");
        check("kind", "root".into(), "not an object of its members");
        check("allowed_from", vec!["10.0.0.0/33"].into(), "not a range of addresses");
        check("secret_sha256", "AAAA".into(), "not a hash");
        check("expires_at_ms", (-1).into(), "not an object of its members");
        check("purpose", "x".repeat(MAX_TEXT).into(), "longer than 64 KiB");
        assert_eq!(refused(""), Some("not an object of its members"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,64}", cut in 0_usize..400) {
            let _ = KeyRecord::from_json(&text);
            let kept = record().to_json();
            prop_assert!(KeyRecord::from_json(kept.get(..cut).unwrap_or("")).is_err());
        }
    }
}
