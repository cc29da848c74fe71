//! A report as evidence that reviewers read: figures, the rule, the picture, sample rows.

use events::request::Evidence;

use super::{
    anomaly::{CUTOFF, FlaggedRow, Reason, Report, Why},
    dataset::Customers,
    plot,
    words::{count, limit, number, percent, plain},
};

/// The rule in words.
pub const RULE: &str = "A row is flagged when a number in it is missing or unreadable, or when its modified z-score is above 3.5 \
(0.6745 × distance from the median ÷ median absolute deviation; Iglewicz and Hoaglin 1993). More than 6 % of flagged rows asks for \
a review.";

/// The most sample rows.
const ROWS_MAX: usize = 10;
/// The most columns of a sample row, besides its number and reason.
const COLUMNS_MAX: usize = 8;
/// The most columns in the list of columns.
const LISTED_MAX: usize = 20;
/// The longest text of a cell in characters, and of a reason.
const CELL_MAX: usize = 60;
const REASON_MAX: usize = 160;

/// The evidence for a review of a data set, far below what a request may hold
/// ([`events::request::DETAIL_MAX`]) whatever the data holds.
pub fn evidence(customers: &Customers, report: &Report) -> Vec<Evidence> {
    let mut evidence = vec![
        figure("Rows", count(report.rows)),
        figure("Flagged rows", count(report.flagged.len())),
        figure("Share of flagged rows", percent(report.share())),
        figure("Limit", limit()),
        figure("Rule", RULE.to_owned()),
        Evidence { image: Some(plot::image(customers, report)), ..labelled("Distribution of the column with the most flags") },
        Evidence { table: Some(columns(customers, report)), ..labelled("Flags by column") },
    ];
    if !report.flagged.is_empty() {
        let shown = report.flagged.len().min(ROWS_MAX);
        let label = format!("Sample: {shown} of {} flagged rows", count(report.flagged.len()));
        evidence.push(Evidence { table: Some(sample(customers, report)), ..labelled(&label) });
    }
    evidence
}

/// The summary of a review of a data set, in markdown.
pub fn summary(customers: &Customers, report: &Report) -> String {
    let verdict = if report.needs_review() { "more than" } else { "not more than" };
    let mut text = format!(
        "**{} of {} rows look anomalous: {}**, {verdict} the limit of {}.\n",
        count(report.flagged.len()),
        count(report.rows),
        percent(report.share()),
        limit()
    );
    let mut worst: Vec<_> = report.columns.iter().filter(|column| column.flagged() > 0).collect();
    worst.sort_by_key(|column| std::cmp::Reverse(column.flagged()));
    if !worst.is_empty() {
        text.push_str("\nMost flagged columns:\n\n");
    }
    for column in worst.into_iter().take(3) {
        let parts: Vec<String> =
            [(column.outliers, "too far from the median"), (column.missing, "missing"), (column.not_numbers, "not a number")]
                .into_iter()
                .filter(|(n, _)| *n > 0)
                .map(|(n, what)| format!("{} {what}", count(n)))
                .collect();
        // A code span shows its text as it is, up to a backtick.
        let name = name(customers, column.column).replace('`', "'");
        text.push_str(&format!("- `{name}`: {}\n", parts.join(", ")));
    }
    text.push_str("\nApprove to promote this data set as it is; reject to discard it.\n");
    text
}

fn labelled(label: &str) -> Evidence {
    Evidence { label: label.to_owned(), value: None, url: None, table: None, image: None }
}

fn figure(label: &str, value: String) -> Evidence {
    Evidence { value: Some(value), ..labelled(label) }
}

fn name(customers: &Customers, column: usize) -> String {
    customers.columns().get(column).map(|name| plain(name, CELL_MAX)).unwrap_or_default()
}

/// The numeric columns, the most flagged first.
fn columns(customers: &Customers, report: &Report) -> Vec<Vec<String>> {
    let mut table =
        vec![["Column", "Flagged", "Outliers", "Missing", "Not a number", "Median", "Usual range"].map(str::to_owned).to_vec()];
    let mut listed: Vec<_> = report.columns.iter().collect();
    listed.sort_by_key(|column| std::cmp::Reverse(column.flagged()));
    for column in listed.into_iter().take(LISTED_MAX) {
        let usual = column.usual().map_or("any".to_owned(), |(low, high)| format!("{} to {}", number(low), number(high)));
        table.push(vec![
            name(customers, column.column),
            count(column.flagged()),
            count(column.outliers),
            count(column.missing),
            count(column.not_numbers),
            number(column.median),
            usual,
        ]);
    }
    table
}

/// Flagged rows spread evenly over the data set, with the columns that flag them.
fn sample(customers: &Customers, report: &Report) -> Vec<Vec<String>> {
    let shown = report.flagged.len().min(ROWS_MAX);
    let rows: Vec<&FlaggedRow> = (0..shown).filter_map(|nth| report.flagged.get(nth * report.flagged.len() / shown)).collect();
    // The first column names the row as a rule; then what is flagged, then the others.
    let flagged = rows.iter().flat_map(|row| &row.reasons).map(|reason| reason.column);
    let mut columns: Vec<usize> = Vec::new();
    for column in [0].into_iter().chain(flagged).chain(0..customers.columns().len()) {
        if columns.len() < COLUMNS_MAX && !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns.sort_unstable();
    let head = ["Row", "Reason"].map(str::to_owned).into_iter().chain(columns.iter().map(|column| name(customers, *column)));
    let mut table = vec![head.collect()];
    for row in rows {
        let reasons: Vec<String> = row.reasons.iter().take(4).map(|reason| why(customers, reason)).collect();
        let start = [count(row.row + 1), plain(&reasons.join("; "), REASON_MAX)];
        let cells = columns.iter().map(|column| plain(customers.cell(row.row, *column), CELL_MAX));
        table.push(start.into_iter().chain(cells).collect());
    }
    table
}

/// Why a value is flagged, in words.
fn why(customers: &Customers, reason: &Reason) -> String {
    let name = name(customers, reason.column);
    match reason.why {
        Why::Missing => format!("{name} is missing"),
        Why::NotANumber => format!("{name} is not a number"),
        Why::Outlier { value, score } => format!("{name} {}: score {} > {CUTOFF}", number(value), number(score)),
    }
}

#[cfg(test)]
mod tests;
