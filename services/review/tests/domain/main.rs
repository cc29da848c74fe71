//! The domain as a specification: what every command does in every state, and what holds however
//! commands, time and the directory are mixed.

#![allow(clippy::expect_used, reason = "a test that expects says what it expected")]

mod again;
mod aliases;
mod announcing;
mod cells;
mod commands;
mod corpus;
mod integrations;
mod lives;
mod matrix;
mod messages;
mod model;
mod newer;
mod often;
mod outside;
mod people;
mod renamed;
mod seen;
mod states;
mod task_answers;
mod world;
