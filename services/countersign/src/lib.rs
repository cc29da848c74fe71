//! Countersign's command line and one-machine service.

// First, and with its macros: `println!` and its siblings are those of this module in the whole crate.
#[macro_use]
pub mod terminal;

pub mod checkpoints;
pub mod cli;
pub mod client;
pub mod demo;
pub mod log;
pub mod serve;
pub mod text_file;
pub mod verify;
