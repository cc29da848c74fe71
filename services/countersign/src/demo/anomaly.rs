//! The rule that stops the pipeline: which rows look anomalous, why, and whether they are too many.
//!
//! A row is anomalous when a numeric value is missing or not a number, or when its modified z-score
//! exceeds [`CUTOFF`] (B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers", ASQC Basic
//! References in Quality Control 16, 1993): `0.6745 |x − median| / MAD`, and where more than half of
//! the values are equal, so that the MAD is 0, `|x − median| / (1.253314 MeanAD)`. Medians, unlike a
//! mean and a standard deviation, are not moved by the very values that are looked for.
//!
//! Two cases the rule does not speak of: in a column of one value nothing is an outlier, and in a
//! column of only 0 and 1, a yes or no, a rare answer is none either; both are checked for missing
//! values only.

use super::dataset::{Customers, Value};

/// The share of flagged rows that still passes: strictly more asks for a review.
pub const THRESHOLD: f64 = 0.06;
/// The modified z-score above which a value is an outlier (Iglewicz and Hoaglin 1993).
pub const CUTOFF: f64 = 3.5;
/// The third quartile of the standard normal: makes MAD comparable to a standard deviation.
const MAD_FACTOR: f64 = 0.6745;
/// √(π/2): makes the mean absolute deviation comparable to a standard deviation.
const MEAN_AD_FACTOR: f64 = 1.253_314;

/// What the rule found in a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How many rows were looked at.
    pub rows: usize,
    /// The flagged rows, in the order of the data set.
    pub flagged: Vec<FlaggedRow>,
    /// The numeric columns, in the order of the data set.
    pub columns: Vec<ColumnReport>,
}

/// A row that looks anomalous.
#[derive(Debug, Clone, PartialEq)]
pub struct FlaggedRow {
    /// Which row, from 0 (the header is not counted).
    pub row: usize,
    /// At least one, in the order of the columns.
    pub reasons: Vec<Reason>,
}

/// One value that flags its row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reason {
    /// Which column of the table, from 0.
    pub column: usize,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Why {
    /// There is none.
    Missing,
    /// It is not a number in a column of numbers.
    NotANumber,
    /// It lies too far from the median.
    Outlier {
        /// The value.
        value: f64,
        /// Its modified z-score, above [`CUTOFF`].
        score: f64,
    },
}

/// One numeric column: what is usual in it, and how many of its values are not.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnReport {
    /// Which column of the table, from 0.
    pub column: usize,
    /// The median of its numbers.
    pub median: f64,
    /// How far its numbers spread.
    pub spread: Spread,
    /// Values too far from the median.
    pub outliers: usize,
    /// Values that are missing.
    pub missing: usize,
    /// Values that are not numbers.
    pub not_numbers: usize,
}

/// How far the numbers of a column spread around their median, in the unit of the column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// The median absolute deviation.
    Mad(f64),
    /// The mean absolute deviation, where more than half of the numbers are equal.
    MeanAd(f64),
    /// All numbers are equal, or all are 0 or 1: nothing is an outlier.
    Unmeasured,
}

impl Report {
    /// The share of flagged rows, 0 to 1; 0 when there are no rows.
    pub fn share(&self) -> f64 {
        if self.rows == 0 { 0.0 } else { self.flagged.len() as f64 / self.rows as f64 }
    }

    /// Whether a person must look: strictly more than [`THRESHOLD`] of the rows are flagged.
    pub fn needs_review(&self) -> bool {
        self.share() > THRESHOLD
    }

    /// The column with the most flagged values, the first of equals.
    pub fn most_flagged(&self) -> Option<&ColumnReport> {
        self.columns.iter().rev().max_by_key(|column| column.flagged())
    }
}

impl ColumnReport {
    /// How many of its values flag their row.
    pub fn flagged(&self) -> usize {
        self.outliers + self.missing + self.not_numbers
    }

    /// The lowest and the highest number that is no outlier; `None` when none can be.
    pub fn usual(&self) -> Option<(f64, f64)> {
        let reach = match self.spread {
            Spread::Mad(mad) => CUTOFF * mad / MAD_FACTOR,
            Spread::MeanAd(mean) => CUTOFF * MEAN_AD_FACTOR * mean,
            Spread::Unmeasured => return None,
        };
        Some((self.median - reach, self.median + reach))
    }

    fn score(&self, x: f64) -> f64 {
        let deviation = (x - self.median).abs();
        match self.spread {
            Spread::Mad(mad) => MAD_FACTOR * deviation / mad,
            Spread::MeanAd(mean) => deviation / (MEAN_AD_FACTOR * mean),
            Spread::Unmeasured => 0.0,
        }
    }
}

/// Applies the rule to every numeric column of a data set.
pub fn analyse(customers: &Customers) -> Report {
    let mut found: Vec<(usize, Reason)> = Vec::new();
    let mut columns = Vec::with_capacity(customers.numeric().len());
    for numeric in customers.numeric() {
        let mut report = measure(numeric.column, &numeric.values);
        for (row, value) in numeric.values.iter().enumerate() {
            let why = match *value {
                Value::Missing => {
                    report.missing += 1;
                    Why::Missing
                }
                Value::NotANumber => {
                    report.not_numbers += 1;
                    Why::NotANumber
                }
                Value::Number(value) => {
                    let score = report.score(value);
                    if score <= CUTOFF {
                        continue;
                    }
                    report.outliers += 1;
                    Why::Outlier { value, score }
                }
            };
            found.push((row, Reason { column: numeric.column, why }));
        }
        columns.push(report);
    }
    // Stable, so the reasons of a row stay in the order of the columns.
    found.sort_by_key(|(row, _)| *row);
    let flagged = found
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|of_row| {
            let (row, _) = of_row.first()?;
            Some(FlaggedRow { row: *row, reasons: of_row.iter().map(|(_, reason)| *reason).collect() })
        })
        .collect();
    Report { rows: customers.rows(), flagged, columns }
}

fn measure(column: usize, values: &[Value]) -> ColumnReport {
    let mut numbers: Vec<f64> =
        values.iter().filter_map(|value| if let Value::Number(x) = value { Some(*x) } else { None }).collect();
    let yes_or_no = numbers.iter().all(|x| *x == 0.0 || *x == 1.0);
    let median = median(&mut numbers);
    for x in &mut numbers {
        *x = (*x - median).abs();
    }
    let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    let mad = self::median(&mut numbers);
    let spread = match (mad > 0.0, mean > 0.0) {
        _ if yes_or_no => Spread::Unmeasured,
        (true, _) => Spread::Mad(mad),
        (false, true) => Spread::MeanAd(mean),
        (false, false) => Spread::Unmeasured,
    };
    ColumnReport { column, median, spread, outliers: 0, missing: 0, not_numbers: 0 }
}

/// The middle number, or the mean of the two middle ones; 0 of none. Reorders `numbers`.
fn median(numbers: &mut [f64]) -> f64 {
    let middle = numbers.len() / 2;
    if numbers.is_empty() {
        return 0.0;
    }
    let even = numbers.len().is_multiple_of(2);
    let (below, upper, _) = numbers.select_nth_unstable_by(middle, f64::total_cmp);
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(lower) if even => (lower + *upper) / 2.0,
        _ => *upper,
    }
}

#[cfg(test)]
mod tests;
