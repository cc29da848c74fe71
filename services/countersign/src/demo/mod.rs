//! The demonstration: a pipeline that stops when too much of its data looks anomalous, asks for a
//! review with the evidence, and goes on or stops as it is decided.
//!
//! | file | holds |
//! |---|---|
//! | [`dataset`] | the customers, made or read |
//! | [`anomaly`] | the rule that flags rows |
//! | [`plot`], [`evidence`] | what reviewers are shown |
//! | [`mod@run`], [`pipeline`] | one run, its stages, and what takes it from one to the next |
//! | [`terminal`], [`page`] | the two ways to watch it |

pub mod anomaly;
pub mod dataset;
pub mod evidence;
pub mod options;
pub mod page;
pub mod pipeline;
pub mod plot;
pub mod run;
pub mod terminal;
mod words;

pub use options::{Auto, DemoOptions};
pub use terminal::run;
