//! Rust source as tokens: enough to tell code from comments, texts and tests.

/// One token and the lines it covers, counted from 1. A text literal is told as `"`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) last_line: usize,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(super) fn is_ident(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of `source`, comments left out.
pub(super) fn lex(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(rest) = chars.get(at..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = measure(rest);
        let lines = rest.iter().take(length).filter(|c| **c == '\n').count();
        let text = match kind {
            Kind::Blank => None,
            Kind::Text => Some("\"".to_owned()),
            Kind::Plain => Some(rest.iter().take(length).collect()),
        };
        tokens.extend(text.map(|text| Token { text, line, last_line: line + lines }));
        at += length;
        line += lines;
    }
    tokens
}

enum Kind {
    Blank,
    Text,
    Plain,
}

/// What stands at the start of `rest`, which is not empty, and how long it is.
fn measure(rest: &[char]) -> (Kind, usize) {
    let starts = |prefix: &str| prefix.chars().eq(rest.iter().copied().take(prefix.len()));
    let run = |within: &dyn Fn(char) -> bool| rest.iter().take_while(|c| within(**c)).count();
    let first = rest[0];
    if first.is_whitespace() {
        (Kind::Blank, 1)
    } else if starts("//") {
        (Kind::Blank, run(&|c| c != '\n'))
    } else if starts("/*") {
        (Kind::Blank, block_comment(rest))
    } else if let Some(length) = text_literal(rest) {
        (Kind::Text, length)
    } else if starts("'") {
        (Kind::Plain, 1 + rest.iter().skip(1).take_while(|c| is_word(**c)).count())
    } else if starts("r#") {
        (Kind::Plain, 2 + rest.iter().skip(2).take_while(|c| is_word(**c)).count())
    } else if is_word(first) {
        (Kind::Plain, run(&is_word))
    } else if starts("::") {
        (Kind::Plain, 2)
    } else {
        (Kind::Plain, 1)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match (rest[at], rest.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a text, byte or character literal at the start, raw or not.
fn text_literal(rest: &[char]) -> Option<usize> {
    let prefix = rest.iter().take_while(|c| matches!(c, 'b' | 'c' | 'r')).count();
    let raw = prefix > 0 && rest[prefix - 1] == 'r';
    let hashes = if raw { rest[prefix..].iter().take_while(|c| **c == '#').count() } else { 0 };
    let open = prefix + hashes;
    let body = rest.get(open + 1..)?;
    match rest[open] {
        '"' if raw => {
            let closes =
                |window: &[char]| window[0] == '"' && window[1..].iter().all(|c| *c == '#');
            let end = body.windows(hashes + 1).position(closes);
            Some(end.map_or(rest.len(), |end| open + 1 + end + hashes + 1))
        }
        // `'a'` is a character, `'a` a lifetime.
        '\'' if body.first() != Some(&'\\') && body.get(1) != Some(&'\'') => None,
        quote @ ('"' | '\'') => {
            let mut escaped = false;
            let end = body.iter().position(|c| {
                let ends = *c == quote && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            Some(end.map_or(rest.len(), |end| open + 1 + end + 1))
        }
        _ => None,
    }
}

/// The tokens outside `#[cfg(test)]` items, and the names of the test modules in files of their
/// own.
pub(super) fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
    let (mut kept, mut modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        let rest = &tokens[at..];
        if is_test_attribute(rest) {
            let item = &rest[..item_length(rest)];
            if let [.., keyword, name, end] = item
                && keyword.is("mod")
                && end.is(";")
            {
                modules.push(name.text.clone());
            }
            at += item.len();
        } else {
            kept.push(rest[0].clone());
            at += 1;
        }
    }
    (kept, modules)
}

/// `#[cfg(test)]`, `#[cfg(all(test, loom))]`; not `#[cfg(not(test))]`.
fn is_test_attribute(rest: &[Token]) -> bool {
    let attribute = &rest[..attribute_length(rest)];
    let names = |name: &str| attribute.iter().any(|token| token.is(name));
    attribute.get(2).is_some_and(|token| token.is("cfg"))
        && names("test")
        && !names("not")
        && !names("any")
}

fn attribute_length(rest: &[Token]) -> usize {
    match rest {
        [hash, open, ..] if hash.is("#") && open.is("[") => 1 + group_length(&rest[1..]),
        _ => 0,
    }
}

/// From the first attribute of an item to its closing brace or semicolon.
fn item_length(rest: &[Token]) -> usize {
    let mut at = 0;
    while attribute_length(&rest[at..]) > 0 {
        at += attribute_length(&rest[at..]);
    }
    let import = rest[at..].iter().take(2).any(|token| token.is("use"));
    while at < rest.len() {
        match rest[at].text.as_str() {
            ";" => return at + 1,
            "{" if !import => return at + group_length(&rest[at..]),
            "{" | "(" | "[" => at += group_length(&rest[at..]),
            _ => at += 1,
        }
    }
    at
}

/// From an opening bracket, which comes first, through the one that closes it.
pub(super) fn group_length(rest: &[Token]) -> usize {
    let mut depth = 0;
    for (index, token) in rest.iter().enumerate() {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(tokens: &[Token]) -> String {
        tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_texts_are_no_code() {
        let check = |source: &str, expected: &str| assert_eq!(texts(&lex(source)), expected);
        check("a /* b /* c */ d */ e // f\n/// g\n//! h\ni", "a e i");
        check(r#"x("a // \" b", 'c', '\'', b"d", b'"')"#, r#"x ( " , " , " , " , " )"#);
        check(r###"r"\" r#"a"b"# br##"c"#d"## r#fn"###, r#"" " " r#fn"#);
        check("&'static str 'a: loop", "& 'static str 'a : loop");
        check("crate::a::B 0xff_u8 1_000", "crate :: a :: B 0xff_u8 1_000");
    }

    #[test]
    fn lines_are_counted_through_texts_and_comments() {
        let lines: Vec<_> = lex("a\n/* \n */ b \"c\nd\" e")
            .iter()
            .map(|token| (token.line, token.last_line))
            .collect();
        assert_eq!(lines, [(1, 1), (3, 3), (3, 4), (4, 4)]);
    }

    #[test]
    fn tests_are_left_out_and_nothing_else() {
        let check = |source: &str, expected: &str, files: &[&str]| {
            let (kept, modules) = without_tests(&lex(source));
            assert_eq!(
                (texts(&kept).as_str(), modules),
                (expected, files.iter().map(|name| (*name).to_owned()).collect())
            );
        };
        check("a #[cfg(test)] mod tests { fn f() {} } b", "a b", &[]);
        check("a; #[cfg(test)] mod tests; b", "a ; b", &["tests"]);
        check("#[cfg(all(test, loom))] #[path = \"x\"] mod models; b", "b", &["models"]);
        check("#[cfg(test)] use a::{b, c}; d", "d", &[]);
        check("#[cfg(test)] fn f(a: [u8; 2]) -> u8 { 0 } d", "d", &[]);
        check("#[cfg(not(test))] fn f() {}", "# [ cfg ( not ( test ) ) ] fn f ( ) { }", &[]);
        check("#[cfg(any(test, loom))] a", "# [ cfg ( any ( test , loom ) ) ] a", &[]);
        check("#[test] fn f() {}", "# [ test ] fn f ( ) { }", &[]);
    }
}
