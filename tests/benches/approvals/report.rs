//! The table, and the same as JSON.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::Outcome;

/// What a figure must keep to.
#[derive(Clone, Copy)]
pub enum Limit {
    /// Only told.
    None,
    Below(f64),
    Above(f64),
    Exactly(f64),
}

impl Limit {
    fn holds(self, value: f64) -> bool {
        match self {
            Limit::None => true,
            Limit::Below(limit) => value < limit,
            Limit::Above(limit) => value > limit,
            Limit::Exactly(limit) => value == limit,
        }
    }

    fn text(self) -> String {
        match self {
            Limit::None => String::new(),
            Limit::Below(limit) => format!("< {}", number(limit)),
            Limit::Above(limit) => format!("> {}", number(limit)),
            Limit::Exactly(limit) => format!("= {}", number(limit)),
        }
    }
}

struct Row {
    name: &'static str,
    unit: &'static str,
    value: f64,
    limit: Limit,
    /// What the limit is, what we aim at, what to compare with.
    beside: &'static str,
}

/// All figures of one run.
#[derive(Default)]
pub struct Report(Vec<Row>);

impl Report {
    pub fn add(&mut self, name: &'static str, value: f64, unit: &'static str, limit: Limit, beside: &'static str) {
        self.0.push(Row { name, unit, value, limit, beside });
    }

    /// Whether every limit holds.
    pub fn holds(&self) -> bool {
        self.0.iter().all(|row| row.limit.holds(row.value))
    }

    pub fn print(&self) {
        println!("{:<52} {:>10} {:<4} {:>9}     ", "", "measured", "", "limit");
        for Row { name, unit, value, limit, beside } in &self.0 {
            let verdict = match limit {
                Limit::None => "",
                limit if limit.holds(*value) => "ok",
                _ => "MISSED",
            };
            let line = format!("{name:<52} {:>10} {unit:<4} {:>9} {verdict:<6} {beside}", number(*value), limit.text());
            println!("{}", line.trim_end());
        }
    }

    /// Writes name to value, unit, limit and whether it holds.
    pub fn write(&self, path: &Path) -> Outcome<()> {
        let row = |row: &Row| {
            let figure = json!({"value": row.value, "unit": row.unit, "limit": row.limit.text(), "beside": row.beside,
                "holds": row.limit.holds(row.value)});
            (row.name.to_owned(), figure)
        };
        let rows: Map<String, Value> = self.0.iter().map(row).collect();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, serde_json::to_vec_pretty(&rows)?)?)
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        whole if whole.fract() == 0.0 => format!("{value:.0}"),
        small if small >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
