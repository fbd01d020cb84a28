//! Random role documents, and what they mean where that is plain to see.

use std::collections::BTreeSet;

use portcullis::authz::{Document, Policy};
use portcullis_differential::Choices;

use crate::conditions::{About, Writer};

pub(crate) const ACTIONS: [(&str, &str); 5] = [
    ("doc:read", "Doc"),
    ("doc:share", "Doc"),
    ("doc:write", "Doc"),
    ("folder:drop", "Folder"),
    ("list", "Folder"),
];

const HEAD: &str = r#"
    [resources.Doc]
    attributes = { owner = "User", level = "long", label = "string", tags = "strings", note = "string?", folder = "Folder", open = "bool", net = "ip", placed = "datetime", changed = "datetime", span = "duration", price = "decimal", cost = "decimal" }
    actions = ["doc:read", "doc:write", "doc:share"]
    [resources.Folder]
    attributes = { owner = "User", level = "long", up = "Folder" }
    actions = ["list", "folder:drop"]
    [principal]
    attributes = { level = "long", team = "string", home = "Folder" }
    [context]
    client = "ip"
    auth_time = "datetime"
    tenant = "string"
    limit = "long"
    about = "Folder"
"#;

pub(crate) struct Written {
    text: String,
    rules: Vec<Rule>,
    pub(crate) roles: Vec<Role>,
    /// `None`: every action is its own scope.
    pub(crate) scopes: Option<Vec<(&'static str, Vec<&'static str>)>>,
}

pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) inherits: Vec<usize>,
    may: Vec<&'static str>,
}

struct Rule {
    id: String,
    permits: bool,
    actions: Vec<&'static str>,
    roles: Vec<String>,
    when: Option<String>,
    unless: Option<String>,
    during: Option<&'static str>,
    outside: Option<&'static str>,
}

const WINDOWS: [&str; 3] =
    ["Mon-Fri 09:00-18:00 Europe/Berlin", "Sat 22:00-06:00 America/New_York", "Thu UTC"];

impl Written {
    pub(crate) fn new(choices: &mut Choices) -> Self {
        let patterns = ["doc:read", "doc:write", "doc:*", "list", "*", "folder:*"];
        let mut roles: Vec<Role> = Vec::new();
        for number in 0..choices.below(4) + 1 {
            // Names that sort otherwise than they inherit.
            let name = format!("{}r {number}\\\"", choices.pick(&["", "z", "a"]));
            let earlier: Vec<usize> = (0..number).collect();
            let inherits = choices.some(&earlier, 40);
            roles.push(Role { name, inherits, may: choices.some(&patterns, 15) });
        }
        let scopes = choices.chance(50).then(|| {
            let names = ["read", "docs", "doc:read", "\"all\u{301}\""];
            names.map(|name| (name, vec![choices.pick(&patterns)])).to_vec()
        });
        let mut rules = Vec::new();
        for number in 0..choices.below(7) {
            rules.push(Rule::new(choices, number, &roles));
        }
        let text = format!("{HEAD}{}{}", roles_table(&roles), scopes_table(scopes.as_deref()));
        Self { text, rules, roles, scopes }
    }

    pub(crate) fn document(&self) -> Document {
        let head = Document::from_toml(&self.text).unwrap();
        self.rules.iter().fold(head, |document, rule| document.rule(rule.policy()))
    }

    /// All conditions, one a line.
    pub(crate) fn conditions(&self) -> String {
        let conditions = self.rules.iter().flat_map(|rule| {
            let times = [("during", rule.during), ("outside", rule.outside)];
            let times = times.map(|(field, text)| text.map(|text| format!("{field} {text}")));
            [rule.when.clone(), rule.unless.clone()].into_iter().chain(times)
        });
        conditions.flatten().map(|text| format!("{text}\n")).collect()
    }

    /// What the policies are called: rules, and roles that grant something.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let granting = self.roles.iter().filter(|role| !role.may.is_empty());
        let grants = granting.map(|role| format!("role:{}", role.name));
        let rules = self.rules.iter().map(|rule| rule.id.clone());
        grants.chain(rules).chain(["portcullis:scopes".to_owned()]).collect()
    }

    /// The role and all that it inherits.
    pub(crate) fn closure(&self, role: usize) -> BTreeSet<usize> {
        let above = self.roles[role].inherits.iter().flat_map(|above| self.closure(*above));
        above.chain([role]).collect()
    }

    pub(crate) fn covers(&self, scope: &str, action: &str) -> bool {
        match &self.scopes {
            None => scope == action,
            Some(scopes) => scopes.iter().any(|(name, patterns)| {
                *name == scope && patterns.iter().any(|pattern| means(pattern, action))
            }),
        }
    }
}

fn means(pattern: &str, action: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == action, |stem| action.starts_with(stem))
}

fn roles_table(roles: &[Role]) -> String {
    let mut text = "[roles]\n".to_owned();
    for role in roles {
        let inherits: Vec<&str> = role.inherits.iter().map(|at| &*roles[*at].name).collect();
        let (name, may, inherits) = (quoted(&role.name), list(&role.may), list(&inherits));
        text += &format!("{name} = {{ may = {may}, inherits = {inherits} }}\n");
    }
    text
}

fn scopes_table(scopes: Option<&[(&str, Vec<&str>)]>) -> String {
    let lines = scopes.unwrap_or_default().iter();
    let lines = lines.map(|(name, patterns)| format!("{} = {}\n", quoted(name), list(patterns)));
    if scopes.is_some() {
        format!("[scopes]\n{}", lines.collect::<String>())
    } else {
        String::new()
    }
}

/// As TOML takes it without escapes.
fn quoted(text: &str) -> String {
    format!("'{text}'")
}

fn list(texts: &[&str]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

impl Rule {
    fn new(choices: &mut Choices, number: usize, roles: &[Role]) -> Self {
        let (about, actions) = choices.pick(&[
            (About::Doc, &["doc:read"][..]),
            (About::Doc, &["doc:*"]),
            (About::Doc, &["doc:read", "doc:write"]),
            (About::Folder, &["list"]),
            (About::Folder, &["list", "folder:*"]),
            (About::Both, &["*"]),
            (About::Both, &["doc:read", "list"]),
        ]);
        let names: Vec<String> = roles.iter().map(|role| role.name.clone()).collect();
        let held = if choices.chance(25) { 1 + choices.below(names.len()) } else { 0 };
        let permits = choices.chance(65);
        // Written text escapes what the name holds.
        let quoted: Vec<String> =
            names.iter().map(|name| name.escape_debug().to_string()).collect();
        let mut writer = Writer { choices, about, roles: &quoted };
        let when = writer.choices.chance(80).then(|| writer.condition(3));
        let unless = writer.choices.chance(25).then(|| writer.condition(2));
        Self {
            id: format!("{}{number}", writer.choices.pick(&["p", "a-", "Z."])),
            permits,
            actions: actions.to_vec(),
            roles: names.into_iter().take(held).collect(),
            when,
            unless,
            during: writer.choices.chance(15).then(|| writer.choices.pick(&WINDOWS)),
            outside: writer.choices.chance(15).then(|| writer.choices.pick(&WINDOWS)),
        }
    }

    fn policy(&self) -> Policy {
        let (permit, forbid) = (Policy::permit(&self.id), Policy::forbid(&self.id));
        let mut policy = if self.permits { permit } else { forbid };
        policy = policy.actions(self.actions.iter().copied());
        if !self.roles.is_empty() {
            policy = policy.roles(self.roles.iter().map(String::as_str));
        }
        policy = self.during.into_iter().fold(policy, Policy::during);
        policy = self.outside.into_iter().fold(policy, Policy::outside);
        policy = self.when.iter().fold(policy, |policy, text| policy.when(text));
        self.unless.iter().fold(policy, |policy, text| policy.unless(text))
    }
}
