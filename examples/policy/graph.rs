//! Roles, rules and actions as a Mermaid flowchart.

use std::collections::{BTreeMap, BTreeSet};

use portcullis::authz::{Effect, PolicySet};

/// Solid arrows permit, crossed ones forbid, dotted ones say what a role inherits.
pub(crate) fn mermaid(policies: &PolicySet) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    let roles: BTreeMap<&str, usize> = policies.roles().zip(0..).collect();
    for (role, number) in &roles {
        lines.push(format!("  r{number}([\"{}\"])", escaped(role)));
    }
    for (role, number) in &roles {
        for inherited in direct(policies, role) {
            let Some(other) = roles.get(inherited) else { continue };
            lines.push(format!("  r{number} -.->|inherits| r{other}"));
        }
    }
    let mut rules = Vec::new();
    for (at, name) in policies.actions().enumerate() {
        lines.push(format!("  a{at}[\"{}\"]", escaped(name)));
        let Some(action) = policies.action(name) else { continue };
        for bearing in policies.bearing_on(action) {
            let name = policies.rule_name(bearing.rule).unwrap_or_default();
            let (arrow, word) = match bearing.effect {
                Effect::Permit => ("-->", bearing.effect.word()),
                Effect::Forbid => ("--x", bearing.effect.word()),
            };
            let holders: Vec<_> = bearing.roles.iter().filter_map(|role| roles.get(role)).collect();
            if let (Some(role), true) = (name.strip_prefix("role:"), !bearing.conditional)
                && let Some(number) = roles.get(role)
            {
                lines.push(format!("  r{number} --> a{at}"));
                continue;
            }
            let id = format!("p{}", position(&mut rules, name));
            let shape = if bearing.conditional { ("{{", "}}") } else { ("[/", "/]") };
            let node = format!("  {id}{}\"{}\"{}", shape.0, escaped(name), shape.1);
            if !lines.contains(&node) {
                lines.push(node);
                lines.extend(holders.iter().map(|role| format!("  r{role} --- {id}")));
            }
            lines.push(format!("  {id} {arrow}|{word}| a{at}"));
        }
    }
    lines.join("\n") + "\n"
}

/// What is inherited by no way through another role.
fn direct<'a>(policies: &'a PolicySet, role: &str) -> Vec<&'a str> {
    let inherited = |role: &str| -> BTreeSet<&'a str> {
        policies.role(role).into_iter().flat_map(|role| policies.inherited_by(role)).collect()
    };
    let all = inherited(role);
    let through = |one: &&&str| all.iter().any(|other| inherited(other).contains(**one));
    all.iter().filter(|one| !through(one)).copied().collect()
}

/// The number of a rule that bears on several actions is the same for each.
fn position<'a>(rules: &mut Vec<&'a str>, name: &'a str) -> usize {
    rules.iter().position(|known| *known == name).unwrap_or_else(|| {
        rules.push(name);
        rules.len() - 1
    })
}

/// Mermaid's entity codes: no name ends its label.
fn escaped(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _-.:/".contains(c);
    name.chars()
        .map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) })
        .collect()
}
