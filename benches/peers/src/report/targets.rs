//! What is aimed at.

use std::fmt::Write as _;

use super::Row;

/// Ours is to take at most this much of what another engine takes.
struct Target {
    /// How the workloads' names start, and how they end.
    workloads: (&'static str, &'static str),
    /// Which of ours it is about.
    ours: &'static str,
    /// How the other engine's name starts.
    other: &'static str,
    at_most: f64,
}

const fn target(
    workloads: (&'static str, &'static str),
    [ours, other]: [&'static str; 2],
    at_most: f64,
) -> Target {
    Target { workloads, ours, other, at_most }
}

const OURS: &str = "portcullis";
const BEFOREHAND: &str = "portcullis+made beforehand";
const CACHED: &str = "portcullis+cached";
const NAMES: &str = "portcullis+from names";
const COARSE: &str = "portcullis+coarse clock";
const TWO_THREADS: &str = "portcullis+2 threads";
const MOST_POLICIES: &str = "portcullis+9905 policies";

const TARGETS: [Target; 39] = [
    target(("token/hs256/miss", ""), [OURS, "jsonwebtoken"], 0.55),
    target(("token/", "/besides-signature"), [OURS, "bound: "], 1.6),
    target(("token/hs256/hits/", ""), [TWO_THREADS, "portcullis+1 thread"], 1.0 / 0.9),
    target(("policy/role/handle", ""), [OURS, "bound: "], 1.0),
    target(("policy/role/names", ""), [OURS, "bound: "], 2.0),
    target(("policy/attributes", ""), [BEFOREHAND, "cedar-policy 4.14.1 all"], 1.0 / 70.0),
    target(("policy/attributes", ""), [BEFOREHAND, "regorus 0.14.1 input"], 1.0 / 40.0),
    target(("policy/attributes", ""), [OURS, "cedar-policy"], 1.0 / 200.0),
    target(("policy/casbin-large/", ""), [OURS, "casbin 2.20.0 its own"], 1e-5),
    target(("policy/growth/flat", ""), ["portcullis+100000 rules", "portcullis+10 rules"], 1.5),
    target(("policy/gdrive/", ""), [OURS, "cedar-policy"], 1.0 / 60.0),
    target(("policy/gdrive/", ""), [NAMES, "cedar-policy 4.14.1 from names"], 1.0 / 40.0),
    target(("policy/github/", ""), [OURS, "cedar-policy"], 1.0 / 60.0),
    target(("policy/github/", ""), [NAMES, "cedar-policy 4.14.1 from names"], 1.0 / 40.0),
    target(("policy/tinytodo/", ""), [OURS, "cedar-policy"], 1.0 / 60.0),
    target(("policy/tinytodo/", ""), [NAMES, "cedar-policy 4.14.1 from names"], 1.0 / 40.0),
    target(("policy/hospital/9905", ""), [OURS, "cedar-policy"], 1e-5),
    target(("policy/hospital/flat", ""), [MOST_POLICIES, "portcullis+170 policies"], 1.3),
    target(("policy/hospital/flat", ""), [MOST_POLICIES, "portcullis+38 policies"], 1.6),
    target(("policy/load/", ""), [OURS, "cedar-policy"], 1.0 / 3.0),
    target(("limit/keyed-given-now/1/", "1-threads"), [OURS, "governor"], 0.25),
    target(("limit/keyed-given-now/1000/", "1-threads"), [OURS, "governor"], 0.25),
    target(("limit/keyed-given-now/1000000/", "1-threads"), [OURS, "governor"], 0.3),
    target(("limit/keyed-given-now/1/", "2-threads"), [OURS, "governor"], 0.5),
    target(("limit/keyed-given-now/1000/", "2-threads"), [OURS, "governor"], 0.35),
    target(("limit/keyed/1/", "1-threads"), [OURS, "governor"], 0.75),
    target(("limit/keyed/1000/", "1-threads"), [OURS, "governor"], 0.75),
    target(("limit/keyed/1000000/", "1-threads"), [OURS, "governor"], 0.62),
    target(("limit/keyed/1/", "1-threads"), [COARSE, "governor"], 0.75),
    target(("limit/keyed/1000/", "1-threads"), [COARSE, "governor"], 0.75),
    target(("limit/keyed/1000000/", "1-threads"), [COARSE, "governor"], 0.62),
    target(("limit/denied/", "-threads"), [OURS, "governor"], 0.15),
    target(("limit/denied/", "/scaling"), [TWO_THREADS, "portcullis+1 thread"], 2.0 / 1.9),
    target(("limit/three", ""), ["portcullis+three keys", "portcullis+one limit"], 2.0),
    target(("limit/three", ""), ["portcullis+three quotas", "portcullis+one limit"], 2.0),
    target(("gate/hs256/miss", ""), [OURS, "jwt-authorizer"], 0.7),
    target(("gate/rs256/hit", ""), [OURS, "jwt-authorizer"], 1.0 / 50.0),
    target(("http/hs256", ""), [CACHED, "bound: one layer by hand, tokens"], 1.0 / 0.95),
    target(("http/rs256", ""), [CACHED, "bound: one layer by hand, tokens"], 1.0 / 0.95),
];

/// A table of the targets that `rows` say something about; nothing without one.
pub(super) fn markdown(rows: &[Row]) -> String {
    let mut text = String::new();
    for target in &TARGETS {
        for ours in rows.iter().filter(|row| target.is_about(row)) {
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
    fn is_about(&self, row: &Row) -> bool {
        let (start, end) = self.workloads;
        row.engine == self.ours && row.workload.starts_with(start) && row.workload.ends_with(end)
    }

    fn line(&self, text: &mut String, ours: &Row, other: &Row) {
        let measured = ours.ratio / other.ratio;
        let reached = if measured <= self.at_most { "yes" } else { "**no**" };
        let (workload, engine, beside) = (&ours.workload, &ours.engine, &other.engine);
        let (at_most, measured) = (share(self.at_most), share(measured));
        // A string takes what is written to it.
        let _ = writeln!(
            text,
            "| `{workload}` | {engine} | {beside} | {at_most} | {measured} | {reached} |"
        );
    }
}

/// Small parts as one in so many.
fn share(of: f64) -> String {
    if of < 0.1 { format!("1/{:.0}", of.recip()) } else { format!("{of:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::row;

    #[test]
    fn ours_is_held_against_the_one_that_the_target_names() {
        let rows = [
            row("policy/attributes", "cedar-policy 4.14.1", 1.0),
            row("policy/attributes", "cedar-policy 4.14.1 all made beforehand", 0.2),
            row("policy/attributes", "portcullis", 0.004),
            row("policy/attributes", "portcullis+made beforehand", 0.004),
            row("token/hs256/miss", "jsonwebtoken", 1.0),
            row("token/hs256/miss", "portcullis", 0.6),
            row("token/hs256/miss", "portcullis+aws-lc-rs", 0.5),
            row("token/rs256/miss", "portcullis", 0.9),
        ];
        let lines: Vec<_> = markdown(&rows).lines().skip(2).map(str::to_owned).collect();
        assert_eq!(
            lines[..3],
            [
                "| `token/hs256/miss` | portcullis | jsonwebtoken | 0.55 | 0.60 | **no** |",
                "| `policy/attributes` | portcullis+made beforehand | \
                 cedar-policy 4.14.1 all made beforehand | 1/70 | 1/50 | **no** |",
                "| `policy/attributes` | portcullis | cedar-policy 4.14.1 | 1/200 | 1/250 | yes |",
            ]
        );
        assert_eq!(lines.len(), 4, "three lines and a blank one");
        assert_eq!(markdown(&rows[6..]), "");
    }
}
