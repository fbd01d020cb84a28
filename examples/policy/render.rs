//! Errors as a compiler shows them.

use std::fmt::Write;

use portcullis::authz::{PolicyError, PolicyErrors};

pub(crate) fn errors(file: &str, source: &str, errors: &PolicyErrors) -> String {
    let mut text = String::new();
    for error in errors.iter() {
        // Writing to a `String` cannot fail.
        let _ = one(&mut text, file, source, error);
    }
    let count = errors.iter().count();
    let _ = writeln!(text, "{file}: {count} error{}", if count == 1 { "" } else { "s" });
    text
}

fn one(text: &mut String, file: &str, source: &str, error: &PolicyError) -> std::fmt::Result {
    let (what, help) = match error.message().split_once("; did you mean ") {
        Some((what, meant)) => (what, Some(format!("did you mean {meant}"))),
        None => (error.message(), None),
    };
    writeln!(text, "error: {what}")?;
    let line =
        error.line().and_then(|line| Some((line, source.lines().nth(line.checked_sub(1)?)?)));
    match (line, error.path()) {
        (Some((number, line)), path) => {
            let column = error.column().unwrap_or(1);
            let margin = " ".repeat(number.to_string().len());
            writeln!(text, "{margin}--> {file}:{number}:{column}")?;
            writeln!(text, "{margin} |")?;
            let (shown, before) = window(line, column.saturating_sub(1));
            writeln!(text, "{number} | {shown}")?;
            let (indent, carets) = (" ".repeat(before), carets(line, column));
            writeln!(text, "{margin} | {indent}{carets}")?;
            if let Some(help) = help {
                writeln!(text, "{margin} = help: {help}")?;
            }
            if !path.is_empty() {
                writeln!(text, "{margin} = note: in `{path}`")?;
            }
        }
        (None, path) => {
            writeln!(text, " --> {file}{}{path}", if path.is_empty() { "" } else { ": " })?;
            if let Some(help) = help {
                writeln!(text, "  = help: {help}")?;
            }
        }
    }
    writeln!(text)
}

/// What is shown of a line, and how much of that is before the character `at`: all of it, or where
/// it is long, what is around that character.
fn window(line: &str, at: usize) -> (String, usize) {
    let line = printable(line);
    if line.chars().count() <= WIDE {
        return (line, at);
    }
    let skipped = at.saturating_sub(WIDE / 2);
    let part: String = line.chars().skip(skipped).take(WIDE).collect();
    let ends = skipped + WIDE >= line.chars().count();
    let [start, end] = [skipped > 0, !ends].map(|cut| if cut { "..." } else { "" });
    (format!("{start}{part}{end}"), at - skipped + start.len())
}

/// Longer lines are not shown whole.
const WIDE: usize = 120;

/// Under the word, or the quoted text, that starts at the column.
fn carets(line: &str, column: usize) -> String {
    let rest: Vec<char> = line.chars().skip(column.saturating_sub(1)).collect();
    let word = |c: &&char| c.is_alphanumeric() || "_-.".contains(**c);
    let width = match rest.first() {
        Some(quote @ ('"' | '\'')) => {
            rest.iter().skip(1).position(|c| c == quote).map_or(1, |end| end + 2)
        }
        _ => rest.iter().take_while(word).count(),
    };
    "^".repeat(width.max(1))
}

/// One column for each character, and none that moves the cursor.
fn printable(line: &str) -> String {
    line.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if c.is_control() {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
