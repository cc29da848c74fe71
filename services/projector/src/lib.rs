//! What follows from the log: view rows, resumed workflows, published events.
//!
//! Three handlers, each of which folds the stream anew and does what is still missing, so that a
//! record that comes twice, late or out of order does no harm.
//!
//! | handler | does | through |
//! |---|---|---|
//! | [`Rows`] | writes the view row of each review | [`ledger::Views`] |
//! | [`Resumer`] | tells waiting workflows the outcome, and logs what they answered | [`Workflows`] |
//! | [`Publisher`] | puts every event on the bus | [`Bus`] |
//!
//! [`rebuild`] makes all rows anew, and can do nothing else.
//!
//! On one machine each follows the log by itself. On AWS one [`Projection`] does all three for each
//! record of the stream, in this order: resume, publish, write the row, whose version thereby says what
//! was published ([`Outlets`]).

mod aliases;
mod outlets;
mod projection;
mod publisher;
pub mod rebuild;
mod resumer;
mod row;
mod rows;
mod turns;

#[cfg(feature = "eventbridge")]
pub mod eventbridge;
#[cfg(feature = "sfn")]
pub mod sfn;
#[cfg(feature = "sns")]
pub mod sns;

pub use aliases::{AliasError, Aliases};
pub use outlets::{Observe, OutletError, Outlets};
pub use projection::{CONSUMER, Projection, ProjectionError};
pub use publisher::{Bus, BusError, Publisher};
pub use resumer::{Gone, ResumeError, Resumer, WorkflowError, Workflows};
pub use row::row;
pub use rows::{ProjectError, Rows};
