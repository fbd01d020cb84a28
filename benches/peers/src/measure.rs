//! Times engines beside each other: one process, short turns, many rounds.
//!
//! In every round each engine of a workload has one turn of a few milliseconds; the order moves on
//! by one from round to round. A ratio is taken within a round and the median over rounds is told,
//! so a machine that is slow for a while is slow for all of them alike.

#[cfg(any(feature = "tokens", feature = "policies"))]
mod cycle;
mod engine;
mod statistics;
mod workload;

use std::{error::Error, time::Duration};

#[cfg(any(feature = "tokens", feature = "policies"))]
pub(crate) use cycle::Cycle;
pub(crate) use engine::Engine;
pub(crate) use workload::Workload;

use crate::report::Row;

/// How long to measure.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// How often each engine has its turn.
    pub(crate) rounds: usize,
    /// How long a turn is.
    pub(crate) slice: Duration,
    /// Which engines to time, by a part of the name; all unless said.
    pub(crate) only: Option<String>,
}

/// A run over many workloads.
#[derive(Debug)]
pub(crate) struct Session {
    plan: Plan,
    filter: Option<String>,
    rows: Vec<Row>,
}

#[cfg_attr(
    not(any(feature = "tokens", feature = "policies", feature = "limits", feature = "stack")),
    expect(dead_code, reason = "without a group there is nothing to measure")
)]
impl Session {
    pub(crate) fn new(plan: Plan, filter: Option<String>) -> Self {
        Self { plan, filter, rows: Vec::new() }
    }

    /// Whether the workload is to be measured. Ask before its fixtures are built.
    pub(crate) fn wants(&self, workload: &str) -> bool {
        self.filter.as_deref().is_none_or(|filter| workload.contains(filter))
    }

    /// Measures, once all engines have given the same answers.
    pub(crate) fn measure(&mut self, workload: Workload<'_>) -> Result<(), Box<dyn Error>> {
        eprintln!("{}", workload.name());
        self.rows.extend(workload.run(&self.plan)?);
        Ok(())
    }

    pub(crate) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}
