//! Logout tokens end what they say, once.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    Algorithm, AuthnError,
    authn::jwt::profile::{LogoutToken, LogoutTokens},
    testing::Issuer,
};

const NOW: UnixTime = at(1_700_000_000);
const HOUR: Duration = Duration::from_secs(3_600);

fn logout_of(issuer: &str, jti: &str, sub: Option<&str>, sid: Option<&str>) -> LogoutToken {
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let signer = Issuer::new(issuer);
    let mut token = signer
        .token(sub.unwrap_or_default())
        .header("typ", "logout+jwt")
        .claim("jti", jti)
        .claim("events", event);
    if sub.is_none() {
        token = token.without_claim("sub");
    }
    if let Some(sid) = sid {
        token = token.claim("sid", sid);
    }
    let logouts = LogoutTokens::new(issuer, "orders", Algorithm::Es256, signer.keys());
    logouts.verify(&token.sign(NOW), NOW).unwrap()
}

fn token(issuer: &str, issued_at: UnixTime) -> Presented<'_> {
    Presented { issued_at: Some(issued_at), ..presented(issuer) }
}

fn later(by: u64) -> UnixTime {
    NOW.saturating_add(Duration::from_secs(by))
}

#[test]
fn a_session_is_over_and_others_of_its_subject_are_not() {
    let list = Denylist::new(8);
    logout_of(ISSUER, "l1", Some("alice"), Some("s")).revoke(&list, HOUR, NOW).unwrap();
    let detail = |token: &Presented<'_>| list.check(token, NOW).map_err(AuthnError::detail);
    assert_eq!(detail(&token(ISSUER, NOW)), Err("the token's session is over"));
    assert_eq!(detail(&token(ISSUER, later(9))), Err("the token's session is over"));
    assert_eq!(detail(&Presented { session: Some("s2"), ..token(ISSUER, NOW) }), Ok(()));
    assert_eq!(detail(&Presented { session: None, ..token(ISSUER, NOW) }), Ok(()));
}

#[test]
fn without_a_session_all_that_the_subject_had_is_over() {
    for sid in [None, Some("")] {
        let list = Denylist::new(8);
        logout_of(ISSUER, "l1", Some("alice"), sid).revoke(&list, HOUR, NOW).unwrap();
        let refused = |token: &Presented<'_>, now| list.check(token, now).is_err();
        assert!(refused(&token(ISSUER, NOW), NOW));
        assert!(!refused(&token(ISSUER, later(1)), later(1)), "whoever logs in again may");
        assert!(!refused(&Presented { subject: Some("bob"), ..token(ISSUER, NOW) }, NOW));
        assert!(refused(&token(ISSUER, NOW), later(3_599)));
        assert!(!refused(&token(ISSUER, NOW), later(3_600)), "no token lives that long");
    }
}

#[test]
fn attack_logout_of_another_issuer() {
    let list = Denylist::new(8);
    logout_of(OTHER, "l1", Some("alice"), Some("s")).revoke(&list, HOUR, NOW).unwrap();
    logout_of(OTHER, "l2", Some("alice"), None).revoke(&list, HOUR, NOW).unwrap();
    assert!(list.check(&token(ISSUER, NOW), NOW).is_ok());
    assert!(list.check(&token(OTHER, NOW), NOW).is_err());
}

#[test]
fn attack_logout_token_sent_again() {
    let list = Denylist::new(64);
    let logout = logout_of(ISSUER, "l1", Some("alice"), None);
    assert_eq!(logout.revoke(&list, HOUR, NOW), Ok(()));
    // For as long as it can be verified, with the largest leeway there is.
    for by in [0, 1, 299, 300, 599] {
        assert_eq!(logout.revoke(&list, HOUR, later(by)), Err(RevokeError::Repeated), "{by}");
        let fresh = token(ISSUER, later(by + 1));
        assert!(list.check(&fresh, later(by + 1)).is_ok(), "who is back stays");
    }
    let same_id = logout_of(ISSUER, "l1", None, Some("s9"));
    assert_eq!(same_id.revoke(&list, HOUR, NOW), Err(RevokeError::Repeated));
    let others = logout_of(OTHER, "l1", Some("alice"), None);
    assert_eq!(others.revoke(&list, HOUR, NOW), Ok(()), "its id is that issuer's own");
    // An id of a logout token is none of a caller's.
    let namesake = Presented { token: Some("l1"), subject: None, ..token(ISSUER, NOW) };
    assert!(list.check(&namesake, NOW).is_ok());
}

#[test]
fn a_logout_that_failed_can_be_sent_again() {
    let list = Denylist::new(8);
    let until = later(10);
    let full = |number: &u32| {
        list.revoke(&Revocation::client(ISSUER, &number.to_string(), until), NOW).is_err()
    };
    assert!((0..1_000_u32).filter(full).count() > 900);
    let logout = logout_of(ISSUER, "l1", Some("alice"), Some("s"));
    assert_eq!(logout.revoke(&list, HOUR, NOW), Err(RevokeError::Full));
    assert_eq!(logout.revoke(&list, HOUR, until), Ok(()));
    assert!(list.check(&token(ISSUER, NOW), until).is_err());
    assert_eq!(logout.revoke(&list, Duration::ZERO, until), Err(RevokeError::Over));
}
