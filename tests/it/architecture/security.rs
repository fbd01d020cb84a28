//! The tables of SECURITY.md, held against the code.

use super::source::Source;

/// Rows of the table under `## heading`: the first two cells, without the header.
pub(super) fn rows(markdown: &str, heading: &str) -> Vec<(String, String)> {
    let section = markdown.lines().skip_while(|line| line.strip_prefix("## ") != Some(heading));
    let section = section.skip(1).take_while(|line| !line.starts_with("## "));
    let table = section.filter_map(|line| line.strip_prefix('|'));
    let cells = table.map(|line| {
        let mut cells = line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned());
        (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
    });
    cells.skip(2).collect()
}

/// The trusted core as the code has it: the listed files with their counts, and the sum.
pub(super) fn core_table(listed: &[(String, String)], sources: &[Source]) -> (String, usize) {
    let mut table = String::from("| file | code lines |\n|---|---:|\n");
    let mut total = 0;
    for source in sources {
        let file = format!("src/{}", source.file);
        if listed.iter().any(|(name, _)| *name == file) {
            let lines = source.code_lines();
            total += lines;
            table.push_str(&format!("| `{file}` | {lines} |\n"));
        }
    }
    table.push_str(&format!("| total | {total} |\n"));
    (table, total)
}

/// What is listed, in the form of [`core_table`].
pub(super) fn listed_table(listed: &[(String, String)]) -> String {
    let mut table = String::from("| file | code lines |\n|---|---:|\n");
    for (file, lines) in listed {
        let row = match file.as_str() {
            "total" => format!("| total | {lines} |\n"),
            _ => format!("| `{file}` | {lines} |\n"),
        };
        table.push_str(&row);
    }
    table
}

/// Files in neither table or in both: `core` names files, `outside` files and folders.
pub(super) fn misplaced(
    core: &[(String, String)],
    outside: &[(String, String)],
    sources: &[Source],
) -> Vec<String> {
    let told = sources.iter().filter_map(|source| {
        let file = format!("src/{}", source.file);
        let in_core = core.iter().any(|(name, _)| *name == file);
        let is_outside = outside.iter().any(|(place, _)| {
            file == *place || (place.ends_with('/') && file.starts_with(place.as_str()))
        });
        match (in_core, is_outside) {
            (true, true) => Some(format!("`{file}` is in the trusted core and outside it")),
            (false, false) => Some(format!("`{file}` is neither in the trusted core nor outside")),
            (true, false) | (false, true) => None,
        }
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECURITY: &str = "## Core\n\ntext\n\n| file | lines |\n|---|---:|\n| `src/a.rs` | 1 |\n\
        | total | 1 |\n\n## Outside\n| place | why |\n|---|---|\n| `src/b/` | because |\n";

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn tables_are_read_by_heading() {
        assert_eq!(rows(SECURITY, "Core"), pairs(&[("src/a.rs", "1"), ("total", "1")]));
        assert_eq!(rows(SECURITY, "Outside"), pairs(&[("src/b/", "because")]));
        assert_eq!(rows(SECURITY, "Elsewhere"), []);
    }

    #[test]
    fn wrong_counts_and_lost_files_are_found() {
        let same = |listed: &[(&str, &str)], text: &str| {
            let listed = pairs(listed);
            core_table(&listed, &[Source::new("a.rs", text)]).0 == listed_table(&listed)
        };
        assert!(same(&[("src/a.rs", "1"), ("total", "1")], "fn a() {}"));
        assert!(!same(&[("src/a.rs", "1"), ("total", "1")], "fn a() {\n}"));
        assert!(!same(&[("src/a.rs", "1"), ("total", "2")], "fn a() {}"));
        assert!(!same(&[("src/a.rs", "1"), ("src/b.rs", "0"), ("total", "1")], "fn a() {}"));
    }

    #[test]
    fn files_that_nobody_placed_are_found() {
        let core = pairs(&[("src/a.rs", "1"), ("src/b/c.rs", "1")]);
        let outside = pairs(&[("src/b/", "because")]);
        let check = |file: &str, expected: usize| {
            let found = misplaced(&core, &outside, &[Source::new(file, "")]);
            assert_eq!(found.len(), expected, "{found:?}");
        };
        check("a.rs", 0);
        check("b/d.rs", 0);
        check("b/c.rs", 1);
        check("new.rs", 1);
    }
}
