//! One line of JSON for each workload and engine.

use std::{error::Error, fs, path::Path};

use super::Row;

/// Writes the rows, one a line.
pub(crate) fn write(file: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    for row in rows {
        text.push_str(&serde_json::to_string(&rounded(row))?);
        text.push('\n');
    }
    Ok(fs::write(file, text)?)
}

/// Reads what [`write`] wrote.
pub(crate) fn read(file: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Without digits that say nothing.
fn rounded(row: &Row) -> Row {
    let places = |value: f64, scale: f64| (value * scale).round() / scale;
    Row {
        median_ns: places(row.median_ns, 10.0),
        p99_ns: places(row.p99_ns, 10.0),
        allocs: places(row.allocs, 100.0),
        bytes: places(row.bytes, 10.0),
        ratio: places(row.ratio, 1e5),
        ..row.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::row;

    #[test]
    fn a_line_has_these_fields_in_this_order() {
        let line = serde_json::to_string(&row("token/hs256/miss", "portcullis", 0.5)).unwrap();
        assert_eq!(
            line,
            r#"{"workload":"token/hs256/miss","engine":"portcullis","median_ns":500.0,"p99_ns":1000.0,"allocs":3.0,"bytes":100.0,"ratio":0.5,"answers_equal":true}"#
        );
    }

    #[test]
    fn what_is_written_is_read() {
        let file = std::env::temp_dir().join(format!("peers-{}.json", std::process::id()));
        let rows = [row("a", "b", 0.25), row("a", "bound: c", 1.0)];
        write(&file, &rows).unwrap();
        assert_eq!(read(&file).unwrap(), rows);
        fs::remove_file(file).unwrap();
    }
}
