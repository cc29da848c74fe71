//! One small picture of a report: how much is flagged beside the limit, and where the flagged values
//! of the worst column lie.
//!
//! An SVG of shapes and text only. It brings its own ground, so it is legible on any page, and follows
//! the page into dark colours where the viewer supports that.

use std::fmt::{self, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    anomaly::{ColumnReport, Report, THRESHOLD},
    dataset::{Customers, Value},
    words::{count, limit, number, percent, plain},
};

/// The most bars of the usual range.
const BINS_MAX: f64 = 26.0;
/// Where the bars stand: left end, width, foot and greatest height, in SVG units.
const LEFT: f64 = 250.0;
const WIDTH: f64 = 208.0;
const FOOT: f64 = 144.0;
const HEIGHT: f64 = 88.0;
/// Width of a bar that stands for all flagged values of a kind.
const FLAG_WIDTH: f64 = 20.0;

// Light colours are attributes too, for viewers that ignore a style sheet.
const STYLE: &str = "<style>@media (prefers-color-scheme:dark){.g{fill:#171b22;stroke:#333c49}.t{fill:#e9edf3}.m{fill:#a3afbf}\
.b{fill:#62789a}.f{fill:#ff8a5c}.o{fill:#69db7c}.r{fill:#2a313c}.l{stroke:#4a5666}.k{stroke:#e9edf3}}</style>";

/// What a column's values are, ready to be drawn.
#[derive(Debug, Default, PartialEq)]
struct Histogram {
    /// The range that the bins cover; the flagged values below and above it are not in them.
    low: f64,
    high: f64,
    bins: Vec<usize>,
    below: usize,
    above: usize,
}

impl Histogram {
    fn of(column: &ColumnReport, values: &[Value]) -> Histogram {
        let (least, most) = column.usual().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let numbers = || values.iter().filter_map(|value| if let Value::Number(x) = value { Some(*x) } else { None });
        let usual = || numbers().filter(|x| (least..=most).contains(x));
        let (low, high) = usual().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        // Whole numbers get bars of whole width: else some bars hold more numbers than others and show
        // a comb that is not in the data.
        let (range, width) = if usual().all(|x| x.fract() == 0.0) {
            let range = high - low + 1.0;
            (range, (range / BINS_MAX).ceil())
        } else {
            (high - low, (high - low) / BINS_MAX)
        };
        // One bar for a constant column, and for what rounding makes of a minute range.
        let bins = if width > 0.0 { (range / width).ceil().clamp(1.0, BINS_MAX) as usize } else { 1 };
        let mut histogram = Histogram { low, high, bins: vec![0; bins], below: 0, above: 0 };
        for x in numbers() {
            let slot = if x < least {
                &mut histogram.below
            } else if x > most {
                &mut histogram.above
            } else {
                // A width of 0 makes this no number, which is cast to 0.
                let bin = (((x - low) / width) as usize).min(bins - 1);
                let Some(bin) = histogram.bins.get_mut(bin) else { continue };
                bin
            };
            *slot += 1;
        }
        histogram
    }
}

/// The picture of a report as an SVG document of 560 × 180.
pub fn svg(customers: &Customers, report: &Report) -> String {
    let mut out = String::with_capacity(6_000);
    // Writing to a text does not fail.
    let _ = draw(&mut out, customers, report);
    out
}

/// The picture as `data:image/svg+xml;base64,…`, at most 20 KB whatever the data holds.
pub fn image(customers: &Customers, report: &Report) -> String {
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg(customers, report)))
}

fn draw(out: &mut String, customers: &Customers, report: &Report) -> fmt::Result {
    let shown = report.most_flagged().and_then(|column| {
        let numeric = customers.numeric().iter().find(|numeric| numeric.column == column.column)?;
        let name = customers.columns().get(column.column)?;
        Some((column, escape(&plain(name, 24)), Histogram::of(column, &numeric.values)))
    });
    let verdict = format!(
        "{} of {} rows are flagged: {}, where the limit is {}",
        count(report.flagged.len()),
        count(report.rows),
        percent(report.share()),
        limit()
    );
    let about = shown.as_ref().map(|(column, name, _)| format!("{name}: {} flagged values", count(column.flagged())));
    write!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 180" width="560" height="180" role="img" aria-labelledby="t d" font-family="system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif" font-size="11">"#
    )?;
    write!(out, r#"<title id="t">{verdict}</title><desc id="d">{}</desc>{STYLE}"#, about.unwrap_or_default())?;
    write!(out, r##"<rect class="g" x=".5" y=".5" width="559" height="179" rx="8" fill="#fbfcfe" stroke="#d5dbe5"/>"##)?;
    draw_share(out, report)?;
    write!(out, r##"<path class="l" d="M190.5 22V158" stroke="#d5dbe5"/>"##)?;
    if let Some((column, name, histogram)) = shown {
        draw_column(out, column, &name, &histogram)?;
    }
    out.write_str("</svg>")
}

/// Left: the share as a figure and as a bar beside its limit.
fn draw_share(out: &mut String, report: &Report) -> fmt::Result {
    let share = report.share();
    let (class, colour) = if report.needs_review() { ("f", "#d9480f") } else { ("o", "#2b8a3e") };
    text(out, (20.0, 34.0), "m", "start", "Flagged rows")?;
    write!(
        out,
        r#"<text class="{class}" x="19" y="73" font-size="32" font-weight="700" fill="{colour}">{}</text>"#,
        percent(share)
    )?;
    text(out, (20.0, 92.0), "t", "start", &format!("{} of {}", count(report.flagged.len()), count(report.rows)))?;
    let full = (share * 1.25).clamp(THRESHOLD * 2.0, 1.0);
    let along = |part: f64| 148.0 * (part / full).min(1.0);
    write!(out, r##"<rect class="r" x="20" y="118" width="148" height="10" rx="2" fill="#e6eaf1"/>"##)?;
    write!(out, r#"<rect class="{class}" x="20" y="118" width="{:.1}" height="10" rx="2" fill="{colour}"/>"#, along(share))?;
    let mark = 20.0 + along(THRESHOLD);
    write!(out, r##"<path class="k" d="M{mark:.1} 113V133" stroke="#1d2530" stroke-width="2"/>"##)?;
    text(out, (mark.max(42.0), 148.0), "m", "middle", &format!("limit {}", limit()))
}

/// Right: the usual values of the column as a histogram, between bars for what is flagged.
fn draw_column(out: &mut String, column: &ColumnReport, name: &str, histogram: &Histogram) -> fmt::Result {
    let absent = column.missing + column.not_numbers;
    let (class, colour) = if column.flagged() > 0 { ("f", "#d9480f") } else { ("m", "#5b6675") };
    write!(
        out,
        r##"<text class="t" x="208" y="34" font-size="12" font-weight="600" fill="#1d2530">{name}<tspan class="{class}" dx="8" font-weight="400" fill="{colour}">{} flagged</tspan></text>"##,
        count(column.flagged())
    )?;
    let tallest = histogram.bins.iter().copied().chain([histogram.below, histogram.above, absent]).max().unwrap_or(0).max(1);
    // One value among a million is still seen.
    let height = |n: usize| if n == 0 { 0.0 } else { (HEIGHT * n as f64 / tallest as f64).max(2.0) };
    // Few bars stand narrower, in the middle.
    let step = (WIDTH / histogram.bins.len() as f64).min(WIDTH / 6.0);
    let start = LEFT + (WIDTH - step * histogram.bins.len() as f64) / 2.0;
    for (bin, n) in histogram.bins.iter().enumerate().filter(|(_, n)| **n > 0) {
        let (x, tall) = (start + step * bin as f64, height(*n));
        write!(
            out,
            r##"<rect class="b" x="{x:.1}" y="{:.1}" width="{:.1}" height="{tall:.1}" rx="1" fill="#8ea2be"/>"##,
            FOOT - tall,
            step - 1.0
        )?;
    }
    write!(out, r##"<path class="l" d="M208 {FOOT}.5H544" stroke="#aab4c3"/>"##)?;
    let none = if column.not_numbers == 0 { "missing" } else { "no number" };
    for (middle, n, label) in [(228.0, histogram.below, "low"), (478.0, histogram.above, "high"), (520.0, absent, none)] {
        if n == 0 {
            continue;
        }
        let tall = height(n);
        let left = middle - FLAG_WIDTH / 2.0;
        write!(
            out,
            r##"<rect class="f" x="{left:.1}" y="{:.1}" width="{FLAG_WIDTH}" height="{tall:.1}" rx="1" fill="#d9480f"/>"##,
            FOOT - tall
        )?;
        text(out, (middle, FOOT - tall - 5.0), "t", "middle", &count(n))?;
        text(out, (middle, FOOT + 15.0), "m", "middle", label)?;
    }
    let (low, high) = (number(histogram.low), number(histogram.high));
    let middle = LEFT + WIDTH / 2.0;
    if low == high {
        return text(out, (middle, FOOT + 15.0), "m", "middle", &format!("always {low}"));
    }
    if start > LEFT + WIDTH / 6.0 {
        return text(out, (middle, FOOT + 15.0), "m", "middle", &format!("usual values: {low} to {high}"));
    }
    text(out, (start, FOOT + 15.0), "m", "start", &low)?;
    text(out, (middle, FOOT + 15.0), "m", "middle", "usual values")?;
    text(out, (LEFT + WIDTH - (start - LEFT), FOOT + 15.0), "m", "end", &high)
}

/// A line of text at `(x, y)`; `content` is ours or escaped.
fn text(out: &mut String, (x, y): (f64, f64), class: &str, anchor: &str, content: &str) -> fmt::Result {
    let colour = if class == "m" { "#5b6675" } else { "#1d2530" };
    write!(out, r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" fill="{colour}">{content}</text>"#)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
