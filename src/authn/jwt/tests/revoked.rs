//! What is revoked is refused at the next presentation, whatever is cached.

use std::sync::Arc;

use super::*;
use crate::authn::revocation::{Denylist, Presented, Revocation, Revocations, RevokeError};

const LATER: UnixTime = UnixTime::from_secs(1_700_003_600);

fn list() -> Arc<Denylist> {
    Arc::new(Denylist::new(64))
}

/// A token that can be revoked by everything.
fn token() -> String {
    issuer(Algorithm::Es256)
        .token("alice")
        .claim("jti", "t1")
        .claim("sid", "s1")
        .claim("client_id", "shop")
        .sign(NOW)
}

#[test]
fn attack_revoked_token_served_from_the_cache() {
    let token = token();
    for (revocation, expected) in [
        (Revocation::token(ISSUER, "t1", LATER), "the token was revoked"),
        (Revocation::session(ISSUER, "s1", LATER), "the token's session is over"),
        (Revocation::subject(ISSUER, "alice", LATER), "the subject's tokens were revoked"),
        (
            Revocation::subject(ISSUER, "alice", LATER).issued_by(NOW),
            "the subject's tokens were revoked",
        ),
        (Revocation::client(ISSUER, "shop", LATER), "the client's tokens were revoked"),
        (Revocation::issuer(ISSUER, LATER).issued_by(NOW), "the issuer's tokens were revoked"),
    ] {
        let list = list();
        let verifier = issuer(Algorithm::Es256).verifier("staff").cache(8);
        let plain = issuer(Algorithm::Es256).verifier("staff").revocations(Arc::clone(&list));
        let verifier = verifier.revocations(Arc::clone(&list));
        assert!(verifier.verify_token(&token, NOW).is_ok());
        assert!(verifier.verify_token(&token, NOW).is_ok());
        list.revoke(&revocation, NOW).unwrap();
        assert_eq!(refusal(&verifier, &token), expected);
        assert_eq!(refusal(&plain, &token), expected);
        assert_eq!(verifier.cache_stats().unwrap().hits, 2, "it is in the cache all the same");
        let issuers = JwtIssuers::new([verifier]);
        assert_eq!(issuers.verify_token(&token, NOW).unwrap_err().kind(), AuthnErrorKind::Revoked);
    }
}

#[test]
fn attack_list_given_to_a_verifier_that_has_cached_without() {
    let (list, token) = (list(), token());
    let before = issuer(Algorithm::Es256).verifier("staff").cache(8);
    assert!(before.verify_token(&token, NOW).is_ok());
    list.revoke(&Revocation::session(ISSUER, "s1", LATER), NOW).unwrap();
    let after = before.clone().revocations(list);
    assert_eq!(after.cache_stats().unwrap().entries, 0);
    assert_eq!(refusal(&after, &token), "the token's session is over");
    assert!(before.verify_token(&token, NOW).is_ok(), "nobody told this one");
}

#[test]
fn attack_same_names_at_another_issuer() {
    let list = list();
    let verifier = issuer(Algorithm::Es256).verifier("staff").revocations(Arc::clone(&list));
    let other = "https://other.example";
    for revocation in [
        Revocation::token(other, "t1", LATER),
        Revocation::session(other, "s1", LATER),
        Revocation::subject(other, "alice", LATER),
        Revocation::client(other, "shop", LATER),
        Revocation::issuer(other, LATER),
    ] {
        list.revoke(&revocation, NOW).unwrap();
    }
    assert!(verifier.verify_token(&token(), NOW).is_ok());
}

#[test]
fn attack_token_that_says_not_when_it_was_issued() {
    let list = list();
    let verifier = issuer(Algorithm::Es256).verifier("staff").revocations(Arc::clone(&list));
    let token = |jti: &str| issuer(Algorithm::Es256).token("alice").claim("jti", jti);
    let long_ago = Revocation::subject(ISSUER, "alice", LATER).issued_by(UnixTime::from_secs(1));
    list.revoke(&long_ago, NOW).unwrap();
    assert!(verifier.verify_token(&token("a").sign(NOW), NOW).is_ok());
    let unknown = token("b").without_claim("iat").sign(NOW);
    assert_eq!(refusal(&verifier, &unknown), "the subject's tokens were revoked");
}

#[test]
fn attack_claim_that_no_revocation_could_meet() {
    let verifier = issuer(Algorithm::Es256).verifier("staff").revocations(list());
    let token = |name: &str, value: serde_json::Value| {
        issuer(Algorithm::Es256).token("alice").claim(name, value).sign(NOW)
    };
    for value in [json!(7), json!(["s1"]), json!({}), json!(null)] {
        assert_eq!(refusal(&verifier, &token("sid", value.clone())), "`sid` is not a string");
        assert_eq!(refusal(&verifier, &token("jti", value.clone())), "`jti` is not a string");
        let renamed = verifier.clone().subject_in("username");
        let odd = issuer(Algorithm::Es256).token("x").claim("username", "alice");
        assert_eq!(refusal(&renamed, &odd.claim("sub", value).sign(NOW)), "`sub` is not a string");
    }
}

#[test]
fn the_subject_is_sub_whatever_names_the_caller() {
    let list = list();
    let verifier = issuer(Algorithm::Es256)
        .verifier("staff")
        .subject_in("username")
        .cache(8)
        .revocations(Arc::clone(&list));
    let token = issuer(Algorithm::Es256).token("42").claim("username", "alice").sign(NOW);
    assert_eq!(verifier.verify_token(&token, NOW).unwrap().subject(), "alice");
    list.revoke(&Revocation::subject(ISSUER, "alice", LATER), NOW).unwrap();
    assert!(verifier.verify_token(&token, NOW).is_ok());
    list.revoke(&Revocation::subject(ISSUER, "42", LATER), NOW).unwrap();
    assert_eq!(refusal(&verifier, &token), "the subject's tokens were revoked");
}

/// A list that cannot be reached.
#[derive(Debug)]
struct Lost;

impl Revocations for Lost {
    fn check(&self, _: &Presented<'_>, _: UnixTime) -> Result<(), AuthnError> {
        Err(AuthnError::new(AuthnErrorKind::Unavailable, "the copy is too old"))
    }

    fn revoke(&self, _: &Revocation<'_>, _: UnixTime) -> Result<bool, RevokeError> {
        Err(RevokeError::Unavailable)
    }
}

#[test]
fn attack_list_that_cannot_be_reached() {
    let verifier = issuer(Algorithm::Es256).verifier("staff").cache(8).revocations(Arc::new(Lost));
    let refused = verifier.verify_token(&token(), NOW).unwrap_err();
    assert_eq!(refused.kind(), AuthnErrorKind::Unavailable);
    assert_eq!(verifier.cache_stats().unwrap().entries, 0);
    // Whatever else is wrong is told as that.
    let expired = issuer(Algorithm::Es256).token("alice").expired().sign(NOW);
    assert_eq!(verifier.verify_token(&expired, NOW).unwrap_err().kind(), AuthnErrorKind::Expired);
}

#[test]
fn what_is_asked_on_a_hit_allocates_nothing() {
    let (list, token) = (list(), token());
    for target in ["t1", "s1"] {
        list.revoke(&Revocation::token("https://other.example", target, LATER), NOW).unwrap();
    }
    let verifier = issuer(Algorithm::Es256).verifier("staff").cache(8).revocations(list);
    let verify = || assert!(verifier.verify_token(&token, NOW).is_ok());
    verify();
    assert_eq!(allocation_counter::measure(verify).count_total, 0);
}
