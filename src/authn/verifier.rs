//! The two seams through which a principal enters.

use std::{fmt, future::Future, pin::Pin};

use super::{AuthnError, Challenge, Credential, Source};
use crate::{Facts, Now, Principal};

/// Checks credentials of one kind with what it holds in memory.
///
/// ```
/// use portcullis::{AuthnError, AuthnErrorKind, Challenge, Credential, Facts, Mono, Now,
///     Principal, UnixTime, Verifier};
///
/// /// Takes `Authorization: Word xyzzy` for the wizard.
/// #[derive(Debug)]
/// struct MagicWord;
///
/// impl Verifier for MagicWord {
///     fn realm(&self) -> &str {
///         "wizards"
///     }
///     fn challenge(&self) -> Option<Challenge> {
///         Some(Challenge::new("Word", self.realm()))
///     }
///     fn verify(
///         &self,
///         credential: &Credential<'_>,
///         _: &Facts<'_>,
///         _: Now,
///     ) -> Option<Result<Principal, AuthnError>> {
///         let Credential::Other { scheme: "Word", value } = credential else { return None };
///         let refused = AuthnError::new(AuthnErrorKind::Invalid, "not the word");
///         if *value != "xyzzy" {
///             return Some(Err(refused));
///         }
///         Some(Principal::assertion(self.realm(), "merlin").finish().map_err(|_| refused))
///     }
/// }
///
/// let now = Now::new(UnixTime::from_secs(0), Mono::from_nanos(0));
/// let check = |value| {
///     MagicWord.verify(&Credential::Other { scheme: "Word", value }, &Facts::default(), now)
/// };
/// assert_eq!(check("xyzzy").unwrap().unwrap().id(), "wizards/merlin");
/// assert!(check("please").unwrap().is_err());
/// ```
pub trait Verifier: fmt::Debug + Send + Sync + 'static {
    /// The realm of the principals this verifier vouches for.
    fn realm(&self) -> &str;

    /// All of its realms, where it has several: a gate takes a principal of no other.
    fn realms(&self) -> Vec<String> {
        vec![self.realm().to_owned()]
    }

    /// What a 401 names so that a caller knows what to bring.
    fn challenge(&self) -> Option<Challenge>;

    /// Where this verifier's credentials stand, if not in the `Authorization` header.
    fn sources(&self) -> Vec<Source> {
        Vec::new()
    }

    /// Every role it may grant, so that a gate can hold the names against its policies.
    fn roles(&self) -> Vec<String> {
        Vec::new()
    }

    /// Every attribute it may give, so that a gate can hold the names against its policies.
    fn attributes(&self) -> Vec<String> {
        Vec::new()
    }

    /// What is wrong with this verifier's set-up; building a gate lists it all.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }

    /// What it takes every one of, such as `JWT`, whatever it then says of it; `None` where others
    /// may take what it leaves. A gate with two that take every one of the same is not built: the
    /// second would never be asked.
    fn takes_every(&self) -> Option<String> {
        None
    }

    /// What all that it takes is some of, where it does not take every one: behind another that
    /// does, it would never be asked, and a gate is not built.
    fn takes_some_of(&self) -> Option<String> {
        None
    }

    /// `None` when the credential is not of this verifier's kind; else who it proves, or why it
    /// proves nobody.
    fn verify(
        &self,
        credential: &Credential<'_>,
        facts: &Facts<'_>,
        now: Now,
    ) -> Option<Result<Principal, AuthnError>>;
}

/// How an [`Authenticator`] answers.
#[non_exhaustive]
pub enum Step {
    /// Not a credential of this kind; the next one is asked.
    NotMine,
    /// Decided at once.
    Done(Result<Principal, AuthnError>),
    /// Needs to wait: a password hash, a key table, a session store. The future owns what it
    /// needs and borrows nothing of the request.
    Wait(Pin<Box<dyn Future<Output = Result<Principal, AuthnError>> + Send + 'static>>),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMine => f.write_str("NotMine"),
            Self::Done(result) => f.debug_tuple("Done").field(result).finish(),
            Self::Wait(_) => f.write_str("Wait(..)"),
        }
    }
}

/// Like a [`Verifier`], but allowed to wait. Every verifier is one.
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// The realm of the principals this authenticator vouches for.
    fn realm(&self) -> &str;

    /// All of its realms, where it has several: a gate takes a principal of no other.
    fn realms(&self) -> Vec<String> {
        vec![self.realm().to_owned()]
    }

    /// What a 401 names so that a caller knows what to bring.
    fn challenge(&self) -> Option<Challenge>;

    /// Where this authenticator's credentials stand, if not in the `Authorization` header.
    fn sources(&self) -> Vec<Source> {
        Vec::new()
    }

    /// Every role it may grant, so that a gate can hold the names against its policies.
    fn roles(&self) -> Vec<String> {
        Vec::new()
    }

    /// Every attribute it may give, so that a gate can hold the names against its policies.
    fn attributes(&self) -> Vec<String> {
        Vec::new()
    }

    /// What is wrong with this authenticator's set-up; building a gate lists it all.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }

    /// What it takes every one of, such as `JWT`, whatever it then says of it; `None` where others
    /// may take what it leaves. A gate with two that take every one of the same is not built: the
    /// second would never be asked.
    fn takes_every(&self) -> Option<String> {
        None
    }

    /// What all that it takes is some of, where it does not take every one: behind another that
    /// does, it would never be asked, and a gate is not built.
    fn takes_some_of(&self) -> Option<String> {
        None
    }

    /// Starts on a credential.
    fn authenticate(&self, credential: &Credential<'_>, facts: &Facts<'_>, now: Now) -> Step;
}

impl<V: Verifier> Authenticator for V {
    fn realm(&self) -> &str {
        Verifier::realm(self)
    }

    fn realms(&self) -> Vec<String> {
        Verifier::realms(self)
    }

    fn challenge(&self) -> Option<Challenge> {
        Verifier::challenge(self)
    }

    fn sources(&self) -> Vec<Source> {
        Verifier::sources(self)
    }

    fn roles(&self) -> Vec<String> {
        Verifier::roles(self)
    }

    fn attributes(&self) -> Vec<String> {
        Verifier::attributes(self)
    }

    fn problems(&self) -> Vec<String> {
        Verifier::problems(self)
    }

    fn takes_every(&self) -> Option<String> {
        Verifier::takes_every(self)
    }

    fn takes_some_of(&self) -> Option<String> {
        Verifier::takes_some_of(self)
    }

    fn authenticate(&self, credential: &Credential<'_>, facts: &Facts<'_>, now: Now) -> Step {
        self.verify(credential, facts, now).map_or(Step::NotMine, Step::Done)
    }
}
