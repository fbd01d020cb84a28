//! Policy documents: TOML, or JSON where the input starts with `{`.

use portcullis::{
    Principal, UnixTime,
    authz::{
        AccessRequest, Attr, Context, Document, Entity, PolicyErrors, PolicySet, TypeName, Value,
    },
};

use super::plain;

/// The target.
pub fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let json = text.starts_with('{');
    let (document, plain) = match json {
        true => (serde_json::from_str::<Document>(text).ok(), plain::strict_json(input)),
        false => {
            let document = Document::from_toml(text);
            assert_eq!(document.as_ref().err(), Document::from_toml(text).as_ref().err());
            document.as_ref().err().inspect(|errors| told_well(errors, text));
            (document.ok(), toml::from_str(text).ok())
        }
    };
    let Some(document) = document else { return false };
    let plain: serde_json::Value = plain.expect("what is a document is well formed");
    let built = PolicySet::from_document(document.clone());
    if let Err(errors) = &built {
        told_well(errors, text);
        assert_eq!(PolicySet::from_document(document).as_ref().err(), Some(errors));
    }
    if !json {
        same_as_json(&plain, &built);
    }
    let Ok(policies) = built else { return false };
    decides(&policies, &plain);
    true
}

/// Every error has a place in the text, and there are not too many.
fn told_well(errors: &PolicyErrors, text: &str) {
    assert!((1..=101).contains(&errors.iter().count()));
    for error in errors.iter() {
        assert!(!error.to_string().is_empty());
        let Some(line) = error.line() else { continue };
        let line = text.split('\n').nth(line - 1).expect("a line of the text");
        let column = error.column().unwrap_or(1);
        assert!((1..=line.chars().count() + 1).contains(&column), "{error}");
    }
}

/// The same document in the other form has the same errors, in the same places.
fn same_as_json(document: &serde_json::Value, built: &Result<PolicySet, PolicyErrors>) {
    let text = document.to_string();
    // Times and numbers that are none have no form in JSON.
    if text.contains("$__toml") || text.contains("null") {
        return;
    }
    let again: Document = serde_json::from_value(document.clone()).expect("the same shape");
    let paths = |errors: &PolicyErrors| {
        let mut paths: Vec<String> = errors.iter().map(|error| error.path()).collect();
        paths.sort();
        paths
    };
    let again = PolicySet::from_document(again).map(drop).map_err(|errors| paths(&errors));
    assert_eq!(again, built.as_ref().map(drop).map_err(paths));
}

/// Something that has a type and nothing else.
struct Thing(TypeName);

impl Entity for Thing {
    fn type_name(&self) -> TypeName {
        self.0
    }

    fn id(&self) -> &str {
        "1"
    }

    fn attr(&self, _: &Attr<'_>) -> Value<'_> {
        Value::Missing
    }
}

/// Asks about some actions: the same answer twice, in the same words, and none that nobody gave.
fn decides(policies: &PolicySet, plain: &serde_json::Value) {
    let resources = plain["resources"].as_object().into_iter().flatten();
    let actions = resources.flat_map(|(kind, resource)| {
        let actions = resource["actions"].as_array().into_iter().flatten();
        actions.filter_map(move |action| Some((kind.as_str(), action.as_str()?)))
    });
    let rules = || plain["rule"].as_array().into_iter().flatten();
    let permits = rules().any(|rule| rule["effect"] == "permit");
    let forbids = rules().any(|rule| rule["effect"] == "forbid");
    let roles: Vec<&str> =
        plain["roles"].as_object().into_iter().flatten().map(|(role, _)| role.as_str()).collect();
    let nobody = Principal::assertion("staff", "nobody").finish().expect("a name");
    let everybody = Principal::assertion("staff", "all").roles(roles.iter().copied());
    let everybody = everybody.finish().expect("a name");
    let limited = Principal::assertion("staff", "limited").roles(roles.iter().copied());
    let limited = limited.scopes([]).finish().expect("a name");
    for (kind, name) in actions.take(8) {
        let action = policies.action(name).expect("an action that is declared");
        assert_eq!(policies.action_name(action), Some(name));
        assert_eq!(policies.resource_type_of(action), Some(kind));
        let granted = [&nobody, &everybody, &limited].map(|principal| {
            let request = AccessRequest {
                subject: &policies.subject(principal),
                principal,
                action,
                resource: &Thing(TypeName::new(kind)),
                context: &Context::new(UnixTime::from_secs(plain::NOW)),
            };
            let decision = policies.decide(&request);
            assert_eq!(decision, policies.decide(&request));
            let explanation = policies.explain(&request);
            assert_eq!(explanation.decision(), decision);
            assert!(explanation.to_string().contains(name));
            decision.is_allow()
        });
        assert!(!granted[0] || permits, "nobody said so");
        assert!(!granted[1] || permits || !roles.is_empty(), "nobody said so");
        assert!(!granted[2], "a credential without scopes covers nothing");
        assert!(granted[1] || !granted[0] || forbids, "a role takes nothing away");
    }
}
