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
/// let alice = |pwd, otp| Principal::assertion("staff", "alice").factors([("pwd", pwd), ("otp", otp)]);
/// let old_password = alice(at(0), at(1_000)).finish()?;
/// assert!(step_up.is_met(&old_password, at(1_300)));
/// assert!(!step_up.is_met(&old_password, at(1_301)));
/// let old_code = alice(at(1_000), at(0)).finish()?;
/// assert!(!step_up.is_met(&old_code, at(1_300)), "a fresh password makes no code fresh");
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

/// A step-up that a caller has not met, and the methods that they lack or proved too long ago.
#[derive(Debug)]
pub(super) struct Unmet<'a> {
    step_up: &'a StepUp,
    methods: Vec<&'a str>,
}

impl StepUp {
    /// Authenticated at most so long ago, to whole seconds: by each [`method`](Self::method) and
    /// in the class asked for, or else by whichever method. Without a time this is never met.
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
        self.unmet(Some(principal), now).is_none()
    }

    /// What `caller` has not met; all of it is unmet by nobody.
    pub(super) fn unmet(&self, caller: Option<&Principal>, now: UnixTime) -> Option<Unmet<'_>> {
        let lacks = |method: &&str| !caller.is_some_and(|who| self.has_method(method, who, now));
        let methods: Vec<_> = self.methods.iter().map(String::as_str).filter(lacks).collect();
        // What is named counts by its own time.
        let unnamed = self.methods.is_empty() && self.classes.is_empty();
        let otherwise = caller.is_some_and(|who| {
            self.has_class(who, now) && (!unnamed || self.is_fresh(who.auth_time(), now))
        });
        (!methods.is_empty() || !otherwise).then_some(Unmet { step_up: self, methods })
    }

    fn has_method(&self, wanted: &str, principal: &Principal, now: UnixTime) -> bool {
        principal.factors().any(|(method, at)| method == wanted && self.is_fresh(at, now))
    }

    fn has_class(&self, principal: &Principal, now: UnixTime) -> bool {
        let held = |class: &str| self.classes.iter().any(|wanted| wanted == class);
        let reached = || principal.acr().is_some_and(held);
        self.classes.is_empty() || (reached() && self.is_fresh(principal.acr_time(), now))
    }

    fn is_fresh(&self, at: Option<UnixTime>, now: UnixTime) -> bool {
        let Some(max_age) = self.max_age else { return true };
        at.is_some_and(|at| {
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
}

impl Unmet<'_> {
    /// Names how to authenticate (RFC 9470 section 3): classes and age as they are asked for, and
    /// the methods that are missing. `amr_values` is this crate's own; the RFC has no word for
    /// methods.
    pub(super) fn challenge(&self, challenge: Challenge) -> Challenge {
        let (classes, methods) = (&self.step_up.classes, &self.methods);
        let mut challenge = challenge.with("error", "insufficient_user_authentication");
        if !classes.is_empty() {
            challenge = challenge.with("acr_values", &classes.join(" "));
        }
        if !methods.is_empty() {
            challenge = challenge.with("amr_values", &methods.join(" "));
        }
        match self.step_up.max_age {
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
        let step_up = step_up.method("otp");
        let unmet = step_up.unmet(None, SOME_TIME).unwrap();
        let challenge = unmet.challenge(Challenge::new("Bearer", "staff"));
        assert_eq!(
            challenge.to_string(),
            "Bearer realm=\"staff\", error=\"insufficient_user_authentication\", \
             acr_values=\"gold silver\", amr_values=\"otp\", max_age=\"5\""
        );
    }

    const SOME_TIME: UnixTime = UnixTime::from_secs(1_000);

    #[test]
    fn attack_an_old_code_and_a_fresh_password() {
        let at = UnixTime::from_secs;
        let who = |pwd, otp| {
            let factors = [("pwd", at(pwd)), ("otp", at(otp))];
            Principal::assertion("staff", "alice").factors(factors).finish().unwrap()
        };
        let met = |step_up: &StepUp, pwd, otp| step_up.is_met(&who(pwd, otp), SOME_TIME);
        let fresh = StepUp::within(Duration::from_secs(300));
        let otp = fresh.clone().method("otp");
        assert!(!met(&otp, 1_000, 699) && met(&otp, 0, 700));
        assert!(met(&fresh, 1_000, 0) && met(&fresh, 0, 1_000), "by whichever");
        let both = otp.method("pwd");
        assert!(!met(&both, 1_000, 699) && !met(&both, 699, 1_000) && met(&both, 700, 700));
        assert!(!met(&both, 1_061, 1_000), "a time yet to come");
    }

    #[test]
    fn attack_the_class_of_this_morning_and_a_fresh_password() {
        let at = UnixTime::from_secs;
        let fresh = StepUp::classes(["gold"]).and_within(Duration::from_secs(300));
        let check = |reached: Option<u64>, expected| {
            let mut who = Principal::assertion("staff", "alice").acr("gold");
            who = who.factors([("pwd", at(1_000))]);
            if let Some(secs) = reached {
                who = who.acr_time(at(secs));
            }
            assert_eq!(fresh.is_met(&who.finish().unwrap(), SOME_TIME), expected, "{reached:?}");
        };
        check(None, false);
        check(Some(699), false);
        check(Some(700), true);
    }

    #[test]
    fn a_challenge_names_the_methods_that_are_missing_or_too_old() {
        let at = UnixTime::from_secs;
        let step_up = StepUp::within(Duration::from_secs(300)).method("pwd").method("otp");
        let check = |factors: &[(&str, UnixTime)], expected: &str| {
            let who = Principal::assertion("staff", "alice").factors(factors.iter().copied());
            let who = who.finish().unwrap();
            let unmet = step_up.unmet(Some(&who), SOME_TIME).unwrap();
            let told = unmet.challenge(Challenge::new("Cookie", "staff"));
            let expected =
                format!("user_authentication\", amr_values=\"{expected}\", max_age=\"300\"");
            assert!(told.to_string().ends_with(&expected), "{told}");
        };
        check(&[], "pwd otp");
        check(&[("face", at(1_000))], "pwd otp");
        check(&[("pwd", at(1_000))], "otp");
        check(&[("pwd", at(1_000)), ("otp", at(699))], "otp");
        check(&[("pwd", at(699)), ("otp", at(1_000))], "pwd");
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
