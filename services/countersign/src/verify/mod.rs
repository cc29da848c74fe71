//! `countersign verify` and `prove`: whether the log is what was signed, and a review's part of it as a
//! file that anyone can check.
//!
//! A log may be longer than memory, and its commits come in whatever order the source has them. So each
//! commit is checked by itself as it comes, and what relates commits to each other and to the tree is
//! checked on rows that are sorted on the disk: one row a commit of the log, one an entry of the tree.
//!
//! | file | holds |
//! |---|---|
//! | [`finding`] | what can be found |
//! | [`report`] | what is said in the end |
//! | [`row`] | one commit or entry, as it is sorted |
//! | [`sort`] | sorting more than memory holds |
//! | [`mod@audit`] | the check, fed by a source |
//! | [`streams`] | a stream's rows beside the entries of it |
//! | [`roots`] | the entries against the signed roots |
//! | [`lines`] | an export as the source, read leniently |
//! | `open` | the commit whose lines are being read |
//! | [`sources`] | a store or an export, given to the check |
//! | [`proof`] | one review's commits with their proofs |
//! | [`run`] | the commands |

pub mod audit;
pub mod finding;
pub mod lines;
mod open;
pub mod proof;
pub mod report;
pub mod roots;
pub mod row;
pub mod run;
pub mod sort;
pub mod sources;
pub mod streams;

#[cfg(test)]
mod tests;
