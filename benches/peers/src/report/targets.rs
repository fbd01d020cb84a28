//! What is aimed at.

use std::fmt::Write as _;

use super::Row;

/// Ours is to take at most this much of what another engine takes.
struct Target {
    /// How the workloads' names start, and how they end.
    workloads: (&'static str, &'static str),
    /// How the other engine's name starts.
    other: &'static str,
    at_most: f64,
}

const fn target(
    workloads: (&'static str, &'static str),
    other: &'static str,
    at_most: f64,
) -> Target {
    Target { workloads, other, at_most }
}

const TARGETS: [Target; 7] = [
    target(("token/hs256/miss", ""), "jsonwebtoken", 0.65),
    target(("token/", "/besides-signature"), "bound: ", 2.0),
    target(("policy/role/", ""), "cedar-policy", 1.0 / 20.0),
    target(("policy/role/", ""), "casbin", 1.0 / 20.0),
    target(("limit/keyed-given-now/", ""), "governor", 0.3),
    target(("limit/keyed/", ""), "governor", 0.8),
    target(("gate/hs256/miss", ""), "jwt-authorizer", 0.7),
];

/// A table of the targets that `rows` say something about; nothing without one.
pub(super) fn markdown(rows: &[Row]) -> String {
    let mut text = String::new();
    for target in &TARGETS {
        for ours in rows.iter().filter(|row| row.is_ours() && target.is_about(&row.workload)) {
            let same =
                |row: &&Row| row.workload == ours.workload && row.engine.starts_with(target.other);
            if let Some(other) = rows.iter().find(same) {
                target.line(&mut text, ours, other);
            }
        }
    }
    if text.is_empty() {
        return text;
    }
    format!(
        "| workload | engine | beside | at most | measured | reached |\n\
         |---|---|---|---:|---:|---|\n{text}\n"
    )
}

impl Target {
    fn is_about(&self, workload: &str) -> bool {
        workload.starts_with(self.workloads.0) && workload.ends_with(self.workloads.1)
    }

    fn line(&self, text: &mut String, ours: &Row, other: &Row) {
        let measured = ours.ratio / other.ratio;
        let reached = if measured <= self.at_most { "yes" } else { "**no**" };
        let (workload, engine, beside) = (&ours.workload, &ours.engine, &other.engine);
        let at_most = self.at_most;
        // A string takes what is written to it.
        let _ = writeln!(
            text,
            "| `{workload}` | {engine} | {beside} | {at_most:.2} | {measured:.3} | {reached} |"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::row;

    #[test]
    fn ours_is_held_against_the_one_that_the_target_names() {
        let rows = [
            row("policy/role/names", "cedar-policy 4.0.0", 1.0),
            row("policy/role/names", "casbin 2.0.0", 0.5),
            row("policy/role/names", "portcullis", 0.03),
            row("policy/attributes", "portcullis", 0.03),
            row("token/rs256/miss", "portcullis", 0.9),
        ];
        let lines: Vec<_> = markdown(&rows).lines().skip(2).map(str::to_owned).collect();
        assert_eq!(
            lines[..2],
            [
                "| `policy/role/names` | portcullis | cedar-policy 4.0.0 | 0.05 | 0.030 | yes |",
                "| `policy/role/names` | portcullis | casbin 2.0.0 | 0.05 | 0.060 | **no** |",
            ]
        );
        assert_eq!(lines.len(), 3, "two lines and a blank one");
        assert_eq!(markdown(&rows[3..]), "");
    }
}
