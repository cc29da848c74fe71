//! The notifier over a real log, channels that fail as told, and a clock that is moved.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

mod crash;
mod outage;
mod returned;
mod world;
