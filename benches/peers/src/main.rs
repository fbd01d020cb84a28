//! portcullis beside other crates and beside hand-written lower bounds; see `BENCHMARKS.md`.

use std::{env, error::Error};

use measure::Session;
use options::{Options, USAGE};

#[cfg(any(feature = "tokens", feature = "stack"))]
mod access_token;
#[cfg(any(feature = "limits", feature = "stack"))]
mod buckets;
#[cfg(feature = "limits")]
mod limits;
mod measure;
mod options;
#[cfg(feature = "policies")]
mod policies;
mod report;
#[cfg(feature = "stack")]
mod stack;
#[cfg(feature = "tokens")]
mod tokens;
mod versions;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(env::args().skip(1)).map_err(|e| format!("{e}\n{USAGE}"))?;
    let rows = match &options.from {
        Some(file) => report::json::read(file)?,
        None => measure_all(&options)?,
    };
    if let Some(file) = &options.json {
        report::json::write(file, &rows)?;
    }
    println!("{}", report::table::markdown(&rows, options.figures()));
    match options.charts() {
        Some(folder) => report::chart::write(&folder, &rows),
        None => Ok(()),
    }
}

fn measure_all(options: &Options) -> Result<Vec<report::Row>, Box<dyn Error>> {
    #[cfg_attr(
        not(any(feature = "tokens", feature = "policies", feature = "limits", feature = "stack")),
        expect(unused_mut, reason = "without a group there is nothing to measure")
    )]
    let mut session = Session::new(options.plan(), options.filter.clone());
    #[cfg(feature = "tokens")]
    tokens::measure(&mut session)?;
    #[cfg(feature = "policies")]
    policies::measure(&mut session)?;
    #[cfg(feature = "limits")]
    limits::measure(&mut session)?;
    #[cfg(feature = "stack")]
    stack::measure(&mut session)?;
    let rows = session.into_rows();
    if rows.is_empty() {
        return Err("nothing was measured: no workload fits the filter and the features".into());
    }
    Ok(rows)
}
