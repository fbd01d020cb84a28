//! One chart for each group: ratios to the reference on a logarithmic axis.
//!
//! The background is left out and all colours are of middle lightness, so that a chart can be read
//! on a light page and on a dark one.

use std::{error::Error, fs, path::Path};

use plotters::{
    backend::SVGBackend,
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea as _},
    element::{PathElement, Rectangle, Text},
    style::{
        Color as _, IntoFont as _, RGBColor, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::Row;

/// A chart's name and the groups of rows that it shows.
const CHARTS: [(&str, &[&str]); 4] = [
    ("tokens", &["token"]),
    ("policies", &["policy"]),
    ("limits", &["limit"]),
    ("stack", &["gate", "http"]),
];

const WIDTH: u32 = 960;
const LINE: i32 = 20;
/// Where the axis starts and ends; names stand before it, figures after it.
const AXIS: (i32, i32) = (400, 880);
const TOP: i32 = 34;

const TEXT: RGBColor = RGBColor(118, 118, 118);
const OURS: RGBColor = RGBColor(46, 139, 87);
const PEER: RGBColor = RGBColor(202, 111, 30);
const BOUND: RGBColor = RGBColor(120, 135, 160);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Writes a chart for every group that has rows.
pub(crate) fn write(folder: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for (name, groups) in CHARTS {
        let shown: Vec<&Row> = rows.iter().filter(|row| groups.contains(&row.group())).collect();
        if !shown.is_empty() {
            fs::write(folder.join(name).with_extension("svg"), draw(&shown)?)?;
        }
    }
    Ok(())
}

fn draw(rows: &[&Row]) -> Result<String, Box<dyn Error>> {
    let lines = rows.iter().zip(starts(rows)).map(|(_, starts)| 1 + i32::from(starts)).sum::<i32>();
    let height = TOP + lines * LINE + 10;
    let scale = Scale::around(rows);
    let mut text = String::new();
    {
        let area =
            SVGBackend::with_string(&mut text, (WIDTH, height.unsigned_abs())).into_drawing_area();
        draw_axis(&area, &scale, height)?;
        let mut y = TOP;
        for (row, starts) in rows.iter().zip(starts(rows)) {
            if starts {
                write_text(&area, &row.workload, (8, y), HPos::Left, TEXT)?;
                y += LINE;
            }
            draw_row(&area, &scale, row, y)?;
            y += LINE;
        }
        area.present()?;
    }
    Ok(text)
}

/// Whether a row is the first of its workload.
fn starts(rows: &[&Row]) -> Vec<bool> {
    let before = [None].into_iter().chain(rows.iter().map(|row| Some(&row.workload)));
    rows.iter().zip(before).map(|(row, before)| before != Some(&row.workload)).collect()
}

fn draw_axis(area: &Area<'_>, scale: &Scale, height: i32) -> Result<(), Box<dyn Error>> {
    let title = "less than the reference  ·  ratio  ·  more";
    write_text(area, title, (8, 4), HPos::Left, TEXT)?;
    for power in scale.low..=scale.high {
        let value = 10_f64.powi(power);
        let x = scale.x(value);
        let colour = TEXT.mix(if power == 0 { 0.9 } else { 0.25 });
        area.draw(&PathElement::new([(x, TOP - 8), (x, height - 6)], colour))?;
        write_text(area, &format!("{value}"), (x, 4), HPos::Center, TEXT)?;
    }
    Ok(())
}

fn draw_row(area: &Area<'_>, scale: &Scale, row: &Row, y: i32) -> Result<(), Box<dyn Error>> {
    let colour = match row {
        ours if ours.is_ours() => OURS,
        bound if bound.is_bound() => BOUND,
        _ => PEER,
    };
    let (one, end) = (scale.x(1.0), scale.x(row.ratio));
    // A bar of no length would not be seen.
    let (left, right) = (one.min(end) - 1, one.max(end) + 1);
    area.draw(&Rectangle::new([(left, y + 3), (right, y + LINE - 5)], colour.filled()))?;
    write_text(area, &row.engine, (AXIS.0 - 12, y + 1), HPos::Right, colour)?;
    let figure =
        if row.ratio < 0.1 { format!("{:.3}", row.ratio) } else { format!("{:.2}", row.ratio) };
    write_text(area, &figure, (AXIS.1 + 12, y + 1), HPos::Left, colour)
}

fn write_text(
    area: &Area<'_>,
    text: &str,
    at: (i32, i32),
    anchor: HPos,
    colour: RGBColor,
) -> Result<(), Box<dyn Error>> {
    let style = TextStyle::from(("sans-serif", 16).into_font())
        .color(&colour)
        .pos(Pos::new(anchor, VPos::Top));
    area.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}

/// Powers of ten from edge to edge.
struct Scale {
    low: i32,
    high: i32,
}

impl Scale {
    /// Holds 1 and every ratio that can be shown.
    fn around(rows: &[&Row]) -> Self {
        let logs = || rows.iter().filter(|row| row.ratio > 0.0).map(|row| row.ratio.log10());
        let low = logs().fold(0.0, f64::min).floor() as i32;
        let high = logs().fold(0.0, f64::max).ceil() as i32;
        Self { low: low.min(-1), high: high.max(1) }
    }

    fn x(&self, ratio: f64) -> i32 {
        let share = (ratio.max(f64::MIN_POSITIVE).log10() - f64::from(self.low))
            / f64::from(self.high - self.low);
        AXIS.0 + (share.clamp(0.0, 1.0) * f64::from(AXIS.1 - AXIS.0)).round() as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::row;

    #[test]
    fn every_row_has_a_bar_and_its_figure() {
        let rows = [
            row("limit/a", "peer 1", 1.0),
            row("limit/a", "portcullis", 0.02),
            row("limit/b", "bound: x", 30.0),
        ];
        let chart = draw(&rows.iter().collect::<Vec<_>>()).unwrap();
        for shown in ["peer 1", "portcullis", "bound: x", "limit/a", "limit/b", "0.020", "30.00"] {
            assert!(chart.contains(&format!("\n{shown}\n")), "{shown}: {chart}");
        }
        assert_eq!(chart.matches("limit/a").count(), 1, "a workload is named once");
        assert_eq!(chart.matches("<rect").count(), 3);
    }

    #[test]
    fn the_axis_holds_every_ratio_and_one() {
        let rows = [row("a", "b", 0.004), row("a", "c", 7.0), row("a", "d", -1.0)];
        let scale = Scale::around(&rows.iter().collect::<Vec<_>>());
        assert_eq!((scale.low, scale.high), (-3, 1));
        assert_eq!(scale.x(0.001), AXIS.0);
        assert_eq!(scale.x(10.0), AXIS.1);
        assert_eq!(scale.x(-1.0), AXIS.0, "what costs less than nothing is at the edge");
    }
}
