//! An explanation for tools.

use serde_json::{Value, json};

use super::{Clause, Explanation, Finding, Looked};
use crate::authz::{Decision, EvalError};

impl Explanation {
    /// As one line of JSON, whatever stands in values.
    ///
    /// `decision` is `allow` or `deny`, `why` the label of a denial; `rules` and `nearest` are
    /// rules with their `clauses`, each with its `kind`, its `text`, whether it `holds` (`null`
    /// where it failed, with the `error`), and the `values` that it looked at.
    #[must_use]
    pub fn to_json(&self) -> String {
        let why = match self.decision {
            Decision::Allow { .. } => None,
            Decision::Deny(why) => Some(why.as_str()),
        };
        let rules: Vec<Value> = self.determining().map(finding).collect();
        let nearest: Vec<Value> = self.nearest().map(finding).collect();
        let errors: Vec<Value> = self.failed.iter().map(failed).collect();
        json!({
            "decision": if self.decision.is_allow() { "allow" } else { "deny" },
            "why": why,
            "action": self.action,
            "rules": rules,
            "nearest": nearest,
            "granting_roles": self.granting,
            "errors": errors,
            "text": self.text,
        })
        .to_string()
    }
}

fn finding(finding: &Finding) -> Value {
    let clauses: Vec<Value> = finding.clauses.iter().map(clause).collect();
    json!({ "rule": finding.name, "clauses": clauses })
}

fn clause(clause: &Clause) -> Value {
    let values: Vec<Value> = clause.values.iter().map(looked).collect();
    json!({
        "kind": clause.kind.word(),
        "text": clause.text,
        "holds": clause.answer.ok(),
        "error": clause.answer.err().map(|error| error.to_string()),
        "values": values,
    })
}

fn looked(looked: &Looked) -> Value {
    let error = looked.value.as_ref().err().map(ToString::to_string);
    json!({ "path": looked.path, "value": looked.value.as_ref().ok(), "error": error })
}

fn failed((name, error): &(Box<str>, EvalError)) -> Value {
    json!({ "rule": name, "error": error.to_string() })
}
