//! What a run says: lines of JSON, a table, charts.

pub(crate) mod chart;
pub(crate) mod json;
pub(crate) mod table;
mod targets;

use serde::{Deserialize, Serialize};

/// What one engine did in one workload.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) engine: String,
    /// Of all batches, per operation.
    pub(crate) median_ns: f64,
    /// Of all batches, per operation.
    pub(crate) p99_ns: f64,
    pub(crate) allocs: f64,
    pub(crate) bytes: f64,
    /// To the workload's reference: the median over rounds of the ratio within a round.
    pub(crate) ratio: f64,
    /// Whether it said to every question what the others say.
    pub(crate) answers_equal: bool,
}

impl Row {
    fn is_ours(&self) -> bool {
        self.engine == "portcullis" || self.engine.starts_with("portcullis+")
    }

    fn is_bound(&self) -> bool {
        self.engine.starts_with("bound: ")
    }

    /// The part of the workload's name before the first slash.
    fn group(&self) -> &str {
        self.workload.split('/').next().unwrap_or_default()
    }
}

/// How often `ratio` is the one of the workload's first bound.
fn to_bound(rows: &[Row], row: &Row) -> Option<f64> {
    let bound = rows.iter().find(|other| other.workload == row.workload && other.is_bound())?;
    (bound.ratio > 0.0).then(|| row.ratio / bound.ratio)
}

#[cfg(test)]
fn row(workload: &str, engine: &str, ratio: f64) -> Row {
    Row {
        workload: workload.to_owned(),
        engine: engine.to_owned(),
        median_ns: ratio * 1_000.0,
        p99_ns: ratio * 2_000.0,
        allocs: 3.0,
        bytes: 100.0,
        ratio,
        answers_equal: true,
    }
}
