//! What several modules need and no user does: a verifier that knows one word.

#[cfg(feature = "fetch")]
pub(crate) mod http;

use portcullis::{
    Authenticator, AuthnError, AuthnErrorKind, Challenge, Credential, Facts, Now, Principal, Step,
    testing::{Recorded, Recorder},
};

/// Takes `Authorization: Word …`: `xyzzy` proves merlin, `slow` proves him after a wait,
/// `never` waits for ever, and any other word nobody.
#[derive(Debug)]
pub(crate) struct Word;

impl Authenticator for Word {
    fn realm(&self) -> &str {
        "wizards"
    }

    fn challenge(&self) -> Option<Challenge> {
        Some(Challenge::new("Word", "wizards"))
    }

    fn authenticate(&self, credential: &Credential<'_>, _: &Facts<'_>, _: Now) -> Step {
        let merlin = || Principal::assertion("wizards", "merlin").finish().unwrap();
        let Credential::Other { scheme: "Word", value } = credential else { return Step::NotMine };
        match *value {
            "xyzzy" => Step::Done(Ok(merlin())),
            "slow" => Step::Wait(Box::pin(async move {
                tokio::task::yield_now().await;
                Ok(merlin())
            })),
            "never" => Step::Wait(Box::pin(std::future::pending())),
            "impostor" => Step::Done(Ok(Principal::assertion("kings", "arthur").finish().unwrap())),
            "down" => Step::Done(Err(AuthnError::new(AuthnErrorKind::Unavailable, "store down"))),
            _ => Step::Done(Err(AuthnError::new(AuthnErrorKind::Invalid, "not the word"))),
        }
    }
}

/// The one event there is.
pub(crate) fn only(log: &Recorder) -> Recorded {
    let events = log.take();
    assert_eq!(events.len(), 1, "{events:?}");
    events[0].clone()
}

/// The reason of an event's refusal.
pub(crate) fn reason(recorded: &Recorded) -> Option<&'static str> {
    recorded.event().refusal.map(|refusal| refusal.reason().as_str())
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
