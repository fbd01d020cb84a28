//! Which factor, and how fresh: routes that take more than a log-in of this morning.

use std::{fmt, time::Duration};

use crate::{Challenge, Principal, UnixTime};

/// How the caller of a route must have authenticated (RFC 9470); for
/// [`Routes::step_up`](super::Routes::step_up). All that it names must hold.
///
/// ```
/// use std::time::Duration;
/// use portcullis::{Principal, StepUp, UnixTime};
///
/// let step_up = StepUp::within(Duration::from_secs(300)).method("otp");
/// let at = UnixTime::from_secs;
/// let alice = Principal::assertion("staff", "alice").amr(["pwd", "otp"]).auth_time(at(1_000));
/// let alice = alice.finish()?;
/// assert!(step_up.is_met(&alice, at(1_300)));
/// assert!(!step_up.is_met(&alice, at(1_301)));
///
/// let bob = Principal::assertion("staff", "bob").amr(["pwd", "otp"]).finish()?;
/// assert!(!step_up.is_met(&bob, at(1_000)), "nobody knows when he authenticated");
/// # Ok::<(), portcullis::PrincipalError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct StepUp {
    methods: Vec<String>,
    classes: Vec<String>,
    max_age: Option<Duration>,
}

impl StepUp {
    /// Authenticated at most so long ago, by whichever method; to whole seconds. Without a time
    /// of authentication this is never met.
    pub fn within(max_age: Duration) -> Self {
        Self { max_age: Some(Duration::from_secs(max_age.as_secs())), ..Self::default() }
    }

    /// Authenticated in one of these classes (`acr`), the preferred one first.
    pub fn classes<'a>(classes: impl IntoIterator<Item = &'a str>) -> Self {
        Self { classes: classes.into_iter().map(str::to_owned).collect(), ..Self::default() }
    }

    /// Authenticated by this method (`amr`, RFC 8176) too, such as `otp` or `hwk`.
    pub fn method(mut self, method: &str) -> Self {
        self.methods.push(method.to_owned());
        self
    }

    /// Authenticated at most so long ago, too.
    pub fn and_within(self, max_age: Duration) -> Self {
        Self { max_age: Self::within(max_age).max_age, ..self }
    }

    /// Whether `principal` authenticated so.
    #[must_use]
    pub fn is_met(&self, principal: &Principal, now: UnixTime) -> bool {
        let method = |wanted: &String| principal.amr().any(|method| method == wanted);
        self.methods.iter().all(method)
            && self.has_class(principal)
            && self.is_fresh(principal, now)
    }

    fn has_class(&self, principal: &Principal) -> bool {
        let held = |class: &str| self.classes.iter().any(|wanted| wanted == class);
        self.classes.is_empty() || principal.acr().is_some_and(held)
    }

    fn is_fresh(&self, principal: &Principal, now: UnixTime) -> bool {
        let Some(max_age) = self.max_age else { return true };
        principal.auth_time().is_some_and(|at| {
            // A time yet to come would stay fresh for as long as it takes to come.
            at <= now.saturating_add(AHEAD) && now <= at.saturating_add(max_age)
        })
    }

    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let mut names = self.methods.iter().chain(&self.classes);
        let bad = |name: &String| name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic());
        if *self == Self::default() {
            return Some("a step-up that asks for nothing");
        }
        names.any(bad).then_some("a step-up's methods and classes are visible ASCII without spaces")
    }

    /// Names what is missing (RFC 9470 section 3): all that is asked for, since a new log-in has
    /// to bring it all. `amr_values` is this crate's own; the RFC has no word for methods.
    pub(super) fn challenge(&self, challenge: Challenge) -> Challenge {
        let mut challenge = challenge.with("error", "insufficient_user_authentication");
        if !self.classes.is_empty() {
            challenge = challenge.with("acr_values", &self.classes.join(" "));
        }
        if !self.methods.is_empty() {
            challenge = challenge.with("amr_values", &self.methods.join(" "));
        }
        match self.max_age {
            Some(max_age) => challenge.with("max_age", &max_age.as_secs().to_string()),
            None => challenge,
        }
    }
}

/// As the route table prints it.
impl fmt::Display for StepUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("step-up")?;
        for method in &self.methods {
            write!(f, " {method}")?;
        }
        if !self.classes.is_empty() {
            write!(f, " acr {}", self.classes.join("|"))?;
        }
        match self.max_age {
            Some(max_age) => write!(f, " within {} s", max_age.as_secs()),
            None => Ok(()),
        }
    }
}

/// How far the clock of whoever authenticated the caller may be ahead.
const AHEAD: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(amr: &[&str], acr: Option<&str>, auth_time: Option<u64>) -> Principal {
        let mut who = Principal::assertion("staff", "alice").amr(amr.iter().copied());
        if let Some(acr) = acr {
            who = who.acr(acr);
        }
        if let Some(secs) = auth_time {
            who = who.auth_time(UnixTime::from_secs(secs));
        }
        who.finish().unwrap()
    }

    #[test]
    fn all_that_is_named_must_hold() {
        let fresh = StepUp::within(Duration::from_millis(300_900));
        let strong = StepUp::classes(["gold", "silver"]);
        let both = strong.clone().method("otp").method("pwd").and_within(Duration::from_secs(300));
        let check = |step_up: &StepUp, who: &Principal, expected: bool| {
            assert_eq!(
                step_up.is_met(who, UnixTime::from_secs(1_000)),
                expected,
                "{step_up} {who:?}"
            );
        };
        check(&fresh, &principal(&[], None, None), false);
        check(&fresh, &principal(&[], None, Some(699)), false);
        check(&fresh, &principal(&[], None, Some(700)), true);
        check(&fresh, &principal(&[], None, Some(1_060)), true);
        check(&fresh, &principal(&[], None, Some(1_061)), false);
        check(&strong, &principal(&[], None, None), false);
        check(&strong, &principal(&[], Some("gol"), None), false);
        check(&strong, &principal(&[], Some("silver"), None), true);
        check(&both, &principal(&["pwd", "otp"], Some("gold"), Some(1_000)), true);
        check(&both, &principal(&["pwd"], Some("gold"), Some(1_000)), false);
        check(&both, &principal(&["otp", "pwd"], None, Some(1_000)), false);
        check(&both, &principal(&["otp", "pwd"], Some("gold"), None), false);
    }

    #[test]
    fn rfc_9470_section_3() {
        let step_up = StepUp::classes(["gold", "silver"]).and_within(Duration::from_secs(5));
        let challenge = step_up.method("otp").challenge(Challenge::new("Bearer", "staff"));
        assert_eq!(
            challenge.to_string(),
            "Bearer realm=\"staff\", error=\"insufficient_user_authentication\", \
             acr_values=\"gold silver\", amr_values=\"otp\", max_age=\"5\""
        );
    }

    #[test]
    fn what_cannot_stand() {
        assert!(StepUp::default().problem().is_some());
        assert!(StepUp::classes([]).problem().is_some());
        assert!(StepUp::default().method("a b").problem().is_some());
        assert!(StepUp::classes(["", "gold"]).problem().is_some());
        assert!(StepUp::within(Duration::ZERO).problem().is_none());
    }
}
