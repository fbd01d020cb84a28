//! The files of `src/` and the paths they name.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::lexer::{Token, lex, without_tests};

/// One file of `src/`, without its tests.
pub(super) struct Source {
    /// Relative to `src/`, such as `audit/lines.rs`.
    pub(super) file: String,
    /// The module it holds, such as `audit`, `lines`; empty for the crate's root.
    pub(super) module: Vec<String>,
    pub(super) tokens: Vec<Token>,
    tests: Vec<String>,
}

/// A path named by the code: `std::io::Write`, or one leaf of a `use` with braces.
#[derive(Debug, PartialEq)]
pub(super) struct Named {
    pub(super) segments: Vec<String>,
    /// The name it goes by from here on.
    pub(super) name: String,
    pub(super) import: bool,
    pub(super) line: usize,
}

impl Source {
    pub(super) fn new(file: &str, text: &str) -> Self {
        let (tokens, tests) = without_tests(&lex(text));
        let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
        let module = match stem {
            "lib" => Vec::new(),
            _ => stem.split('/').map(str::to_owned).collect(),
        };
        Self { file: file.to_owned(), module, tokens, tests }
    }

    /// The first part of the module's path; empty for the crate's root.
    pub(super) fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// Lines that hold code: no blank line, no comment, no import, no test.
    pub(super) fn code_lines(&self) -> usize {
        let all = self.tokens.iter().flat_map(|token| token.line..=token.last_line);
        let mut lines: BTreeSet<_> = all.collect();
        for (at, token) in self.tokens.iter().enumerate() {
            let ends = |token: &Token| token.is(";");
            let item =
                token.is("use") || (token.is("mod") && self.tokens.get(at + 2).is_some_and(ends));
            if item && let Some(end) = self.tokens[at..].iter().find(|token| token.is(";")) {
                lines.retain(|line| !(token.line..=end.last_line).contains(line));
            }
        }
        lines.len()
    }

    /// Every path, with relative ones resolved to `crate`.
    pub(super) fn paths(&self) -> Vec<Named> {
        let mut paths = paths(&self.tokens);
        for path in &mut paths {
            self.resolve(&mut path.segments);
        }
        paths
    }

    fn resolve(&self, segments: &mut Vec<String>) {
        let ups = segments.iter().take_while(|segment| *segment == "super").count();
        let here = usize::from(segments[0] == "self" && segments.len() > 1);
        if ups + here > 0 {
            let base = &self.module[..self.module.len().saturating_sub(ups)];
            let start = ["crate".to_owned()].into_iter().chain(base.iter().cloned());
            *segments = start.chain(segments.drain(ups + here..)).collect();
        }
    }
}

/// All files of `src/` that are not tests.
pub(super) fn sources() -> Vec<Source> {
    let root = root().join("src");
    let read = |path: &PathBuf| {
        let file = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        Source::new(&file, &fs::read_to_string(path).unwrap())
    };
    drop_tests(rust_files(&root).iter().map(read).collect())
}

fn drop_tests(mut sources: Vec<Source>) -> Vec<Source> {
    let tests: Vec<Vec<String>> = sources
        .iter()
        .flat_map(|source| {
            source
                .tests
                .iter()
                .map(|name| [source.module.as_slice(), std::slice::from_ref(name)].concat())
        })
        .collect();
    sources.retain(|source| !tests.iter().any(|test| source.module.starts_with(test)));
    sources
}

/// All `.rs` files under `folder`, in order, without what was built there.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("target") {
            continue;
        }
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn paths(tokens: &[Token]) -> Vec<Named> {
    let (mut found, mut at) = (Vec::new(), 0);
    let mut import = false;
    while at < tokens.len() {
        let token = &tokens[at];
        import = (import || token.is("use")) && !token.is(";");
        if token.is_ident() && !token.is("use") {
            let first = found.len();
            at = tree(tokens, at, &[], &mut found);
            found[first..].iter_mut().for_each(|path| path.import = import);
        } else {
            at += 1;
        }
    }
    found
}

/// Adds the paths that start at `at` with `base` in front; returns where they end.
fn tree(tokens: &[Token], mut at: usize, base: &[String], found: &mut Vec<Named>) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let line = tokens[at].line;
    let mut segments = base.to_vec();
    if text(at) != "{" {
        segments.push(text(at).to_owned());
        at += 1;
        let named =
            |at: usize| tokens.get(at).is_some_and(|token| token.is_ident() || token.is("*"));
        while text(at) == "::" && named(at + 1) {
            segments.push(text(at + 1).to_owned());
            at += 2;
        }
        if text(at) != "::" || text(at + 1) != "{" {
            let mut name = segments.last().unwrap().clone();
            if text(at) == "as" && text(at + 2) != "::" {
                name = text(at + 1).to_owned();
                at += 2;
            }
            found.push(Named { segments, name, import: false, line });
            return at;
        }
        at += 1;
    }
    at += 1;
    while at < tokens.len() && text(at) != "}" {
        if text(at) == "," { at += 1 } else { at = tree(tokens, at, &segments, found) }
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(file: &str, text: &str) -> Vec<String> {
        let join = |path: Named| path.segments.join("::");
        Source::new(file, text).paths().into_iter().map(join).collect()
    }

    #[test]
    fn every_leaf_of_a_use_is_a_path() {
        assert_eq!(
            named("net.rs", "use std::{fmt, io::{self, Write as _}, net::*}; x::y(z::<a::b>())"),
            ["std::fmt", "std::io::self", "std::io::Write", "std::net::*", "x::y", "z", "a::b"]
        );
    }

    #[test]
    fn relative_paths_are_resolved() {
        assert_eq!(named("a/b.rs", "super::c::D"), ["crate::a::c::D"]);
        assert_eq!(named("a/b.rs", "use super::super::{c, d::E};"), ["crate::c", "crate::d::E"]);
        assert_eq!(named("a/mod.rs", "use self::c; super::D"), ["crate::a::c", "crate::D"]);
        assert_eq!(named("a.rs", "self.b"), ["self", "b"]);
    }

    #[test]
    fn code_lines_are_those_with_code() {
        let text = "//! a\n\nfn f() { // b\n    \"c\n\n    d\";\n}\n#[cfg(test)]\nmod t {\n}\n";
        assert_eq!(Source::new("a.rs", text).code_lines(), 5);
        let imports = "use a::{\n    b,\n};\npub use c;\nmod d;\nmod e {\n    use f;\n}\n";
        assert_eq!(Source::new("a.rs", imports).code_lines(), 2);
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_left_out() {
        let sources = vec![
            Source::new("a.rs", "#[cfg(test)] mod tests; mod b;"),
            Source::new("a/tests.rs", ""),
            Source::new("a/tests/more.rs", ""),
            Source::new("a/b.rs", ""),
        ];
        let files: Vec<_> = drop_tests(sources).into_iter().map(|source| source.file).collect();
        assert_eq!(files, ["a.rs", "a/b.rs"]);
    }
}
