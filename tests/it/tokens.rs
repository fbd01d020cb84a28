//! Tokens at a gate: what they lead to, and which of several verifiers has the word.

use std::{sync::Arc, time::Duration};

use portcullis::{
    Admission, Algorithm, AuthnError, AuthnErrorKind, Credential, Facts, Gate, GateBuilder,
    JwtIssuers, JwtVerifier, Key, KeySet, Mono, Now, Refusal, RoleMap, Routes, UnixTime,
    authn::{
        jwt::profile::JwtSvids,
        revocation::{Denylist, Presented, Revocation, Revocations, RevokeError},
    },
    authz::{Document, PolicySet},
    testing::{Issuer, TokenBuilder},
};

use crate::kit::Word;

fn noon() -> Now {
    Now::new(UnixTime::from_secs(1_800_000_000), Mono::from_nanos(1 << 40))
}

/// Who the gate lets in with `token`, or why nobody.
fn who(gate: &Gate, token: TokenBuilder) -> Result<String, Refusal> {
    let token = token.sign(noon().wall);
    let mut facts = Facts::default();
    (facts.method, facts.path, facts.secure) = (Some("GET"), Some("/me"), true);
    let admission = gate.admit(Credential::Bearer(&token), &facts, noon());
    let Admission::Done(result) = admission else { panic!("{admission:?}") };
    result.map(|caller| caller.principal().unwrap().id().to_owned())
}

fn reason(gate: &Gate, token: TokenBuilder) -> (u16, &'static str) {
    let refusal = who(gate, token).unwrap_err();
    (refusal.status(), refusal.reason().as_str())
}

#[test]
fn attack_risk_of_another_type_under_a_rule_that_forbids() {
    let policies = r#"
        [resources.Order]
        actions = ["order:read"]
        [principal]
        attributes = { risk = "long?" }
        [roles]
        clerk = { may = ["order:read"] }
        [[rule]]
        id = "too-risky"
        effect = "forbid"
        actions = ["order:read"]
        when = "principal has risk && principal.risk > 80"
    "#;
    let issuer = Issuer::new("https://id.example");
    let gate = Gate::builder()
        .authenticate(
            issuer
                .verifier("staff")
                .roles(RoleMap::claim("roles").only(["clerk"]))
                .attributes(["risk"]),
        )
        .policies(PolicySet::from_document(Document::from_toml(policies).unwrap()).unwrap())
        .routes(Routes::new().action("GET", "/me", "order:read"))
        .build()
        .unwrap();
    let clerk = || issuer.token("mara").roles(["clerk"]);
    assert_eq!(who(&gate, clerk()).unwrap(), "staff/mara");
    assert_eq!(who(&gate, clerk().claim("risk", 80)).unwrap(), "staff/mara");
    assert_eq!(reason(&gate, clerk().claim("risk", 81)), (403, "forbidden_by_rule"));
    for risk in [serde_json::json!(90.5), u64::MAX.into(), serde_json::json!({"score": 90})] {
        let token = clerk().claim("risk", risk.clone());
        assert_eq!(reason(&gate, token), (401, "invalid"), "{risk}");
    }
}

const A: &str = "https://a.example";
const B: &str = "https://b.example";

/// The public key that belongs to `TokenBuilder::signed_by_stranger` with ES256.
const STRANGER: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2zg3FEgqSmUAbXSP3YlPxBEAkuvp
X77/aUJQ2f+kvwbS8VhjhnN3Q2kj9We01f+xymSiOptyg+RYbtz4mYXYMA==
-----END PUBLIC KEY-----
";

fn two(staff: JwtVerifier, partners: JwtVerifier) -> Gate {
    Gate::builder()
        .authenticate(JwtIssuers::new([staff, partners]))
        .routes(Routes::new().authenticated("GET", "/me"))
        .build()
        .unwrap()
}

/// `staff/alice` and `partners/alice` by the same gate.
#[track_caller]
fn are_two(gate: &Gate, staff: TokenBuilder, partner: TokenBuilder) {
    assert_eq!(who(gate, staff).unwrap(), "staff/alice");
    assert_eq!(who(gate, partner).unwrap(), "partners/alice");
}

#[test]
fn two_issuers_with_keys_of_their_own() {
    let (a, b) = (Issuer::new(A), Issuer::new(B).with_algorithm(Algorithm::EdDsa));
    let gate = two(a.verifier("staff"), b.verifier("partners"));
    are_two(&gate, a.token("alice"), b.token("alice"));
    let strange = b.token("alice").header("kid", "test-es256");
    assert_eq!(reason(&gate, strange), (401, "invalid"), "no key of that `kid` in either");
}

#[test]
fn two_issuers_with_one_kid_for_two_keys() {
    let (a, b) = (Issuer::new(A), Issuer::new(B));
    let theirs = Key::from_pem(Algorithm::Es256, STRANGER).unwrap().with_kid("test-es256").unwrap();
    let partners = JwtVerifier::new("partners", B, "orders", KeySet::from(theirs));
    let gate = two(a.verifier("staff"), partners);
    are_two(&gate, a.token("alice"), b.token("alice").signed_by_stranger());
    assert_eq!(reason(&gate, a.token("alice").signed_by_stranger()), (401, "invalid"));
    assert_eq!(reason(&gate, b.token("alice")), (401, "invalid"), "signed by the other issuer");

    let (a, b) = (Issuer::new(A), Issuer::new(B).with_algorithm(Algorithm::EdDsa));
    let key = Key::from_jwk_assuming(jwk(&b), Algorithm::EdDsa).unwrap();
    let keys = KeySet::from(key.with_kid("test-es256").unwrap());
    let gate = two(a.verifier("staff"), JwtVerifier::new("partners", B, "orders", keys));
    are_two(&gate, a.token("alice"), b.token("alice").header("kid", "test-es256"));
}

/// The one key of an issuer's set.
fn jwk(issuer: &Issuer) -> String {
    let set: serde_json::Value = serde_json::from_str(&issuer.jwks()).unwrap();
    set["keys"][0].to_string()
}

#[test]
fn two_issuers_with_one_set_of_keys() {
    let (a, b) = (Issuer::new(A), Issuer::new(B));
    let gate = two(a.verifier("staff"), b.verifier("partners"));
    are_two(&gate, a.token("alice"), b.token("alice"));
}

#[test]
fn attack_forged_token_between_two_issuers() {
    let (a, b) = (Issuer::new(A), Issuer::new(B).with_algorithm(Algorithm::EdDsa));
    let gate = two(a.verifier("staff"), b.verifier("partners"));
    let check = |token: TokenBuilder, why: &str, text: &str| {
        let refusal = who(&gate, token).unwrap_err();
        assert_eq!((refusal.status(), refusal.reason().as_str()), (401, why), "{text}");
    };
    check(b.token("alice").signed_by_stranger(), "invalid", "refused by the second");
    check(a.token("alice").issued_by(B), "invalid", "the first's key under the second's name");
    check(b.token("alice").issued_by(A), "invalid", "the second's key under the first's name");
    check(b.token("alice").expired(), "expired", "refused by the second");
    check(b.token("alice").for_audience("shipping"), "wrong_audience", "refused by the second");
    check(a.token("alice").expired(), "expired", "refused by the first");
    check(a.token("alice").without_claim("iss"), "wrong_issuer", "the first's all the same");
    let third = "https://c.example";
    check(a.token("alice").issued_by(third), "wrong_issuer", "signed by the first");
    check(b.token("alice").issued_by(third), "wrong_issuer", "signed by the second");
    let stranger = Issuer::new(third).with_algorithm(Algorithm::Rs256);
    check(stranger.token("alice"), "wrong_issuer", "of a third issuer");
}

#[test]
fn attack_second_verifier_that_would_never_be_asked() {
    let (a, b) = (Issuer::new(A), Issuer::new(B));
    let build = |builder: GateBuilder| {
        let built = builder.routes(Routes::new().authenticated("GET", "/me")).build();
        built.map(drop).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let told = |second: &str, first: &str| {
        Err(vec![format!(
            "the authenticator of realm `{second}` would never be asked: that of realm `{first}` takes \
             every JWT; put what takes some of them first, or make them one, as `JwtIssuers` does \
             for issuers"
        )])
    };
    let (staff, partners) = (a.verifier("staff"), b.verifier("partners"));
    let issuers = || JwtIssuers::new([a.verifier("homes"), b.verifier("away")]);
    let gate = Gate::builder;
    let both = gate().authenticate(staff.clone()).authenticate(partners.clone());
    assert_eq!(build(both), told("partners", "staff"));
    assert_eq!(
        build(gate().authenticate(issuers()).authenticate(partners)),
        told("partners", "homes")
    );
    let among_others =
        gate().authenticate(Word).authenticate(staff.clone()).authenticate(issuers());
    assert_eq!(build(among_others), told("homes", "staff"));
    assert_eq!(build(gate().authenticate(Word).authenticate(staff)), Ok(()));
    assert_eq!(build(gate().authenticate(issuers())), Ok(()));
}

#[test]
fn workloads_of_two_trust_domains_before_the_tokens_of_users() {
    let issuer = Issuer::new(A);
    let svids = |realm: &str, domain: &str| JwtSvids::new(realm, domain, "orders", issuer.keys());
    let routes = || Routes::new().authenticated("GET", "/me");
    let gate = Gate::builder()
        .authenticate(svids("prod", "prod.example"))
        .authenticate(svids("test", "test.example"))
        .authenticate(issuer.verifier("staff"))
        .routes(routes())
        .build()
        .unwrap();
    let svid = |id: &str| issuer.token(id).header("typ", "JWT");
    assert_eq!(
        who(&gate, svid("spiffe://prod.example/a")).unwrap(),
        "prod/spiffe://prod.example/a"
    );
    assert_eq!(
        who(&gate, svid("spiffe://test.example/a")).unwrap(),
        "test/spiffe://test.example/a"
    );
    assert_eq!(who(&gate, svid("alice")).unwrap(), "staff/alice");
    for id in ["spiffe://other.example/a", "spiffe://prod.example", "spiffe://prod.example.x/a"] {
        assert_eq!(reason(&gate, svid(id)), (401, "invalid"), "{id}");
    }

    let told = |gate: GateBuilder| gate.routes(routes()).build().unwrap_err().to_string();
    let behind = Gate::builder()
        .authenticate(issuer.verifier("staff"))
        .authenticate(svids("prod", "prod.example"));
    let text = told(behind);
    assert!(
        text.contains("`prod` would never be asked: that of realm `staff` takes every JWT"),
        "{text}"
    );
    let twice = Gate::builder()
        .authenticate(svids("prod", "prod.example"))
        .authenticate(svids("again", "prod.example"));
    let text = told(twice);
    let expected =
        "`again` would never be asked: that of realm `prod` takes every JWT-SVID of `prod.example`";
    assert!(text.contains(expected), "{text}");
}

/// A list of revocations whose copy is too old.
#[derive(Debug)]
struct Lost;

impl Revocations for Lost {
    fn check(&self, _: &Presented<'_>, _: UnixTime) -> Result<(), AuthnError> {
        let lost = AuthnError::new(AuthnErrorKind::Unavailable, "the copy is too old");
        Err(lost.with_retry_after(Duration::from_secs(7)))
    }

    fn revoke(&self, _: &Revocation<'_>, _: UnixTime) -> Result<bool, RevokeError> {
        Err(RevokeError::Unavailable)
    }
}

#[test]
fn what_a_revocation_looks_like_from_outside() {
    let (a, b) = (Issuer::new(A), Issuer::new(B));
    let list = Arc::new(Denylist::new(100));
    let staff = a.verifier("staff").cache(8).revocations(Arc::clone(&list));
    let gate = two(staff, b.verifier("partners").cache(8).revocations(Arc::new(Lost)));
    let alice = || a.token("alice");
    assert_eq!(who(&gate, alice()).unwrap(), "staff/alice");
    let until = noon().wall.saturating_add(Duration::from_secs(300));
    list.revoke(&Revocation::subject(A, "alice", until), noon().wall).unwrap();
    let refused = who(&gate, alice()).unwrap_err();
    assert_eq!((refused.status(), refused.reason().as_str()), (401, "revoked"));
    assert!(!refused.problem().contains("revoked"), "no word of it outside");
    let lost = who(&gate, b.token("alice")).unwrap_err();
    assert_eq!((lost.status(), lost.retry_after_secs()), (503, Some(7)));
}
