//! The rows as a Markdown table for each workload's group.

use std::fmt::Write as _;

use super::{Row, targets, to_bound};

/// Which columns there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figures {
    /// Times as well.
    All,
    /// Only what carries over to another machine.
    Ratios,
}

/// First the targets, then a table of each group.
pub(crate) fn markdown(rows: &[Row], figures: Figures) -> String {
    let mut text = targets::markdown(rows);
    let mut groups: Vec<&str> = Vec::new();
    for row in rows {
        // Workloads of two groups are measured in turns.
        if !groups.contains(&row.group()) {
            groups.push(row.group());
        }
    }
    for group in groups {
        text.push_str(heading(figures));
        for row in rows.iter().filter(|row| row.group() == group) {
            line(&mut text, row, to_bound(rows, row), figures);
        }
        text.push('\n');
    }
    text
}

fn heading(figures: Figures) -> &'static str {
    match figures {
        Figures::All => {
            "| workload | engine | ratio | to bound | median ns | p99 ns | allocs | bytes |\n\
             |---|---|---:|---:|---:|---:|---:|---:|\n"
        }
        Figures::Ratios => {
            "| workload | engine | ratio | to bound | p99 to median | allocs | bytes |\n\
             |---|---|---:|---:|---:|---:|---:|\n"
        }
    }
}

fn line(text: &mut String, row: &Row, to_bound: Option<f64>, figures: Figures) {
    let name = if row.is_ours() { format!("**{}**", row.engine) } else { row.engine.clone() };
    let to_bound = to_bound.map_or("-".to_owned(), ratio);
    let times = match figures {
        Figures::All => format!("{} | {}", short(row.median_ns), short(row.p99_ns)),
        Figures::Ratios => ratio(row.p99_ns / row.median_ns),
    };
    let (workload, own, allocs, bytes) =
        (&row.workload, ratio(row.ratio), short(row.allocs), short(row.bytes));
    // A string takes what is written to it.
    let _ = writeln!(
        text,
        "| `{workload}` | {name} | {own} | {to_bound} | {times} | {allocs} | {bytes} |"
    );
}

/// Three digits that say something.
fn ratio(value: f64) -> String {
    match value.abs() {
        small if small < 0.1 => format!("{value:.4}"),
        middle if middle < 10.0 => format!("{value:.2}"),
        large if large < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn short(value: f64) -> String {
    if value.abs() < 100.0 && value.fract() != 0.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::row;

    #[test]
    fn ratios_stand_beside_the_bound_and_times_only_where_they_belong() {
        let rows = [
            row("token/a", "peer 1.0.0", 1.0),
            row("token/a", "portcullis", 0.5),
            row("token/a", "bound: by hand", 0.25),
            row("limit/a", "peer 1.0.0", 1.0),
        ];
        let all = markdown(&rows, Figures::All);
        assert!(
            all.contains("| `token/a` | **portcullis** | 0.50 | 2.00 | 500 | 1000 | 3 | 100 |\n")
        );
        let ratios = markdown(&rows, Figures::Ratios);
        assert!(ratios.contains("| `token/a` | **portcullis** | 0.50 | 2.00 | 2.00 | 3 | 100 |\n"));
        assert!(ratios.contains("| `limit/a` | peer 1.0.0 | 1.00 | - | 2.00 | 3 | 100 |\n"));
        assert!(!ratios.contains(" ns "));
        assert_eq!(ratios.matches("|---|").count(), 2, "one table a group");
    }

    #[test]
    fn numbers_keep_the_digits_that_say_something() {
        assert_eq!(ratio(0.0123), "0.0123");
        assert_eq!(ratio(3.456), "3.46");
        assert_eq!(ratio(34.56), "34.6");
        assert_eq!(ratio(3456.7), "3457");
        assert_eq!(short(2.0), "2");
        assert_eq!(short(2.25), "2.2");
        assert_eq!(short(1234.5), "1234");
    }
}
