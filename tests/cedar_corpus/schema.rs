//! As much of Cedar's schemas as it takes to read the JSON of the hand-written cases, in which the
//! type of an attribute says what is an entity or an extension value; and the groups of actions.
//!
//! <https://docs.cedarpolicy.com/schema/human-readable-schema-grammar.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

#[derive(Clone, Debug)]
enum Type {
    Named(String),
    Set(Box<Type>),
    Record(BTreeMap<String, Type>),
}

/// Types and actions, each with the namespace that its names are looked up in.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    common: BTreeMap<String, (String, Type)>,
    entities: BTreeMap<String, (String, Type)>,
    tags: BTreeMap<String, (String, Type)>,
    contexts: BTreeMap<(String, String), (String, Type)>,
    /// Each action and the groups that it is in, as type and id.
    actions: BTreeMap<(String, String), Vec<(String, String)>>,
}

const EXTENSIONS: [(&str, &str); 4] =
    [("ipaddr", "ip"), ("decimal", "decimal"), ("datetime", "datetime"), ("duration", "duration")];

impl Schema {
    pub(crate) fn read(text: &str) -> Self {
        let mut schema = Self::default();
        let mut words = Words { words: cut(text), at: 0 };
        while !words.peek().is_empty() {
            words.annotations();
            if words.take("namespace") {
                let name = words.next();
                words.take("{");
                while !words.take("}") && !words.peek().is_empty() {
                    schema.declaration(&mut words, &name);
                }
            } else {
                schema.declaration(&mut words, "");
            }
        }
        schema
    }

    fn declaration(&mut self, words: &mut Words, space: &str) {
        words.annotations();
        match &*words.next() {
            "type" => {
                let name = words.next();
                words.take("=");
                let ty = words.ty();
                self.common.insert(within(space, &name), (space.to_owned(), ty));
            }
            "entity" => {
                let names = words.names();
                if words.take("in") {
                    words.group();
                }
                words.take("=");
                if words.peek() == "{" {
                    let ty = words.ty();
                    for name in &names {
                        let entry = (space.to_owned(), ty.clone());
                        self.entities.insert(within(space, name), entry);
                    }
                }
                if words.take("tags") {
                    let ty = words.ty();
                    for name in &names {
                        self.tags.insert(within(space, name), (space.to_owned(), ty.clone()));
                    }
                }
                for name in names {
                    let empty = || (space.to_owned(), Type::Record(BTreeMap::new()));
                    self.entities.entry(within(space, &name)).or_insert_with(empty);
                }
            }
            "action" => self.action(words, space),
            _ => {}
        }
        while !matches!(words.peek(), ";" | "") {
            words.next();
        }
        words.take(";");
    }

    fn action(&mut self, words: &mut Words, space: &str) {
        let names = words.names();
        let kind = within(space, "Action");
        let mut groups = Vec::new();
        if words.take("in") {
            groups = words.group().into_iter().map(|name| uid(&kind, &name)).collect();
        }
        let mut context = Type::Record(BTreeMap::new());
        if words.take("appliesTo") {
            words.take("{");
            while !words.take("}") && !words.peek().is_empty() {
                let part = words.next();
                words.take(":");
                if part == "context" {
                    context = words.ty();
                } else {
                    words.group();
                }
                words.take(",");
            }
        }
        for name in names {
            let action = (kind.clone(), unquoted(&name));
            self.contexts.insert(action.clone(), (space.to_owned(), context.clone()));
            self.actions.insert(action, groups.clone());
        }
    }

    /// The entities with everything explicit that the schema makes implicit, and its actions.
    pub(crate) fn entities(&self, json: &Value) -> Value {
        let mut all = json.clone();
        for entity in all.as_array_mut().into_iter().flatten() {
            let uid = entity.get("uid").cloned().unwrap_or_default();
            let uid = uid.get("__entity").unwrap_or(&uid);
            let kind = uid.get("type").and_then(Value::as_str).unwrap_or_default();
            if let (Some(declared), Some(own)) = (self.entities.get(kind), entity.get_mut("attrs"))
            {
                *own = self.explicit(own, &declared.1, &declared.0);
            }
            if let (Some((space, ty)), Some(tags)) = (self.tags.get(kind), entity.get_mut("tags")) {
                for tag in tags.as_object_mut().into_iter().flat_map(|tags| tags.values_mut()) {
                    *tag = self.explicit(tag, ty, space);
                }
            }
        }
        let uid = |(kind, id): &(String, String)| json!({ "type": kind, "id": id });
        for (action, groups) in &self.actions {
            let there = |entity: &Value| entity.get("uid") == Some(&uid(action));
            if let Some(listed) = all.as_array_mut().filter(|all| !all.iter().any(there)) {
                let parents: Value = groups.iter().map(uid).collect();
                listed.push(json!({ "uid": uid(action), "attrs": {}, "parents": parents }));
            }
        }
        all
    }

    pub(crate) fn context(&self, action: (&str, &str), json: &Value) -> Value {
        let declared = self.contexts.get(&(action.0.to_owned(), action.1.to_owned()));
        declared.map_or(json.clone(), |(space, ty)| self.explicit(json, ty, space))
    }

    fn explicit(&self, json: &Value, ty: &Type, space: &str) -> Value {
        match (ty, json) {
            (Type::Set(ty), Value::Array(elements)) => {
                elements.iter().map(|element| self.explicit(element, ty, space)).collect()
            }
            (Type::Record(types), Value::Object(fields)) => {
                let fields = fields.iter().map(|(name, field)| {
                    let ty = types.get(name);
                    let field = ty.map_or(field.clone(), |ty| self.explicit(field, ty, space));
                    (name.clone(), field)
                });
                Value::Object(fields.collect())
            }
            (Type::Named(name), _) => self.named(json, name, space),
            _ => json.clone(),
        }
    }

    fn named(&self, json: &Value, name: &str, space: &str) -> Value {
        let candidates = [within(space, name), name.to_owned()];
        for name in &candidates {
            if let Some((space, ty)) = self.common.get(name) {
                return self.explicit(json, ty, space);
            }
            if self.entities.contains_key(name) {
                let plain = json.get("type").is_some() && json.get("id").is_some();
                return if plain { json!({ "__entity": json }) } else { json.clone() };
            }
        }
        let name = name.strip_prefix("__cedar::").unwrap_or(name);
        let Some((_, function)) = EXTENSIONS.iter().find(|(kind, _)| *kind == name) else {
            return json.clone();
        };
        if json.is_string() {
            return json!({ "__extn": { "fn": function, "arg": json } });
        }
        if json.get("fn").is_some() { json!({ "__extn": json }) } else { json.clone() }
    }
}

fn within(space: &str, name: &str) -> String {
    if space.is_empty() { name.to_owned() } else { format!("{space}::{name}") }
}

/// A group: `name`, `"name"`, or `Type::"name"`.
fn uid(kind: &str, name: &str) -> (String, String) {
    match name.split_once("::\"") {
        Some((kind, id)) => (kind.to_owned(), unquoted(&format!("\"{id}"))),
        None => (kind.to_owned(), unquoted(name)),
    }
}

fn unquoted(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return name.to_owned();
    };
    let mut text = String::new();
    let mut rest = inner.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            text.push(next);
            continue;
        }
        match rest.next().unwrap_or('\\') {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            '0' => text.push('\0'),
            'x' => text.extend(code(&rest.by_ref().take(2).collect::<String>())),
            'u' => {
                let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                text.extend(code(&digits.replace('_', "")));
            }
            other => text.push(other),
        }
    }
    text
}

fn code(digits: &str) -> Option<char> {
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

struct Words {
    words: Vec<String>,
    at: usize,
}

impl Words {
    fn peek(&self) -> &str {
        self.words.get(self.at).map_or("", |word| word)
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.words.get(self.at - 1).cloned().unwrap_or_default()
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.peek() == word;
        self.at += usize::from(there);
        there
    }

    fn annotations(&mut self) {
        while self.take("@") {
            self.next();
            if self.take("(") {
                self.next();
                self.take(")");
            }
        }
    }

    fn names(&mut self) -> Vec<String> {
        let mut names = vec![self.next()];
        while self.take(",") {
            names.push(self.next());
        }
        names
    }

    /// One name, or several in brackets.
    fn group(&mut self) -> Vec<String> {
        if !self.take("[") {
            return vec![self.next()];
        }
        let mut names = Vec::new();
        while !self.take("]") && !self.peek().is_empty() {
            names.push(self.next());
            self.take(",");
        }
        names
    }

    fn ty(&mut self) -> Type {
        if self.take("{") {
            let mut fields = BTreeMap::new();
            while !self.take("}") && !self.peek().is_empty() {
                self.annotations();
                let name = unquoted(&self.next());
                self.take("?");
                self.take(":");
                fields.insert(name, self.ty());
                self.take(",");
            }
            return Type::Record(fields);
        }
        let name = self.next();
        if name == "Set" && self.take("<") {
            let of = self.ty();
            self.take(">");
            return Type::Set(of.into());
        }
        Type::Named(name)
    }
}

/// Words, of which a path with its id is one.
fn cut(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            word(rest, first)
        };
        let (found, tail) = rest.split_at(length);
        if !found.starts_with("//") {
            words.push(found.to_owned());
        }
        rest = tail.trim_start();
    }
    words
}

fn word(rest: &str, first: char) -> usize {
    if first == '"' {
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        return end.map_or(rest.len(), |(at, _)| at + 1);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut length = rest.find(|c| !plain(c)).unwrap_or(rest.len());
    if length == 0 {
        return first.len_utf8();
    }
    while let Some(tail) = rest.get(length..).and_then(|tail| tail.strip_prefix("::")) {
        let next = tail.chars().next().unwrap_or(' ');
        length += 2 + word(tail, next);
    }
    length
}
