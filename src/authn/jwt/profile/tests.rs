//! Every kind of token before every verifier, and each profile's list of rules.

mod svids;

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    JwtVerifier, UnixTime,
    testing::{Issuer, TokenBuilder},
};

const ISSUER: &str = "https://id.example";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const ALICE: &str = "alice";
const WORKLOAD: &str = "spiffe://prod.example/billing";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// In the order of [`answers`].
const KINDS: [&str; 6] = ["access token", "any access token", "ID", "logout", "SVID", "custom"];

/// One issuer with one key, for one service that is a client under the same name: nothing but the
/// profiles tells its tokens apart.
fn issuer() -> Issuer {
    Issuer::new(ISSUER)
}

fn strict() -> JwtVerifier {
    JwtVerifier::access_token("staff", ISSUER, "orders", issuer().keys())
}

fn lenient() -> JwtVerifier {
    JwtVerifier::new("staff", ISSUER, "orders", issuer().keys())
}

fn id_tokens() -> IdTokens {
    IdTokens::new(ISSUER, "orders", Algorithm::Es256, issuer().keys())
}

fn logouts() -> LogoutTokens {
    LogoutTokens::new(ISSUER, "orders", Algorithm::Es256, issuer().keys())
}

fn svids() -> JwtSvids {
    JwtSvids::new("workloads", "prod.example", "orders", issuer().keys())
}

fn custom() -> CustomTokens {
    let hour = Duration::from_secs(3600);
    CustomTokens::new("invitation+jwt", ISSUER, "orders", hour).unwrap()
}

/// Why each verifier refuses `token`, if it does.
fn answers(token: TokenBuilder) -> [Option<&'static str>; 6] {
    let token = token.sign(NOW);
    let who = |verifier: JwtVerifier| verifier.verify_token(&token, NOW).err();
    [
        who(strict()),
        who(lenient()),
        id_tokens().verify(&token, &Expected::nonce("n"), NOW).err(),
        logouts().verify(&token, NOW).err(),
        svids().verify_token(&token, NOW).err(),
        who(custom().verifier("guests", issuer().keys())),
    ]
    .map(|error| error.map(AuthnError::detail))
}

/// A token of each kind with all that it may have of the others'.
fn samples() -> [TokenBuilder; 6] {
    let any = |typ: &str| {
        let token = issuer().token(ALICE).header("typ", typ).claim("jti", "j1").claim("sid", "s1");
        token.claim("azp", "orders").claim("client_id", "orders").claim("auth_time", NOW.as_secs())
    };
    let event = json!({ EVENT: {} });
    [
        any("at+jwt").scope("openid"),
        any("JWT").scope("openid"),
        any("JWT").claim("nonce", "n").claim("at_hash", "h").claim("email_verified", true),
        any("logout+jwt").claim("events", event.clone()).scope("openid"),
        any("JWT").claim("sub", WORKLOAD).scope("openid"),
        any("invitation+jwt").claim("nonce", "n").claim("events", event).scope("openid"),
    ]
}

#[test]
fn every_kind_is_refused_as_every_other() {
    for (at, token) in samples().into_iter().enumerate() {
        for (by, answer) in answers(token).into_iter().enumerate() {
            // What is strictly an access token is one.
            let accepted = at == by || (at, by) == (0, 1);
            assert_eq!(answer.is_none(), accepted, "{} as {}: {answer:?}", KINDS[at], KINDS[by]);
        }
    }
}

#[test]
fn attack_token_retyped_as_every_other() {
    for (at, token) in samples().into_iter().enumerate() {
        for typ in ["at+jwt", "JWT", "logout+jwt", "JOSE", "invitation+jwt", "dpop+jwt"] {
            let accepted = accepted_kinds(&answers(token.clone().header("typ", typ)));
            assert!(accepted <= 1, "{} as {typ}", KINDS[at]);
        }
    }
}

/// Of how many kinds a token is; an access token is one, however strictly it is looked at.
fn accepted_kinds(answers: &[Option<&'static str>; 6]) -> usize {
    answers[1..].iter().filter(|answer| answer.is_none()).count()
}

proptest! {
    #[test]
    fn no_token_is_of_two_kinds(
        typ in prop::option::of(prop::sample::select(vec![
            "JWT", "jwt", "at+jwt", "application/at+jwt", "logout+jwt", "JOSE", "invitation+jwt",
        ])),
        sub in prop::sample::select(vec![None, Some(ALICE), Some(WORKLOAD)]),
        with in prop::collection::vec(any::<bool>(), 7),
    ) {
        let mut token = issuer().token(ALICE);
        token = match typ {
            Some(typ) => token.header("typ", typ),
            None => token.without_header("typ"),
        };
        token = match sub {
            Some(sub) => token.claim("sub", sub),
            None => token.without_claim("sub"),
        };
        let claims: [(&str, Value); 7] = [
            ("nonce", "n".into()),
            ("at_hash", "h".into()),
            ("events", json!({ EVENT: {} })),
            ("sid", "s1".into()),
            ("client_id", "orders".into()),
            ("scope", "openid".into()),
            ("azp", "orders".into()),
        ];
        for ((name, value), _) in claims.into_iter().zip(with).filter(|(_, with)| *with) {
            token = token.claim(name, value);
        }
        let answers = answers(token);
        prop_assert!(accepted_kinds(&answers) <= 1, "{answers:?}");
        prop_assert!(answers[0].is_some() || answers[1].is_none(), "strict and not lenient");
    }
}

#[test]
fn access_token_of_rfc_9068() {
    let good = || issuer().token(ALICE).claim("client_id", "shop");
    let check = |token: TokenBuilder, expected: &str| {
        let answer = strict().verify_token(&token.sign(NOW), NOW);
        assert_eq!(answer.err().map(AuthnError::detail).unwrap_or_default(), expected);
    };
    check(good(), "");
    check(good().header("typ", "Application/AT+JWT"), "");
    check(good().header("typ", "JWT"), "`typ` is that of another kind of token");
    check(good().without_header("typ"), "the header has no `typ`");
    check(good().without_claim("iss"), "the token has no `iss`");
    check(good().without_claim("exp"), "the token has no `exp`");
    check(good().without_claim("aud"), "the token has no `aud`");
    check(good().without_claim("sub"), "the token has no `sub`");
    check(good().without_claim("client_id"), "the token has no `client_id`");
    check(good().without_claim("iat"), "the token has no `iat`");
    check(good().without_claim("jti"), "the token has no `jti`");
    check(good().claim("client_id", Value::Null), "the token has no `client_id`");
    check(good().claim("client_id", 7), "`client_id` is not a string");
    check(good().claim("jti", 7), "`jti` is not a string");
}

#[test]
fn attack_other_tokens_as_access_token() {
    let check = |token: TokenBuilder, expected: &str| {
        let answer = lenient().verify_token(&token.sign(NOW), NOW);
        assert_eq!(answer.err().map(AuthnError::detail).unwrap_or_default(), expected);
    };
    let token = || issuer().token(ALICE);
    check(token().without_header("typ"), "");
    for typ in ["dpop+jwt", "logout+jwt", "secevent+jwt", "application/logout+jwt", "x/at+jwt"] {
        check(token().header("typ", typ), "`typ` is that of another kind of token");
    }
    let id_token = "`nonce`, `at_hash` and `c_hash` are of ID tokens";
    for claim in ["nonce", "at_hash", "c_hash"] {
        check(token().claim(claim, "x"), id_token);
        check(token().claim(claim, Value::Null), id_token);
    }
    check(token().claim("events", json!({})), "`events` is of security events");
    check(token().claim("sub", WORKLOAD), "a SPIFFE ID is of JWT-SVIDs");
    let bound = "`cnf` binds the token to a proof that is not checked here";
    check(token().claim("cnf", json!({ "jkt": "x" })), bound);
}

#[test]
fn attack_token_issued_for_years() {
    let hour = Duration::from_secs(3600);
    let check = |verifier: &JwtVerifier, token: TokenBuilder, now: UnixTime, expected: &str| {
        let answer = verifier.verify_token(&token.sign(NOW), now);
        assert_eq!(answer.err().map(AuthnError::detail).unwrap_or_default(), expected);
    };
    let short = lenient().max_lifetime(hour);
    let token = |seconds| issuer().token(ALICE).lifetime(Duration::from_secs(seconds));
    check(&short, token(3600), NOW, "");
    check(&short, token(3601), NOW, "the token is good for too long");
    check(&short, token(60).without_claim("iat"), NOW, "the token has no `iat`");
    let fresh = lenient().max_age(hour).leeway(Duration::from_secs(60));
    let later = |seconds| NOW.saturating_add(Duration::from_secs(seconds));
    check(&fresh, token(9000), later(3660), "");
    check(&fresh, token(9000), later(3661), "`iat` is too long ago");
    check(&fresh, token(60).without_claim("iat"), NOW, "the token has no `iat`");
    let zero = lenient().max_age(Duration::ZERO);
    check(&zero, token(60), NOW, "the verifier is not set up: see its problems");
}

#[test]
fn id_token_of_openid_connect() {
    let good = || issuer().token(ALICE).header("typ", "JWT").claim("nonce", "n");
    let check = |token: TokenBuilder, expected: Expected<'_>, why: &str| {
        let answer = id_tokens().also_trusted("phone").verify(&token.sign(NOW), &expected, NOW);
        assert_eq!(answer.err().map(AuthnError::detail).unwrap_or_default(), why);
    };
    let nonce = Expected::nonce("n");
    check(good(), nonce, "");
    check(good().without_header("typ"), nonce, "");
    check(good().header("typ", "at+jwt"), nonce, "`typ` is that of another kind of token");
    check(good().claim("nonce", "m"), nonce, "`nonce` is not that of the request");
    check(good().without_claim("nonce"), nonce, "`nonce` is not that of the request");
    check(good().claim("nonce", json!(["n"])), nonce, "`nonce` is not that of the request");
    check(good().claim("nonce", ""), Expected::nonce(""), "`nonce` is not that of the request");
    check(good().without_claim("nonce"), Expected::insecure_without_nonce(), "");
    check(
        good(),
        Expected::insecure_without_nonce().subject("bob"),
        "`sub` is not who was expected",
    );
    check(good(), nonce.subject(ALICE), "");
    check(good().issued_by("https://evil.example"), nonce, "`iss` is another issuer");
    check(good().for_audience("shop"), nonce, "`aud` names another audience");
    let two = |other: &str| good().claim("aud", json!(["orders", other]));
    check(two("phone").claim("azp", "phone"), nonce, "");
    check(two("phone"), nonce, "`aud` names several, and `azp` nobody");
    check(two("evil").claim("azp", "orders"), nonce, "`aud` names somebody who is not trusted");
    check(good().claim("azp", "evil"), nonce, "`azp` is not trusted");
    check(good().claim("azp", 7), nonce, "`azp` is not a string");
    check(good().without_claim("iat"), nonce, "the token has no `iat`");
    check(good().without_claim("exp"), nonce, "the token has no `exp`");
    check(good().expired(), nonce, "`exp` is over");
    check(good().without_claim("sub"), nonce, "the token has no `sub`");
    check(good().claim("sub", "a".repeat(256)), nonce, "`sub` cannot name anybody");
    check(good().claim("sub", WORKLOAD), nonce, "`sub` cannot name anybody");
    check(good().scope("openid"), nonce, "`scope` is of access tokens");
    check(good().claim("scp", json!([])), nonce, "`scp` is of access tokens");
}

#[test]
fn id_token_of_a_log_in_long_ago() {
    let hour = Expected::nonce("n").max_age(Duration::from_secs(3600));
    let check = |at: Value, why: &str| {
        let token = issuer().token(ALICE).header("typ", "JWT").claim("nonce", "n");
        let answer = id_tokens().verify(&token.claim("auth_time", at).sign(NOW), &hour, NOW);
        assert_eq!(answer.err().map(AuthnError::detail).unwrap_or_default(), why);
    };
    check((NOW.as_secs() - 3600).into(), "");
    check((NOW.as_secs() - 3601).into(), "`auth_time` is too long ago");
    check((NOW.as_secs() + 1).into(), "`auth_time` has not come");
    check("now".into(), "`auth_time` is not a time");
    let token = issuer().token(ALICE).header("typ", "JWT").claim("nonce", "n").sign(NOW);
    let answer = id_tokens().verify(&token, &hour, NOW);
    assert_eq!(answer.unwrap_err().detail(), "the token has no `auth_time`");
}

#[test]
fn attack_code_or_access_token_of_another_answer() {
    let rs256 = Issuer::new(ISSUER).with_algorithm(Algorithm::Rs256);
    let tokens = IdTokens::new(ISSUER, "orders", Algorithm::Rs256, rs256.keys());
    let token = rs256.token(ALICE).header("typ", "JWT").claim("nonce", "n");
    let token = token.claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ");
    let token = token.claim("c_hash", "LDktKdoQak3Pk0cnXxCltA").sign(NOW);
    let check = |expected: Expected<'_>, why: &str| {
        let answer = tokens.verify(&token, &expected, NOW);
        assert_eq!(answer.err().map(AuthnError::detail).unwrap_or_default(), why);
    };
    let nonce = Expected::nonce("n");
    let (access_token, code) = (
        "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk",
    );
    check(nonce.access_token(access_token).code(code), "");
    check(nonce.access_token(code), "`at_hash` does not fit the access token");
    check(nonce.code(access_token), "`c_hash` does not fit the code");
    let without = issuer().token(ALICE).header("typ", "JWT").claim("nonce", "n").sign(NOW);
    let answer = id_tokens().verify(&without, &nonce.access_token(access_token), NOW);
    assert_eq!(answer.unwrap_err().detail(), "`at_hash` does not fit the access token");
}

#[test]
fn attack_algorithm_that_the_client_is_not_registered_with() {
    let tokens = IdTokens::new(ISSUER, "orders", Algorithm::Rs256, issuer().keys());
    let token = issuer().token(ALICE).header("typ", "JWT").claim("nonce", "n").sign(NOW);
    let refused = tokens.verify(&token, &Expected::nonce("n"), NOW).unwrap_err();
    assert_eq!(refused.detail(), "the token's `alg` is not the registered one");
}

#[test]
fn id_token_says_who_and_how() {
    let token = issuer().token(ALICE).header("typ", "JWT").claim("nonce", "n").claim("sid", "s1");
    let token = token.claim("amr", json!(["pwd", "otp"])).claim("acr", "2");
    let token = token.claim("email", "alice@example").claim("auth_time", 1_699_999_999);
    let read = |token: TokenBuilder| {
        id_tokens().verify(&token.sign(NOW), &Expected::nonce("n"), NOW).unwrap()
    };
    let alice = read(token.clone().claim("email_verified", true));
    assert_eq!((alice.issuer(), alice.subject(), alice.session()), (ISSUER, ALICE, Some("s1")));
    assert!(alice.amr().eq(["pwd", "otp"]) && alice.acr() == Some("2"));
    assert_eq!(alice.verified_email(), Some("alice@example"));
    assert_eq!(alice.auth_time(), Some(UnixTime::from_secs(1_699_999_999)));
    assert_eq!((alice.issued_at(), alice.expires_at().as_secs()), (NOW, NOW.as_secs() + 300));
    assert!(!format!("{alice:?}").contains("alice@"));
    for verified in [json!(false), json!("true"), json!(1), Value::Null] {
        assert_eq!(read(token.clone().claim("email_verified", verified)).verified_email(), None);
    }
    assert_eq!(read(token).verified_email(), None);
}

#[test]
fn logout_token_of_openid_connect() {
    let good = || {
        let token = issuer().token(ALICE).header("typ", "logout+jwt").claim("sid", "s1");
        token.claim("jti", "j1").claim("events", json!({ EVENT: {} }))
    };
    let check = |token: TokenBuilder, why: &str| {
        let answer = logouts().verify(&token.sign(NOW), NOW);
        assert_eq!(answer.err().map(AuthnError::detail).unwrap_or_default(), why);
    };
    check(good(), "");
    check(good().without_claim("sub"), "");
    check(good().without_claim("sid"), "");
    check(
        good().without_claim("sub").without_claim("sid"),
        "the token has neither `sub` nor `sid`",
    );
    check(good().claim("sub", "").claim("sid", ""), "the token has neither `sub` nor `sid`");
    check(good().claim("sid", 7), "`sid` is not a string");
    check(good().header("typ", "JWT"), "`typ` is that of another kind of token");
    check(good().without_header("typ"), "the header has no `typ`");
    check(good().without_claim("iss"), "the token has no `iss`");
    check(good().without_claim("aud"), "the token has no `aud`");
    check(good().without_claim("iat"), "the token has no `iat`");
    check(good().without_claim("exp"), "the token has no `exp`");
    check(good().without_claim("jti"), "the token has no `jti`");
    check(good().claim("jti", ""), "`jti` is empty");
    check(good().expired(), "`exp` is over");
    check(good().claim("nonce", "n"), "`nonce` is of ID tokens");
    check(good().claim("nonce", Value::Null), "`nonce` is of ID tokens");
    check(good().without_claim("events"), "the token has no `events`");
    check(good().claim("events", json!([EVENT])), "`events` is not an object");
    let other = "`events` is not that of a logout";
    check(good().claim("events", json!({})), other);
    check(good().claim("events", json!({ EVENT: true })), other);
    check(good().claim("events", json!({ EVENT: {}, "urn:x": {} })), other);
    check(good().claim("events", json!({ "urn:x": {} })), other);
    let logout = logouts().verify(&good().sign(NOW), NOW).unwrap();
    assert_eq!((logout.issuer(), logout.id()), (ISSUER, "j1"));
    assert_eq!((logout.subject(), logout.session()), (Some(ALICE), Some("s1")));
    assert_eq!((logout.issued_at(), logout.expires_at().as_secs()), (NOW, NOW.as_secs() + 300));
}

#[test]
fn custom_tokens_by_their_own_rules() {
    let verifier = custom().require("team").forbid("draft").equal("stage", "live");
    let verifier = verifier.verifier("guests", issuer().keys());
    let good = || {
        let token = issuer().token(ALICE).header("typ", "Invitation+JWT");
        token.claim("team", "red").claim("stage", "live")
    };
    let check = |token: TokenBuilder, why: &str| {
        let answer = verifier.verify_token(&token.sign(NOW), NOW);
        assert_eq!(answer.err().map(AuthnError::detail).unwrap_or_default(), why);
    };
    check(good(), "");
    check(good().without_header("typ"), "the header has no `typ`");
    check(good().header("typ", "at+jwt"), "`typ` is that of another kind of token");
    check(good().without_claim("team"), "a claim that is required is not there");
    check(good().claim("team", Value::Null), "a claim that is required is not there");
    check(good().claim("draft", Value::Null), "a claim is there that is forbidden");
    check(good().claim("stage", json!(["live"])), "a claim is not what it has to be");
    check(good().without_claim("iss"), "the token has no `iss`");
    check(good().without_claim("aud"), "the token has no `aud`");
    check(good().without_claim("exp"), "the token has no `exp`");
    check(good().without_claim("iat"), "the token has no `iat`");
    check(good().lifetime(Duration::from_secs(3601)), "the token is good for too long");
}

#[test]
fn attack_custom_type_that_is_another_kind() {
    let of = |typ: &str| CustomTokens::new(typ, ISSUER, "orders", Duration::from_secs(60)).err();
    for typ in ["JWT", "jwt", "At+Jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "jose"] {
        assert_eq!(of(typ), Some(ProfileError::TypeTaken), "{typ}");
    }
    for typ in ["", "application/at+jwt", "a b", "é", &"a".repeat(128)] {
        assert_eq!(of(typ), Some(ProfileError::TypeUnfit), "{typ}");
    }
    assert_eq!(of("invitation+jwt"), None);
}

#[test]
fn set_ups_that_can_only_be_a_mistake() {
    let keys = || issuer().keys();
    assert_eq!(id_tokens().problems(), Vec::<String>::new());
    assert_eq!(logouts().problems(), Vec::<String>::new());
    assert_eq!(crate::Verifier::problems(&svids()), Vec::<String>::new());
    let nobody = IdTokens::new("", "", Algorithm::Es256, keys());
    assert_eq!(nobody.problems(), ["the issuer is empty", "an audience is empty"]);
    let token = issuer().token(ALICE).header("typ", "JWT").claim("nonce", "n").sign(NOW);
    let refused = nobody.verify(&token, &Expected::nonce("n"), NOW).unwrap_err();
    assert_eq!(refused.kind(), AuthnErrorKind::Unavailable);
    let lax = logouts().leeway(Duration::from_secs(301));
    assert_eq!(lax.problems(), ["a leeway of more than 300 s is an open door"]);
    let domain = JwtSvids::new("workloads", "spiffe://prod.example", "orders", keys());
    assert_eq!(crate::Verifier::problems(&domain).len(), 1);
    let refused = domain.verify_token(&token, NOW).unwrap_err();
    assert_eq!(refused.kind(), AuthnErrorKind::Unavailable);
}
