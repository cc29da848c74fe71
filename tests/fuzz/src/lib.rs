//! What reads input from outside, each as a function of bytes that asserts what must hold of any input.
//!
//! `cargo test -p fuzz` runs each over its corpus (`corpus/TARGET/`) and over variations of it; `./test fuzz` lets
//! libFuzzer look for more (`driver/`). A new reader of outside input gets a file here, a line in [`TARGETS`] and a
//! folder in `corpus/`. An input that was found to break something becomes a file of the corpus.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a target fails by panicking")]

mod alter;
mod bus_event;
mod capability;
mod checkpoint;
mod export_line;
mod markdown;
mod proof;
mod request;
mod review;
mod session;
mod slack_interaction;
mod vote;

/// A target: its name, and what must hold of any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("bus_event", bus_event::check),
    ("capability", capability::check),
    ("checkpoint", checkpoint::check),
    ("export_line", export_line::check),
    ("markdown_card", markdown::card),
    ("markdown_mail", markdown::mail),
    ("markdown_page", markdown::page),
    ("proof", proof::check),
    ("request", request::check),
    ("session", session::check),
    ("slack_interaction", slack_interaction::check),
    ("vote", vote::check),
];

/// The target of this name.
pub fn target(name: &str) -> Option<fn(&[u8])> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
}
