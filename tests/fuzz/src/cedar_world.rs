//! A tiny universe that Cedar's policies are asked about.

use std::sync::LazyLock;

use portcullis::{
    UnixTime,
    authz::{AccessRequest, Action, Context, Entities, Explanation, PolicySet, Report},
};

use super::plain;

const ENTITIES: &str = r#"[
  { "uid": { "type": "User", "id": "alice" }, "parents": [{ "type": "Team", "id": "crew" }],
    "attrs": { "name": "alice", "level": 7, "home": { "__extn": { "fn": "ip", "arg": "10.0.0.7" } } } },
  { "uid": { "type": "User", "id": "bob" }, "parents": [], "attrs": {} },
  { "uid": { "type": "Team", "id": "crew" }, "parents": [{ "type": "Team", "id": "all" }], "attrs": {} },
  { "uid": { "type": "Doc", "id": "1" }, "parents": [{ "type": "Folder", "id": "f" }],
    "tags": { "a": "b" },
    "attrs": {
      "owner": { "__entity": { "type": "User", "id": "alice" } }, "size": 9223372036854775807,
      "open": true, "tags": ["a", "b"], "price": { "__extn": { "fn": "decimal", "arg": "1.5" } },
      "made": { "__extn": { "fn": "datetime", "arg": "2024-02-29T12:00:00Z" } },
      "span": { "__extn": { "fn": "duration", "arg": "1d2h" } },
      "in_it": { "a": { "b": 1 }, "c": [1, "1", [true]] } } }
]"#;

const CONTEXTS: [&str; 2] = [
    "{}",
    r#"{ "size": 0, "tags": [], "a": { "b": false }, "who": { "__entity": { "type": "User", "id": "bob" } } }"#,
];

static WORLD: LazyLock<Entities> =
    LazyLock::new(|| Entities::from_json(ENTITIES).expect("good entities"));

/// Asks about every principal, resource and context of the universe; `None` where a type of the
/// policies cannot be told from one of its own.
pub(crate) fn reports(policies: &PolicySet, action: Action) -> Option<Vec<Report>> {
    let known = policies.know(&WORLD).ok()?;
    let mut all = Vec::new();
    for context in CONTEXTS {
        let members = known.members(context).ok()?;
        let context = Context::plain(UnixTime::from_secs(plain::NOW), &members).entities(known);
        for principal in ["alice", "bob"] {
            for resource in ["1", "2"] {
                let request = AccessRequest {
                    subject: &policies.without_roles(),
                    principal: &known.entity("User", principal).ok()?,
                    action,
                    resource: &known.entity("Doc", resource).ok()?,
                    context: &context,
                };
                let report = policies.report(&request);
                assert_eq!(policies.decide(&request), report.decision());
                let explanation: Explanation = policies.explain(&request);
                assert_eq!(explanation.decision(), report.decision());
                assert!(!explanation.to_string().is_empty());
                all.push(report);
            }
        }
    }
    Some(all)
}
