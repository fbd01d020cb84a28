//! A record's form in a store, and the one place where it becomes a principal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    SessionKey,
    record::{Factor, SessionRecord, Times},
};
use crate::{Attribute, Kind, Principal, PrincipalError, UnixTime, authn::store::present};

/// Longer texts are not looked at.
const MAX_TEXT: usize = 256 * 1024;

/// Rises when the form changes.
const FORMAT: u8 = 2;

/// A text is no record of a session, or one of another version of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record of a session cannot be read")]
pub struct RecordError;

/// No other member has a default: a record that lost its scopes on the way is no record, rather
/// than one that opens more doors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    format: u8,
    realm: String,
    subject: String,
    kind: StoredKind,
    #[serde(deserialize_with = "present")]
    issuer: Option<String>,
    #[serde(deserialize_with = "present")]
    client: Option<String>,
    #[serde(deserialize_with = "present")]
    acr: Option<String>,
    /// Not in format 1: nobody knows when then, so no class is fresh before the next log-in.
    acr_at: Option<u64>,
    roles: Vec<String>,
    #[serde(deserialize_with = "present")]
    scopes: Option<Vec<String>>,
    attributes: BTreeMap<String, StoredAttribute>,
    factors: Vec<(String, u64)>,
    created: u64,
    seen: u64,
    idle_until: u64,
    ends: u64,
    version: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredKind {
    User,
    Service,
    Device,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredAttribute {
    Bool(bool),
    Long(i64),
    Str(String),
    Strings(Vec<String>),
}

impl Stored {
    pub(super) fn of(who: &Principal, factors: &[Factor], times: Times, version: u64) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            format: FORMAT,
            realm: who.realm().to_owned(),
            subject: who.subject().to_owned(),
            kind: StoredKind::of(who.kind()),
            issuer: owned(who.issuer()),
            client: owned(who.client()),
            acr: owned(who.acr()),
            acr_at: who.acr_time().map(millis),
            roles: who.roles().map(str::to_owned).collect(),
            scopes: who.scopes().map(|scopes| scopes.map(str::to_owned).collect()),
            attributes: who.attributes().map(StoredAttribute::of).collect(),
            factors: factors
                .iter()
                .map(|one| (one.method().to_owned(), millis(one.at())))
                .collect(),
            created: millis(times.created),
            seen: millis(times.seen),
            idle_until: millis(times.idle_until),
            ends: millis(times.ends),
            version,
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, RecordError> {
        if text.len() > MAX_TEXT {
            return Err(RecordError);
        }
        let stored: Self = serde_json::from_str(text).map_err(|_| RecordError)?;
        (1..=FORMAT).contains(&stored.format).then_some(stored).ok_or(RecordError)
    }

    pub(super) fn text(&self) -> Result<String, RecordError> {
        serde_json::to_string(self).map_err(|_| RecordError)
    }

    /// Vouches for the caller again, as the log-in did.
    pub(super) fn record(self, key: SessionKey) -> Result<SessionRecord, PrincipalError> {
        let at = UnixTime::from_millis;
        let ends = at(self.ends);
        let attributes = self.attributes.iter();
        let mut who = Principal::assertion(&self.realm, &self.subject)
            .kind(self.kind.kind())
            .credential_id(&key.to_string())
            .roles(texts(&self.roles))
            .factors(self.factors.iter().map(|(method, last)| (method.as_str(), at(*last))))
            .attributes(attributes.map(|(name, value)| (name.as_str(), value.attribute())))
            .expires_at(ends);
        if let Some(scopes) = &self.scopes {
            who = who.scopes(texts(scopes));
        }
        if let Some(issuer) = &self.issuer {
            who = who.issuer(issuer);
        }
        if let Some(client) = &self.client {
            who = who.client(client);
        }
        if let Some(acr) = &self.acr {
            who = who.acr(acr);
        }
        if let Some(reached) = self.acr_at {
            who = who.acr_time(at(reached));
        }
        let times = Times {
            created: at(self.created),
            seen: at(self.seen),
            idle_until: at(self.idle_until),
            ends,
        };
        let factors = self.factors.into_iter().map(|(method, last)| Factor::new(method, at(last)));
        Ok(SessionRecord::from_parts(key, who.finish()?, factors.collect(), times, self.version))
    }
}

impl StoredKind {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::User => Self::User,
            Kind::Service => Self::Service,
            Kind::Device => Self::Device,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::User => Kind::User,
            Self::Service => Kind::Service,
            Self::Device => Kind::Device,
        }
    }
}

impl StoredAttribute {
    fn of((name, value): (&str, Attribute<'_>)) -> (String, Self) {
        let value = match value {
            Attribute::Bool(value) => Self::Bool(value),
            Attribute::Long(value) => Self::Long(value),
            Attribute::Str(value) => Self::Str(value.to_owned()),
            Attribute::Strings(values) => Self::Strings(values.to_vec()),
        };
        (name.to_owned(), value)
    }

    fn attribute(&self) -> Attribute<'_> {
        match self {
            Self::Bool(value) => Attribute::Bool(*value),
            Self::Long(value) => Attribute::Long(*value),
            Self::Str(value) => Attribute::Str(value),
            Self::Strings(values) => Attribute::Strings(values),
        }
    }
}

fn texts(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().map(String::as_str)
}

fn millis(at: UnixTime) -> u64 {
    at.as_millis()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> SessionRecord {
        let tags = ["x".to_owned()];
        let robot = Principal::assertion("keys", "robot")
            .kind(Kind::Service)
            .issuer("https://id.example")
            .client("cli")
            .credential_id("another")
            .roles(["clerk", "manager"])
            .scopes(["orders.read"])
            .amr(["face"])
            .acr("2")
            .auth_time(UnixTime::from_secs(7))
            .attributes([
                ("department", Attribute::Str("it")),
                ("floor", Attribute::Long(-3)),
                ("remote", Attribute::Bool(true)),
                ("tags", Attribute::Strings(&tags)),
            ])
            .finish()
            .unwrap();
        let at = UnixTime::from_secs;
        let times = Times { created: at(10), seen: at(20), idle_until: at(30), ends: at(40) };
        let factors = [Factor::new("pwd", at(10)), Factor::new("otp", at(12))];
        SessionRecord::new(SessionKey::from_bytes([7; 32]), &robot, &factors, times).unwrap()
    }

    fn told(record: &SessionRecord) -> String {
        let who = record.principal();
        let names = |names: Option<Vec<&str>>| format!("{names:?}");
        [
            format!("{record:?}"),
            format!("{:?}", (who.id(), who.kind(), who.issuer(), who.client(), who.acr())),
            format!("{:?}", (who.credential_id(), who.acr_time(), who.expires_at())),
            format!("{:?}", who.factors().collect::<Vec<_>>()),
            names(Some(who.roles().collect())),
            names(who.scopes().map(Iterator::collect)),
            names(Some(who.amr().collect())),
            format!("{:?}", who.attributes().collect::<Vec<_>>()),
        ]
        .join("\n")
    }

    #[test]
    fn a_record_comes_back_whole() {
        let (record, text) = (record(), record().encode().unwrap());
        let again = SessionRecord::decode(*record.key(), &text).unwrap();
        assert_eq!(told(&again), told(&record));
        assert_eq!(again.encode().unwrap(), text);
        assert!(!text.contains(&record.key().to_string()));
    }

    #[test]
    fn the_principal_is_that_of_the_log_in_with_the_session_s_own_factors_and_end() {
        let record = record();
        let who = record.principal();
        assert_eq!((who.id(), who.kind(), who.acr()), ("keys/robot", Kind::Service, Some("2")));
        assert!(who.roles().eq(["clerk", "manager"]) && who.scopes().unwrap().eq(["orders.read"]));
        assert!(who.amr().eq(["pwd", "otp"]));
        assert_eq!(who.auth_time(), Some(UnixTime::from_secs(12)));
        let times: Vec<_> = who.factors().filter_map(|(_, at)| at).collect();
        assert_eq!(times, [UnixTime::from_secs(10), UnixTime::from_secs(12)]);
        assert_eq!(who.acr_time(), Some(UnixTime::from_secs(7)), "that of the log-in");
        assert_eq!(who.expires_at(), Some(UnixTime::from_secs(40)));
        assert_eq!(SessionKey::of(who), Some(*record.key()));
        assert_eq!(who.attribute("floor"), Some(Attribute::Long(-3)));
    }

    /// As the format was before a class had a time of its own.
    #[test]
    fn attack_the_class_of_an_old_record_is_no_fresher_than_anybody_knows() {
        let text = r#"{"format":1,"realm":"staff","subject":"alice","kind":"user","issuer":null,
            "client":null,"acr":"gold","roles":["clerk"],"scopes":null,"attributes":{},
            "factors":[["pwd",20000],["otp",12000]],"created":10000,"seen":20000,
            "idle_until":30000,"ends":40000,"version":3}"#;
        let record = SessionRecord::decode(SessionKey::from_bytes([7; 32]), text).unwrap();
        let (who, at) = (record.principal(), UnixTime::from_secs);
        assert!(who.factors().eq([("pwd", Some(at(20))), ("otp", Some(at(12)))]));
        // It may have been reached long before the session was opened.
        assert_eq!((who.acr(), who.acr_time()), (Some("gold"), None));
        assert_eq!((record.version(), record.created_at()), (3, at(10)));
        let again = record.encode().unwrap();
        assert!(again.starts_with("{\"format\":2,") && again.contains("\"acr_at\":null,"));
        let again = SessionRecord::decode(*record.key(), &again).unwrap();
        assert_eq!(told(&again), told(&record));
    }

    #[test]
    fn attack_a_record_that_lost_a_member_opens_no_more_doors() {
        let text = record().encode().unwrap();
        let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
        let names: Vec<_> = whole.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names.len(), 17);
        for name in names {
            let mut cut = whole.clone();
            cut.as_object_mut().unwrap().remove(&name);
            let read = SessionRecord::decode(*record().key(), &cut.to_string());
            match &*name {
                "acr_at" => assert_eq!(read.unwrap().principal().acr_time(), None),
                name => assert!(read.is_err(), "without `{name}`"),
            }
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let text = record().encode().unwrap();
        let key = *record().key();
        for wrong in [
            String::new(),
            "{}".to_owned(),
            text.replace("\"format\":2", "\"format\":3"),
            text.replace("\"format\":2", "\"format\":0"),
            text.replace("[[\"pwd\"", &format!("[{}[\"pwd\"", "[\"a\",1],".repeat(15))),
            text.replace("\"keys\"", "\"No Realm\""),
            text.replace("\"service\"", "\"god\""),
            text.replace("\"acr\"", "\"acl\""),
            text.replace("\"version\":1", "\"version\":-1"),
            text.replace("robot", &"x".repeat(300_000)),
        ] {
            assert_ne!(wrong, text);
            assert!(SessionRecord::decode(key, &wrong).is_err(), "{wrong:.200}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(cut in 0..600_usize, with in "[\\[\\]{}\",:a-z0-9]{0,8}") {
            let text = record().encode().unwrap();
            let (head, tail) = text.split_at(cut.min(text.len()));
            let _ = SessionRecord::decode(*record().key(), &format!("{head}{with}{tail}"));
        }
    }
}
