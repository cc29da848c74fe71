//! The Merkle tree over all commits, and its signed roots. Pure: no I/O, clock or randomness.
//!
//! | module | holds |
//! |---|---|
//! | [`mod@tree`] | RFC 9162 hashing, and the root of a tree that only grows |
//! | [`proof`] | that a leaf is in a tree |
//! | [`entry`] | the leaf that stands for a commit |
//! | [`note`] | C2SP signed notes, signed and verified with Ed25519 |
//! | [`mod@checkpoint`] | C2SP tlog checkpoints: a signed root |
//! | [`mod@breaks`] | that what was signed before was given up |
//!
//! The crates that know these formats were looked at first. `ct-merkle` keeps every leaf in memory, and
//! a log must verify in memory that stays flat; it is the oracle of the tests here. `signed_note` and
//! `tlog_tiles` bring a second SHA-2 and a second Ed25519 beside the one that TLS has in the tree.

pub mod breaks;
pub mod checkpoint;
pub mod entry;
pub mod note;
pub mod proof;
pub mod tree;

pub use breaks::Break;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use entry::Entry;
pub use note::{NoteError, PublicKey, SigningKey};
pub use tree::{Frontier, Hash};
