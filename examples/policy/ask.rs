//! One request, from a file or from flags.

use std::{collections::BTreeMap, error::Error, fs};

use portcullis::{
    Principal, UnixTime,
    authz::{AccessRequest, Context, Decision, Entities, Explanation, PolicySet},
    clock,
};
use serde_json::Value;

type Answer = Result<(String, bool), Box<dyn Error>>;

pub(crate) fn decide(policies: &PolicySet, flags: &[String]) -> Answer {
    let decision = explanation(policies, &members(flags)?)?.decision();
    let rule = decision.rule().and_then(|rule| policies.rule_name(rule));
    let rule = rule.map_or_else(String::new, |rule| format!(" `{rule}`"));
    let text = match decision {
        Decision::Allow { .. } => format!("allow{rule}\n"),
        Decision::Deny(why) => format!("deny {}{rule}\n", why.as_str()),
    };
    Ok((text, decision.is_allow()))
}

pub(crate) fn explain(policies: &PolicySet, flags: &[String]) -> Answer {
    let json = flags.iter().any(|flag| flag == "--json");
    let flags: Vec<String> = flags.iter().filter(|flag| *flag != "--json").cloned().collect();
    let explanation = explanation(policies, &members(&flags)?)?;
    let text = if json { explanation.to_json() } else { format!("{explanation:#}") };
    Ok((text + "\n", explanation.decision().is_allow()))
}

/// The members of the request's file, and over them those of the flags.
fn members(flags: &[String]) -> Result<BTreeMap<String, Value>, Box<dyn Error>> {
    let mut members = BTreeMap::new();
    let mut given = BTreeMap::new();
    for pair in flags.chunks(2) {
        let [flag, value] = pair else { return Err(format!("{pair:?} needs a value").into()) };
        let value = match &**flag {
            "--request" => {
                members = serde_json::from_str(&read(value)?)
                    .map_err(|error| format!("{value}: the request is no JSON object: {error}"))?;
                continue;
            }
            "--principal" | "--action" | "--resource" => Value::from(&**value),
            "--roles" | "--scopes" => value.split(',').collect::<Vec<_>>().into(),
            "--context" => json(flag, value)?,
            "--entities" => json(value, &read(value)?)?,
            "--now" => json(flag, value)?,
            _ => return Err(format!("unknown flag {flag}").into()),
        };
        given.insert(flag.trim_start_matches('-').to_owned(), value);
    }
    members.extend(given);
    let known =
        ["principal", "roles", "scopes", "action", "resource", "context", "entities", "now"];
    match members.keys().find(|name| !known.contains(&&***name)) {
        Some(name) => Err(format!("a request has no member `{name}`").into()),
        None => Ok(members),
    }
}

fn explanation(
    policies: &PolicySet,
    members: &BTreeMap<String, Value>,
) -> Result<Explanation, Box<dyn Error>> {
    let text = |name: &str| {
        let text = members.get(name).and_then(Value::as_str);
        text.ok_or_else(|| format!("the request has no text `{name}`"))
    };
    let (principal_type, principal) =
        named(text("principal")?).unwrap_or(("User", text("principal")?));
    let (resource_type, resource) = named(text("resource")?).ok_or("a resource is TYPE::ID")?;
    let name = text("action")?;
    let action = policies.action(name).ok_or_else(|| match policies.nearest_action(name) {
        Some(meant) => format!("no action `{name}`; did you mean `{meant}`?"),
        None => format!("no action `{name}`"),
    })?;
    let json = |name: &str, none: &str| members.get(name).map_or(none.to_owned(), Value::to_string);
    let entities = Entities::from_json(&json("entities", "[]"))?;
    let known = policies.know(&entities)?;
    let own = known.members(&json("context", "{}"))?;
    let roles = texts(members, "roles")?;
    for role in roles.iter().filter(|role| policies.role(role).is_none()) {
        let meant = policies.nearest_role(role);
        let hint = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        eprintln!("note: the policies know no role `{role}`{hint}");
    }
    let now = match members.get("now") {
        Some(now) => UnixTime::from_secs(now.as_u64().ok_or("`now` is no number of seconds")?),
        None => clock::now().wall,
    };
    let mut caller = Principal::assertion("policy", "caller").roles(roles);
    if members.contains_key("scopes") {
        caller = caller.scopes(texts(members, "scopes")?);
    }
    Ok(policies.explain(&AccessRequest {
        subject: &policies.subject(&caller.finish()?),
        principal: &known.entity(principal_type, principal)?,
        action,
        resource: &known.entity(resource_type, resource)?,
        context: &Context::plain(now, &own).entities(known),
    }))
}

fn read(file: &str) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))
}

fn json(place: &str, text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{place}: no JSON: {error}"))
}

/// `TYPE::ID`, whose id may be in quotes.
fn named(text: &str) -> Option<(&str, &str)> {
    let (type_name, id) = match text.split_once("::\"") {
        Some((type_name, id)) => (type_name, id.strip_suffix('"')?),
        None => text.rsplit_once("::")?,
    };
    Some((type_name, id))
}

fn texts<'a>(members: &'a BTreeMap<String, Value>, name: &str) -> Result<Vec<&'a str>, String> {
    let Some(value) = members.get(name) else { return Ok(Vec::new()) };
    let texts = value.as_array().and_then(|all| all.iter().map(Value::as_str).collect());
    texts.ok_or_else(|| format!("`{name}` is no list of texts"))
}
