//! Passwords behind a guard that slows guessing down.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use crate::{
    AuthnError, AuthnErrorKind, Challenge, Credential, Facts, Mono, Now, Principal, Step, UnixTime,
    authn::{
        Answer, Authenticator,
        password::{Attempt, Claimed, Passwords, said, user_name},
    },
    limit::{Login, LoginGuard, Reservation, Verdict},
};

/// [`Passwords`] behind a [`LoginGuard`]: Basic in a gate and login forms go through one count.
///
/// An attempt is charged before its password is looked at, in the store or the cache of right
/// ones, so a denial says nothing about the password. Denied is 429 with `Retry-After`. What
/// could not be checked, because the store or the hasher is unavailable, is not charged, nor what
/// nobody can have as a name or password. A caller who goes away while the store is asked gives
/// the place back; from then on an attempt counts, whoever waits for its answer. One guard may serve several realms; the accounts of
/// each are counted by themselves.
///
/// Challenges are for forms. Basic can carry no solution, so a gate with a guard that asks for
/// challenges is not built: its clients would be shut out by a stranger's few failures, with
/// nothing they could do. [`basic_unchallenged`](Self::basic_unchallenged) says that delays alone
/// are to slow them down.
///
/// Programs that use Basic hold no device cookie either: strangers who guess at an account slow
/// it down for them too.
///
/// Until the first of a client's requests with Basic is answered, no more of them are looked at
/// than the guard has free attempts: clients that open many connections at once had better send
/// one request first.
///
/// ```
/// use portcullis::{AuthnErrorKind, Mono, Now, Secret, UnixTime, gate::GuardedPasswords};
/// use portcullis::authn::password::{Attempt, Hasher, MemoryPasswords, Passwords};
/// use portcullis::limit::LoginGuard;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let hasher = Hasher::with_threads(1).start()?;
/// let passwords = Passwords::new("staff", MemoryPasswords::default(), hasher);
/// let guard = LoginGuard::builder().attempts(2).start()?;
/// let logins = GuardedPasswords::new(passwords, guard);
///
/// let now = Now::new(UnixTime::from_secs(1_700_000_000), Mono::from_nanos(0));
/// let guess = Secret::new(*b"letmein123");
/// let attempt = Attempt::new("alice", &guess).client("192.0.2.7".parse()?);
/// for expected in [AuthnErrorKind::Invalid, AuthnErrorKind::Invalid, AuthnErrorKind::Throttled] {
///     let refused = logins.verify_password(&attempt, now).await.unwrap_err();
///     assert_eq!(refused.kind(), expected);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it verifies nothing until it is asked"]
pub struct GuardedPasswords {
    passwords: Passwords,
    guard: LoginGuard,
    challenges: Option<Arc<dyn ChallengeCheck>>,
    basic: Basic,
}

/// What becomes of Basic where the guard asks for a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basic {
    Challenged,
    Unchallenged,
}

/// Checks the solutions of challenges, such as a CAPTCHA or a proof of work.
///
/// A solution must count once; that is the check's business.
pub trait ChallengeCheck: fmt::Debug + Send + Sync + 'static {
    /// Whether `solution` solves a challenge that was asked for.
    fn check(&self, solution: &str) -> Answer<bool>;
}

/// Solutions longer than this many bytes are none.
const MAX_SOLUTION: usize = 8 * 1024;

impl GuardedPasswords {
    /// Lets `guard` decide which attempts `passwords` looks at.
    pub fn new(passwords: Passwords, guard: LoginGuard) -> Self {
        Self { passwords, guard, challenges: None, basic: Basic::Challenged }
    }

    /// Takes solutions of challenges that this check finds good. Without it none is asked for,
    /// since nobody could solve it; the guard's delays hold alone.
    pub fn challenges(mut self, check: impl ChallengeCheck) -> Self {
        self.challenges = Some(Arc::new(check));
        self
    }

    /// Lets Basic through, up to the guard's delays, where a form is asked for a challenge. Guesses
    /// of both are counted together; but whoever wants to guess without challenges has Basic to
    /// do it with.
    pub fn basic_unchallenged(mut self) -> Self {
        self.basic = Basic::Unchallenged;
        self
    }

    /// Who the attempt's user is, if the password is theirs: for handlers of login forms.
    ///
    /// # Errors
    /// *Throttled* when the guard denies the attempt and *challenge required* when it asks for a
    /// challenge that was not solved; otherwise those of [`Passwords::verify_password`].
    pub fn verify_password(
        &self,
        attempt: &Attempt<'_>,
        now: Now,
    ) -> impl Future<Output = Result<Principal, AuthnError>> + Send + use<> {
        let begun = attempt.said().map(|said| {
            let name = self.counted(&said.user);
            let entry = Entry { name, client: attempt.client, device: attempt.device };
            let reserved = self.reserve(&entry, attempt.solution, now.mono);
            (reserved, self.passwords.look_up(said))
        });
        async move {
            let (reserved, claimed) = begun?;
            settle(reserved.await?, claimed, Some(now.wall), now).await
        }
    }

    /// The value of a cookie for the device on which `user` has just logged in: the name as it was
    /// typed; see [`LoginGuard::device_cookie`], whose own cookies do not count here. `None` when nobody can have that name, or the system has no
    /// random bytes.
    #[must_use]
    pub fn device_cookie(&self, user: &str) -> Option<String> {
        self.guard.device_cookie(&self.counted(&user_name(user).ok()?))
    }

    /// The name that a user is counted under: whose own account has it in another realm behind
    /// the same guard clears nothing by it. No name and no principal's id has a line break.
    fn counted(&self, name: &str) -> String {
        format!("{}\n{name}", self.passwords.realm())
    }

    /// Charges an attempt, once its challenge is solved where there is one. Its password is
    /// unchecked.
    fn reserve(
        &self,
        entry: &Entry<'_>,
        solution: Option<&str>,
        now: Mono,
    ) -> impl Future<Output = Result<Reservation, AuthnError>> + Send + use<> {
        let login = if self.challenges.is_some() { entry.login() } else { entry.login().solved() };
        let first = allowed(self.guard.reserve(&login, now));
        let solution = solution.filter(|solution| solution.len() <= MAX_SOLUTION);
        let unsolved = |error: &AuthnError| error.kind() == AuthnErrorKind::ChallengeRequired;
        let asked = match (&first, &self.challenges, solution) {
            (Err(error), Some(check), Some(solution)) if unsolved(error) => {
                // Charged before the solution is looked at: a wrong one is a failure too.
                let charged = allowed(self.guard.reserve(&entry.login().solved(), now));
                Some(charged.map(|reservation| (reservation.checking(), check.check(solution))))
            }
            _ => None,
        };
        async move {
            let Some(asked) = asked else { return first };
            let (reservation, answer) = asked?;
            match answer.await {
                Ok(true) => Ok(reservation.unchecked()),
                Ok(false) => {
                    reservation.failed();
                    first
                }
                Err(_) => {
                    reservation.released();
                    let detail = "the check of challenges cannot be reached";
                    Err(AuthnError::new(AuthnErrorKind::Unavailable, detail))
                }
            }
        }
    }
}

impl Authenticator for GuardedPasswords {
    fn realm(&self) -> &str {
        self.passwords.realm()
    }

    fn challenge(&self) -> Option<Challenge> {
        self.passwords.challenge()
    }

    fn roles(&self) -> Vec<String> {
        Authenticator::roles(&self.passwords)
    }

    fn problems(&self) -> Vec<String> {
        let shut_out = self.basic == Basic::Challenged && self.guard.asks_for_challenges();
        let problem = "passwords: Basic can solve no challenge: take a guard without \
                       `challenge_after`, or say `.basic_unchallenged()`";
        let mut problems = self.passwords.problems();
        problems.extend(shut_out.then(|| problem.to_owned()));
        problems
    }

    fn takes_every(&self) -> Option<String> {
        self.passwords.takes_every()
    }

    fn authenticate(&self, credential: &Credential<'_>, facts: &Facts<'_>, now: Now) -> Step {
        let said = match said(credential) {
            None => return Step::NotMine,
            Some(Ok(said)) => said,
            Some(Err(error)) => return Step::Done(Err(error)),
        };
        // A program that repeats Basic holds no cookie and solves no challenge.
        let name = self.counted(&said.user);
        let entry = Entry { name, client: facts.client_address(), device: None };
        let login = match self.basic {
            Basic::Challenged => entry.login(),
            Basic::Unchallenged => entry.login().solved(),
        };
        match allowed(self.guard.reserve(&login, now.mono)) {
            Ok(reservation) => {
                let claimed = self.passwords.look_up(said);
                Step::Wait(Box::pin(settle(reservation, claimed, None, now)))
            }
            Err(error) => Step::Done(Err(error)),
        }
    }
}

/// Whom an attempt is counted under.
struct Entry<'a> {
    name: String,
    client: Option<IpAddr>,
    device: Option<&'a str>,
}

impl Entry<'_> {
    fn login(&self) -> Login<'_> {
        let login = Login::new(&self.name);
        let login = self.client.map_or(login, |client| login.client(client));
        self.device.map_or(login, |device| login.device(device))
    }
}

/// Checks a password that was charged for. Dropped while the store is asked, it has not been
/// tried; dropped after that, it counts as wrong.
async fn settle(
    reservation: Reservation,
    claimed: impl Future<Output = Result<Claimed, AuthnError>> + Send,
    auth_time: Option<UnixTime>,
    now: Now,
) -> Result<Principal, AuthnError> {
    let claimed = claimed.await?;
    let reservation = reservation.checking();
    let result = claimed.check(auth_time, now).await;
    match &result {
        Ok(_) => reservation.succeeded(),
        Err(error) if error.kind() == AuthnErrorKind::Unavailable => reservation.released(),
        Err(_) => reservation.failed(),
    }
    result
}

/// An attempt whose password is unchecked.
fn allowed(verdict: Verdict) -> Result<Reservation, AuthnError> {
    let refuse =
        |kind, detail, wait: Duration| Err(AuthnError::new(kind, detail).with_retry_after(wait));
    match verdict {
        Verdict::Allow(reservation) => Ok(reservation.unchecked()),
        Verdict::Challenge { retry_after } => {
            let detail = "a challenge is to be solved first";
            refuse(AuthnErrorKind::ChallengeRequired, detail, retry_after)
        }
        Verdict::Deny { retry_after } => {
            let detail = "too many attempts for this account or from this network";
            refuse(AuthnErrorKind::Throttled, detail, retry_after)
        }
    }
}
