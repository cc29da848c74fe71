//! Commands on the log itself: taking it away and bringing it in.
//!
//! | file | holds |
//! |---|---|
//! | [`mod@format`] | one line of an export, as `docs/export-format.md` describes it |
//! | [`chain`] | whether a stream's commits are whole and follow on from each other |
//! | [`mod@write`] | the log into an export |
//! | [`read`] | an export into streams, each checked |
//! | [`import`] | streams into a store |
//! | [`handles`] | sealed task tokens, sealed anew for the target of a move |
//! | [`fence`] | the mark that a data directory was moved |
//! | [`place`] | where the log is: a data directory or a table |
//! | [`progress`] | how far it is, on a terminal |
//! | [`run`] | the commands |

pub mod chain;
pub mod fence;
pub mod format;
pub mod handles;
pub mod import;
pub mod place;
pub mod progress;
pub mod read;
pub mod run;
pub mod write;
