//! Commands on the log itself: taking it away and bringing it in.
//!
//! | file | holds |
//! |---|---|
//! | [`mod@format`] | one line of an export, as `docs/export-format.md` describes it |
//! | [`line_reader`] | its lines one after the other |
//! | [`scan`] | a line as this build writes it, without a JSON parser |
//! | [`chain`] | whether a stream's commits are whole and follow on from each other |
//! | [`export`] | reading the log for an export |
//! | [`mod@write`] | streams into the lines of an export |
//! | [`commits`] | the commits of an export, each put together from its lines |
//! | [`read`] | an export into streams, each checked |
//! | `read_error` | what may be wrong with one |
//! | [`decoded`] | an export into events |
//! | [`import`] | streams into a store |
//! | [`trust`] | whether somebody vouches for what is imported |
//! | [`handles`] | sealed task tokens, sealed anew for the target of a move |
//! | [`fence`] | the mark that a data directory was moved |
//! | [`place`] | where the log is: a data directory or a table |
//! | [`progress`] | how far it is, on a terminal |
//! | [`replay`] | the views anew from the log, and what stood there at a time |
//! | [`audit`] | an auditor's questions |
//! | [`directory`] | who changed people, groups and integrations |
//! | [`select`] | which reviews an export takes |
//! | [`events_table`] | streams as a table for people |
//! | [`part`] | the file of an export until it is whole, and going on with it |
//! | [`new_file`] | a file that a command leaves |
//! | [`table`] | comma-separated values for people |
//! | [`export_file`], [`import_file`] | the two commands |

pub mod audit;
pub mod chain;
pub mod commits;
pub mod decoded;
pub mod directory;
pub mod events_table;
pub mod export;
pub mod export_file;
pub mod fence;
pub mod format;
pub mod handles;
pub mod import;
pub mod import_file;
pub mod line_reader;
pub mod new_file;
pub mod part;
pub mod place;
pub mod progress;
pub mod read;
mod read_error;
pub mod replay;
pub mod scan;
pub mod select;
pub mod table;
pub mod trust;
pub mod write;
