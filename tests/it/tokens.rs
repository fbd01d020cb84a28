//! Tokens at a gate: what they lead to, and which of several verifiers has the word.

use portcullis::{
    Admission, Credential, Facts, Gate, Mono, Now, Refusal, RoleMap, Routes, UnixTime,
    authz::{Document, PolicySet},
    testing::{Issuer, TokenBuilder},
};

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
