//! From checked claims to a principal.

use super::{claims::Claims, invalid, json::Value, roles::RoleMap, rules::Times};
use crate::{Attribute, Kind, Principal, PrincipalError, authn::AuthnError};

/// What of a token's claims becomes what of a principal.
#[derive(Clone, Debug, Default)]
pub(super) struct Mapping {
    pub(super) realm: String,
    pub(super) kind: Kind,
    /// The claim that names the caller, where it is not `sub`.
    pub(super) subject: Option<String>,
    /// Where the client stands, if neither in `client_id` nor in `azp`.
    pub(super) client: Option<&'static str>,
    pub(super) roles: Option<RoleMap>,
    pub(super) attributes: Vec<String>,
}

impl Mapping {
    /// The principal that `claims` speak of. Call it after [`ClaimRules::check`].
    ///
    /// Claims that are of another type than they should be refuse the token.
    pub(super) fn principal(
        &self,
        claims: &Claims<'_>,
        issuer: &str,
        times: &Times,
    ) -> Result<Principal, AuthnError> {
        let (subject, wrong, missing) = match &self.subject {
            None => (claims.sub, "`sub` is not a string", "the token has no `sub`"),
            Some(name) => (
                claims.get(name),
                "the subject's claim is not a string",
                "the token has no claim for its subject",
            ),
        };
        let subject = text(subject, wrong)?.ok_or(invalid(missing))?;
        let mut assertion = Principal::assertion(&self.realm, subject)
            .kind(self.kind)
            .issuer(issuer)
            .expires_at(times.exp);
        let client = text(claims.client_id, "`client_id` is not a string")?;
        let party = text(claims.azp, "`azp` is not a string")?;
        let named = self.client.and_then(|name| claims.get(name));
        let named = text(named, "the client's claim is not a string")?;
        if let Some(client) = named.or(client).or(party) {
            assertion = assertion.client(client);
        }
        if let Some(id) = text(claims.jti, "`jti` is not a string")? {
            assertion = assertion.credential_id(id);
        }
        if let Some(roles) = &self.roles {
            assertion = assertion.roles(roles.granted(claims.all)?);
        }
        if let Some(scopes) = scopes(claims)? {
            assertion = assertion.scopes(scopes);
        }
        if let Some(amr) = claims.amr {
            let methods = amr.texts().ok_or(invalid("`amr` is not an array of strings"))?;
            assertion = assertion.amr(methods);
        }
        if let Some(class) = text(claims.acr, "`acr` is not a string")? {
            assertion = assertion.acr(class);
        }
        if let Some(at) = times.auth_time {
            assertion = assertion.auth_time(at);
        }
        let listed = self.listed(claims.all);
        let attributes: Result<Vec<_>, _> = listed.iter().map(Listed::attribute).collect();
        let assertion = assertion.attributes(attributes?);
        assertion.finish().map_err(|error| match error {
            PrincipalError::Methods => invalid("`amr` is of more than 16 methods"),
            PrincipalError::Realm | PrincipalError::Subject => invalid("`sub` cannot name anybody"),
        })
    }

    /// The claims that are attributes, as far as the token has them.
    fn listed<'a>(&'a self, claims: Value<'a>) -> Vec<Listed<'a>> {
        let found = self.attributes.iter().filter_map(|name| Some((name, claims.member(name)?)));
        found
            .map(|(name, value)| {
                let texts = value.texts().map(|texts| texts.map(str::to_owned).collect());
                Listed { name, value, texts }
            })
            .collect()
    }
}

/// A claim that is to be an attribute; with its texts, where it is an array of them.
struct Listed<'a> {
    name: &'a str,
    value: Value<'a>,
    texts: Option<Vec<String>>,
}

impl Listed<'_> {
    /// Refuses what no attribute can hold: left out, it could switch off a rule that forbids.
    fn attribute(&self) -> Result<(&str, Attribute<'_>), AuthnError> {
        let text = self.value.text().map(Attribute::Str);
        let attribute = text
            .or_else(|| self.value.boolean().map(Attribute::Bool))
            .or_else(|| self.value.integer().map(Attribute::Long))
            .or_else(|| self.texts.as_deref().map(Attribute::Strings));
        let wrong = invalid("a claim listed as an attribute is of another type");
        Ok((self.name, attribute.ok_or(wrong)?))
    }
}

/// The scopes of `scope` (RFC 9068 section 2.2.3) or of `scp`, which some issuers write instead;
/// of a token with both, those that stand in both.
fn scopes<'a>(
    claims: &Claims<'a>,
) -> Result<Option<impl Iterator<Item = &'a str> + use<'a>>, AuthnError> {
    let refused = invalid("`scope` is not a string");
    let scope = claims.scope.map(|scope| scope.text().and(scope.words()).ok_or(refused));
    let refused = invalid("`scp` is neither a string nor an array of strings");
    let scp = claims.scp.map(|scp| scp.words().ok_or(refused));
    let (listed, also) = match (scope.transpose()?, scp.transpose()?) {
        (None, None) => return Ok(None),
        (Some(scope), scp) => (scope, scp),
        (None, Some(scp)) => (scp, None),
    };
    let stands =
        move |scope: &&str| also.clone().is_none_or(|mut also| also.any(|other| other == *scope));
    Ok(Some(listed.filter(stands)))
}

fn text<'a>(claim: Option<Value<'a>>, wrong: &'static str) -> Result<Option<&'a str>, AuthnError> {
    claim.map(|value| value.text().ok_or(invalid(wrong))).transpose()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{json::Document, rules::ClaimRules},
        *,
    };
    use crate::UnixTime;

    fn principal(members: &str) -> Result<Principal, &'static str> {
        let mapping = Mapping {
            realm: "staff".to_owned(),
            kind: Kind::Service,
            roles: Some(RoleMap::claim("roles").only(["clerk"])),
            attributes: ["department", "level", "vip", "tags", "risk"].map(str::to_owned).into(),
            ..Mapping::default()
        };
        let rules = ClaimRules::new("i".to_owned(), "a".to_owned());
        let payload = format!(r#"{{"iss":"i","aud":"a","exp":9{members}}}"#);
        let mut document = Document::default();
        let claims = Claims::read(payload.as_bytes(), &mut document).map_err(AuthnError::detail)?;
        let times = rules.check(&claims).map_err(AuthnError::detail)?;
        times.check(UnixTime::from_secs(5), &rules).map_err(AuthnError::detail)?;
        mapping.principal(&claims, &rules.issuer, &times).map_err(AuthnError::detail)
    }

    fn list<'a>(items: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        items.collect()
    }

    #[test]
    fn every_claim_arrives() {
        let principal = principal(
            r#","sub":"al\u0069ce","client_id":"cli","azp":"other","jti":"j1","roles":["clerk","x"],
               "scope":"orders.read orders.write","amr":["pwd"],"acr":"2","auth_time":5,
               "department":"it","level":-3,"vip":true,"tags":["a","b"],"secret":"x""#,
        )
        .unwrap();
        assert_eq!((principal.id(), principal.kind()), ("staff/alice", Kind::Service));
        assert_eq!((principal.issuer(), principal.client()), (Some("i"), Some("cli")));
        assert_eq!((principal.credential_id(), principal.acr()), (Some("j1"), Some("2")));
        assert_eq!(list(principal.roles()), ["clerk"]);
        assert_eq!(list(principal.scopes().unwrap()), ["orders.read", "orders.write"]);
        assert_eq!(list(principal.amr()), ["pwd"]);
        assert_eq!(principal.auth_time(), Some(UnixTime::from_secs(5)));
        let at = principal.auth_time();
        assert!(principal.factors().eq([("pwd", at)]) && principal.acr_time() == at);
        assert_eq!(principal.expires_at(), Some(UnixTime::from_secs(9)));
        assert_eq!(principal.attribute("department"), Some(Attribute::Str("it")));
        assert_eq!(principal.attribute("level"), Some(Attribute::Long(-3)));
        assert_eq!(principal.attribute("vip"), Some(Attribute::Bool(true)));
        let tags = ["a".to_owned(), "b".to_owned()];
        assert_eq!(principal.attribute("tags"), Some(Attribute::Strings(&tags)));
        assert_eq!(principal.attribute("risk"), None, "not in the token");
        assert_eq!(principal.attribute("secret"), None);
    }

    #[test]
    fn scopes_limit_and_never_widen() {
        let check = |members: &str, expected: Option<&[&str]>| {
            let principal = principal(&format!(r#","sub":"a"{members}"#)).unwrap();
            assert_eq!(principal.scopes().map(list).as_deref(), expected, "{members}");
        };
        check("", None);
        check(r#","scope":"""#, Some(&[]));
        check(r#","scope":"a  b ""#, Some(&["a", "b"]));
        check(r#","scp":"a b""#, Some(&["a", "b"]));
        check(r#","scp":["a","b c"]"#, Some(&["a", "b c"]));
        check(r#","scope":"a b","scp":["b","c"]"#, Some(&["b"]));
        check(r#","scope":"a","scp":[]"#, Some(&[]));
    }

    #[test]
    fn attack_claim_of_another_type() {
        let check = |members: &str, expected: &str| {
            assert_eq!(principal(members).err(), Some(expected), "{members}");
        };
        check("", "the token has no `sub`");
        check(r#","sub":7"#, "`sub` is not a string");
        check(r#","sub":["alice"]"#, "`sub` is not a string");
        check(r#","sub":null"#, "`sub` is not a string");
        check(r#","sub":"""#, "`sub` cannot name anybody");
        check(r#","sub":"a\nb""#, "`sub` cannot name anybody");
        check(r#","sub":"a","client_id":1"#, "`client_id` is not a string");
        check(r#","sub":"a","client_id":"c","azp":1"#, "`azp` is not a string");
        check(r#","sub":"a","jti":1"#, "`jti` is not a string");
        check(r#","sub":"a","scope":["x"]"#, "`scope` is not a string");
        check(r#","sub":"a","scp":["x",1]"#, "`scp` is neither a string nor an array of strings");
        check(r#","sub":"a","scp":null"#, "`scp` is neither a string nor an array of strings");
        check(r#","sub":"a","amr":"pwd""#, "`amr` is not an array of strings");
        check(r#","sub":"a","acr":2"#, "`acr` is not a string");
        let many = format!(r#","sub":"a","amr":[{}]"#, [r#""pwd""#; 17].join(","));
        check(&many, "`amr` is of more than 16 methods");
        check(r#","sub":"a","auth_time":"5""#, "`auth_time` is not a time");
        check(r#","sub":"a","auth_time":6"#, "`auth_time` has not come");
        check(r#","sub":"a","roles":7"#, "the role claim is of another type");
    }

    #[test]
    fn attack_attribute_of_another_type_switches_a_rule_off() {
        let wrong = Some("a claim listed as an attribute is of another type");
        for value in [
            "90.5",
            "90.0",
            "9e1",
            "-0.0",
            "18446744073709551615",
            "9223372036854775808",
            "-9223372036854775809",
            "null",
            "{}",
            r#"{"since":1}"#,
            "[90]",
            r#"["a",90]"#,
            r#"["a",null]"#,
            r#"[["a"]]"#,
        ] {
            let claims = format!(r#","sub":"a","risk":{value}"#);
            assert_eq!(principal(&claims).err(), wrong, "{value}");
            let unlisted = format!(r#","sub":"a","other":{value}"#);
            assert!(principal(&unlisted).is_ok(), "{value}");
        }
        let check = |value: &str, expected: Attribute<'_>| {
            let principal = principal(&format!(r#","sub":"a","risk":{value}"#)).unwrap();
            assert_eq!(principal.attribute("risk"), Some(expected), "{value}");
        };
        check("9223372036854775807", Attribute::Long(i64::MAX));
        check("-9223372036854775808", Attribute::Long(i64::MIN));
        check("[]", Attribute::Strings(&[]));
        check(r#""""#, Attribute::Str(""));
        check("false", Attribute::Bool(false));
    }
}
