//! The gate without HTTP: a job queue that asks who sent a job, what they may do, and how often.
//!
//! `cargo run --example direct --features testing`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use portcullis::{
    Admission, Caller, Credential, Document, Facts, Gate, PolicySet, Quota, Reason, Refusal,
    RoleMap, Routes, clock, entity, testing::Issuer,
};

const POLICY: &str = r#"
    [resources.Job]
    attributes = { queue = "string" }
    actions = ["job:submit"]

    [[rule]]
    id = "operators-submit-to-nightly"
    effect = "permit"
    actions = ["job:submit"]
    roles = ["operator"]
    when = 'resource.queue == "nightly"'

    [roles]
    operator = {}
"#;

struct Job {
    id: String,
    queue: String,
}

entity! {
    Job as "Job" by id { queue: string }
}

fn main() -> Result<(), Box<dyn Error>> {
    let issuer = Issuer::new("https://id.example");
    let policies = PolicySet::from_document(Document::from_toml(POLICY)?)?;
    policies.check::<Job>()?;
    let gate = Gate::builder()
        .authenticate(issuer.verifier("batch").roles(RoleMap::claim("roles").only(["operator"])))
        .policies(policies)
        .routes(Routes::new().action("SUBMIT", "/jobs", "job:submit"))
        .limit_principals(Quota::per_minute(3))
        .build()?;

    let now = clock::now();
    let operator = issuer.token("olga").roles(["operator"]).sign(now.wall);
    let guest = issuer.token("gus").sign(now.wall);
    for (token, queue) in [
        (&operator, "nightly"),
        (&operator, "urgent"),
        (&guest, "nightly"),
        (&operator, "nightly"),
        (&operator, "nightly"),
    ] {
        let job = Job { id: "1".into(), queue: queue.into() };
        match submit(&gate, token, &job) {
            Ok(who) => println!("{queue}: accepted from {who}"),
            Err(refusal) => println!("{queue}: refused, {refusal}"),
        }
    }
    Ok(())
}

/// Lets the gate decide about one job, start to end.
fn submit(gate: &Gate, token: &str, job: &Job) -> Result<String, Refusal> {
    let mut facts = Facts::default();
    facts.method = Some("SUBMIT");
    facts.path = Some("/jobs");
    facts.secure = true; // it came over a socket of this machine
    let caller: Caller = match gate.admit(Credential::Bearer(token), &facts, clock::now()) {
        Admission::Done(result) => result?,
        // Tokens are verified in memory; a password or a session would wait here.
        Admission::Wait(_) => return Err(Reason::CredentialUnsupported.into()),
    };
    caller.may("job:submit", job)?;
    caller.finish()?;
    Ok(caller.principal().map(|principal| principal.id().to_owned()).unwrap_or_default())
}
