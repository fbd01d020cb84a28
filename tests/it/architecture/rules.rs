//! What the code must not do. Every check hands back the places that do it.

use std::collections::BTreeMap;

use super::{
    lexer::{Token, group_length},
    source::{Named, Source},
};

/// Words and paths that only some files may use.
///
/// A word stands for any part of a path, `Word*` for its beginning; `a::b` stands for everything
/// under that path, and `a::` for everything of that crate. A place is a file (`clock.rs`), a
/// module with all below it (`gate`) or one of its files (`gate/caller`).
pub(super) struct Absence {
    pub(super) what: &'static str,
    pub(super) words: &'static [&'static str],
    pub(super) only: &'static [&'static str],
}

/// Top-level modules, higher before lower. Code may use what is on a lower level.
pub(super) struct Levels {
    pub(super) levels: &'static [&'static [&'static str]],
    /// Modules that may use their neighbours: the last level, which is the vocabulary.
    pub(super) vocabulary: usize,
}

impl Absence {
    pub(super) fn broken_by(&self, source: &Source) -> Vec<String> {
        if self.only.iter().any(|place| within(&source.file, place)) {
            return Vec::new();
        }
        let broken = source.paths().into_iter().filter(|path| self.names(path));
        let told = broken.map(|path| {
            format!(
                "{}:{}: `{}` is {}",
                source.file,
                path.line,
                path.segments.join("::"),
                self.what
            )
        });
        told.collect()
    }

    /// Places that are listed and need not be.
    pub(super) fn stale(&self, sources: &[Source]) -> Vec<String> {
        let used = |place: &str| {
            let mut there = sources.iter().filter(|source| within(&source.file, place));
            there.any(|source| source.paths().iter().any(|path| self.names(path)))
        };
        let stale = self.only.iter().filter(|place| !used(place));
        stale.map(|place| format!("`{place}` is listed for {} and holds none", self.what)).collect()
    }

    fn names(&self, path: &Named) -> bool {
        self.words.iter().any(|word| {
            let of_crate = word.strip_suffix("::");
            let segments: Vec<_> = of_crate.unwrap_or(word).split("::").collect();
            if of_crate.is_none() && segments.len() == 1 {
                return path.segments.iter().any(|segment| match word.strip_suffix('*') {
                    Some(start) => segment.starts_with(start),
                    None => segment == word,
                });
            }
            let deep_enough = of_crate.is_none() || path.import || path.segments.len() > 1;
            deep_enough && path.segments.iter().take(segments.len()).eq(&segments)
        })
    }
}

fn within(file: &str, place: &str) -> bool {
    file == place
        || file.strip_prefix(place).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

impl Levels {
    /// The uses that point up or sideways. `homes` says where the names of the crate's root live.
    pub(super) fn broken_by(
        &self,
        source: &Source,
        homes: &BTreeMap<String, String>,
    ) -> Vec<String> {
        let from = source.top();
        if from.is_empty() {
            return Vec::new();
        }
        let crate_paths = source.paths().into_iter().filter(|path| path.segments[0] == "crate");
        let broken = crate_paths.filter_map(|path| {
            let name = path.segments.get(1)?;
            let to = match self.level(name) {
                Some(_) => name,
                None => homes.get(name).unwrap_or(name),
            };
            let allowed = to == from || self.allows(from, to);
            (!allowed).then(|| format!("{}:{}: `{from}` uses `{to}`", source.file, path.line))
        });
        broken.collect()
    }

    fn allows(&self, from: &str, to: &str) -> bool {
        match (self.level(from), self.level(to)) {
            (Some(from), Some(to)) => from < to || (from == to && from == self.vocabulary),
            _ => false,
        }
    }

    fn level(&self, module: &str) -> Option<usize> {
        self.levels.iter().position(|level| level.contains(&module))
    }
}

/// Where each name that stands at the crate's root comes from: re-exports and exported macros.
pub(super) fn homes(sources: &[Source]) -> BTreeMap<String, String> {
    let mut homes = BTreeMap::new();
    for source in sources {
        if source.module.is_empty() {
            for path in source.paths().into_iter().filter(|path| path.import) {
                let start = usize::from(path.segments[0] == "crate");
                homes.insert(path.name, path.segments[start].clone());
            }
        }
        for window in source.tokens.windows(3) {
            if window[0].is("macro_rules") && window[1].is("!") {
                homes.insert(window[2].text.clone(), source.top().to_owned());
            }
        }
    }
    homes
}

/// Numbers that are client or server error statuses (RFC 9110 section 15, IANA's registry).
pub(super) fn status_numbers(source: &Source) -> Vec<String> {
    let numbers = source.tokens.iter().filter(|token| status(&token.text));
    let told = numbers.map(|token| format!("{}:{}: `{}`", source.file, token.line, token.text));
    told.collect()
}

fn status(text: &str) -> bool {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let number = ["u16", "u32", "i32", "usize"]
        .iter()
        .find_map(|suffix| digits.strip_suffix(suffix))
        .unwrap_or(&digits);
    matches!(
        number.parse::<u16>(),
        Ok(400..=418 | 421..=426 | 428 | 429 | 431 | 451 | 500..=508 | 510 | 511)
    )
}

/// Functions of more than `limit` lines, from `fn` to the closing brace.
pub(super) fn long_functions(source: &Source, limit: usize) -> Vec<String> {
    let starts = source.tokens.windows(2).enumerate();
    let functions = starts.filter(|(_, pair)| pair[0].is("fn") && pair[1].is_ident());
    let long = functions.filter_map(|(at, pair)| {
        let rest = &source.tokens[at..];
        let lines = rest[function_length(rest) - 1].last_line - pair[0].line + 1;
        let name = &pair[1].text;
        (lines > limit).then(|| format!("{}: `{name}` has {lines} lines", source.file))
    });
    long.collect()
}

fn function_length(rest: &[Token]) -> usize {
    let mut at = 0;
    while at < rest.len() {
        match rest[at].text.as_str() {
            ";" => return at + 1,
            "{" => return at + group_length(&rest[at..]),
            "(" | "[" => at += group_length(&rest[at..]),
            _ => at += 1,
        }
    }
    at
}

/// Lines on which somebody is vouched for: `Principal::assertion`, however it is reached.
pub(super) fn assertions(source: &Source) -> Vec<usize> {
    let is_call = |at: usize| {
        let before = at.checked_sub(1).map_or("", |before| source.tokens[before].text.as_str());
        let owner = at.checked_sub(2).map_or("", |owner| source.tokens[owner].text.as_str());
        let next = source.tokens.get(at + 1);
        let called = next.is_some_and(|next| next.is("(")) && before != "fn";
        called || (before == "::" && matches!(owner, "Principal" | "Self"))
    };
    let words = source.tokens.iter().enumerate().filter(|(_, token)| token.is("assertion"));
    words.filter(|(at, _)| is_call(*at)).map(|(_, token)| token.line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: Levels =
        Levels { levels: &[&["gate"], &["authn", "limit"], &["time", "net"]], vocabulary: 2 };

    #[test]
    fn arrows_that_point_up_or_sideways_are_found() {
        let root =
            Source::new("lib.rs", "pub use gate::{Gate, Routes as Table}; pub use time::Now;");
        let describe = Source::new("limit.rs", "macro_rules! quota { () => {} }");
        let homes = homes(&[root, describe]);
        let check = |file: &str, text: &str, expected: &[&str]| {
            assert_eq!(LEVELS.broken_by(&Source::new(file, text), &homes), expected, "{text}");
        };
        check("gate.rs", "use crate::{Now, authn::X, limit, time::Mono};", &[]);
        check("time.rs", "use crate::net::IpNet;", &[]);
        check("authn/a.rs", "use super::b; use crate::authn::c;", &[]);
        check("authn/a.rs", "use crate::limit::X;", &["authn/a.rs:1: `authn` uses `limit`"]);
        check("authn/a.rs", "super::super::limit::x()", &["authn/a.rs:1: `authn` uses `limit`"]);
        check("authn.rs", "fn f(\n_: crate::Gate) {}", &["authn.rs:2: `authn` uses `gate`"]);
        check("authn.rs", "use crate::{Now, Table};", &["authn.rs:1: `authn` uses `gate`"]);
        check("authn.rs", "crate::quota!()", &["authn.rs:1: `authn` uses `limit`"]);
        check("net.rs", "use crate::unknown;", &["net.rs:1: `net` uses `unknown`"]);
        check("stranger.rs", "use crate::Now;", &["stranger.rs:1: `stranger` uses `time`"]);
        check("authn.rs", "#[cfg(test)] mod tests { use crate::limit; }", &[]);
    }

    #[test]
    fn words_outside_their_places_are_found() {
        let absence = Absence {
            what: "x",
            words: &["Mutex", "Atomic*", "std::io", "http::"],
            only: &["clock.rs", "gate/caller", "http"],
        };
        let check = |file: &str, text: &str, expected: usize| {
            let found = absence.broken_by(&Source::new(file, text));
            assert_eq!(found.len(), expected, "{file}: {text}: {found:?}");
        };
        check("a.rs", "use std::sync::{Arc, Mutex};", 1);
        check("a.rs", "x: std::sync::atomic::AtomicU64", 1);
        check("a.rs", "use std::{io, fmt};", 1);
        check("a.rs", "std::io::Write", 1);
        check("a.rs", "use std::ioctl; MutexGuard; atomic", 0);
        check("a.rs", "http::HeaderMap", 1);
        check("a.rs", "use http as h;", 1);
        check("a.rs", "use ::http::HeaderMap;", 1);
        check("a.rs", "let http = crate::http::x(http);", 0);
        check("a.rs", "// Mutex\n\"Mutex\"; #[cfg(test)] use std::io;", 0);
        check("clock.rs", "Mutex", 0);
        check("clock/more.rs", "Mutex", 1);
        check("gate/caller.rs", "Mutex", 0);
        check("gate/caller/state.rs", "Mutex", 0);
        check("gate/callers.rs", "Mutex", 1);
        check("http/mod.rs", "http::HeaderMap", 0);
    }

    #[test]
    fn places_that_need_no_exception_are_found() {
        let absence = Absence { what: "a lock", words: &["Mutex"], only: &["a", "b", "c"] };
        let sources = [Source::new("a.rs", "Mutex"), Source::new("b.rs", "// Mutex")];
        assert_eq!(absence.stale(&sources).len(), 2);
    }

    #[test]
    fn status_numbers_are_found() {
        let source = Source::new("a.rs", "401; 4_29u16; 512; 65_500; 0x401; // 403\n\"404\"; 503");
        assert_eq!(
            status_numbers(&source),
            ["a.rs:1: `401`", "a.rs:1: `4_29u16`", "a.rs:2: `503`"]
        );
    }

    #[test]
    fn long_functions_are_found() {
        let text = "fn a(x: [u8; 2]) {\n\n}\nfn b() {\n}\ntrait T { fn c(); }\n fn\n(\n)";
        assert_eq!(long_functions(&Source::new("a.rs", text), 2), ["a.rs: `a` has 3 lines"]);
    }

    #[test]
    fn assertions_are_found() {
        let check = |text: &str, expected: usize| {
            assert_eq!(assertions(&Source::new("a.rs", text)).len(), expected, "{text}");
        };
        check("Principal::assertion(a, b)", 1);
        check("let f = Principal::assertion;", 1);
        check("use P; P::assertion(a, b)", 1);
        check("pub fn assertion(a: A) {}", 0);
        check("mod assertion; use assertion::Assertion;", 0);
        check("// Principal::assertion(a)\n#[cfg(test)] mod t { Principal::assertion(a) }", 0);
    }
}
