//! The words of a condition, and of Cedar's policy text.

use super::SyntaxError;

/// A word and where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::authz) struct Token<'t> {
    pub(in crate::authz) kind: TokenKind<'t>,
    pub(in crate::authz) at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::authz) enum TokenKind<'t> {
    Name(&'t str),
    Number(u64),
    Str(Box<str>),
    /// Text behind `like`, cut at its stars.
    Pattern(Box<[Box<str>]>),
    Symbol(&'static str),
    End,
}

/// Longer ones first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 22] = [
    "==", "!=", "<=", ">=", "&&", "||", "::", "<", ">", "!", "(", ")", "[", "]", "{", "}", ".",
    ",", ":", "+", "-", "*",
];

/// Cuts the text into words; the last one is the end.
///
/// # Errors
/// At the first character that starts no word.
pub(super) fn lex(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut rest = text;
    loop {
        let (token, tail) = next(text, rest, tokens.last(), word)?;
        rest = tail;
        let end = token.kind == TokenKind::End;
        tokens.push(token);
        if end {
            return Ok(tokens);
        }
    }
}

/// Puts the words of one policy in the place of `tokens`: those up to its semicolon, the last one,
/// or the end; and says what is behind. `rest` is the end of `text`.
///
/// # Errors
/// At the first character that starts no word.
pub(in crate::authz) fn lex_policy<'t>(
    text: &'t str,
    rest: &'t str,
    tokens: &mut Vec<Token<'t>>,
) -> Result<&'t str, SyntaxError> {
    let mut rest = rest;
    tokens.clear();
    loop {
        let (token, tail) = next(text, rest, tokens.last(), policy_word)?;
        rest = tail;
        let end = matches!(token.kind, TokenKind::End | TokenKind::Symbol(";"));
        tokens.push(token);
        if end {
            return Ok(rest);
        }
    }
}

type Word = fn(char, &str, usize) -> Result<(TokenKind<'_>, &str), SyntaxError>;

fn next<'t>(
    text: &str,
    rest: &'t str,
    before: Option<&Token<'_>>,
    word: Word,
) -> Result<(Token<'t>, &'t str), SyntaxError> {
    let rest = skip_blanks(rest);
    let at = text.len() - rest.len();
    let Some(first) = rest.chars().next() else {
        return Ok((Token { kind: TokenKind::End, at }, rest));
    };
    let like = |token: &Token<'_>| token.kind == TokenKind::Name("like");
    let (kind, tail) = match first {
        '"' => string(rest, at, before.is_some_and(like))?,
        _ => word(first, rest, at)?,
    };
    Ok((Token { kind, at }, tail))
}

/// A word of policy text. Digits end where no digit follows, whatever it is.
fn policy_word(first: char, rest: &str, at: usize) -> Result<(TokenKind<'_>, &str), SyntaxError> {
    if first.is_ascii_digit() {
        let (digits, tail) = split(rest, |c| c.is_ascii_digit());
        let number = digits.parse().map_err(|_| error(at, format!("`{digits}` is no long")))?;
        return Ok((TokenKind::Number(number), tail));
    }
    for symbol in ["?principal", "?resource"] {
        if let Some(tail) = rest.strip_prefix(symbol)
            && !tail.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        {
            return Ok((TokenKind::Symbol(symbol), tail));
        }
    }
    for symbol in ["@", ";"] {
        if let Some(tail) = rest.strip_prefix(symbol) {
            return Ok((TokenKind::Symbol(symbol), tail));
        }
    }
    word(first, rest, at)
}

fn word(first: char, rest: &str, at: usize) -> Result<(TokenKind<'_>, &str), SyntaxError> {
    if first.is_ascii_digit() {
        let (digits, tail) = split(rest, |c| c.is_ascii_alphanumeric());
        let number = digits.parse().map_err(|_| error(at, format!("`{digits}` is no long")))?;
        return Ok((TokenKind::Number(number), tail));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let (name, tail) = split(rest, |c| c.is_ascii_alphanumeric() || c == '_');
        return Ok((TokenKind::Name(name), tail));
    }
    for symbol in SYMBOLS {
        if let Some(tail) = rest.strip_prefix(symbol) {
            return Ok((TokenKind::Symbol(symbol), tail));
        }
    }
    let hint = match first {
        '=' => "; equality is `==`",
        '&' => "; and is `&&`",
        '|' => "; or is `||`",
        '\'' => "; text is in double quotes",
        _ => "",
    };
    let shown = if first.is_control() { '\u{fffd}' } else { first };
    Err(error(at, format!("unexpected `{shown}`{hint}")))
}

/// White space, and comments from `//` to the end of the line, as Cedar finds it.
fn skip_blanks(mut rest: &str) -> &str {
    loop {
        rest = rest.trim_start();
        match rest.strip_prefix("//") {
            Some(comment) => rest = split(comment, |c| c != '\n' && c != '\r').1,
            None => return rest,
        }
    }
}

fn split(text: &str, part: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !part(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Text in double quotes, with Cedar's escapes; in a pattern a star is one of them.
fn string(rest: &str, at: usize, pattern: bool) -> Result<(TokenKind<'_>, &str), SyntaxError> {
    let mut pieces: Vec<Box<str>> = Vec::new();
    let mut text = String::new();
    let mut chars = rest.chars();
    chars.next();
    loop {
        match chars.next() {
            None => return Err(error(at, "text without a closing `\"`".into())),
            Some('"') if pattern => {
                pieces.push(text.into());
                return Ok((TokenKind::Pattern(pieces.into()), chars.as_str()));
            }
            Some('"') => return Ok((TokenKind::Str(text.into()), chars.as_str())),
            Some('*') if pattern => pieces.push(std::mem::take(&mut text).into()),
            Some('\\') if pattern && chars.as_str().starts_with('*') => text.extend(chars.next()),
            Some('\\') => {
                let place = at + (rest.len() - chars.as_str().len()).saturating_sub(1);
                let escaped = escape(&mut chars);
                match escaped.ok_or_else(|| error(place, "no such escape".into()))? {
                    // As in Cedar, whichever way a star is written.
                    '*' if pattern => pieces.push(std::mem::take(&mut text).into()),
                    other => text.push(other),
                }
            }
            Some('\r') => {
                let place = at + (rest.len() - chars.as_str().len()).saturating_sub(1);
                return Err(error(place, "a carriage return in text is written `\\r`".into()));
            }
            Some(other) => text.push(other),
        }
    }
}

/// What stands behind a backslash.
fn escape(chars: &mut std::str::Chars<'_>) -> Option<char> {
    match chars.next()? {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '0' => Some('\0'),
        quoted @ ('\\' | '"' | '\'') => Some(quoted),
        'x' => {
            let code = chars.next()?.to_digit(8)? * 16 + chars.next()?.to_digit(16)?;
            char::from_u32(code)
        }
        'u' => {
            let (written, tail) = chars.as_str().strip_prefix('{')?.split_once('}')?;
            let digits = written.replace('_', "");
            let plain = !written.starts_with('_')
                && matches!(digits.len(), 1..=6)
                && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            *chars = tail.chars();
            char::from_u32(u32::from_str_radix(&digits, 16).ok().filter(|_| plain)?)
        }
        _ => None,
    }
}

fn error(at: usize, message: String) -> SyntaxError {
    SyntaxError { at, message }
}
