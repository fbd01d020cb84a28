//! Several issuers at one gate.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use super::{
    EVERY_TOKEN, JwtVerifier,
    compact::{Buffer, Compact},
    unverified::Unverified,
};
use crate::{
    Facts, Now, Principal, UnixTime,
    authn::{AuthnError, AuthnErrorKind, Challenge, Credential, Verifier},
};

/// Verifies the tokens of several issuers, each with the verifier of that issuer: its realm, its
/// keys, its rules, its mapping.
///
/// The verifier is picked by the token's `iss`, byte by byte, and that one checks everything; no
/// other is asked, whatever it says, and no key is tried on the token of another issuer. What
/// picks is not verified yet, and need not be: nothing is accepted because of it.
///
/// A token that one of the verifiers remembers ([`cache`](JwtVerifier::cache)) is not read again:
/// that one has held its `iss` against its own issuer already. With more than eight issuers it is
/// read for its `iss` all the same, since that is cheaper than to ask all of their caches.
///
/// No two issuers may have one name or one realm: a gate is not built with such a set.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use portcullis::{UnixTime, authn::jwt::JwtIssuers, testing::Issuer};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let (ours, theirs) = (Issuer::new("https://id.example"), Issuer::new("https://id.partner.example"));
/// let issuers = JwtIssuers::new([ours.verifier("staff"), theirs.verifier("partners")]);
///
/// assert_eq!(issuers.verify_token(&ours.token("alice").sign(now), now)?.id(), "staff/alice");
/// assert_eq!(issuers.verify_token(&theirs.token("alice").sign(now), now)?.id(), "partners/alice");
///
/// let stranger = Issuer::new("https://id.stranger.example").token("alice").sign(now);
/// let refused = issuers.verify_token(&stranger, now).unwrap_err();
/// assert_eq!(refused.detail(), "`iss` is none of the issuers");
/// # }
/// # Ok::<(), portcullis::AuthnError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a verifier checks nothing until a gate asks it"]
pub struct JwtIssuers {
    by_issuer: HashMap<String, JwtVerifier>,
    /// The realm of the first.
    realm: String,
    max_bytes: usize,
    problems: Vec<String>,
}

/// To ask more caches than this takes longer than to read a token's `iss`.
const MOST_ASKED: usize = 8;

impl JwtIssuers {
    /// The issuers of these verifiers.
    pub fn new(verifiers: impl IntoIterator<Item = JwtVerifier>) -> Self {
        let (mut by_issuer, mut realms) = (HashMap::new(), BTreeSet::new());
        let (mut realm, mut max_bytes, mut problems) = (None, 0, Vec::new());
        for verifier in verifiers {
            let issuer = verifier.rules.issuer.clone();
            let named = |problem| format!("issuer `{issuer}`: {problem}");
            problems.extend(verifier.problems().into_iter().map(named));
            if !realms.insert(verifier.realm().to_owned()) {
                problems.push(named(format!("another has the realm `{}`", verifier.realm())));
            }
            realm.get_or_insert_with(|| verifier.realm().to_owned());
            max_bytes = max_bytes.max(verifier.envelope.max_bytes);
            match by_issuer.entry(issuer.clone()) {
                Entry::Vacant(free) => {
                    free.insert(verifier);
                }
                Entry::Occupied(_) => problems.push(named("named twice".to_owned())),
            }
        }
        if by_issuer.is_empty() {
            problems.push("there is no issuer".to_owned());
        }
        Self { by_issuer, realm: realm.unwrap_or_default(), max_bytes, problems }
    }

    /// Who `token` proves to the verifier of the issuer it names.
    ///
    /// # Errors
    /// That it names none of the issuers; or what that verifier finds.
    pub fn verify_token(&self, token: &str, now: UnixTime) -> Result<Principal, AuthnError> {
        if !self.problems.is_empty() {
            let detail = "the issuers are not set up: see the problems";
            return Err(AuthnError::new(AuthnErrorKind::Unavailable, detail));
        }
        if self.by_issuer.len() <= MOST_ASKED
            && let Some(known) = self.by_issuer.values().find_map(|one| one.recall(token, now))
        {
            return known;
        }
        let mut buffer = Buffer::default();
        let payload = Compact::parse(token, self.max_bytes, &mut buffer)?.payload;
        let refuse = |detail| AuthnError::new(AuthnErrorKind::WrongIssuer, detail);
        let issuer = Unverified::read(payload).iss.ok_or(refuse("the token names no issuer"))?;
        let verifier =
            self.by_issuer.get(&*issuer).ok_or(refuse("`iss` is none of the issuers"))?;
        verifier.verify_token(token, now)
    }

    /// Each name once.
    fn gather(&self, of: impl Fn(&JwtVerifier) -> Vec<String>) -> Vec<String> {
        let all: BTreeSet<_> = self.by_issuer.values().flat_map(of).collect();
        all.into_iter().collect()
    }
}

impl Verifier for JwtIssuers {
    /// The first verifier's, for the challenge; see [`realms`](Verifier::realms) for all.
    fn realm(&self) -> &str {
        &self.realm
    }

    fn realms(&self) -> Vec<String> {
        self.gather(Verifier::realms)
    }

    fn challenge(&self) -> Option<Challenge> {
        Some(Challenge::new("Bearer", self.realm()))
    }

    fn roles(&self) -> Vec<String> {
        self.gather(Verifier::roles)
    }

    fn attributes(&self) -> Vec<String> {
        self.gather(Verifier::attributes)
    }

    fn problems(&self) -> Vec<String> {
        self.problems.clone()
    }

    fn takes_every(&self) -> Option<String> {
        Some(EVERY_TOKEN.to_owned())
    }

    /// Takes every `Bearer` with a dot in it, as a [`JwtVerifier`] does.
    fn verify(
        &self,
        credential: &Credential<'_>,
        _: &Facts<'_>,
        now: Now,
    ) -> Option<Result<Principal, AuthnError>> {
        let Credential::Bearer(token) = credential else { return None };
        token.contains('.').then(|| self.verify_token(token, now.wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{authn::jwt::RoleMap, testing::Issuer};

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn refused(issuers: &JwtIssuers, token: &str) -> &'static str {
        issuers.verify_token(token, NOW).map(|who| who.id().to_owned()).unwrap_err().detail()
    }

    #[test]
    fn sets_that_can_only_be_a_mistake() {
        let (a, b) = (Issuer::new("https://a.example"), Issuer::new("https://b.example"));
        let check = |verifiers: Vec<JwtVerifier>, expected: &str| {
            let issuers = JwtIssuers::new(verifiers);
            let problems = issuers.problems();
            assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
            let token = a.token("alice").sign(NOW);
            let refused = issuers.verify_token(&token, NOW).unwrap_err();
            assert_eq!(refused.kind(), AuthnErrorKind::Unavailable);
        };
        check(vec![], "no issuer");
        check(vec![a.verifier("x"), a.verifier("y")], "`https://a.example`: named twice");
        check(vec![a.verifier("x"), b.verifier("x")], "`https://b.example`: another has the realm");
        check(vec![a.verifier("x"), b.verifier("Y")], "`https://b.example`: a realm is");
        let good = JwtIssuers::new([a.verifier("x"), b.verifier("y")]);
        assert_eq!((good.problems(), good.realm()), (vec![], "x"));
        assert_eq!(good.realms(), ["x", "y"]);
    }

    #[test]
    fn a_gate_is_told_what_all_issuers_may_name() {
        let verifier = |name: &str, roles: &[&str], attribute: &str| {
            let roles = RoleMap::claim("roles").only(roles.iter().copied());
            Issuer::new(format!("https://{name}.example"))
                .verifier(name)
                .roles(roles)
                .attributes([attribute])
        };
        let staff = verifier("staff", &["clerk", "auditor"], "department");
        let issuers = JwtIssuers::new([staff, verifier("partners", &["clerk"], "company")]);
        assert_eq!(Verifier::roles(&issuers), ["auditor", "clerk"]);
        assert_eq!(Verifier::attributes(&issuers), ["company", "department"]);
        assert_eq!(issuers.challenge(), Some(Challenge::new("Bearer", "staff")));
    }

    #[test]
    fn attack_issuer_that_is_nearly_one() {
        let issuers = JwtIssuers::new([Issuer::new("https://a.example").verifier("a")]);
        let token = |iss: serde_json::Value| {
            Issuer::new("https://a.example").token("alice").claim("iss", iss).sign(NOW)
        };
        for iss in ["https://a.example/", "HTTPS://a.example", "", "https://a.exampl"] {
            assert_eq!(refused(&issuers, &token(iss.into())), "`iss` is none of the issuers");
        }
        for iss in [serde_json::json!(["https://a.example"]), 7.into(), serde_json::Value::Null] {
            assert_eq!(refused(&issuers, &token(iss)), "the token names no issuer");
        }
        assert_eq!(refused(&issuers, "a.b"), "a token has three parts between two dots");
    }

    #[test]
    fn attack_key_of_one_issuer_under_the_name_of_another() {
        let (a, b) = (Issuer::new("https://a.example"), Issuer::new("https://b.example"));
        let theirs = b.clone().with_algorithm(crate::Algorithm::EdDsa);
        let issuers = JwtIssuers::new([a.verifier("a"), theirs.verifier("b")]);
        let lent = a.token("alice").issued_by("https://b.example").sign(NOW);
        assert_eq!(refused(&issuers, &lent), "no key has the token's `kid`");
        let renamed = a.token("alice").issued_by("https://b.example").header("kid", "test-eddsa");
        let expected = "the key with the token's `kid` is not for its `alg`";
        assert_eq!(refused(&issuers, &renamed.sign(NOW)), expected);
    }

    #[test]
    fn a_cached_token_is_found_without_being_read_again() {
        let (a, b) = (Issuer::new("https://a.example"), Issuer::new("https://b.example"));
        let caches = [a.verifier("a").cache(8), b.verifier("b").cache(8)];
        let issuers = JwtIssuers::new(caches.clone());
        let stats = |at: usize| caches[at].cache_stats().map(|stats| (stats.hits, stats.misses));
        let token = b.token("bob").sign(NOW);
        let verify = || issuers.verify_token(&token, NOW).map(|who| who.id().to_owned());
        assert_eq!(verify().as_deref(), Ok("b/bob"));
        assert_eq!(verify().as_deref(), Ok("b/bob"));
        assert_eq!(stats(0), Some((0, 0)), "what is another's is no miss");
        assert_eq!(stats(1), Some((1, 1)));
        let verify = || assert!(issuers.verify_token(&token, NOW).is_ok());
        assert_eq!(allocation_counter::measure(verify).count_total, 0);
        let late = issuers.verify_token(&token, UnixTime::from_secs(1_800_000_000));
        assert_eq!(late.unwrap_err().kind(), AuthnErrorKind::Expired);
    }

    #[test]
    fn many_issuers_are_told_apart_by_what_the_token_says() {
        let names: Vec<_> = (0..12).map(|number| format!("https://{number}.example")).collect();
        let of = |number: usize| Issuer::new(names[number].as_str());
        let issuers = JwtIssuers::new(
            (0..12).map(|number| of(number).verifier(&format!("r{number}")).cache(8)),
        );
        for number in [0, 7, 11, 7] {
            let token = of(number).token("alice").sign(NOW);
            for _ in 0..2 {
                let who = issuers.verify_token(&token, NOW).unwrap();
                assert_eq!(who.id(), format!("r{number}/alice"));
            }
        }
        let stats = issuers.by_issuer[&names[7]].cache_stats().unwrap();
        assert_eq!((stats.hits, stats.misses), (2, 2));
    }

    #[test]
    fn attack_token_cached_for_an_issuer_of_the_same_name_elsewhere() {
        let (a, b) = (Issuer::new("https://a.example"), Issuer::new("https://b.example"));
        let elsewhere = a.verifier("elsewhere").also_for("billing").cache(8);
        let token = a.token("alice").for_audience("billing").sign(NOW);
        assert!(elsewhere.verify_token(&token, NOW).is_ok());
        let issuers = JwtIssuers::new([a.verifier("a").cache(8), b.verifier("b").cache(8)]);
        assert_eq!(refused(&issuers, &token), "`aud` names another audience");
    }

    #[test]
    fn the_longest_token_of_one_issuer_is_not_that_of_another() {
        let (a, b) = (Issuer::new("https://a.example"), Issuer::new("https://b.example"));
        let issuers = JwtIssuers::new([a.verifier("a"), b.verifier("b").max_bytes(64 * 1024)]);
        let long = |of: &Issuer| of.token("alice").claim("pad", "x".repeat(9000)).sign(NOW);
        assert_eq!(refused(&issuers, &long(&a)), "the token is too long");
        assert!(issuers.verify_token(&long(&b), NOW).is_ok());
    }
}
