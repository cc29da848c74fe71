//! The domain: what a review is, who may decide it, and what follows.
//!
//! Pure and synchronous: no I/O, no clock, no randomness. [`decide`](decide::decide) turns a state
//! and a command into events and an answer; [`Fold::apply`] turns events into state;
//! [`owed`] says what the outside world is still owed. Everything that happens goes through these
//! three, whatever the channel.

pub mod able;
pub mod announce;
pub mod command;
pub mod contact;
pub mod decide;
pub mod directory;
pub mod fold;
pub mod integration;
pub mod owed;
mod primary;
pub mod state;
pub mod tally;
pub mod task;

pub use command::{Answer, Command, Decision};
pub use decide::decide;
pub use directory::Directory;
pub use fold::{Fold, FoldError};
pub use integration::Integration;
pub use primary::PrimaryId;
pub use state::{Ending, Review, State};
