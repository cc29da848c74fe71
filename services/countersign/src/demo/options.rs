//! How the demonstration is to run.

use std::path::PathBuf;

use clap::ValueEnum;

/// How the demonstration is to run.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoOptions {
    /// The service's directory, which holds the operator's key.
    pub data: PathBuf,
    /// Where the service answers.
    pub url: String,
    /// Who decides when no person is to.
    pub auto: Option<Auto>,
    /// Customers to read; made when absent.
    pub csv: Option<PathBuf>,
    /// The same seed makes the same customers.
    pub seed: u64,
    /// How many customers to make.
    pub rows: usize,
    /// Which share of them to spoil, 0 to 1.
    pub share: f64,
}

/// An outcome without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Auto {
    /// Approve after a moment
    Approve,
    /// Reject after a moment
    Reject,
    /// Let it expire
    Expire,
}
