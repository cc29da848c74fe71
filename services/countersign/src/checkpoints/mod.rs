//! The checkpoints of a log: which commits it held, signed.
//!
//! | file | holds |
//! |---|---|
//! | [`files`] | the entries and the signed roots, as files of the data directory |
//! | [`roots`] | the file of the signed roots |
//! | [`key`] | the key that signs them |
//! | [`keeper`] | the one who appends them |
//! | `begin` | what it finds when it begins |
//! | [`compare`] | the log against what was signed of it |
//! | [`broken`] | what can be found there |
//! | [`cover`] | having the newest commits covered |
//! | [`restore`] | the way back after a loss |
//! | [`serve`] | the newest one over HTTP |
//! | [`bucket`] | those of a log on AWS, brought here |

mod begin;
pub mod broken;
pub mod bucket;
pub mod compare;
pub mod cover;
pub mod files;
pub mod keeper;
pub mod key;
pub mod restore;
pub mod roots;
pub mod serve;
