//! Lines and columns of a TOML text for paths in the document.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::error::{Place, PolicyError, Step};

/// Gives every error its line and column, as far as they can be found.
pub(in crate::authz) fn locate(source: &str, errors: &mut [PolicyError]) {
    let Ok(table) = DeTable::parse(source) else { return };
    for error in errors {
        if let Some(at) = find(source, table.get_ref(), &error.place) {
            let (line, column) = position(source, at);
            (error.line, error.column) = (Some(line), Some(column));
        }
    }
}

/// Line and column of a byte, both from 1; columns count characters.
pub(in crate::authz) fn position(source: &str, at: usize) -> (usize, usize) {
    let before = source.get(..at).unwrap_or(source);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn find(source: &str, table: &DeTable<'_>, place: &Place) -> Option<usize> {
    let (first, rest) = place.steps.split_first()?;
    let Step::Key(first) = first else { return None };
    let mut value: &Spanned<DeValue<'_>> = table.get(&**first)?;
    for step in rest {
        value = match step {
            Step::Key(key) => value.get_ref().get(&**key)?,
            Step::Position(position) => value.get_ref().get(*position)?,
        };
    }
    let span = value.span();
    let within = place.offset.and_then(|offset| within(source.get(span.clone())?, offset));
    Some(span.start + within.unwrap_or(0))
}

/// Where in a quoted string, as written, the text has reached `offset`. Unknown where escapes
/// make the written string longer than the text, or line ends may.
fn within(written: &str, offset: usize) -> Option<usize> {
    let (quotes, literal) = match written.get(..3) {
        Some("'''") => (3, true),
        Some("\"\"\"") => (3, false),
        _ => (1, written.starts_with('\'')),
    };
    let body = written.get(quotes..)?;
    // TOML 1.0, Strings: a newline right behind the opening quotes of a long string is trimmed.
    let newline = ["\r\n", "\n"].iter().find(|line| quotes == 3 && body.starts_with(**line));
    let trimmed = newline.map_or(0, |line| line.len());
    let before = body.get(trimmed..)?.get(..offset)?;
    let plain = !before.contains('\r') && (literal || !before.contains('\\'));
    plain.then_some(quotes + trimmed + offset)
}
