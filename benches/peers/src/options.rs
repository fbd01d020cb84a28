//! What is asked for on the command line.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{measure::Plan, report::table::Figures};

/// How the command is written.
pub(crate) const USAGE: &str = "\
usage: cargo run --release --manifest-path benches/peers/Cargo.toml \\
           --features tokens,policies,limits,stack -- [OPTION]... [FILTER]

FILTER           measure only workloads whose name contains it
--json FILE      write one line of JSON for each workload and engine
--from FILE      measure nothing; read the lines of an earlier run
--only ENGINE    time only engines whose name contains it, all that they take: for a profiler
--charts FOLDER  where the charts go; `charts` beside Cargo.toml, but nowhere with a FILTER
--rounds N       how often each engine has its turn; 60
--slice MS       how long a turn is, in milliseconds; 4";

/// The command line, read.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) filter: Option<String>,
    pub(crate) from: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
    only: Option<String>,
    charts: Option<PathBuf>,
    rounds: usize,
    slice: Duration,
}

impl Options {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let slice = Duration::from_millis(4);
        let mut options = Self {
            filter: None,
            from: None,
            json: None,
            only: None,
            charts: None,
            rounds: 60,
            slice,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("`{argument}` needs a value"));
            match argument.as_str() {
                "--json" => options.json = Some(value()?.into()),
                "--from" => options.from = Some(value()?.into()),
                "--only" => options.only = Some(value()?),
                "--charts" => options.charts = Some(value()?.into()),
                "--rounds" => options.rounds = at_least_one(&value()?)?,
                "--slice" => options.slice = Duration::from_millis(at_least_one(&value()?)? as u64),
                other if other.starts_with('-') => return Err(format!("`{other}` is no option")),
                _ if options.filter.is_some() => return Err("one filter is enough".to_owned()),
                _ => options.filter = Some(argument),
            }
        }
        Ok(options)
    }

    /// How long to measure.
    pub(crate) fn plan(&self) -> Plan {
        Plan { rounds: self.rounds, slice: self.slice, only: self.only.clone() }
    }

    /// Nanoseconds belong to one machine and one run, so only a fresh table shows them.
    pub(crate) fn figures(&self) -> Figures {
        if self.from.is_some() { Figures::Ratios } else { Figures::All }
    }

    /// A part of the workloads does not replace the charts of all of them unless told to.
    pub(crate) fn charts(&self) -> Option<PathBuf> {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("charts");
        self.charts.clone().or_else(|| self.filter.is_none().then(beside))
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("`{text}` is no number above zero"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_and_filter_come_in_any_order() {
        let options = parse("token/ --rounds 3 --json out --slice 2").unwrap();
        assert_eq!(options.filter.as_deref(), Some("token/"));
        assert_eq!(options.json.as_deref(), Some(Path::new("out")));
        assert_eq!(options.plan().rounds, 3);
        assert_eq!(options.plan().slice, Duration::from_millis(2));
        assert_eq!(options.charts(), None);
        assert!(parse("").unwrap().charts().unwrap().ends_with("charts"));
        assert_eq!(parse("a --charts b").unwrap().charts(), Some("b".into()));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert_eq!(parse("--json").unwrap_err(), "`--json` needs a value");
        assert_eq!(parse("--rounds 0").unwrap_err(), "`0` is no number above zero");
        assert_eq!(parse("--fast").unwrap_err(), "`--fast` is no option");
        assert_eq!(parse("a b").unwrap_err(), "one filter is enough");
    }
}
