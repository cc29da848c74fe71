//! The checkpoints of a log: which commits it held, signed.
//!
//! | file | holds |
//! |---|---|
//! | [`files`] | the entries and the signed roots, as files of the data directory |
//! | [`roots`] | the file of the signed roots |
//! | [`keeper`] | the one who appends them |
//! | [`serve`] | the newest one over HTTP |
//! | [`bucket`] | those of a log on AWS, brought here |

pub mod bucket;
pub mod files;
pub mod keeper;
pub mod roots;
pub mod serve;
