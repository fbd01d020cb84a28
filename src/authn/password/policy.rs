//! Which passwords may be chosen, after NIST SP 800-63B-4 section 3.1.1.2.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use super::MAX_PASSWORD;
use crate::{Secret, authn::Answer, crypto::sha1_hex};

/// Which passwords may be chosen: long enough, not known to be common, and not made of what is
/// known about the user or the service.
///
/// Length counts code points: 15 where the password is all there is, 8 where a second factor is
/// asked for; up to 1,024 bytes are taken, so 64 characters always fit. There are no rules on
/// what characters a password is made of, and no password is ever too old: both make people
/// choose worse ones. Passwords count as the bytes they came in; nothing is normalised.
///
/// The built-in list is short. Hand over a longer one with [`block`](Self::block), or ask a
/// service by [`check_breaches`](Self::check_breaches).
///
/// ```
/// use portcullis::{Secret, authn::password::{PasswordPolicy, PasswordProblem}};
///
/// let policy = PasswordPolicy::single_factor().context(["portcullis"]);
/// let check = |text: &str| policy.check(&Secret::new(text.as_bytes()), &["alice@example.com"]);
///
/// assert_eq!(check("the gate is heavy today"), Ok(()));
/// assert_eq!(check("0pen Sesame!"), Err(PasswordProblem::TooShort { least: 15 }));
/// assert_eq!(check("i am Alice, let me in"), Err(PasswordProblem::Context));
/// assert_eq!(check("passwordpassword"), Err(PasswordProblem::Common));
/// ```
#[derive(Clone)]
pub struct PasswordPolicy {
    least: usize,
    blocked: BTreeSet<Cow<'static, str>>,
    context: Vec<String>,
}

/// Why a password may not be chosen; the text can be shown to the one who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordProblem {
    /// It has fewer code points.
    #[error("a password has at least {least} characters")]
    TooShort {
        /// How many there must be.
        least: usize,
    },
    /// It is longer than what is looked at.
    #[error("a password has at most 1,024 bytes")]
    TooLong,
    /// It is not UTF-8, or holds control characters, which HTTP Basic cannot carry.
    #[error("a password is text without control characters")]
    NotText,
    /// It is among the first that are guessed.
    #[error("this password is among the first that are guessed")]
    Common,
    /// It holds a name of the user or the service.
    #[error("a password does not hold the name of its user or of the service")]
    Context,
    /// It is on a list of passwords that became known.
    #[error("this password became known in a breach elsewhere")]
    Breached,
    /// The list of breaches could not be asked. Take the password or not, as you choose, and
    /// record it.
    #[error("whether this password is known from a breach could not be checked")]
    BreachesUnknown,
}

/// A list of breached passwords that is asked without telling it the password.
pub trait BreachCheck: fmt::Debug + Send + Sync + 'static {
    /// Of all listed passwords whose SHA-1 begins with `prefix` (five upper-case hexadecimal
    /// digits): the other 35 digits, a colon and a count, one a line. The range interface of
    /// *Have I Been Pwned* answers so. Bound the wait.
    fn range(&self, prefix: &str) -> Answer<String>;
}

/// Words of what is known about a user that are shorter than this stand in too many passwords.
const SHORTEST_WORD: usize = 4;

impl PasswordPolicy {
    /// For passwords that alone let somebody in: at least 15 characters.
    #[must_use]
    pub fn single_factor() -> Self {
        Self::of(15)
    }

    /// For passwords that are never enough without a second factor: at least 8 characters.
    #[must_use]
    pub fn with_second_factor() -> Self {
        Self::of(8)
    }

    /// With a greater least length, in code points. A smaller one changes nothing.
    #[must_use]
    pub fn at_least(mut self, characters: usize) -> Self {
        self.least = self.least.max(characters);
        self
    }

    /// With more passwords that may not be chosen, in whatever case.
    #[must_use]
    pub fn block(mut self, passwords: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let folded = passwords.into_iter().map(|one| Cow::Owned(one.as_ref().to_lowercase()));
        self.blocked.extend(folded);
        self
    }

    /// With words that no password of this service may hold, such as its name.
    #[must_use]
    pub fn context(mut self, words: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.context.extend(words.into_iter().map(|word| word.as_ref().to_lowercase()));
        self
    }

    /// Whether `password` may be chosen by somebody of whom `about` is known: user name, e-mail
    /// address, and the like.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn check(&self, password: &Secret, about: &[&str]) -> Result<(), PasswordProblem> {
        if password.expose().len() > MAX_PASSWORD {
            return Err(PasswordProblem::TooLong);
        }
        let text = std::str::from_utf8(password.expose()).map_err(|_| PasswordProblem::NotText)?;
        if text.contains(char::is_control) {
            return Err(PasswordProblem::NotText);
        }
        if text.chars().count() < self.least {
            return Err(PasswordProblem::TooShort { least: self.least });
        }
        let folded = zeroize::Zeroizing::new(text.to_lowercase());
        if self.is_common(&folded) {
            return Err(PasswordProblem::Common);
        }
        let known =
            about.iter().map(|text| text.to_lowercase()).chain(self.context.iter().cloned());
        let holds = |text: String| {
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            words.any(|word| word.chars().count() >= SHORTEST_WORD && folded.contains(word))
        };
        if known.into_iter().any(holds) {
            return Err(PasswordProblem::Context);
        }
        Ok(())
    }

    /// Whether `password` is on a list of breaches. Five hexadecimal digits of its SHA-1 are all
    /// that the list is told.
    ///
    /// # Errors
    /// When it is, or the list cannot be asked.
    pub fn check_breaches(
        password: &Secret,
        list: &dyn BreachCheck,
    ) -> impl Future<Output = Result<(), PasswordProblem>> + Send + use<> {
        let hash = zeroize::Zeroizing::new(sha1_hex(password.expose()));
        let asked = hash.get(..5).map(|prefix| list.range(prefix));
        async move {
            let asked = asked.ok_or(PasswordProblem::BreachesUnknown)?;
            let range = asked.await.map_err(|_| PasswordProblem::BreachesUnknown)?;
            let rest = hash.get(5..).unwrap_or_default();
            let mut listed = range.lines().filter_map(|line| line.trim().split_once(':'));
            // Lists hide how many there are behind lines with a count of 0.
            let found = listed.any(|(other, count)| {
                other.eq_ignore_ascii_case(rest) && !count.trim().trim_start_matches('0').is_empty()
            });
            if found { Err(PasswordProblem::Breached) } else { Ok(()) }
        }
    }

    fn of(least: usize) -> Self {
        let blocked = include_str!("policy/common.txt").lines().map(Cow::Borrowed).collect();
        Self { least, blocked, context: Vec::new() }
    }

    /// Listed, counted up or down, or one such thing again and again.
    fn is_common(&self, folded: &str) -> bool {
        let unit = repeated(folded);
        let is = |text: &str| self.blocked.contains(text) || is_run(text);
        is(folded) || is(unit) || unit.chars().count() <= SHORTEST_WORD
    }
}

/// The shortest beginning that makes up all of `text` when repeated; the last time may be cut.
fn repeated(text: &str) -> &str {
    let ends = text.char_indices().map(|(at, _)| at).skip(1);
    let makes_up = |at: &usize| {
        let rest = text.get(*at..).unwrap_or_default();
        text.starts_with(rest) && at.saturating_mul(2) <= text.len()
    };
    ends.take(MAX_PASSWORD).find(makes_up).and_then(|at| text.get(..at)).unwrap_or(text)
}

/// `aaaa`, `abcd`, `4321`, `7890`.
fn is_run(text: &str) -> bool {
    let steps = text.chars().zip(text.chars().skip(1)).map(|(one, next)| match (one, next) {
        ('9', '0') => 1,
        ('0', '9') => -1,
        _ => i64::from(u32::from(next)) - i64::from(u32::from(one)),
    });
    let mut steps = steps.peekable();
    let first = steps.peek().copied().unwrap_or_default();
    (-1..=1).contains(&first) && steps.all(|step| step == first)
}

impl fmt::Debug for PasswordPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordPolicy")
            .field("least", &self.least)
            .field("blocked", &self.blocked.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
