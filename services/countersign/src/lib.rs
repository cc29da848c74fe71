//! Countersign's command line and one-machine service.

pub mod checkpoints;
pub mod cli;
pub mod client;
pub mod demo;
pub mod log;
pub mod serve;
pub mod verify;
