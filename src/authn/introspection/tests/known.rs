//! What is known, for how long, and who asks.

use std::{collections::HashMap, sync::Arc, task::Poll, time::Duration};

use super::*;
use crate::{
    AuthnError, Principal,
    authn::revocation::{Denylist, Revocation, Revocations as _},
};

const INACTIVE: &str = "the issuer says that the token is not active";

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Whether the token is taken at second `now`.
fn taken(verifier: &Introspection, token: &str, now: u64) -> Result<(), &'static str> {
    wait(verifier.verify_token(token, at(now))).map(drop).map_err(AuthnError::detail)
}

#[test]
fn attack_inactive_token_stays_refused() {
    let server = Server::default();
    let verifier = verifier(&server);
    for now in [0, 5, 9, 10, 19, 1000] {
        assert_eq!(taken(&verifier, "t", now), Err(INACTIVE), "{now}");
    }
    assert_eq!(server.asked(), 3, "at 0, at 10, and at 1000");
}

#[test]
fn attack_cached_answer_outlives_the_token() {
    let server = Server::default();
    server.say("t", &good(GOOD));
    let verifier = verifier(&server).keep_active(secs(3600));
    assert_eq!(taken(&verifier, "t", 0), Ok(()));
    assert_eq!(taken(&verifier, "t", 599), Ok(()));
    assert_eq!(taken(&verifier, "t", 600), Err("`exp` is over"));
    assert_eq!(server.asked(), 1);
}

#[test]
fn attack_withdrawn_token_counts_no_longer_than_said() {
    let server = Server::default();
    server.say("t", &good(GOOD));
    let verifier = verifier(&server);
    assert_eq!(taken(&verifier, "t", 0), Ok(()));
    server.say("t", r#"{"active":false}"#);
    assert_eq!(taken(&verifier, "t", 29), Ok(()));
    assert_eq!(taken(&verifier, "t", 30), Err(INACTIVE));
    let fresh = verifier.keep_active(Duration::ZERO).keep_refused(Duration::ZERO);
    for _ in 0..3 {
        assert!(taken(&fresh, "t", 0).is_err());
    }
    assert_eq!((server.asked(), fresh.stats().active, fresh.stats().refused), (5, 0, 0));
}

#[test]
fn attack_answer_counts_from_when_it_was_asked_for() {
    let server = Server::held();
    server.say("t", &good(GOOD));
    let verifier = verifier(&server);
    let mut slow = Box::pin(verifier.verify_token("t", at(0)));
    assert!(poll(&mut slow).is_pending());
    server.answer();
    // Whenever the answer arrives: it may be from before the token was withdrawn.
    assert!(poll(&mut slow).is_ready());
    server.say("t", r#"{"active":false}"#);
    assert_eq!((taken(&verifier, "t", 29), taken(&verifier, "t", 30)), (Ok(()), Err(INACTIVE)));
}

#[test]
fn attack_ten_thousand_tokens_that_come_once() {
    let server = Server::default();
    server.say("good", &good(GOOD));
    let verifier = verifier(&server).entries(100);
    assert_eq!(taken(&verifier, "good", 0), Ok(()));
    for n in 0..10_000 {
        assert_eq!(taken(&verifier, &format!("made-up-{n}"), 1), Err(INACTIVE));
    }
    let stats = verifier.stats();
    assert_eq!((stats.active, stats.refused, stats.waiting), (1, 100, 0));
    assert_eq!(taken(&verifier, "good", 2), Ok(()));
    assert_eq!(server.asked(), 10_001, "no made-up token drives a good one out");
}

#[test]
fn attack_slow_server_is_asked_once_for_one_token() {
    let server = Server::held();
    server.say("t", &good(GOOD));
    let verifier = verifier(&server).waiting(100);
    let mut callers: Vec<_> =
        (0..100).map(|_| Box::pin(verifier.verify_token("t", at(0)))).collect();
    assert!(callers.iter_mut().all(|caller| poll(caller).is_pending()));
    assert_eq!((server.asked(), verifier.stats().waiting), (1, 100));
    let full = wait(verifier.verify_token("other", at(0))).unwrap_err();
    assert_eq!(full.kind(), AuthnErrorKind::Unavailable);
    assert_eq!(full.detail(), "too many callers wait for introspections");
    server.answer();
    for caller in &mut callers {
        assert!(matches!(poll(caller), Poll::Ready(Ok(_))));
    }
    drop(callers);
    assert_eq!((server.asked(), verifier.stats().waiting), (1, 0));
}

#[test]
fn attack_caller_who_hangs_up_takes_the_others_with_them() {
    let server = Server::held();
    server.say("t", &good(GOOD));
    let verifier = verifier(&server);
    let ask = || Box::pin(verifier.verify_token("t", at(0)));
    let (mut first, mut second) = (ask(), ask());
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    drop(first);
    server.answer();
    assert!(matches!(poll(&mut second), Poll::Ready(Ok(_))));
    assert_eq!(server.asked(), 1);
}

#[test]
fn when_all_hang_up_the_question_is_dropped_and_asked_anew() {
    let server = Server::held();
    server.say("t", &good(GOOD));
    let verifier = verifier(&server);
    let mut gone = Box::pin(verifier.verify_token("t", at(0)));
    assert!(poll(&mut gone).is_pending());
    drop(gone);
    server.answer();
    assert_eq!((verifier.stats().waiting, verifier.stats().active), (0, 0));
    assert_eq!((taken(&verifier, "t", 0), server.asked()), (Ok(()), 2));
    // A caller who never waits asks nothing.
    drop(verifier.verify_token("u", at(0)));
    assert_eq!(server.asked(), 2);
}

#[test]
fn attack_transport_that_panics_is_no_answer() {
    let broken = |_: Request| async { panic!("on purpose") };
    let endpoint = Endpoint::new("https://id.example/", broken);
    let verifier = Introspection::new("staff", "https://id.example", "orders", endpoint);
    let refused = wait(verifier.verify_token("t", at(0))).unwrap_err();
    assert_eq!(refused.kind(), AuthnErrorKind::Unavailable);
    assert_eq!(verifier.stats().waiting, 0);
}

#[test]
fn attack_revoked_token_that_is_known_to_be_good() {
    let server = Server::default();
    server.say("t", &good(GOOD));
    let list = Arc::new(Denylist::new(8));
    let verifier = verifier(&server).revocations(Arc::clone(&list));
    assert_eq!(taken(&verifier, "t", 0), Ok(()));
    let alice = Revocation::subject("https://id.example", "alice", at(600).wall);
    list.revoke(&alice, at(1).wall).unwrap();
    let error = wait(verifier.verify_token("t", at(1))).unwrap_err();
    assert_eq!((error.kind(), server.asked()), (AuthnErrorKind::Revoked, 1));
}

#[test]
fn attack_rules_of_one_clone_answer_for_another() {
    let server = Server::default();
    server.say("t", &good(&format!(r#"{GOOD},"aud":"billing""#)));
    let orders = verifier(&server);
    let both = orders.clone().also_for("billing");
    assert_eq!(taken(&both, "t", 0), Ok(()));
    assert_eq!(taken(&orders, "t", 0), Err("`aud` names another audience"));
    assert_eq!(taken(&both, "t", 0), Ok(()));
}

#[derive(Clone, Debug)]
enum Act {
    Present(u8),
    Say(u8, bool, u64),
    Fail(u8),
    Advance(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0_u8..4).prop_map(Act::Present),
        2 => (0_u8..4, any::<bool>(), 0_u64..200).prop_map(|(of, good, exp)| Act::Say(of, good, exp)),
        1 => (0_u8..4).prop_map(Act::Fail),
        2 => (0_u64..40).prop_map(Act::Advance),
    ]
}

/// What the issuer says of a token: until when it is good, that it is not, or nothing at all.
type Said = Option<Option<u64>>;

proptest! {
    /// Against a table of the last answers.
    #[test]
    fn what_counts_is_what_the_issuer_said_lately(acts in prop::collection::vec(act(), 1..120)) {
        let server = Server::default();
        let verifier = verifier(&server);
        let (mut says, mut known) = (HashMap::<u8, Said>::new(), HashMap::<u8, (u64, Option<u64>)>::new());
        let (mut now, mut asked) = (0, 0);
        for act in acts {
            match act {
                Act::Advance(by) => now += by,
                Act::Fail(of) => {
                    says.insert(of, None);
                    server.fail(&of.to_string(), RequestError::Status);
                }
                Act::Say(of, active, exp) => {
                    says.insert(of, Some(active.then_some(exp)));
                    let exp = 1_700_000_000 + exp;
                    let answer = good(&format!(r#"{GOOD},"exp":{exp}"#));
                    let answer = if active { answer } else { answer.replace("true", "false") };
                    server.say(&of.to_string(), &answer);
                }
                Act::Present(of) => {
                    let kept = known.get(&of).filter(|(since, said)| {
                        now < since + if said.is_some() { 30 } else { 10 }
                    });
                    let said = match kept {
                        Some((_, said)) => Some(*said),
                        None => {
                            asked += 1;
                            let said = says.get(&of).copied().unwrap_or(Some(None));
                            if let Some(said) = said {
                                known.insert(of, (now, said));
                            }
                            said
                        }
                    };
                    let expected = match said {
                        None => Err(AuthnErrorKind::Unavailable),
                        Some(None) => Err(AuthnErrorKind::Invalid),
                        Some(Some(exp)) if exp <= now => Err(AuthnErrorKind::Expired),
                        Some(Some(_)) => Ok("staff/alice".to_owned()),
                    };
                    let found = wait(verifier.verify_token(&of.to_string(), at(now)));
                    let found = found.map(|who: Principal| who.id().to_owned());
                    prop_assert_eq!(found.map_err(AuthnError::kind), expected);
                }
            }
        }
        prop_assert_eq!(server.asked(), asked);
    }
}
