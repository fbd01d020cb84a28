//! Cedar's own integration tests: every case under `tests/` and `corpus-tests/` of the directory
//! that `PORTCULLIS_CEDAR_CORPUS` names. Each disagreement is printed.
//!
//! Each case is a JSON file that names a file of policies and one of entities, and lists requests
//! with the decision, the policies that determined it and those that could not be evaluated.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use portcullis::{
    UnixTime,
    authz::{AccessRequest, CedarPolicies, Context, Entities, PolicySet, RuleId},
};
use serde_json::Value;

#[path = "cedar_corpus/schema.rs"]
mod schema;

use crate::schema::Schema;

type Failure = Box<dyn std::error::Error>;

#[test]
#[ignore = "needs Cedar's integration tests in the directory PORTCULLIS_CEDAR_CORPUS"]
fn decides_as_cedar_does() {
    let corpus = std::env::var("PORTCULLIS_CEDAR_CORPUS").unwrap_or_default();
    assert!(!corpus.is_empty(), "PORTCULLIS_CEDAR_CORPUS names no directory");
    let root = PathBuf::from(corpus);
    let mut cases = Vec::new();
    for folder in ["tests", "corpus-tests"] {
        find(&root.join(folder), &mut cases).unwrap();
    }
    cases.sort();
    let (mut agreed, mut asked) = (0, 0);
    for case in &cases {
        let text = fs::read_to_string(case).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let Some(requests) = field(&json, "requests").as_array() else { continue };
        asked += requests.len();
        match Case::load(&root, &json, requests) {
            Ok(loaded) => {
                for (number, request) in requests.iter().enumerate() {
                    match loaded.disagreement(request) {
                        Ok(None) => agreed += 1,
                        Ok(Some(what)) => println!("{}: request {number}: {what}", case.display()),
                        Err(error) => println!("{}: request {number}: {error}", case.display()),
                    }
                }
            }
            Err(error) => println!("{}: {error}", case.display()),
        }
    }
    println!("{agreed} of {asked} requests agree");
    assert!(asked > 0, "no request in {}", root.display());
    assert_eq!(agreed, asked);
}

/// All files that may be cases.
fn find(folder: &Path, cases: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if path.is_dir() {
            find(&path, cases)?;
        } else if name.ends_with(".json") && !name.ends_with(".entities.json") {
            cases.push(path);
        }
    }
    Ok(())
}

struct Case {
    schema: Schema,
    policies: PolicySet,
    entities: Entities,
}

impl Case {
    fn load(root: &Path, case: &Value, requests: &[Value]) -> Result<Self, Failure> {
        let read = |name: &str| -> Result<String, Failure> {
            let file = field(case, name).as_str().ok_or("no file named")?;
            Ok(fs::read_to_string(root.join(file))?)
        };
        let schema = Schema::read(&read("schema").unwrap_or_default());
        let json: Value = serde_json::from_str(&read("entities")?)?;
        let entities = Entities::from_json(&schema.entities(&json).to_string())?;
        let mut policies = CedarPolicies::parse(&read("policies")?)?.actions_of(&entities);
        for request in requests {
            policies = policies.action(&uid(field(request, "action"))?, [])?;
        }
        Ok(Self { schema, policies: PolicySet::from_policies(policies)?.cedar_compat(), entities })
    }

    fn disagreement(&self, request: &Value) -> Result<Option<String>, Failure> {
        let known = self.policies.know(&self.entities)?;
        let text = |name: &str, part: &str| part_of(field(request, name), part);
        let entity = |name: &str| -> Result<_, Failure> {
            Ok(known.entity(text(name, "type")?, text(name, "id")?)?)
        };
        let action = (text("action", "type")?, text("action", "id")?);
        let context = self.schema.context(action, field(request, "context"));
        let members = known.members(&context.to_string())?;
        let action = match text("action", "type")? {
            "Action" => text("action", "id")?.to_owned(),
            _ => uid(field(request, "action"))?,
        };
        let report = self.policies.report(&AccessRequest {
            subject: &self.policies.without_roles(),
            principal: &entity("principal")?,
            action: self.policies.action(&action).ok_or("no such action")?,
            resource: &entity("resource")?,
            context: &Context::plain(UnixTime::from_secs(0), &members).entities(known),
        });
        let names = |ids: &mut dyn Iterator<Item = RuleId>| -> BTreeSet<String> {
            ids.filter_map(|id| self.policies.rule_name(id)).map(str::to_owned).collect()
        };
        let found = (
            if report.decision().is_allow() { "allow" } else { "deny" },
            names(&mut report.rules()),
            names(&mut report.errors().map(|(rule, _)| rule)),
        );
        let listed = |name: &str| -> BTreeSet<String> {
            let names = field(request, name).as_array().into_iter().flatten();
            names.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let decision = field(request, "decision").as_str().unwrap_or_default();
        let expected = (decision, listed("reason"), listed("errors"));
        Ok((found != expected).then(|| format!("{found:?}, and Cedar says {expected:?}")))
    }
}

/// An entity as policies write it.
fn uid(json: &Value) -> Result<String, Failure> {
    Ok(format!("{}::\"{}\"", part_of(json, "type")?, part_of(json, "id")?.escape_debug()))
}

/// The member of that name; null where there is none.
fn field<'a>(json: &'a Value, name: &str) -> &'a Value {
    json.get(name).unwrap_or(&Value::Null)
}

fn part_of<'a>(json: &'a Value, name: &str) -> Result<&'a str, &'static str> {
    json.get(name).and_then(Value::as_str).ok_or("no entity")
}
