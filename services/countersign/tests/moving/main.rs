//! The log taken away and brought in: `export` and `import` as commands, between data directories and
//! into DynamoDB (an emulator), and the source of a move.
#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../support/mod.rs"]
mod support;

mod as_of;
mod damage;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod fence;
mod places;
mod plain;
mod selected;
mod stopped;
