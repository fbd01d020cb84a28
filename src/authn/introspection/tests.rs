mod known;
mod script;

use proptest::prelude::*;
use script::{GOOD, Server, at, detail, good, wait};
pub(super) use script::{Gate, poll};

use super::*;
use crate::{
    Authenticator as _, AuthnErrorKind, Credential, Facts, Kind, RoleMap, Secret, Step,
    authn::Outbound,
};

fn verifier(server: &Server) -> Introspection {
    Introspection::new("staff", "https://id.example", "orders", server.endpoint())
        .roles(RoleMap::claim("roles").only(["clerk"]))
        .attributes(["department"])
}

/// Why the token is refused about which this is answered; nothing if it is not.
fn refused(answer: &str) -> Option<(AuthnErrorKind, &'static str)> {
    let server = Server::default();
    server.say("t", answer);
    let judged = wait(verifier(&server).verify_token("t", at(0)));
    judged.err().map(|error| (error.kind(), error.detail()))
}

#[test]
fn what_is_asked_and_what_becomes_of_the_answer() {
    let server = Server::default();
    server.say(
        "abc",
        &good(
            r#""sub":"alice","client_id":"shop","scope":"orders.read","iss":"https://id.example",
               "token_type":"bearer","jti":"j1","roles":["clerk","root"],"department":"it",
               "nbf":1700000000,"iat":1700000000,"username":"Alice""#,
        ),
    );
    let verifier = verifier(&server).kind(Kind::Service);
    let alice = wait(verifier.verify_token("abc", at(0))).unwrap();
    assert_eq!((alice.id(), alice.kind()), ("staff/alice", Kind::Service));
    assert_eq!((alice.issuer(), alice.client()), (Some("https://id.example"), Some("shop")));
    assert!(alice.roles().eq(["clerk"]) && alice.scopes().unwrap().eq(["orders.read"]));
    assert_eq!(alice.attribute("department"), Some(crate::Attribute::Str("it")));
    assert_eq!(alice.credential_id(), Some("j1"));
    assert_eq!(alice.expires_at(), Some(at(600).wall));
    let request = server.last();
    assert_eq!(request.url(), "https://id.example/introspect");
    assert_eq!(request.body(), "token=abc&token_type_hint=access_token");
    assert_eq!(request.authorization(), Some("Basic b3JkZXJzOnMlM0FjcmV0"));
    assert_eq!(format!("{request:?}"), r#"Request { url: "https://id.example/introspect", .. }"#);
    assert_eq!(request.timeout().as_secs(), 5);
}

#[test]
fn which_credentials_are_taken() {
    let server = Server::default();
    let take = |verifier: &Introspection, credential: &Credential<'_>| {
        !matches!(verifier.authenticate(credential, &Facts::default(), at(0)), Step::NotMine)
    };
    let (usual, all) = (verifier(&server), verifier(&server).all_tokens());
    assert!(take(&usual, &Credential::Bearer("abc")) && take(&all, &Credential::Bearer("abc")));
    assert!(!take(&usual, &Credential::Bearer("a.b.c")));
    assert!(take(&all, &Credential::Bearer("a.b.c")));
    assert_eq!(usual.takes_every().as_deref(), Some("opaque token"));
    assert_eq!(all.takes_every().as_deref(), Some("JWT"));
    for other in [Credential::Basic("abc"), Credential::ApiKey("abc"), Credential::Session("abc")] {
        assert!(!take(&all, &other));
    }
}

#[test]
fn attack_answer_that_is_nearly_active() {
    let inactive = Some((AuthnErrorKind::Invalid, "the issuer says that the token is not active"));
    assert_eq!(refused(r#"{"active":false}"#), inactive);
    assert_eq!(refused(&good(GOOD).replace("true", "false")), inactive, "whatever else it says");
    let no_boolean = "the introspection's answer has no boolean `active`";
    for active in [r#""true""#, "1", "null", "[true]", r#"{"active":true}"#, r#""false""#] {
        let answer = good(GOOD).replace("true", active);
        assert_eq!(refused(&answer), Some((AuthnErrorKind::Unavailable, no_boolean)), "{active}");
    }
    let absent = good(GOOD).replace("active", "Active");
    assert_eq!(refused(&absent), Some((AuthnErrorKind::Unavailable, no_boolean)));
}

#[test]
fn attack_garbage_is_never_a_no() {
    let none = Some((AuthnErrorKind::Unavailable, "the introspection's answer is no JSON object"));
    let good = good(GOOD);
    for answer in [
        "",
        "true",
        "[]",
        "<html>",
        r#"{"active":true,"active":true}"#,
        r#"{"active":true}{}"#,
        &format!("{good} x"),
        &good.replace("alice", "\\ud800"),
        &format!(r#"{{"active":true,"a":{}"#, "[".repeat(30_000)),
    ] {
        assert_eq!(refused(answer), none, "{answer:.60}");
    }
    let long = format!("{good}{}", " ".repeat(64 * 1024));
    let large = "the introspection endpoint's answer is too large";
    assert_eq!(refused(&long), Some((AuthnErrorKind::Unavailable, large)));
}

#[test]
fn attack_answer_about_a_token_for_somebody_else() {
    use AuthnErrorKind::{Expired, Invalid, NotYetValid, WrongAudience, WrongIssuer};
    let check = |members: &str, kind, expected| {
        assert_eq!(refused(&good(members)), Some((kind, expected)), "{members}");
    };
    assert_eq!(refused(&good(GOOD)), None);
    let with = |members: &str| format!("{GOOD},{members}");
    check(&with(r#""aud":"billing""#), WrongAudience, "`aud` names another audience");
    check(&with(r#""aud":["billing"]"#), WrongAudience, "`aud` names another audience");
    let typed = "`aud` is neither a string nor an array of strings";
    check(&with(r#""aud":["orders",7]"#), WrongAudience, typed);
    check(&with(r#""aud":null"#), WrongAudience, typed);
    assert_eq!(refused(r#"{"active":true,"sub":"a","exp":1700000600}"#).unwrap().0, WrongAudience);
    check(&with(r#""iss":"https://id.example/""#), WrongIssuer, "`iss` is another issuer");
    check(&with(r#""iss":["https://id.example"]"#), WrongIssuer, "`iss` is not a string");
    check(&with(r#""iss":null"#), WrongIssuer, "`iss` is not a string");
    check(r#""client_id":"shop""#, Invalid, "the token has no `sub`");
    check(&with(r#""exp":1700000000"#), Expired, "`exp` is over");
    check(&with(r#""exp":"1700000600""#), Invalid, "`exp` is not a time");
    let endless = r#"{"active":true,"sub":"a","aud":"orders"}"#;
    assert_eq!(refused(endless), Some((Invalid, "the token has no `exp`")));
    check(&with(r#""nbf":1700000001"#), NotYetValid, "`nbf` has not come");
    check(&with(r#""iat":1700000001"#), NotYetValid, "`iat` has not come");
    check(&with(r#""scope":["a"]"#), Invalid, "`scope` is not a string");
    check(&with(r#""client_id":7"#), Invalid, "`client_id` is not a string");
    check(&with(r#""roles":7"#), Invalid, "the role claim is of another type");
    let attribute = "a claim listed as an attribute is of another type";
    check(&with(r#""department":{}"#), Invalid, attribute);
    let bound = "`cnf` binds the token to a proof that is not checked here";
    check(&with(r#""cnf":{"x5t#S256":"a"}"#), Invalid, bound);
}

#[test]
fn attack_refresh_token_as_an_access_token() {
    let check = |member: &str, expected: Option<&str>| {
        let found = refused(&good(&format!("{GOOD},{member}")));
        assert_eq!(found.map(|(_, detail)| detail), expected, "{member}");
    };
    let (kind, used) =
        ("`token_type` is not `Bearer`", "`token_use` is not that of an access token");
    check(r#""token_type":"Bearer""#, None);
    check(r#""token_type":"DPoP""#, Some(kind));
    check(r#""token_type":"refresh_token""#, Some(kind));
    check(r#""token_type":null"#, Some(kind));
    check(r#""token_type":["Bearer"]"#, Some(kind));
    check(r#""token_use":"access_token""#, None);
    check(r#""token_use":"access""#, None);
    check(r#""token_use":"refresh_token""#, Some(used));
    check(r#""token_use":"id""#, Some(used));
    check(r#""nonce":"n""#, Some("`nonce`, `at_hash` and `c_hash` are of ID tokens"));
}

#[test]
fn attack_token_that_adds_to_the_request() {
    let server = Server::default();
    let verifier = verifier(&server);
    let token = "a&token=b\r\nAuthorization: Basic x%00=+";
    assert!(wait(verifier.verify_token(token, at(0))).is_err());
    let sent = "token=a%26token%3Db%0D%0AAuthorization%3A+Basic+x%2500%3D%2B\
                &token_type_hint=access_token";
    assert_eq!(server.last().body(), sent);
    let client = Secret::new(*b"p:a\r\nss");
    let endpoint =
        Endpoint::new("https://id.example/", server.transport()).client("a b:c", &client);
    let value = endpoint.request("t").authorization().unwrap().to_owned();
    assert!(value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{value}");
}

#[test]
fn attack_token_without_end() {
    let server = Server::default();
    let token = "a".repeat(8 * 1024 + 1);
    let error = wait(verifier(&server).verify_token(&token, at(0))).unwrap_err();
    assert_eq!((error.kind(), server.asked()), (AuthnErrorKind::TooLarge, 0));
    let short = verifier(&server).max_bytes(3);
    assert_eq!(detail(&wait(short.verify_token("abcd", at(0)))), Some("the token is too long"));
}

#[test]
fn failures_say_what_failed_and_nothing_about_the_token() {
    let server = Server::default();
    let verifier = verifier(&server);
    for (error, expected) in [
        (RequestError::Busy, "too many questions wait for the introspection endpoint"),
        (
            RequestError::Refused,
            "the introspection endpoint does not take this service's credentials",
        ),
        (RequestError::Status, "the introspection endpoint answered with another status than 200"),
        (RequestError::TimedOut, "the introspection endpoint did not answer in time"),
        (RequestError::Unreachable, "the introspection endpoint cannot be reached"),
    ] {
        server.fail("t", error);
        let refused = wait(verifier.verify_token("t", at(0))).unwrap_err();
        assert_eq!((refused.kind(), refused.detail()), (AuthnErrorKind::Unavailable, expected));
        assert_eq!(refused.retry_after().map(|after| after.as_secs()), Some(1));
    }
    server.say("t", &good(GOOD));
    assert!(wait(verifier.verify_token("t", at(0))).is_ok(), "no failure is remembered");
}

#[test]
fn programs_are_named_by_their_client() {
    let server = Server::default();
    server.say("t", &good(r#""client_id":"shop""#));
    let endpoint = server.endpoint();
    let programs = Introspection::new("programs", "https://id.example", "orders", endpoint);
    assert!(wait(programs.clone().verify_token("t", at(0))).is_err());
    let shop = wait(programs.subject("client_id").verify_token("t", at(0))).unwrap();
    assert_eq!(shop.id(), "programs/shop");
}

#[test]
fn set_ups_that_can_only_be_a_mistake() {
    use std::time::Duration;
    let server = Server::default();
    let check = |wrong: Introspection, expected: &str| {
        let problems = wrong.problems();
        assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
        let refused = wait(wrong.verify_token("t", at(0))).unwrap_err();
        assert_eq!(refused.kind(), AuthnErrorKind::Unavailable);
    };
    let at_url = |url: &str| Endpoint::new(url, server.transport());
    let of = |endpoint| Introspection::new("staff", "https://id.example", "orders", endpoint);
    check(of(at_url("http://id.example/")), "no `https` URL of a public host");
    check(of(at_url("https://10.0.0.1/")), "no `https` URL of a public host");
    check(of(server.endpoint().timeout(Duration::ZERO)), "time-out");
    check(of(server.endpoint().timeout(Duration::from_secs(61))), "time-out");
    check(verifier(&server).entries(0), "1 to 1,048,576");
    check(verifier(&server).keep_active(Duration::from_secs(3601)), "an hour");
    check(verifier(&server).keep_refused(Duration::from_secs(3601)), "an hour");
    check(verifier(&server).waiting(0), "65,536");
    check(verifier(&server).also_for(""), "an audience is empty");
    let realm = Introspection::new("Staff", "https://id.example", "orders", server.endpoint());
    check(realm, "a realm is");
    let loopback = at_url("http://127.0.0.1/").outbound(Outbound::default().allow_loopback());
    assert_eq!(of(loopback).problems(), [""; 0]);
    assert_eq!(server.asked(), 0);
}

proptest! {
    /// Whatever is answered, nobody is vouched for but by `active` and the rules.
    #[test]
    fn attack_any_answer_is_read_or_refused(
        members in prop::collection::vec(
            ("(active|iss|aud|sub|exp|token_type|cnf|[a-z]{1,3})", prop_oneof![
                Just("true".to_owned()),
                Just("false".to_owned()),
                Just("1700000600".to_owned()),
                Just(r#""https://id.example""#.to_owned()),
                Just(r#"["orders"]"#.to_owned()),
                r#""[a-z]{0,6}""#,
                "[\\[\\]{}\",:a-z0-9]{0,8}",
            ]),
            0..8,
        ),
    ) {
        let answer: Vec<_> = members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
        let answer = format!("{{{}}}", answer.join(","));
        if refused(&answer).is_none() {
            let read: serde_json::Value = serde_json::from_str(&answer).unwrap();
            prop_assert_eq!(&read["active"], &serde_json::Value::Bool(true));
            prop_assert_eq!(&read["aud"], &serde_json::json!(["orders"]));
            prop_assert!(read.get("cnf").is_none() && read["exp"] == 1_700_000_600);
        }
    }
}
