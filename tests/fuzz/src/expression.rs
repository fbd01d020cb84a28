//! Conditions of rules. What they mean is held against what they mean in other places and in
//! other words: in a permit, an `unless`, a forbid; twice denied, doubled, and printed.

use std::sync::LazyLock;

use portcullis::{
    Facts, Principal, UnixTime,
    authz::{
        AccessRequest, Context, Decision, Document, EvalError, Policy, PolicyErrors, PolicySet,
        Value, Why,
    },
};

use super::plain;

const DOCUMENT: &str = r#"
[resources.Doc]
attributes = { owner = "User", title = "string", size = "long", made = "datetime", from = "ip", shared = "bool?", tags = "strings?", folder = "Folder", note = "string?" }
actions = ["doc:1", "doc:2", "doc:3", "doc:4"]
[resources.Folder]
attributes = { name = "string", open = "bool" }
[principal]
attributes = { department = "string?", level = "long?" }
[context]
tenant = "string?"
[roles]
clerk = {}
manager = { inherits = ["clerk"] }
"#;

struct Doc {
    id: String,
    owner: String,
    title: String,
    size: i64,
    made: UnixTime,
    from: std::net::IpAddr,
    shared: Option<bool>,
    tags: Option<Vec<String>>,
    folder: Folder,
    note: Option<String>,
}

struct Folder {
    id: String,
    name: String,
    open: bool,
}

portcullis::entity! {
    Doc as "Doc" by id {
        owner: "User", title: string, size: long, made: datetime, from: ip, shared: bool?,
        tags: strings?, folder: Folder, note: string?,
    }
}

portcullis::entity! { Folder as "Folder" by id { name: string, open: bool } }

/// One request, all of it as it is declared.
struct Scene {
    principal: Principal,
    doc: Doc,
    /// Whether all that may be absent is there.
    full: bool,
}

/// What a condition is in one scene.
type Answer = Result<bool, EvalError>;

/// The target.
pub fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let meanings = |text: &str| {
        load([
            Policy::permit("when").actions(["doc:1"]).when(text),
            Policy::permit("unless").actions(["doc:2"]).unless(text),
            Policy::forbid("forbid").actions(["doc:3"]).when(text),
            Policy::permit("all").actions(["doc:3"]),
        ])
    };
    let policies = match meanings(text) {
        Ok(policies) => policies,
        Err(errors) => {
            assert_eq!(meanings(text).err().as_ref(), Some(&errors));
            told_well(&errors, text);
            return false;
        }
    };
    let answers: Vec<Answer> = SCENES.iter().map(|scene| answer(&policies, scene)).collect();
    assert_eq!(answers, SCENES.iter().map(|scene| answer(&policies, scene)).collect::<Vec<_>>());

    let printed = printed(text);
    let again = [
        Policy::permit("denied").actions(["doc:1"]).when(&format!("!(!({text}\n))")),
        Policy::permit("both").actions(["doc:2"]).when(&format!("({text}\n) && ({text}\n)")),
        Policy::permit("either").actions(["doc:3"]).when(&format!("false || ({text}\n)")),
        Policy::permit("printed").actions(["doc:4"]).when(printed.as_deref().unwrap_or(text)),
    ];
    for (number, policy) in (1..).zip(again) {
        // Only what is larger than the condition itself may be too large.
        let Some(policies) = load_within_bounds(policy) else { continue };
        for (scene, expected) in SCENES.iter().zip(&answers) {
            let found = permitted(decide(&policies, scene, number));
            assert_eq!(found, expected.map_err(drop), "doc:{number}, printed as {printed:?}");
        }
    }
    true
}

fn load(rules: impl IntoIterator<Item = Policy>) -> Result<PolicySet, PolicyErrors> {
    PolicySet::from_document(rules.into_iter().fold(DECLARED.clone(), Document::rule))
}

fn load_within_bounds(policy: Policy) -> Option<PolicySet> {
    let errors = match load([policy]) {
        Ok(policies) => return Some(policies),
        Err(errors) => errors.to_string(),
    };
    let large = ["more than", "at most"].iter().any(|words| errors.contains(words));
    assert!(large, "other words for a good condition: {errors}");
    None
}

/// Every error is about one of the rules, in a column of the text.
fn told_well(errors: &PolicyErrors, text: &str) {
    for error in errors.iter() {
        assert!(error.line().is_none() && error.path().starts_with("rule["), "{error}");
        let most = text.chars().count() + 1;
        assert!(error.column().is_none_or(|column| (1..=most).contains(&column)), "{error}");
    }
}

/// The condition as messages print it.
fn printed(text: &str) -> Option<String> {
    let never = Policy::permit("never").actions(["doc:1"]).when(&format!("({text}\n) == 1"));
    let error = load([never]).expect_err("true is no number").to_string();
    let (_, printed) = error.split_once(": `")?;
    printed.split_once("` is bool and `1` is long").map(|(printed, _)| printed.to_owned())
}

/// What the condition is, as three rules say it.
fn answer(policies: &PolicySet, scene: &Scene) -> Answer {
    let [when, unless, forbid] = [1, 2, 3].map(|number| decide(policies, scene, number));
    let answer = match forbid {
        Decision::Allow { .. } => Ok(false),
        Decision::Deny(Why::Forbidden(_)) => Ok(true),
        Decision::Deny(Why::ErrorInForbid(_, error)) => Err(error),
        Decision::Deny(why) => panic!("{why:?}"),
    };
    assert_eq!(permitted(when), answer.map_err(drop));
    assert_eq!(permitted(unless), answer.map(|answer| !answer).map_err(drop));
    // What loads reads nothing that may be absent, and nothing of another type.
    assert!(!matches!(answer, Err(EvalError::Missing | EvalError::WrongType)), "{answer:?}");
    answer
}

/// What the condition of a set's only permit is.
fn permitted(decision: Decision) -> Result<bool, ()> {
    match decision {
        Decision::Allow { .. } => Ok(true),
        Decision::Deny(Why::NoRule { permit_errors: 0 }) => Ok(false),
        Decision::Deny(Why::NoRule { permit_errors: 1 }) => Err(()),
        Decision::Deny(why) => panic!("{why:?}"),
    }
}

fn decide(policies: &PolicySet, scene: &Scene, number: u8) -> Decision {
    let mut facts = Facts::default();
    facts.secure = scene.full;
    facts.client = scene.full.then(|| "::ffff:10.0.0.7".parse().expect("an address"));
    let members = [("tenant", if scene.full { Value::from("acme") } else { Value::Missing })];
    let context = Context::new(UnixTime::from_secs(plain::NOW)).facts(&facts);
    let request = AccessRequest {
        subject: &policies.subject(&scene.principal),
        principal: &scene.principal,
        action: policies.action(&format!("doc:{number}")).expect("a declared action"),
        resource: &scene.doc,
        context: &context.principal(&scene.principal).members(&members),
    };
    let decision = policies.decide(&request);
    assert_eq!(policies.explain(&request).decision(), decision);
    decision
}

static DECLARED: LazyLock<Document> = LazyLock::new(|| {
    let document = Document::from_toml(DOCUMENT).expect("TOML");
    PolicySet::from_document(document.clone()).expect("good declarations");
    document
});

static SCENES: LazyLock<[Scene; 2]> = LazyLock::new(|| {
    let bare = Principal::assertion("staff", "alice");
    let full = Principal::assertion("staff", "bob").roles(["manager"]).attributes([
        ("department", portcullis::Attribute::Str("it")),
        ("level", portcullis::Attribute::Long(7)),
    ]);
    let full = full.amr(["pwd"]).auth_time(UnixTime::from_secs(plain::NOW - 60));
    [scene(bare, false), scene(full, true)]
});

fn scene(principal: portcullis::Assertion, full: bool) -> Scene {
    let doc = Doc {
        id: "7".to_owned(),
        owner: "staff/alice".to_owned(),
        title: "a".to_owned(),
        size: if full { i64::MAX } else { 0 },
        made: UnixTime::from_secs(plain::NOW - 1),
        from: "10.0.0.7".parse().expect("an address"),
        shared: full.then_some(true),
        tags: full.then(|| vec!["a".to_owned(), "b".to_owned()]),
        folder: Folder { id: "f".to_owned(), name: "it".to_owned(), open: full },
        note: full.then(|| "x".to_owned()),
    };
    Scene { principal: principal.finish().expect("a name"), doc, full }
}
