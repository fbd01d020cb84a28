//! What is demanded of a token besides its signature.

mod demand;

use std::time::Duration;

pub(super) use demand::{AudienceClaim, Demand, Need};

use super::{claims::Claims, invalid, json::Value};
use crate::{
    UnixTime,
    authn::{AuthnError, AuthnErrorKind},
};

/// The last second of the year 9999: a time beyond it is a mistake, or worse.
const MAX_SECS: u64 = 253_402_300_799;

/// What is demanded of a token's claims. `exp` always is, and so is one of the audiences.
#[derive(Clone, Debug)]
pub(super) struct ClaimRules {
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    pub(super) audience_claim: AudienceClaim,
    /// Whether what only tokens of other kinds have is refused.
    pub(super) access_only: bool,
    pub(super) demands: Vec<Demand>,
    /// The longest time from `iat` to `exp`.
    pub(super) max_lifetime: Option<Duration>,
    /// The longest time since `iat`.
    pub(super) max_age: Option<Duration>,
    /// How far the issuer's clock may be off.
    pub(super) leeway: Duration,
}

/// When a token says that it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) exp: UnixTime,
    nbf: Option<UnixTime>,
    pub(super) iat: Option<UnixTime>,
    pub(super) auth_time: Option<UnixTime>,
}

impl ClaimRules {
    /// Issuer, audience and times, and no more.
    pub(super) fn new(issuer: String, audience: String) -> Self {
        Self {
            issuer,
            audiences: vec![audience],
            audience_claim: AudienceClaim::Aud,
            access_only: false,
            demands: Vec::new(),
            max_lifetime: None,
            max_age: None,
            leeway: Duration::ZERO,
        }
    }

    /// Holds what does not change with the time against the rules, in this order; hands back the
    /// times that are claimed.
    pub(super) fn check(&self, claims: &Claims<'_>) -> Result<Times, AuthnError> {
        self.check_issuer(claims.iss)?;
        self.check_meant(claims)
    }

    /// Like [`check`](Self::check), whoever the issuer is.
    pub(super) fn check_meant(&self, claims: &Claims<'_>) -> Result<Times, AuthnError> {
        match self.audience_claim {
            AudienceClaim::Aud => self.check_audience(claims.aud)?,
            AudienceClaim::ClientId => self.check_client(claims)?,
        }
        // RFC 7800 section 3.1: bound to a key that the caller would have to prove here.
        if claims.cnf.is_some() {
            return Err(invalid("`cnf` binds the token to a proof that is not checked here"));
        }
        if self.access_only {
            let workload = claims.sub.and_then(Value::text).unwrap_or_default();
            let workload =
                workload.starts_with("spiffe://").then_some("a SPIFFE ID is of JWT-SVIDs");
            claims.other_kind.or(workload).map_or(Ok(()), |why| Err(invalid(why)))?;
        }
        self.demands.iter().try_for_each(|demand| demand.check(claims))?;
        let times = Times {
            exp: time(claims.exp, "`exp` is not a time")?
                .ok_or(invalid("the token has no `exp`"))?,
            nbf: time(claims.nbf, "`nbf` is not a time")?,
            iat: time(claims.iat, "`iat` is not a time")?,
            auth_time: time(claims.auth_time, "`auth_time` is not a time")?,
        };
        match (self.max_lifetime.or(self.max_age), times.iat) {
            (Some(_), None) => Err(invalid("the token has no `iat`")),
            (Some(_), Some(iat))
                if self.max_lifetime.is_some_and(|most| times.exp > iat.saturating_add(most)) =>
            {
                Err(invalid("the token is good for too long"))
            }
            _ => Ok(times),
        }
    }

    fn check_issuer(&self, iss: Option<Value<'_>>) -> Result<(), AuthnError> {
        let refused = |detail| Err(AuthnError::new(AuthnErrorKind::WrongIssuer, detail));
        match iss.map(Value::text) {
            Some(Some(iss)) if iss == self.issuer => Ok(()),
            Some(Some(_)) => refused("`iss` is another issuer"),
            Some(None) => refused("`iss` is not a string"),
            None => refused("the token has no `iss`"),
        }
    }

    /// RFC 7519 section 4.1.3: one string or several, one of which must mean us.
    fn check_audience(&self, aud: Option<Value<'_>>) -> Result<(), AuthnError> {
        let refuse = |detail| AuthnError::new(AuthnErrorKind::WrongAudience, detail);
        let aud = aud.ok_or(refuse("the token has no `aud`"))?;
        let meant = match aud.text() {
            Some(name) => self.is_meant(name),
            None => {
                let not_names = refuse("`aud` is neither a string nor an array of strings");
                aud.texts().ok_or(not_names)?.any(|name| self.is_meant(name))
            }
        };
        if meant { Ok(()) } else { Err(refuse("`aud` names another audience")) }
    }

    fn is_meant(&self, name: &str) -> bool {
        self.audiences.iter().any(|ours| ours == name)
    }
}

impl Times {
    /// Whether the token holds at `now`.
    pub(super) fn check(&self, now: UnixTime, rules: &ClaimRules) -> Result<(), AuthnError> {
        let leeway = rules.leeway;
        // RFC 7519 section 4.1.4: "on or after" this time is too late.
        if now >= self.exp.saturating_add(leeway) {
            return Err(AuthnError::new(AuthnErrorKind::Expired, "`exp` is over"));
        }
        let most = rules.max_age.and_then(|most| Some(self.iat?.saturating_add(most)));
        if most.is_some_and(|most| now > most.saturating_add(leeway)) {
            return Err(AuthnError::new(AuthnErrorKind::Expired, "`iat` is too long ago"));
        }
        let latest = now.saturating_add(leeway);
        for (time, early) in [
            (self.nbf, "`nbf` has not come"),
            (self.iat, "`iat` has not come"),
            (self.auth_time, "`auth_time` has not come"),
        ] {
            if time.is_some_and(|time| time > latest) {
                return Err(AuthnError::new(AuthnErrorKind::NotYetValid, early));
            }
        }
        Ok(())
    }
}

fn time(claim: Option<Value<'_>>, wrong: &'static str) -> Result<Option<UnixTime>, AuthnError> {
    claim.map(|value| moment(value).ok_or(invalid(wrong))).transpose()
}

/// A NumericDate (RFC 7519 section 2) from 1970 to 9999, to the millisecond before it.
fn moment(value: Value<'_>) -> Option<UnixTime> {
    if let Some(secs) = value.integer() {
        let secs = u64::try_from(secs).ok().filter(|secs| *secs <= MAX_SECS)?;
        return Some(UnixTime::from_secs(secs));
    }
    let secs = value.float().filter(|secs| (0.0..=MAX_SECS as f64).contains(secs))?;
    Some(UnixTime::from_millis((secs * 1000.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::{super::json::Document, *};

    const NOW: u64 = 1_700_000_000;

    fn rules(leeway: u64) -> ClaimRules {
        let mut rules = ClaimRules::new("https://id.example".to_owned(), "orders".to_owned());
        rules.audiences.push("orders-v2".to_owned());
        rules.leeway = Duration::from_secs(leeway);
        rules
    }

    fn check(payload: &str, leeway: u64) -> Result<UnixTime, &'static str> {
        let rules = rules(leeway);
        let mut document = Document::default();
        let claims = Claims::read(payload.as_bytes(), &mut document).map_err(AuthnError::detail)?;
        let times = rules.check(&claims).map_err(AuthnError::detail)?;
        let holds = times.check(UnixTime::from_secs(NOW), &rules);
        holds.map(|()| times.exp).map_err(AuthnError::detail)
    }

    /// Otherwise good claims with these members instead of, or besides, the usual ones.
    fn with(members: &str) -> Result<UnixTime, &'static str> {
        let usual =
            [("iss", r#""https://id.example""#), ("aud", r#""orders""#), ("exp", "1700000001")];
        let mut payload = members.to_owned();
        for (name, value) in usual {
            if !members.contains(&format!("\"{name}\"")) {
                payload = format!("{payload},\"{name}\":{value}");
            }
        }
        check(&format!("{{{}}}", payload.trim_start_matches(',')), 0)
    }

    #[test]
    fn good_claims() {
        assert_eq!(with(""), Ok(UnixTime::from_secs(NOW + 1)));
        assert_eq!(with(r#""exp":1700000000.5"#), Ok(UnixTime::from_millis(1_700_000_000_500)));
        assert_eq!(with(r#""exp":1.7e9,"iat":0"#), Err("`exp` is over"));
        assert!(with(r#""aud":["x","orders-v2"]"#).is_ok());
        assert!(with(r#""nbf":1700000000,"iat":1700000000.0"#).is_ok());
        assert!(with(r#""exp":253402300799"#).is_ok());
    }

    #[test]
    fn attack_issuer_missing_or_of_another_type() {
        let none = check(r#"{"aud":"orders","exp":1700000001}"#, 0);
        assert_eq!(none, Err("the token has no `iss`"));
        for iss in ["7", "null", "{}", "true", r#"["https://evil","https://id.example"]"#] {
            assert_eq!(with(&format!("\"iss\":{iss}")), Err("`iss` is not a string"), "{iss}");
        }
        for iss in ["", "https://id.example/", "HTTPS://ID.EXAMPLE", "https://id.example\\u0000"] {
            let refused = with(&format!("\"iss\":\"{iss}\""));
            assert_eq!(refused, Err("`iss` is another issuer"), "{iss}");
        }
    }

    #[test]
    fn attack_audience_missing_or_of_another_type() {
        let none = check(r#"{"iss":"https://id.example","exp":1700000001}"#, 0);
        assert_eq!(none, Err("the token has no `aud`"));
        let not_names = Err("`aud` is neither a string nor an array of strings");
        for aud in ["7", "null", r#"["orders",7]"#, r#"{"orders":1}"#, r#"[["orders"]]"#] {
            assert_eq!(with(&format!("\"aud\":{aud}")), not_names, "{aud}");
        }
        for aud in ["[]", "\"\"", "\"Orders\"", r#"["order","orders "]"#] {
            let refused = with(&format!("\"aud\":{aud}"));
            assert_eq!(refused, Err("`aud` names another audience"), "{aud}");
        }
    }

    #[test]
    fn attack_claims_as_an_array() {
        let array = r#"[1700000001,null,null,"https://id.example","orders"]"#;
        for payload in [array, "null", "7", "\"x\""] {
            assert_eq!(check(payload, 0), Err("the payload is not an object"), "{payload}");
        }
    }

    #[test]
    fn attack_duplicate_claims() {
        let twice = Err("the JSON names a member twice");
        assert_eq!(with(r#""exp":1700000001,"exp":1700000001"#), twice);
        assert_eq!(with(r#""exp":1700000001,"e\u0078p":9"#), twice);
        assert_eq!(with(r#""scope":"a","scope":"b""#), twice);
        assert_eq!(with(r#""ctx":{"a":[{"b":1,"b":2}]}"#), twice);
    }

    #[test]
    fn attack_times_of_another_type_or_absurd() {
        let none = check(r#"{"iss":"https://id.example","aud":"orders"}"#, 0);
        assert_eq!(none, Err("the token has no `exp`"));
        for time in [
            "\"1700000001\"",
            "null",
            "-1",
            "-0.5",
            "1e300",
            "1e18",
            "18446744073709551615",
            "253402300800",
            "253402300799.5",
            "[]",
            "true",
        ] {
            assert_eq!(with(&format!("\"exp\":{time}")), Err("`exp` is not a time"), "{time}");
            assert_eq!(with(&format!("\"nbf\":{time}")), Err("`nbf` is not a time"), "{time}");
            assert_eq!(with(&format!("\"iat\":{time}")), Err("`iat` is not a time"), "{time}");
        }
    }

    #[test]
    fn attack_expiry_at_this_very_second() {
        let at = |exp: u64, leeway| {
            let payload = format!(r#"{{"iss":"https://id.example","aud":"orders","exp":{exp}}}"#);
            check(&payload, leeway).err()
        };
        assert_eq!(at(NOW, 0), Some("`exp` is over"));
        assert_eq!(at(NOW + 1, 0), None);
        assert_eq!(at(NOW - 60, 60), Some("`exp` is over"));
        assert_eq!(at(NOW - 59, 60), None);
        assert_eq!(at(0, 0), Some("`exp` is over"));
    }

    #[test]
    fn attack_token_from_the_future() {
        assert_eq!(with(r#""nbf":1700000001"#), Err("`nbf` has not come"));
        assert_eq!(with(r#""nbf":1700000000.002"#), Err("`nbf` has not come"));
        assert_eq!(with(r#""iat":1700000001"#), Err("`iat` has not come"));
        let ahead = |by: u64| {
            let (nbf, exp) = (NOW + by, NOW + 1000);
            let usual = r#""iss":"https://id.example","aud":"orders""#;
            check(&format!(r#"{{{usual},"nbf":{nbf},"exp":{exp}}}"#), 60).err()
        };
        assert_eq!(ahead(60), None);
        assert_eq!(ahead(61), Some("`nbf` has not come"));
    }

    #[test]
    fn attack_bound_token_as_bearer() {
        let refused = Err("`cnf` binds the token to a proof that is not checked here");
        assert_eq!(with(r#""cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#), refused);
        assert_eq!(with(r#""cnf":null"#), refused);
        assert_eq!(with(r#""c\u006ef":{}"#), refused);
    }

    #[test]
    fn attack_deep_or_giant_payload() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert_eq!(check(&deep, 0), Err("the JSON is nested too deeply"));
        let wide = format!("{{\"a\":[{}1]}}", "1,".repeat(2000));
        assert_eq!(check(&wide, 0), Err("the JSON holds too much"));
    }
}
